import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite"
import { quote } from "./dialect.ts"

/** A row as SQLite hands it over, in the order of its columns; integers are bigints. */
export type Values = readonly SQLOutputValue[]

/** A row by name, for the small results of pragmas. */
export type NamedValues = Readonly<Record<string, SQLOutputValue>>

/** Rows that come one by one; `return` closes the statement. */
export type RowIterator = IterableIterator<Values, undefined>

export function pragma(database: DatabaseSync, sql: string, ...parameters: SQLInputValue[]): NamedValues[] {
  return database.prepare(sql).all(...parameters)
}

/** Streams a statement's rows. The iterator closes the statement when it is left early. */
export function iterate(database: DatabaseSync, sql: string, ...parameters: SQLInputValue[]): RowIterator {
  const statement = database.prepare(sql)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  // The declarations know rows as objects only, although setReturnArrays makes them arrays.
  return statement.iterate(...parameters) as unknown as RowIterator
}

/**
 * The statement with text handed over as bytes and blobs as `\x…` text. Deno's driver ends text at its first NUL, both
 * drivers hide malformed UTF-8, and bytes go into a batch without becoming a string in between.
 */
export function withTextAsBytes(sql: string, columns: readonly { readonly raw: boolean }[]): string {
  const names = columns.map((_, i) => `c${i}`)
  const values = columns.map(({ raw }, i) =>
    raw
      ? `c${i}`
      : `CASE typeof(c${i}) WHEN 'text' THEN CAST(c${i} AS BLOB) WHEN 'blob' THEN '\\x'||lower(hex(c${i})) ELSE c${i} END`,
  )
  return `WITH ${quote("headrace rows")}(${names.join(",")}) AS (\n${bare(sql)}\n) SELECT ${values.join(",")} FROM ${quote("headrace rows")}`
}

/** Without the semicolon that would end a statement too early. */
export function bare(sql: string): string {
  return sql.replace(/[;\s]+$/, "")
}

/** Turns stored text into UTF-8: a database keeps its text in UTF-8 or, rarely, in UTF-16. Undefined when it is malformed. */
export type ToUtf8 = (text: Uint8Array) => Uint8Array | undefined

export function textDecoder(encoding: string): ToUtf8 {
  if (encoding === "UTF-8") return (text) => text
  const decoder = new TextDecoder(encoding.toLowerCase(), { fatal: true, ignoreBOM: true })
  const encoder = new TextEncoder()
  return (text) => {
    try {
      return encoder.encode(decoder.decode(text))
    } catch {
      return undefined
    }
  }
}
