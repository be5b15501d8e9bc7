import type { TableColumn, TableInfo, TableName } from "../../core/contract/index.ts"
import { quoted } from "./mysql-dialect.ts"
import type { Link } from "./mysql-link.ts"
import { logicalType } from "./mysql-types.ts"

/** What information_schema knows of a table or a view; undefined when there is none. */
export async function describeTable(link: Link, table: TableName): Promise<TableInfo | undefined> {
  const action = `Cannot describe "${table.name}"`
  const at = located(table)
  const [found] = await link.rows(action, `SELECT TABLE_TYPE, TABLE_ROWS FROM information_schema.TABLES WHERE ${at}`)
  if (!found) return undefined
  const json = await jsonColumns(link, table)
  const rows = await link.rows(
    action,
    `SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, GENERATION_EXPRESSION,
      CHARACTER_MAXIMUM_LENGTH, DATETIME_PRECISION, COLUMN_COMMENT, CHARACTER_SET_NAME
    FROM information_schema.COLUMNS WHERE ${at} ORDER BY ORDINAL_POSITION`,
  )
  const keys = await uniqueKeys(link, table)
  const estimated = found[1] === null || found[1] === undefined ? undefined : Number(found[1])
  return {
    table,
    kind: found[0] === "VIEW" || found[0] === "SYSTEM VIEW" ? "view" : "table",
    columns: rows.map((row) => columnOf(row, json, link.facts.mariadb)),
    primaryKey: keys.find((key) => key.name === "PRIMARY")?.columns ?? [],
    uniqueKeys: keys.map((key) => key.columns),
    ...(estimated !== undefined && { estimatedRows: estimated }),
  }
}

export interface UniqueKey {
  readonly name: string
  readonly columns: readonly string[]
}

/** Unique keys over whole columns. A prefix or an expression makes no key that a row can be found by. */
export async function uniqueKeys(link: Link, table: TableName): Promise<readonly UniqueKey[]> {
  const rows = await link.rows(
    `Cannot read the keys of "${table.name}"`,
    `SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
    WHERE ${located(table)} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX`,
  )
  const keys = new Map<string, { columns: string[]; whole: boolean }>()
  for (const [name, column, part] of rows) {
    const key = keys.get(name!) ?? { columns: [], whole: true }
    keys.set(name!, key)
    if (column === null || column === undefined || part !== null) key.whole = false
    else key.columns.push(column)
  }
  return [...keys].filter(([, key]) => key.whole).map(([name, { columns }]) => ({ name, columns }))
}

/** True when the table keeps a transaction: a load that cannot be undone cannot be judged row by row. */
export async function isTransactional(link: Link, table: TableName): Promise<{ engine: string; safe: boolean }> {
  const [row] = await link.rows(
    `Cannot read the engine of "${table.name}"`,
    `SELECT t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t
    LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE ${located(table, "t.")}`,
  )
  return { engine: row?.[0] ?? "", safe: row?.[0] === null || row === undefined || row[1] === "YES" }
}

export async function listTables(link: Link, schema: string | undefined): Promise<readonly TableName[]> {
  const where = schema === undefined ? "TABLE_SCHEMA = DATABASE()" : `TABLE_SCHEMA = ${quoted(schema)}`
  const rows = await link.rows(
    "Cannot list tables",
    `SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE ${where} ORDER BY TABLE_NAME`,
  )
  return rows.map(([schemaName, name]) => ({ schema: schemaName!, name: name! }))
}

/** MariaDB's JSON is a LONGTEXT with a check, by which it is known again. */
async function jsonColumns(link: Link, table: TableName): Promise<ReadonlySet<string>> {
  if (!link.facts.mariadb) return new Set()
  const schema = table.schema === undefined ? "DATABASE()" : quoted(table.schema)
  const rows = await link.rows(
    `Cannot describe "${table.name}"`,
    `SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
    WHERE CONSTRAINT_SCHEMA = ${schema} AND TABLE_NAME = ${quoted(table.name)}`,
  )
  const names = rows.map(([clause]) => /^json_valid\(`((?:[^`]|``)+)`\)$/i.exec(clause ?? "")?.[1])
  return new Set(names.flatMap((name) => (name === undefined ? [] : [name.replaceAll("``", "`")])))
}

function columnOf(row: readonly (string | null)[], json: ReadonlySet<string>, mariadb: boolean): TableColumn {
  const [name, declared, nullable, standard, extra, expression, length, precision, comment, characters] = row
  const isJson = json.has(name!)
  const type = isJson ? "json" : declared!
  return {
    name: name!,
    type: logicalType({
      type,
      ...(length !== null && length !== undefined && { length: Number(length) }),
      ...(precision !== null && precision !== undefined && { precision: Number(precision) }),
    }),
    nullable: nullable === "YES",
    native: { system: "mysql", type },
    ...(comment && { comment }),
    ...(characters && !UNICODE.has(characters) && { characterSet: characters }),
    // MySQL writes '' and MariaDB NULL for what is not computed.
    generated: Boolean(expression) || /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b/i.test(extra ?? ""),
    identity: /auto_increment/i.test(extra ?? ""),
    // MariaDB writes the word NULL for a column that may be NULL and declares no default, and puts texts in quotes.
    hasDefault:
      (standard !== null && standard !== undefined && !(mariadb && standard === "NULL")) ||
      /auto_increment|DEFAULT_GENERATED/i.test(extra ?? ""),
  }
}

/** Character sets that hold all of Unicode. */
const UNICODE = new Set(["utf8mb4", "utf16", "utf16le", "utf32"])

/** A condition for rows of information_schema that belong to the table. */
export function located(table: TableName, prefix = ""): string {
  const schema = table.schema === undefined ? "DATABASE()" : quoted(table.schema)
  return `${prefix}TABLE_SCHEMA = ${schema} AND ${prefix}TABLE_NAME = ${quoted(table.name)}`
}
