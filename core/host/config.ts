import { Predicate } from "effect"
import type { ConfigSchema } from "../contract/index.ts"
import { closestName } from "../flow/closest-name.ts"

/** What is wrong with an option. */
export interface ConfigProblem {
  /** JSON pointer below the configuration. */
  readonly pointer: string
  readonly message: string
  readonly hint?: string
}

export type ConfigResult =
  | { readonly config: Record<string, unknown> }
  | { readonly problems: readonly ConfigProblem[] }

/** Checks a configuration against a component's schema and fills in every default. */
export function decodeConfig(schema: ConfigSchema, value: unknown): ConfigResult {
  const problems: ConfigProblem[] = []
  const config = check(schema, value ?? {}, "", problems)
  return problems.length > 0 ? { problems } : { config: config as Record<string, unknown> }
}

type Schema = Readonly<Record<string, unknown>>

function check(schema: Schema, value: unknown, pointer: string, problems: ConfigProblem[]): unknown {
  const alternatives = (schema.oneOf ?? schema.anyOf) as readonly Schema[] | undefined
  if (alternatives !== undefined && schema.properties === undefined)
    return oneOf(alternatives, value, pointer, problems)
  const types = schema.type === undefined ? [] : typesOf(schema)
  if (types.length > 0 && !types.some((name) => isOfType(name, value))) {
    problems.push(wrongType(types, value, pointer))
    return value
  }
  const choices = schema.enum as readonly unknown[] | undefined
  if (choices !== undefined && !choices.includes(value)) {
    const near = Predicate.isString(value) ? closestName(value, choices.filter(Predicate.isString)) : undefined
    problems.push({
      pointer,
      message: `${shown(pointer)} cannot be ${quoted(schema, value)}`,
      hint: near === undefined ? `Choose one of ${choices.join(", ")}` : `Did you mean "${near}"?`,
    })
  }
  if (Predicate.isNumber(value)) checkNumber(schema, value, pointer, problems)
  if (Predicate.isString(value)) checkText(schema, value, pointer, problems)
  if (Array.isArray(value)) return checkList(schema, value, pointer, problems)
  return Predicate.isObject(value) ? checkObject(schema, value as Schema, pointer, problems) : value
}

function oneOf(alternatives: readonly Schema[], value: unknown, pointer: string, problems: ConfigProblem[]): unknown {
  let nearest: ConfigProblem[] | undefined
  for (const alternative of alternatives) {
    const found: ConfigProblem[] = []
    const result = check(alternative, value, pointer, found)
    if (found.length === 0) return result
    // The alternative of the value's own type explains best what is wrong.
    if (typesOf(alternative).some((name) => isOfType(name, value))) nearest ??= found
  }
  problems.push(...(nearest ?? [wrongType(alternatives.flatMap(typesOf), value, pointer)]))
  return value
}

function typesOf({ type, enum: choices }: Schema): readonly string[] {
  if (type !== undefined) return [type].flat() as string[]
  return Array.isArray(choices) ? [...new Set(choices.map(kindOf))] : []
}

function wrongType(types: readonly string[], value: unknown, pointer: string): ConfigProblem {
  const wanted = [...new Set(types)].map(article).join(" or ")
  return { pointer, message: `${shown(pointer)} is ${article(kindOf(value))}, ${wanted} is wanted` }
}

function checkNumber(schema: Schema, value: number, pointer: string, problems: ConfigProblem[]): void {
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number }
  if (minimum !== undefined && value < minimum)
    problems.push({ pointer, message: `${shown(pointer)} is ${value}, the least is ${minimum}` })
  if (maximum !== undefined && value > maximum)
    problems.push({ pointer, message: `${shown(pointer)} is ${value}, the most is ${maximum}` })
}

function checkText(schema: Schema, value: string, pointer: string, problems: ConfigProblem[]): void {
  const { minLength, maxLength, pattern } = schema as { minLength?: number; maxLength?: number; pattern?: string }
  const length = [...value].length
  if (minLength !== undefined && length < minLength)
    problems.push({ pointer, message: `${shown(pointer)} has ${length} characters, the least is ${minLength}` })
  if (maxLength !== undefined && length > maxLength)
    problems.push({ pointer, message: `${shown(pointer)} has ${length} characters, the most is ${maxLength}` })
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    problems.push({
      pointer,
      message: `${shown(pointer)} is ${quoted(schema, value)}, which does not match ${pattern}`,
    })
  }
}

