import type { Connection, Session, TableColumn, TableInfo } from "../contract/index.ts"
import { failure } from "../host/failure.ts"
import type { DatabaseOutputOptions, PartitionFormat } from "./options.ts"
import type { ReplaceRequest } from "./replace.ts"
import { bound, qualified, trimmedQuery } from "./source-sql.ts"
import { shownTable } from "./table-name.ts"

/** The partition that is replaced: its column, and the value of all of its rows as canonical text. */
export interface Partition {
  readonly column: TableColumn
  readonly value: string
}

/** Reads the partition's date and writes it as the column holds it. Fails when the column or the date does not exist. */
export function partitionOf(
  info: TableInfo,
  { partition }: DatabaseOutputOptions,
  { failure: fail }: Pick<Session, "failure">,
): Partition {
  const { column: name, value, format } = partition!
  const column = info.columns.find((each) => each.name === name)
  if (column === undefined) {
    throw fail("missing", `Cannot find the partition column "${name}" in table "${shownTable(info.table)}"`, {
      hint: `It has ${info.columns.map((each) => each.name).join(", ")}`,
    })
  }
  const date = partitionDate(value)
  if (date === undefined) {
    throw fail("config", `Cannot read "${value}" as the date of a partition`, {
      hint: "Write it as yyyyMMdd, yyyy-MM-dd, yyyy/MM/dd or yyyy.MM.dd",
    })
  }
  return { column, value: written(date, column, format) }
}

/** Year, month and day of a date in one of the four formats of the specification; undefined when it is none. */
export function partitionDate(text: string): readonly [year: string, month: string, day: string] | undefined {
  const match = /^(\d{4})([-/.]?)(\d\d)\2(\d\d)$/.exec(text.trim())
  if (match === null) return undefined
  const [, year, , month, day] = match as unknown as [string, string, string, string, string]
  const leap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0)
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(month) - 1] ?? 0
  return Number(day) >= 1 && Number(day) <= days ? [year, month, day] : undefined
}

function written(
  [year, month, day]: readonly [string, string, string],
  { type }: TableColumn,
  format: PartitionFormat,
): string {
  const iso = `${year}-${month}-${day}`
  if (type.kind === "date") return iso
  if (type.kind === "timestamp") return `${iso} 00:00:00${type.zone ? "+00" : ""}`
  if (type.kind !== "string") return `${year}${month}${day}`
  return format.replace("yyyy", year).replace("MM", month).replace("dd", day)
}

/** Holds what was loaded to the checks of the flow, before anybody can see it. */
export async function checkStage(connection: Connection, request: ReplaceRequest): Promise<void> {
  const { names, config, database, session } = request
  const { dialect } = database
  const { minRows, maxShrinkPercent, queries } = config.checks
  const stage = qualified(names.stage, dialect)
  const count = async (from: string) => BigInt((await connection.query(`SELECT COUNT(*) FROM ${from}`))[0]?.[0] ?? "0")
  const loaded = await count(stage)
  if (loaded < BigInt(minRows)) throw refused(request, `${loaded} rows were loaded, checks.minRows is ${minRows}`)
  let present = qualified(names.table, dialect)
  if (config.partition !== undefined) {
    const info = await connection.describeTable(names.table)
    const { column, value } = partitionOf(info!, config, session)
    const name = dialect.quote(column.name)
    const matches = `${name} = ${dialect.literal(value, column)}`
    const strangers = await count(`${stage} WHERE ${name} IS NULL OR NOT (${matches})`)
    if (strangers > 0n)
      throw refused(request, `${strangers} of ${loaded} rows are not of partition "${column.name}" = "${value}"`)
    present = `${present} WHERE ${matches}`
  }
  if (maxShrinkPercent < 100) {
    const before = await count(present)
    const least = before - (before * BigInt(Math.round(maxShrinkPercent * 1000))) / 100_000n
    if (loaded < least) {
      throw refused(
        request,
        `${loaded} rows were loaded where there are ${before} now, checks.maxShrinkPercent is ${maxShrinkPercent}`,
      )
    }
  }
  for (const sql of queries) {
    const query = trimmedQuery(bound(sql, "checks.queries", dialect, session).replaceAll("{table}", stage))
    const [row] = await connection.query(query)
    if (row !== undefined)
      throw refused(request, `the query "${sql}" found ${row.map((value) => value ?? "NULL").join(", ")}`)
  }
}

function refused({ names }: ReplaceRequest, why: string) {
  return failure("data", `Cannot replace table "${shownTable(names.table)}": ${why}`, {
    hint: "The table is as it was. Look at the source, or change the checks of the output",
  })
}
