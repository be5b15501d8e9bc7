import { isRecord } from "./declaration.ts"

/** The schemas that hold for one place of a configuration: several where the schema offers alternatives. */
export interface ConfigPlace {
  readonly root: unknown
  readonly schemas: readonly Readonly<Record<string, unknown>>[]
}

export function rootPlace(schema: unknown): ConfigPlace {
  return { root: schema, schemas: alternatives(schema, schema, 0) }
}

/** The place of an object's property. */
export function propertyPlace({ root, schemas }: ConfigPlace, key: string): ConfigPlace {
  return { root, schemas: schemas.flatMap((schema) => alternatives(root, propertySchema(schema, key), 0)) }
}

/** The place of an array's item. */
export function itemPlace({ root, schemas }: ConfigPlace, index: number): ConfigPlace {
  const items = schemas.map((schema) =>
    Array.isArray(schema.prefixItems) && index < schema.prefixItems.length ? schema.prefixItems[index] : schema.items,
  )
  return { root, schemas: items.flatMap((schema) => alternatives(root, schema, 0)) }
}

/** True where any alternative says that the text is SQL. */
export function isSql({ schemas }: ConfigPlace): boolean {
  return schemas.some((schema) => schema.format === "sql")
}

/** The JSON types that the place takes; undefined when the schema leaves that open. */
export function typesOf({ schemas }: ConfigPlace): ReadonlySet<string> | undefined {
  const types = schemas.flatMap(({ type }) => (Array.isArray(type) ? type : type === undefined ? [] : [type]))
  return types.length === 0 ? undefined : new Set(types.filter((type) => typeof type === "string"))
}

function propertySchema(schema: Readonly<Record<string, unknown>>, key: string): unknown {
  const { properties, patternProperties, additionalProperties } = schema
  if (isRecord(properties) && Object.hasOwn(properties, key)) return properties[key]
  if (isRecord(patternProperties)) {
    for (const [pattern, value] of Object.entries(patternProperties)) {
      if (new RegExp(pattern, "u").test(key)) return value
    }
  }
  return additionalProperties
}

/** A schema with everything that it combines, references followed. */
function alternatives(root: unknown, schema: unknown, depth: number): Readonly<Record<string, unknown>>[] {
  // A schema may refer to itself; deeper than this no real one nests combinations.
  if (!isRecord(schema) || depth > 16) return []
  const combined = [schema.oneOf, schema.anyOf, schema.allOf].flatMap((list) => (Array.isArray(list) ? list : []))
  // `then` and `else` count whatever `if` says: a text that may be SQL must not be pasted into.
  const all = [...combined, schema.then, schema.else, refersTo(root, schema.$ref)]
  return [schema, ...all.flatMap((one) => alternatives(root, one, depth + 1))]
}

function refersTo(root: unknown, ref: unknown): unknown {
  if (typeof ref !== "string" || !ref.startsWith("#")) return undefined
  let found = root
  for (const step of ref.split("/").slice(1)) {
    const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")
    found = isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined
  }
  return found
}
