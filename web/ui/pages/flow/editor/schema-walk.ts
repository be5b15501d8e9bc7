import type { Path } from "./json-tree.ts"

/** As much of a JSON Schema as completion looks at. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly examples?: readonly unknown[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema | boolean
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly if?: Schema
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  readonly then?: Schema
  readonly else?: Schema
  /** The type of data source whose name it is. */
  readonly "x-dataSource"?: string
}

/** The schemas that hold for what stands at a path, given what the document says around it. */
export function schemasAt(root: Schema, document: unknown, path: Path): readonly Schema[] {
  let schemas = expand(root, root, document)
  let value = document
  for (const part of path) {
    value = childOf(value, part)
    schemas = schemas.flatMap((schema) => under(schema, part)).flatMap((schema) => expand(root, schema, value))
  }
  return schemas
}

/** A schema with all that it refers to or combines, as far as the value does not rule it out. */
function expand(root: Schema, schema: Schema, value: unknown, depth = 0): readonly Schema[] {
  if (depth > 20) return []
  const next = (one: Schema) => expand(root, one, value, depth + 1)
  const found: Schema[] = [schema]
  if (schema.$ref) found.push(...next(resolve(root, schema.$ref)))
  for (const one of schema.allOf ?? []) found.push(...next(one))
  for (const one of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])])
    if (!contradicts(one, value)) found.push(...next(one))
  if (schema.if) {
    const branch = fits(schema.if, value) ? schema.then : schema.else
    if (branch) found.push(...next(branch))
  }
  return found
}

function under(schema: Schema, part: string | number): readonly Schema[] {
  if (typeof part === "number") return typeof schema.items === "object" ? [schema.items] : []
  const named = Object.hasOwn(schema.properties ?? {}, part) ? schema.properties?.[part] : undefined
  if (named) return [named]
  const byPattern = Object.entries(schema.patternProperties ?? {}).find(([pattern]) =>
    new RegExp(pattern, "u").test(part),
  )
  if (byPattern) return [byPattern[1]]
  return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : []
}

/** Whether a value is what `if` asks for; only constants are looked at, by which schemas tell cases apart. */
function fits(condition: Schema, value: unknown): boolean {
  if (condition.const !== undefined) return condition.const === value
  if (condition.enum !== undefined) return condition.enum.includes(value)
  return Object.entries(condition.properties ?? {}).every(([key, schema]) => fits(schema, childOf(value, key)))
}

/** Whether a case is ruled out by a constant that the value has otherwise. */
function contradicts({ properties = {} }: Schema, value: unknown): boolean {
  return Object.entries(properties).some(([key, schema]) => {
    const given = childOf(value, key)
    if (given === undefined) return false
    if (schema.const !== undefined) return schema.const !== given
    return schema.enum?.length === 1 && schema.enum[0] !== given
  })
}

function resolve(root: Schema, ref: string): Schema {
  let at: unknown = root
  for (const part of ref.replace(/^#\/?/, "").split("/").filter(Boolean))
    at = childOf(at, part.replaceAll("~1", "/").replaceAll("~0", "~"))
  return typeof at === "object" && at !== null ? at : {}
}

function childOf(value: unknown, part: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined
  return (value as Readonly<Record<string | number, unknown>>)[part] // an object that has it
}
