import { Context, type Effect } from "effect"
import type { RequestError } from "../request-error.ts"

/** Where an option's value is, instead of the value. */
export type Reference = { readonly env: string } | { readonly file: string }

/** Looks up what options refer to, on the machine of the server. */
export class References extends Context.Service<
  References,
  { resolve(reference: Reference): Effect.Effect<string, RequestError> }
>()("core/server/sources/References") {}

export function referenceOf(value: unknown): Reference | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  const [name, text] = entries[0] ?? []
  if (entries.length !== 1 || typeof text !== "string") return undefined
  if (name === "env") return { env: text }
  return name === "file" ? { file: text } : undefined
}
