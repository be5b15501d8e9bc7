import type { Schema } from "../flow/editor/schema-walk.ts"

/** An option of a plugin, with what forms need of its schema. */
export interface OptionSchema extends Schema {
  readonly "x-secret"?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
}

export interface ConfigSchema {
  readonly properties?: Readonly<Record<string, OptionSchema>>
  readonly required?: readonly string[]
}

/** Options as they are typed; text is turned into what the schema says when it is sent. */
export type OptionTexts = Readonly<Record<string, string | boolean>>

export function textsOf(schema: ConfigSchema, settings: Readonly<Record<string, unknown>>): OptionTexts {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, option]) => {
      const value = settings[name] ?? (isSecret(option) ? undefined : option.default)
      if (kindOf(option) === "boolean") return [name, value === true]
      if (value === undefined || value === null) return [name, ""]
      return [name, typeof value === "object" ? JSON.stringify(value, null, 2) : String(value)]
    }),
  )
}

/**
 * What is sent. An option that is empty is left out. A secret is sent when it was typed, and as an empty text when it is
 * to be removed; left out, it stays what it was.
 */
export function settingsOf(
  schema: ConfigSchema,
  texts: OptionTexts,
  removed: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).flatMap(([name, option]) => {
      const value = texts[name]
      if (isSecret(option) && removed.has(name)) return [[name, ""]]
      if (value === undefined || value === "") return []
      if (typeof value === "boolean") return value || option.default === true ? [[name, value]] : []
      return [[name, read(value, option)]]
    }),
  )
}

export function isSecret(option: OptionSchema): boolean {
  return option["x-secret"] === true
}

export function kindOf(option: OptionSchema): "choice" | "boolean" | "number" | "json" | "text" | "secret" {
  if (isSecret(option)) return "secret"
  if (option.enum) return "choice"
  const type = Array.isArray(option.type) ? option.type[0] : option.type
  if (type === "boolean") return "boolean"
  if (type === "integer" || type === "number") return "number"
  return type === "string" || type === undefined ? "text" : "json"
}

/** What cannot be read is sent as it stands: the server says what is wrong with it. */
function read(text: string, option: OptionSchema): unknown {
  const kind = kindOf(option)
  if (kind === "choice") return option.enum?.find((one) => String(one) === text) ?? text
  if (kind === "number") return Number.isNaN(Number(text)) ? text : Number(text)
  if (kind !== "json") return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
