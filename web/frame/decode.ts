import { Result, Schema, type SchemaAST, SchemaIssue } from "effect"
import { closestName } from "../../core/flow/closest-name.ts"
import type { FlowProblem } from "../../core/flow/problem.ts"
import { type RequestError, refuse } from "../../core/server/request-error.ts"
import type { Shape } from "../api/endpoint.ts"

/** Where a value stands in a request. */
export type Part = "body" | "query" | "path"

/** Reads one part of requests. Unknown fields are refused, and every fault is told at once. */
export type PartReader = (value: unknown) => Result.Result<unknown, RequestError>

/** Made once for an endpoint, since a schema is compiled at its first use. */
export function partReader(shape: Shape, part: Part): PartReader {
  const codec = part === "body" ? Schema.toCodecJson(shape) : Schema.toCodecStringTree(shape)
  const decode = Schema.decodeUnknownResult(codec, { errors: "all", onExcessProperty: "error" })
  return (value) =>
    Result.mapError(decode(value), ({ issue }) => {
      const problems = problemsOf(issue, value, part)
      const [first] = problems
      const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""
      return refuse("invalid", `${first?.message ?? "The request is wrong"}${more}`, {
        problems,
        ...(first?.hint === undefined ? {} : { hint: first.hint }),
      })
    })
}

/** Names of the fields of a query that may be given several times. */
export function listsOf(shape: Shape): ReadonlySet<string> {
  const ast = Schema.toEncoded(Schema.toCodecStringTree(shape)).ast
  if (ast._tag !== "Objects") return new Set()
  return new Set(
    ast.propertySignatures.filter(({ type }) => isList(type)).map(({ name }) => String(name)), // names of a query are text
  )
}

function isList(ast: SchemaAST.AST): boolean {
  return ast._tag === "Arrays" || (ast._tag === "Union" && ast.types.some(isList))
}

function problemsOf(issue: SchemaIssue.Issue, value: unknown, part: Part): FlowProblem[] {
  return format(issue).issues.map(({ path = [], message }) => {
    const keys = path.map((key) => String(typeof key === "object" ? key.key : key))
    const place = placeOf(keys, part)
    const pointer = part === "body" ? { pointer: keys.map((key) => `/${pointerPart(key)}`).join("") } : {}
    if (message === MISSING) return { ...pointer, message: `${place} is missing` }
    if (!message.startsWith(UNKNOWN))
      return {
        ...pointer,
        message: `${place}: ${expectedIn(message, part)}, found ${shown(valueAt(value, keys), keys)}`,
      }
    const names = JSON.parse(message.slice(UNKNOWN.length)) as string[] // written below
    const near = closestName(keys.at(-1) ?? "", names)
    return {
      ...pointer,
      message: `${place} is not known here`,
      hint: near === undefined ? namesHint(names) : `Did you mean "${near}"?`,
    }
  })
}

const UNKNOWN = "unknown "
const MISSING = "missing"

/** The formatter hands on nothing but text, so what the hook knows of an unknown field goes as text. */
const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (leaf) => {
    if (leaf._tag === "MissingKey") return MISSING
    if (leaf._tag !== "UnexpectedKey") return SchemaIssue.defaultLeafHook(leaf)
    const names = leaf.ast._tag === "Objects" ? leaf.ast.propertySignatures.map(({ name }) => String(name)) : []
    return UNKNOWN + JSON.stringify(names)
  },
})

function namesHint(names: readonly string[]): string {
  return names.length === 0 ? "It has no fields" : `Known are ${names.map((name) => `"${name}"`).join(", ")}`
}

function placeOf(keys: readonly string[], part: Part): string {
  const name = keys.join(".")
  if (part === "body") return name === "" ? "The body" : `Field "${name}"`
  return part === "query" ? `Parameter "${name}" of the query` : `Part "${name}" of the path`
}

/** Numbers and booleans of a path or query are written as text. */
function expectedIn(message: string, part: Part): string {
  const text = message.charAt(0).toLowerCase() + message.slice(1)
  return part === "body" ? text : text.replace("a string representing a finite number", "a number")
}

function pointerPart(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1")
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  let at = value
  for (const key of keys) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string, unknown>)[key]
  }
  return at
}

/** A value as a message shows it: short, and no secret. */
function shown(value: unknown, keys: readonly string[]): string {
  if (value === undefined) return "nothing"
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === "object" && value !== null) return "an object"
  if (typeof value !== "string") return String(value)
  if (keys.some((key) => SECRET.test(key))) return `a text of ${value.length} characters`
  return value.length > MOST_SHOWN ? `${JSON.stringify(value.slice(0, MOST_SHOWN))} and more` : JSON.stringify(value)
}

const SECRET = /password|secret|token|key|settings|prod|dev/i
const MOST_SHOWN = 60
