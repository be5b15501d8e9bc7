import type { Columns, Dialect, Issue, TableColumn, TableInfo, TableName } from "../contract/index.ts"
import { lossyIssue } from "./mapping.ts"
import type { DatabaseOutputOptions } from "./options.ts"
import { qualified } from "./source-sql.ts"

/** A table that does not exist yet. */
export interface NewTable {
  readonly info: TableInfo
  readonly statement: string
  readonly issues: readonly Issue[]
}

/** The table that would hold these columns exactly: types, lengths, nullability and key. */
export function newTable(
  table: TableName,
  columns: Columns,
  options: Pick<DatabaseOutputOptions, "keyColumns" | "allowLossy"> & Partial<Pick<TableInfo, "uniqueKeys">>,
  dialect: Dialect,
): NewTable {
  const key = options.keyColumns ?? inheritedKey(columns)
  const issues: Issue[] = []
  const described = columns.map((column): TableColumn => {
    const { type, lossy } = dialect.columnType(column, { key: key.includes(column.name) })
    if (lossy !== undefined) {
      const message = `Column "${column.name}" is created as ${type}: ${lossy}`
      if (KEEPS_VALUES.has(column.type.kind)) issues.push({ severity: "warning", column: column.name, message })
      else issues.push(lossyIssue(message, [column.name], options.allowLossy))
    }
    const nullable = column.nullable && !key.includes(column.name)
    return {
      ...column,
      nullable,
      native: { system: "new", type },
      generated: false,
      identity: false,
      hasDefault: false,
    }
  })
  for (const name of [table.name, ...columns.map((column) => column.name)]) {
    const tooLong = excess(name, dialect)
    if (tooLong === undefined) continue
    const message = `Cannot create "${name}": ${tooLong}`
    issues.push({ severity: "error", message, hint: "Rename it, in a select step for a column" })
  }
  for (const name of key) {
    if (columns.some((column) => column.name === name)) continue
    issues.push({
      severity: "error",
      column: name,
      message: `Cannot create the key column "${name}": no such column comes in`,
    })
  }
  const lines = described.map(
    (column) => `${dialect.quote(column.name)} ${column.native!.type}${column.nullable ? "" : " NOT NULL"}`,
  )
  const list = (names: readonly string[]) => names.map((name) => dialect.quote(name)).join(", ")
  if (key.length > 0) lines.push(`PRIMARY KEY (${list(key)})`)
  const others = (options.uniqueKeys ?? []).filter((names) => list(names) !== list(key))
  for (const names of others) lines.push(`UNIQUE (${list(names)})`)
  return {
    info: { table, kind: "table", columns: described, primaryKey: key, uniqueKeys: key.length > 0 ? [key] : [] },
    statement: `CREATE TABLE ${qualified(table, dialect)} (\n  ${lines.join(",\n  ")}\n)${dialect.createTableSuffix ?? ""}`,
    issues,
  }
}

/** What is wrong with a name's length, if anything. */
export function excess(name: string, { identifierLimit }: Dialect): string | undefined {
  if (identifierLimit === undefined) return undefined
  const { most, unit } = identifierLimit
  const length = unit === "bytes" ? new TextEncoder().encode(name).length : [...name].length
  return length > most ? `the name takes ${length} ${unit}, the database allows ${most}` : undefined
}

/** What does not fit is rejected, or only the type's name is lost: neither changes a value. */
const KEEPS_VALUES = new Set<string>(["native", "string", "bytes"])

/** The source table's primary key, if all of it comes along. */
function inheritedKey(columns: Columns): readonly string[] {
  const parts = columns.filter((column) => column.key !== undefined).toSorted((a, b) => a.key! - b.key!)
  return parts.every((column, i) => column.key === i + 1) ? parts.map((column) => column.name) : []
}
