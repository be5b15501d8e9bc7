import type { DatabaseSync } from "node:sqlite"
import type { Column, Columns, LogicalType, TableColumn, TableInfo, TableName } from "../../core/contract/index.ts"
import { logicalType } from "./declared-type.ts"
import { quote } from "./dialect.ts"
import { bare, type NamedValues, pragma } from "./rows.ts"

/** Rows that are looked at where a declared type says nothing. */
const SAMPLE_ROWS = 1000

export function listTables(database: DatabaseSync, schema = "main"): TableName[] {
  const rows = pragma(
    database,
    `SELECT name FROM pragma_table_list WHERE schema = ? AND type <> 'shadow' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
    schema,
  )
  return rows.map(({ name }) => (schema === "main" ? { name: String(name) } : { schema, name: String(name) }))
}

export function describeTable(database: DatabaseSync, table: TableName): TableInfo | undefined {
  const schema = table.schema ?? "main"
  const [found] = pragma(
    database,
    "SELECT name, type, wr FROM pragma_table_list WHERE schema = ? AND lower(name) = lower(?)",
    schema,
    table.name,
  )
  if (!found) return undefined
  const name = String(found.name)
  const facts = pragma(database, "SELECT * FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1 ORDER BY cid", name, schema)
  const indexes = pragma(database, "SELECT * FROM pragma_index_list(?, ?)", name, schema)
  const keys = facts.filter(({ pk }) => pk !== 0).sort((a, b) => Number(a.pk) - Number(b.pk))
  const isAlias =
    keys.length === 1 &&
    found.wr === 0 &&
    String(keys[0]!.type).toUpperCase() === "INTEGER" &&
    !indexes.some(({ origin }) => origin === "pk")
  const types = columnTypes(
    database,
    `SELECT ${facts.map((fact) => quote(String(fact.name))).join(", ")} FROM ${source(schema, name)}`,
    facts,
  )
  const estimatedRows = estimate(database, schema, name)
  return {
    table: table.schema === undefined ? { name } : { schema, name },
    kind: found.type === "view" ? "view" : "table",
    columns: facts.map((fact, i) => tableColumn(fact, types[i]!, { isAlias, isKeyed: found.wr === 1 })),
    primaryKey: keys.map((fact) => String(fact.name)),
    // A rowid alias is unique without an index.
    uniqueKeys: [
      ...(isAlias ? [[String(keys[0]!.name)]] : []),
      ...indexes.flatMap((index) => uniqueKey(database, index, schema)),
    ],
    ...(estimatedRows !== undefined && { estimatedRows }),
  }
}

/**
 * Columns of any SELECT. A temporary view tells the affinity of expressions, which the statement itself does not; it
 * lives in memory, so this works on read-only files.
 */
export function describeQuery(database: DatabaseSync, sql: string): Columns {
  lookAgain(database)
  const statement = database.prepare(bare(sql))
  const columns = statement.columns()
  const view = `temp.${quote("headrace query")}`
  database.exec(`DROP VIEW IF EXISTS ${view}`)
  database.exec(`CREATE TEMP VIEW ${quote("headrace query")} AS ${bare(sql)}`)
  try {
    const expressions = pragma(database, "SELECT type FROM pragma_table_xinfo('headrace query', 'temp') ORDER BY cid")
    const facts = columns.map(({ type }, i) => ({ type: type ?? expressionType(expressions[i]?.type) }))
    const types = columnTypes(database, sql, facts)
    return columns.map(({ name }, i) => queryColumn(name, String(facts[i]!.type), types[i]!))
  } finally {
    database.exec(`DROP VIEW IF EXISTS ${view}`)
  }
}

/** A statement that is only prepared is so by the tables as this connection last saw them; running one makes it look. */
function lookAgain(database: DatabaseSync): void {
  database.exec("SELECT 1 FROM sqlite_schema LIMIT 0")
}

function queryColumn(name: string, declared: string, type: LogicalType): Column {
  return { name, type, nullable: true, native: { system: "sqlite", type: declared } }
}

/** `NUM` is what SQLite calls an expression that may be an integer or not. */
function expressionType(type: unknown): string {
  return type === undefined || type === null || type === "NUM" ? "" : String(type)
}

function tableColumn(
  fact: NamedValues,
  type: LogicalType,
  { isAlias, isKeyed }: { readonly isAlias: boolean; readonly isKeyed: boolean },
): TableColumn {
  const identity = isAlias && fact.pk === 1
  return {
    name: String(fact.name),
    type,
    // Only in rowid tables may a primary key hold NULL: a mistake of SQLite's youth that it keeps.
    nullable: fact.notnull === 0 && !identity && !(isKeyed && fact.pk !== 0),
    native: { system: "sqlite", type: String(fact.type) },
    generated: fact.hidden === 2 || fact.hidden === 3,
    identity,
    hasDefault: fact.dflt_value !== null || identity,
  }
}

/** What the declared types promise; where one promises nothing, what the first rows hold. Every value is checked anyway. */
function columnTypes(database: DatabaseSync, sql: string, facts: readonly NamedValues[]): LogicalType[] {
  const promised = facts.map(({ type }) => logicalType(String(type)))
  if (!promised.includes(undefined)) return promised as LogicalType[] // nothing undefined is left in it
  const names = facts.map((_, i) => `c${i}`)
  const kinds = names.map((name, i) => (promised[i] ? "NULL" : `group_concat(DISTINCT typeof(${name}))`))
  const sample = `WITH rows(${names.join(",")}) AS (\n${bare(sql)}\n) SELECT * FROM rows LIMIT ${SAMPLE_ROWS}`
  const statement = database.prepare(`SELECT ${kinds.join(",")} FROM (${sample})`)
  statement.setReturnArrays(true)
  const [seen] = statement.all() as unknown as unknown[][] // rows are arrays because of setReturnArrays
  return promised.map((type, i) => type ?? seenType(String(seen?.[i] ?? "")))
}

function seenType(kinds: string): LogicalType {
  const seen = kinds.split(",").filter((kind) => kind !== "null" && kind !== "")
  if (seen.length === 1 && seen[0] === "integer") return { kind: "int64" }
  if (seen.length === 1 && seen[0] === "real") return { kind: "float64" }
  if (seen.length === 1 && seen[0] === "blob") return { kind: "bytes" }
  return seen.length === 2 && seen.every((kind) => kind === "integer" || kind === "real")
    ? { kind: "decimal" }
    : { kind: "string" }
}

function uniqueKey(database: DatabaseSync, index: NamedValues, schema: string): string[][] {
  if (index.unique !== 1 || index.partial !== 0) return []
  const parts = pragma(
    database,
    "SELECT name FROM pragma_index_xinfo(?, ?) WHERE key = 1 ORDER BY seqno",
    index.name!,
    schema,
  )
  return parts.some(({ name }) => name === null) ? [] : [parts.map(({ name }) => String(name))]
}

/** What ANALYZE has counted. */
function estimate(database: DatabaseSync, schema: string, table: string): number | undefined {
  const [known] = pragma(database, `SELECT 1 FROM ${quote(schema)}.sqlite_schema WHERE name = 'sqlite_stat1'`)
  if (!known) return undefined
  const [found] = pragma(database, `SELECT stat FROM ${quote(schema)}.sqlite_stat1 WHERE tbl = ? LIMIT 1`, table)
  const rows = Number.parseInt(String(found?.stat), 10)
  return Number.isNaN(rows) ? undefined : rows
}

export function source(schema: string, name: string): string {
  return `${quote(schema)}.${quote(name)}`
}
