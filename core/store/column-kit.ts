import { sql } from "drizzle-orm"
import { bigint, boolean, customType, pgTable, text as pgText } from "drizzle-orm/pg-core"
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core"

/**
 * The columns that a table of the store is made of. Times are milliseconds since 1970, JSON is kept as text. What a value
 * is in a program is the same in both databases, so that one query serves both.
 */
export const sqliteKit = {
  table: sqliteTable,
  text: () => text(),
  integer: () => integer({ mode: "number" }),
  /** A number that the database gives, and never again. */
  serial: () => integer({ mode: "number" }).notNull().default(sql`NULL`),
  boolean: () => integer({ mode: "boolean" }),
  json: <T>() => text({ mode: "json" }).$type<T>(),
}

export type ColumnKit = typeof sqliteKit

const pgJson = customType<{ data: unknown; driverData: string }>({
  dataType: () => "text",
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (value) => JSON.parse(value),
})

/** The builders of both dialects share every method that the tables use; only SQLite's types are known to queries. */
export const postgresKit = {
  table: pgTable,
  text: () => pgText(),
  integer: () => bigint({ mode: "number" }),
  serial: () => bigint({ mode: "number" }).notNull(),
  boolean: () => boolean(),
  json: () => pgJson(),
} as unknown as ColumnKit
