import type { ParameterValue } from "../../contract/index.ts"
import { isFault, type Outcome, type ParameterProblem, pointerTo, problemOf } from "./problem.ts"
import { parseFormat } from "./time-format.ts"

export type ParameterType = ParameterValue["type"]

/** A parameter as the flow document declares it. */
export interface ParameterDeclaration {
  readonly type: ParameterType
  /** Its value unless one is given. Absent: a value must be given. May refer to other parameters and to dates. */
  readonly default?: string
  readonly description?: string
  /** False: without a value and a default, it is the empty text. Only for strings. */
  readonly required?: boolean
  /** date, timestamp: how the value is written into text, such as `yyyyMMdd`. Components then see it as a string. */
  readonly format?: string
}

/** By name. Names that differ only in case are one name. */
export type ParameterDeclarations = Readonly<Record<string, ParameterDeclaration>>

export const parameterTypes = ["string", "integer", "decimal", "date", "timestamp", "boolean"] as const

/** The longest value of a parameter, in characters, before and after references are resolved. */
export const maxValueLength = 258
/** The longest name of a parameter. */
export const maxNameLength = 32
/** What the host sets in every run: the business date as `yyyyMMdd`, the flow's name, the run's id. */
export const builtinNames = ["bizdate", "flow", "run"] as const

/** JSON Schema of a flow document's `parameters`. */
export const parametersSchema = {
  type: "object",
  description: "Parameters by name; texts in steps and settings refer to them by name in braces behind a dollar.",
  additionalProperties: false,
  patternProperties: {
    "^(?![gG][lL][bB])[A-Za-z_][A-Za-z0-9_]{0,31}$": {
      type: "object",
      additionalProperties: false,
      required: ["type"],
      properties: {
        type: { enum: parameterTypes, description: "What values it takes." },
        default: {
          type: ["string", "number", "boolean"],
          description: "Its value unless one is given; may refer to dates and to other parameters.",
        },
        description: { type: "string", description: "What it is for." },
        required: { type: "boolean", description: "False: a string without value and default is empty." },
        format: { type: "string", description: "How a date or timestamp is written into text, such as yyyyMMdd." },
      },
    },
  },
} as const

/** Checks the `parameters` of a document; absent means none. */
export function readDeclarations(
  parameters: unknown,
  pointer = "/parameters",
): Outcome<{ readonly declarations: ParameterDeclarations }> {
  if (parameters === undefined) return { declarations: {} }
  if (!isRecord(parameters)) {
    return { problems: [declarationProblem("Cannot read the parameters: they are not an object", pointer)] }
  }
  const problems: ParameterProblem[] = []
  const seen = new Map<string, string>()
  const declarations: [string, ParameterDeclaration][] = []
  for (const [name, declared] of Object.entries(parameters)) {
    const at = pointerTo(pointer, name)
    const earlier = seen.get(name.toLowerCase())
    const wrong =
      nameFault(name) ??
      (earlier === undefined ? undefined : `"${earlier}" is declared too, and names do not differ by case alone`)
    seen.set(name.toLowerCase(), name)
    if (wrong !== undefined) problems.push(declarationProblem(`Cannot declare parameter "${name}": ${wrong}`, at, name))
    else declarations.push([name, declarationOf(name, declared, at, problems)])
  }
  return problems.length > 0 ? { problems } : { declarations: Object.fromEntries(declarations) }
}

/** True for text that has the form of a name, whatever its length. */
export function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
}

/** What is wrong with a name, if anything. */
export function nameFault(name: string): string | undefined {
  if (!isName(name)) return "a name has letters, digits and _ only, and does not begin with a digit"
  if (name.length > maxNameLength) return `the name has ${name.length} characters, and ${maxNameLength} are allowed`
  return /^glb/i.test(name) ? `names that begin with "glb" are reserved` : undefined
}

function declarationOf(
  name: string,
  declared: unknown,
  at: string,
  problems: ParameterProblem[],
): ParameterDeclaration {
  const wrong = (what: string, key?: string) => {
    const pointer = key === undefined ? at : pointerTo(at, key)
    problems.push(declarationProblem(`Cannot declare parameter "${name}": ${what}`, pointer, name))
  }
  if (!isRecord(declared)) {
    wrong("it is not an object")
    return { type: "string" }
  }
  const { type, default: preset, description, required, format, ...rest } = declared
  for (const key of Object.keys(rest)) wrong(`"${key}" is not an option`, key)
  const known = parameterTypes.find((candidate) => candidate === type)
  if (known === undefined) wrong(`its type ${shown(type)} is none of ${parameterTypes.join(", ")}`, "type")
  if (description !== undefined && typeof description !== "string")
    wrong("its description is not a text", "description")
  if (required !== undefined && typeof required !== "boolean") wrong("required is neither true nor false", "required")
  if (required === true && preset !== undefined) wrong("it is required, and so has no use for a default", "default")
  if (required === false && preset === undefined && known !== "string") {
    wrong(`a ${known} cannot be empty, so it needs a default or a value`, "required")
  }
  if (format !== undefined) checkFormat(known, format, at, name, problems)
  return {
    type: known ?? "string",
    ...(preset === undefined ? {} : { default: defaultText(preset, wrong) }),
    ...(typeof description === "string" ? { description } : {}),
    ...(typeof required === "boolean" ? { required } : {}),
    ...(typeof format === "string" ? { format } : {}),
  }
}

function checkFormat(
  type: ParameterType | undefined,
  format: unknown,
  at: string,
  name: string,
  problems: ParameterProblem[],
): void {
  const place = { reason: "declaration", pointer: pointerTo(at, "format"), parameter: name } as const
  const action = `Cannot declare parameter "${name}"`
  if (type !== "date" && type !== "timestamp") {
    problems.push(problemOf(action, { fault: "only a date or a timestamp has a format" }, place))
    return
  }
  const parsed = typeof format === "string" ? parseFormat(format) : { fault: "its format is not a text" }
  if (isFault(parsed)) problems.push(problemOf(action, parsed, place))
}

/** A document may write a default as JSON number or boolean, as long as that is exact. */
function defaultText(preset: unknown, wrong: (what: string, key: string) => void): string {
  if (typeof preset === "string") return preset
  if (typeof preset === "boolean") return String(preset)
  if (typeof preset === "number" && Math.abs(preset) <= Number.MAX_SAFE_INTEGER && !/e/.test(String(preset))) {
    return String(preset)
  }
  wrong(`its default ${shown(preset)} is not exact; write it as a text`, "default")
  return ""
}

function declarationProblem(message: string, pointer: string, parameter?: string): ParameterProblem {
  return { reason: "declaration", message, pointer, ...(parameter === undefined ? {} : { parameter }) }
}

function shown(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? "(absent)")
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
