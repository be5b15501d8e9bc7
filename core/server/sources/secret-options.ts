import type { ConfigSchema } from "../../contract/index.ts"
import { type ConfigPlace, itemPlace, propertyPlace, rootPlace } from "../../flow/parameters/config-place.ts"

export type Options = Readonly<Record<string, unknown>>

/** Options with every one that is marked `x-secret` changed; `undefined` takes it out. Pointers name them. */
export function mapSecrets(
  schema: ConfigSchema,
  options: Options,
  change: (secret: unknown, pointer: string) => unknown,
): Options {
  return walk(options, rootPlace(schema), "", change) as Options // an object stays one
}

/** The secrets by their pointers. */
export function secretsOf(schema: ConfigSchema, options: Options): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>()
  mapSecrets(schema, options, (secret, pointer) => {
    found.set(pointer, secret)
    return secret
  })
  return found
}

/** Options with a value put at a pointer, unless the object that would hold it is not there. */
export function withOption(options: Options, pointer: string, value: unknown): Options {
  const [name = "", ...rest] = pointer.slice(1).split("/")
  const key = name.replaceAll("~1", "/").replaceAll("~0", "~")
  const inner = Object.hasOwn(options, key) ? options[key] : undefined
  if (rest.length === 0) return inner === undefined ? { ...options, [key]: value } : options
  return isObject(inner) ? { ...options, [key]: withOption(inner, `/${rest.join("/")}`, value) } : options
}

function walk(
  value: unknown,
  place: ConfigPlace,
  pointer: string,
  change: (secret: unknown, pointer: string) => unknown,
): unknown {
  if (pointer !== "" && place.schemas.some((schema) => schema["x-secret"] === true)) return change(value, pointer)
  if (Array.isArray(value)) return value.map((item, i) => walk(item, itemPlace(place, i), `${pointer}/${i}`, change))
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
    const changed = walk(item, propertyPlace(place, key), at, change)
    return changed === undefined ? [] : [[key, changed] as const]
  })
  return Object.fromEntries(entries)
}

export function isObject(value: unknown): value is Options {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Every text in a value, names of options not counted. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isObject(value) ? Object.values(value).flatMap(textsIn) : []
}
