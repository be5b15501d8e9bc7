import type { DatabaseSync } from "node:sqlite"
import { getTableName, type Table } from "drizzle-orm"

/** Tables in an order in which rows find what they refer to. A table may refer to itself. */
export function inOrder<T extends Table>(tables: readonly T[], database: DatabaseSync): readonly T[] {
  const references = database.prepare(
    `SELECT DISTINCT "table" AS name FROM pragma_foreign_key_list(?) WHERE "table" <> ?`,
  )
  const byName = new Map(tables.map((table) => [getTableName(table), table]))
  const ordered = new Set<T>()
  const add = (table: T) => {
    const name = getTableName(table)
    for (const { name: other } of references.all(name, name)) add(byName.get(String(other))!)
    ordered.add(table)
  }
  for (const table of tables) add(table)
  return [...ordered]
}