function checkList(schema: Schema, list: readonly unknown[], pointer: string, problems: ConfigProblem[]): unknown {
  const { minItems, maxItems, items } = schema as { minItems?: number; maxItems?: number; items?: Schema }
  const many = `${shown(pointer)} has ${list.length} entries`
  if (minItems !== undefined && list.length < minItems)
    problems.push({
      pointer,
      message: list.length === 0 ? `${shown(pointer)} is empty` : `${many}, the least is ${minItems}`,
    })
  if (maxItems !== undefined && list.length > maxItems) {
    problems.push({ pointer, message: `${many}, the most is ${maxItems}` })
    return list
  }
  return items === undefined ? list : list.map((item, i) => check(items, item, `${pointer}/${i}`, problems))
}

function checkObject(schema: Schema, object: Schema, pointer: string, problems: ConfigProblem[]): unknown {
  const properties = schema.properties as Readonly<Record<string, Schema>> | undefined
  if (properties === undefined) return object
  // A map, because an assignment to "__proto__" would not make an option.
  const result = new Map<string, unknown>()
  for (const [name, value] of Object.entries(object)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property === undefined) {
      if (schema.additionalProperties !== false) result.set(name, value)
      else problems.push(unknownOption(name, Object.keys(properties), pointer))
    } else if (value !== undefined) result.set(name, check(property, value, below(pointer, name), problems))
  }
  for (const [name, property] of Object.entries(properties)) {
    if (result.has(name) || property.default === undefined) continue
    // A default may be an object whose own options have defaults.
    result.set(name, check(property, structuredClone(property.default), below(pointer, name), problems))
  }
  for (const name of (schema.required as readonly string[] | undefined) ?? []) {
    const at = below(pointer, name)
    if (!result.has(name)) problems.push({ pointer: at, message: `${shown(at)} is missing` })
  }
  checkGroups(schema, result, pointer, problems)
  return Object.fromEntries(result)
}

/** Beside `properties`, `oneOf` names groups of options of which exactly one has to be given, `anyOf` at least one. */
function checkGroups(
  schema: Schema,
  options: ReadonlyMap<string, unknown>,
  pointer: string,
  problems: ConfigProblem[],
): void {
  const groups = (schema.oneOf ?? schema.anyOf) as readonly { readonly required: readonly string[] }[] | undefined
  if (groups === undefined) return
  const given = groups.filter((group) => group.required.every((name) => options.has(name)))
  if (given.length === 1 || (given.length > 1 && schema.oneOf === undefined)) return
  const names = groups.map((group) => group.required.join(" with "))
  const message =
    given.length === 0 ? `Neither ${names.join(" nor ")} is given` : `Only one can be given: ${names.join(" or ")}`
  problems.push({ pointer, message })
}

function unknownOption(name: string, known: readonly string[], pointer: string): ConfigProblem {
  const near = closestName(name, known)
  return {
    pointer: below(pointer, name),
    message: `There is no option "${name}"`,
    hint: near === undefined ? `There are ${known.join(", ")}` : `Did you mean "${near}"?`,
  }
}

function isOfType(type: string, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value)
  if (type === "array") return Array.isArray(value)
  if (type === "object") return Predicate.isObject(value) && !Array.isArray(value)
  return type === "null" ? value === null : typeof value === type
}

function kindOf(value: unknown): string {
  if (value === null) return "null"
  return Array.isArray(value) ? "array" : typeof value
}

/** A value for a message: no secret, and not all of a long one. */
function quoted(schema: Schema, value: unknown): string {
  if (schema["x-secret"] === true) return "a secret"
  const text = JSON.stringify(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function article(word: string): string {
  if (word === "null") return word
  return /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`
}

function below(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`
}

function shown(pointer: string): string {
  if (pointer === "") return "The configuration"
  const names = pointer.slice(1).split("/")
  return `Option "${names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~")).join(".")}"`
}
