import type { Column, Connection, Dialect, Session } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"
import { fromItem, type Selection, whereClause } from "./source-sql.ts"

/** A part of a selection. */
export interface Part {
  readonly label: string
  readonly condition?: string
  /** True when the condition means the same rows only within one snapshot. */
  readonly volatile?: boolean
}

/** Keys looked at for each split: enough that no split is twice as large as another, but for duplicates of one key. */
const KEYS_PER_SPLIT = 2000

/**
 * Cuts a selection into ranges of one column that hold about the same number of rows. Boundaries are keys that occur,
 * ordered by the database itself, so collation and skew do not matter. Ranges are half-open and the outer ones are
 * open, so rows that come and go meanwhile still belong to exactly one; NULL belongs to the first.
 */
export async function rangeParts(
  connection: Connection,
  dialect: Dialect,
  selection: Selection,
  column: Column,
  wanted: number,
  estimatedRows: number | undefined,
  session: Session,
): Promise<readonly Part[]> {
  if (wanted < 2) return [{ label: "all rows" }]
  const keys = await quantiles(connection, dialect, selection, column, wanted, estimatedRows, session)
  const name = dialect.quote(column.name)
  const literals = keys.map((key) => dialect.literal(key, column))
  if (selection.query !== undefined && column.type.kind === "string") {
    if (!(await ascend(connection, dialect, selection, name, literals))) {
      session.log.warn(
        `Cannot divide by column "${column.name}", whose order is not that of its text; reading in one split`,
      )
      return [{ label: "all rows" }]
    }
  }
  return Array.from({ length: keys.length + 1 }, (_, i) => {
    const from = i === 0 ? undefined : `${name} >= ${literals[i - 1]}`
    const to = i === keys.length ? undefined : `${name} < ${literals[i]}`
    const range = [from, to].filter((bound) => bound !== undefined).join(" AND ")
    const low = i === 0 ? "" : `${shortened(keys[i - 1]!)} <= `
    const high = i === keys.length ? "" : ` < ${shortened(keys[i]!)}`
    const label = range === "" ? "all rows" : `${low}${column.name}${high}`
    if (range === "") return { label }
    return { label, condition: i === 0 && column.nullable ? `${range} OR ${name} IS NULL` : range }
  })
}

/**
 * Whether the database compares the keys in the order in which it sorts them. MySQL sorts an ENUM by number and
 * compares it with a text letter by letter, and of a query it does not tell that a column is one: ranges would overlap.
 */
async function ascend(
  connection: Connection,
  dialect: Dialect,
  selection: Selection,
  name: string,
  literals: readonly string[],
): Promise<boolean> {
  const descents = literals.slice(1).map((next, i) => `(${name} = ${literals[i]} AND ${name} > ${next})`)
  if (descents.length === 0) return true
  const where = whereClause([...selection.conditions, descents.join(" OR ")])
  const rows = await connection.query(`SELECT COUNT(*) FROM ${fromItem(selection, dialect)}${where}`)
  return rows[0]?.[0] === "0"
}

/** `wanted - 1` keys, or fewer where keys repeat, ascending. */
async function quantiles(
  connection: Connection,
  dialect: Dialect,
  selection: Selection,
  column: Column,
  wanted: number,
  estimatedRows: number | undefined,
  session: Session,
): Promise<readonly string[]> {
  const sample = wanted * KEYS_PER_SPLIT
  if (selection.table !== undefined && estimatedRows !== undefined) {
    const keys = await sampled(connection, dialect, selection, column, Math.min(1, sample / Math.max(estimatedRows, 1)))
    if (keys.length >= wanted * 20 || estimatedRows < wanted * 20) return spread(keys, wanted)
  }
  try {
    return await numbered(connection, dialect, selection, column, wanted)
  } catch (error) {
    const { reason } = pluginError(error)
    if (session.signal.aborted || reason === "connection" || reason === "cancelled") throw error
    session.log.warn(`Cannot divide by column "${column.name}", reading in one split`, { cause: String(error) })
    return []
  }
}

async function sampled(
  connection: Connection,
  dialect: Dialect,
  selection: Selection,
  column: Column,
  fraction: number,
) {
  const name = dialect.quote(column.name)
  const { from, where } = dialect.sample(fromItem(selection, dialect), fraction)
  const inner = `SELECT ${name} FROM ${from}${whereClause([...selection.conditions, `${name} IS NOT NULL`, where])}`
  const rows = await connection.query(`SELECT ${name} FROM (${inner}) AS ${dialect.quote("sample")} ORDER BY ${name}`)
  return rows.map(([key]) => key!)
}

/** Exact, by numbering all rows: for queries, views, and tables without statistics. */
async function numbered(
  connection: Connection,
  dialect: Dialect,
  selection: Selection,
  column: Column,
  wanted: number,
) {
  const name = dialect.quote(column.name)
  const position = dialect.quote("headrace_position")
  const count = dialect.quote("headrace_count")
  const inner = `SELECT ${name}, ROW_NUMBER() OVER (ORDER BY ${name}) AS ${position}, COUNT(*) OVER () AS ${count} FROM ${fromItem(selection, dialect)}${whereClause([...selection.conditions, `${name} IS NOT NULL`])}`
  const cuts = Array.from({ length: wanted - 1 }, (_, i) => `1 + FLOOR(${count} * ${i + 1} / ${wanted})`)
  const rows = await connection.query(
    `SELECT ${name} FROM (${inner}) AS ${dialect.quote("numbered")} WHERE ${position} IN (${cuts.join(", ")}) ORDER BY ${name}`,
  )
  return distinct(rows.map(([key]) => key!))
}

function spread(keys: readonly string[], wanted: number): readonly string[] {
  const chosen: string[] = []
  for (let i = 1; i < wanted; i++) {
    const key = keys[Math.floor((keys.length * i) / wanted)]
    if (key !== undefined && key !== keys[0]) chosen.push(key)
  }
  return distinct(chosen)
}

function distinct(keys: readonly string[]): readonly string[] {
  return keys.filter((key, i) => key !== keys[i - 1])
}

function shortened(key: string): string {
  return key.length > 40 ? `${key.slice(0, 40)}…` : key
}
