import { expect, test } from "bun:test"
import { getTableColumns, sql } from "drizzle-orm"
import { toSnakeCase } from "drizzle-orm/casing"
import { Effect } from "effect"
import { type Queries, StoreDatabase } from "../../core/store/database.ts"
import { storePlaces } from "./testdata/store-databases.ts"

interface Column {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly nullable: boolean
}

/** What the migrations have made. */
const made = {
  sqlite: sql`SELECT m.name AS "table", c.name, lower(c.type) AS type, NOT c."notnull" AND NOT c.pk AS nullable
    FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`,
  postgres: sql`SELECT table_name AS "table", column_name AS name, data_type AS type, is_nullable = 'YES' AS nullable
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'store_version'`,
}

/** What queries believe. */
function declared(tables: Queries["tables"]): Column[] {
  return Object.values(tables).flatMap((table) => {
    const name = (table as unknown as Record<symbol, string>)[Symbol.for("drizzle:Name")] ?? "" // how drizzle keeps it
    return Object.entries(getTableColumns(table)).map(([key, column]) => ({
      table: name,
      name: toSnakeCase(key),
      type: column.getSQLType(),
      nullable: !column.notNull,
    }))
  })
}

test.each(storePlaces)("store-schema in %s is what the tables of the queries say", async (dialect, makePlace) => {
  await using place = await makePlace()
  const read = Effect.gen(function* () {
    const database = yield* StoreDatabase
    return yield* database.read(async ({ rows, tables }) => ({
      found: await rows<Column>(made[dialect]),
      wanted: declared(tables),
    }))
  })
  const { found, wanted } = await Effect.runPromise(Effect.provide(read, place.layer))
  expect(wanted.length).toBeGreaterThan(150)
  const lines = (columns: readonly Column[]) =>
    columns.map(({ table, name, type, nullable }) => `${table}.${name} ${type}${nullable ? "" : " NOT NULL"}`).sort()
  expect(lines(found)).toEqual(lines(wanted))
})
