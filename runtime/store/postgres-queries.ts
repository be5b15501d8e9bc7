import { getTableName, type SQL, type Table } from "drizzle-orm"
import { PgDialect } from "drizzle-orm/pg-core"
import { drizzle } from "drizzle-orm/pg-proxy"
import type { Queries } from "../../core/store/database.ts"
import { postgresTables } from "../../core/store/tables.ts"
import { columnNames } from "./column-names.ts"
import type { QueryOptions, Row } from "./postgres-link.ts"
import { fromPostgres, toPostgres } from "./postgres-text.ts"

export type Run = (text: string, params: readonly unknown[], options: QueryOptions) => Promise<Row[]>

/** The queries of the store over something that runs statements on PostgreSQL. */
export function postgresQueries(run: Run): Queries {
  async function rowsOf(text: string, params: readonly unknown[], asArrays: boolean): Promise<Row[]> {
    // Statements with many values hardly ever come again.
    const rows = await run(text, params.map(toPostgres), { asArrays, prepare: params.length <= MOST_PREPARED })
    for (const row of rows) for (const name in row) row[name] = fromPostgres(row[name])
    return rows
  }
  const db = drizzle(async (text, params, method) => ({ rows: await rowsOf(text, params, method === "all") }), {
    casing: "snake_case",
  })
  return {
    tables: postgresTables,
    select: db.select.bind(db),
    selectDistinct: db.selectDistinct.bind(db),
    insert: db.insert.bind(db),
    update: db.update.bind(db),
    delete: db.delete.bind(db),
    $count: db.$count.bind(db),
    async rows<R>(statement: SQL) {
      const { sql, params } = dialect.sqlToQuery(statement)
      return (await rowsOf(sql, params, false)) as R[] // the statement says what it gives
    },
    async insertAll<T extends Table>(table: T, rows: readonly T["$inferInsert"][]) {
      const [first] = rows
      if (first === undefined) return
      const columns = columnNames(table, Object.keys(first))
      const names = columns.map(({ name }) => `"${name}"`).join()
      const types = columns.map(({ name, column }) => `"${name}" ${column.getSQLType()}`).join()
      const insert = `INSERT INTO "${getTableName(table)}" (${names}) SELECT ${names}
        FROM json_to_recordset($1::text::json) AS r (${types})`
      const encoded = rows.map((row: Readonly<Record<string, unknown>>) =>
        Object.fromEntries(
          columns.map(({ key, name, column }) => {
            const value = row[key] ?? null
            return [name, value === null ? null : toPostgres(column.mapToDriverValue(value))]
          }),
        ),
      )
      await run(insert, [JSON.stringify(encoded)], { prepare: true })
    },
    // Builders of both dialects take and give the same, as far as `Queries` promises.
  } as unknown as Queries
}

const dialect = new PgDialect({ casing: "snake_case" })
const MOST_PREPARED = 60
