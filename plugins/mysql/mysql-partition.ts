import type { Replacement } from "../../core/contract/index.ts"
import { located } from "./mysql-describe.ts"
import { qualified, quote, quoted } from "./mysql-dialect.ts"
import type { Link, Texts } from "./mysql-link.ts"

type Request = Parameters<NonNullable<Replacement["swapPartition"]>>[0]

/** Exchanges the rows of a partition with those of the stage; false when no partition holds just the rows with the value. */
export async function exchangePartition(link: Link, request: Request): Promise<boolean> {
  const { table, stage, column, value } = request
  const action = `Cannot put "${stage.name}" in the place of a partition of "${table.name}"`
  const rows = await partitions(link, request.table, action)
  const [type] = await link.rows(
    action,
    `SELECT COLUMN_TYPE FROM information_schema.COLUMNS WHERE ${located(table)} AND COLUMN_NAME = ${quoted(column)}`,
  )
  const name = partitionFor(rows, column, await boundsOf(link, action, type?.[0]?.toLowerCase() ?? "", value))
  if (name === undefined) return false
  // Only a table without partitions can be exchanged with one, and the copy of a partitioned table has them.
  if ((await partitions(link, stage, action)).length > 0) {
    await link.run(action, `ALTER TABLE ${qualified(stage)} REMOVE PARTITIONING`)
  }
  // It checks that every row belongs to the partition, unless told not to.
  await link.run(
    action,
    `ALTER TABLE ${qualified(table)} EXCHANGE PARTITION ${quote(name)} WITH TABLE ${qualified(stage)}`,
  )
  return true
}

/** How partitions for exactly one value are described: by the value, and where they are ranges, by the one after it. */
export interface Bounds {
  readonly plain?: string
  readonly next?: string
  /** The same for `TO_DAYS(column)`. */
  readonly day?: string
  readonly nextDay?: string
}

/** The partition that holds all rows with the value and no others. `rows` are in the order of the partitions. */
export function partitionFor(rows: Texts, column: string, bounds: Bounds): string | undefined {
  const index = rows.findIndex(([, subpartitions, method, expression, description], i) => {
    if (subpartitions !== null || description === null || description === undefined) return false
    const byDay = /^\s*to_days\s*\((.*)\)\s*$/is.exec(expression ?? "")?.[1]
    if (!isColumn(byDay ?? expression ?? "", column)) return false
    const [value, next] = byDay === undefined ? [bounds.plain, bounds.next] : [bounds.day, bounds.nextDay]
    if (value === undefined) return false
    if (/^LIST\b/.test(method ?? "")) return description === value
    // The first range also holds NULL and whatever is below.
    const before = rows[i - 1]?.[4]
    return /^RANGE\b/.test(method ?? "") && next !== undefined && description === next && before === value
  })
  return rows[index]?.[0] ?? undefined
}

async function partitions(link: Link, table: Request["table"], action: string): Promise<Texts> {
  return link.rows(
    action,
    `SELECT PARTITION_NAME, SUBPARTITION_METHOD, PARTITION_METHOD, PARTITION_EXPRESSION, PARTITION_DESCRIPTION
    FROM information_schema.PARTITIONS WHERE ${located(table)} AND PARTITION_NAME IS NOT NULL
    ORDER BY PARTITION_ORDINAL_POSITION`,
  )
}

async function boundsOf(link: Link, action: string, type: string, value: string): Promise<Bounds> {
  if (/^(?:tiny|small|medium|big)?int\b/.test(type) && /^-?\d+$/.test(value)) {
    // MariaDB shows unsigned bounds above 9223372036854775807 as negative ones.
    if (type.includes("unsigned") && value.startsWith("-")) return {}
    return { plain: String(BigInt(value)), next: String(BigInt(value) + 1n) }
  }
  if (/^(?:var)?char\b/.test(type)) return { plain: quoted(value) }
  if (type !== "date" || !/^\d{4}-\d\d-\d\d$/.test(value)) return {}
  const day = quoted(value)
  const [row] = await link.rows(
    action,
    `SELECT TO_DAYS(${day}), TO_DAYS(${day}) + 1, CAST(${day} + INTERVAL 1 DAY AS CHAR(10))`,
  )
  const [days, nextDays, next] = row ?? []
  if (typeof days !== "string" || typeof nextDays !== "string" || typeof next !== "string") return {}
  return { plain: day, next: quoted(next), day: days, nextDay: nextDays }
}

/** MySQL 5.7 writes the expression as its author did, the others with quotes. */
function isColumn(expression: string, column: string): boolean {
  const name = expression.trim()
  const bare = name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name
  return bare.toLowerCase() === column.toLowerCase()
}
