import { type Column, getTableColumns, type Table } from "drizzle-orm"
import { toSnakeCase } from "drizzle-orm/casing"

export interface ColumnName {
  /** What programs call it. */
  readonly key: string
  /** What the database calls it. */
  readonly name: string
  readonly column: Column
}

/** Columns of a table of the store. */
export function columnNames(table: Table, keys?: readonly string[]): readonly ColumnName[] {
  const columns = getTableColumns(table) as Readonly<Record<string, Column>> // of whichever dialect
  return (keys ?? Object.keys(columns)).map((key) => {
    const column = columns[key]!
    return { key, name: column.keyAsName ? toSnakeCase(key) : column.name, column }
  })
}
