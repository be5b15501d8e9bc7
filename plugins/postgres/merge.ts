import type { LoadRequest, Session } from "../../core/contract/index.ts"
import { qualified } from "./catalog.ts"
import { blamesRow, serverError } from "./failures.ts"
import type { Link } from "./postgres-connection.ts"
import { quoteIdentifier } from "./postgres-dialect.ts"

/** Temporary table of this connection that a load with `overwriteRows` or `updateRows` fills first. */
export const STAGE = "pg_temp.headrace_stage"
const ORDINAL = "headrace_row"

/** A table with the types of the mapped columns, none of the constraints, and the order of arrival. */
export function stageStatements(request: LoadRequest): string {
  const columns = request.columns.map((column) => quoteIdentifier(column.name)).join(", ")
  return `CREATE TEMPORARY TABLE headrace_stage ON COMMIT DROP AS SELECT ${columns} FROM ${qualified(request.table)} WITH NO DATA;
    ALTER TABLE ${STAGE} ADD COLUMN ${ORDINAL} bigserial`
}

/** Moves the stage into the table; returns how many rows were rejected. The last row of a key wins. */
export async function merge(link: Link, request: LoadRequest, session: Session): Promise<number> {
  const keys = request.keyColumns.map(quoteIdentifier)
  let rejected = await rejectNullKeys(link, request, session)
  await link.run(`CREATE INDEX ON ${STAGE} (${keys.join(", ")}); ANALYZE ${STAGE}`)
  const [bounds] = await link.sql.unsafe(
    `SELECT min(${ORDINAL})::text AS low, max(${ORDINAL})::text AS high FROM ${STAGE}`,
  )
  if (bounds?.low === null || bounds === undefined) return rejected
  rejected += await mergeRange(link, request, session, Number(bounds.low), Number(bounds.high))
  await link.run(`DROP TABLE ${STAGE}`)
  return rejected
}

async function rejectNullKeys(link: Link, request: LoadRequest, session: Session): Promise<number> {
  const anyNull = request.keyColumns.map((key) => `${quoteIdentifier(key)} IS NULL`).join(" OR ")
  const rows = await link.sql.unsafe(
    `DELETE FROM ${STAGE} WHERE ${anyNull} RETURNING (${ORDINAL} - 1)::text AS row, to_jsonb(headrace_stage)::text AS record`,
  )
  for (const found of rows) {
    session.reject({
      row: Number(found.row),
      reason: `A key column is NULL: ${request.keyColumns.join(", ")}`,
      value: null,
      record: textRecord(found.record),
    })
  }
  return rows.length
}

/** Rows `low` to `high` of the stage, in halves where one of them is refused. */
async function mergeRange(
  link: Link,
  request: LoadRequest,
  session: Session,
  low: number,
  high: number,
): Promise<number> {
  try {
    await link.run(
      `SAVEPOINT headrace; ${statements(request, `${ORDINAL} BETWEEN ${low} AND ${high}`)}; RELEASE SAVEPOINT headrace`,
    )
    return 0
  } catch (error) {
    if (!blamesRow(error)) throw error
    await link.run("ROLLBACK TO SAVEPOINT headrace")
    if (low < high) {
      const middle = Math.floor((low + high) / 2)
      const first = await mergeRange(link, request, session, low, middle)
      return first + (await mergeRange(link, request, session, middle + 1, high))
    }
    const [found] = await link.sql.unsafe(
      `SELECT to_jsonb(headrace_stage)::text AS record FROM ${STAGE} WHERE ${ORDINAL} = ${low}`,
    )
    if (found === undefined) return 0
    const { message, detail, code, column } = serverError(error)
    const record = textRecord(found.record)
    session.reject({
      row: low - 1,
      reason: detail === undefined ? message : `${message}: ${detail}`,
      code,
      record,
      ...(column !== undefined && column in record ? { column, value: record[column] ?? null } : {}),
    })
    return 1
  }
}

function statements(request: LoadRequest, range: string): string {
  const table = qualified(request.table)
  const keys = request.keyColumns.map(quoteIdentifier)
  const columns = request.columns.map((column) => quoteIdentifier(column.name))
  const latest = `SELECT DISTINCT ON (${keys.join(", ")}) * FROM ${STAGE} WHERE ${range} ORDER BY ${keys.join(", ")}, ${ORDINAL} DESC`
  const insert = `INSERT INTO ${table} (${columns.join(", ")}) OVERRIDING SYSTEM VALUE SELECT ${columns.join(", ")} FROM (${latest}) AS latest`
  if (request.mode === "overwriteRows") {
    const match = keys.map((key) => `t.${key} = s.${key}`).join(" AND ")
    return `DELETE FROM ${table} AS t USING ${STAGE} AS s WHERE ${match} AND s.${range}; ${insert}`
  }
  const others = columns.filter((column) => !keys.includes(column))
  const update = others.map((column) => `${column} = EXCLUDED.${column}`).join(", ")
  return `${insert} ON CONFLICT (${keys.join(", ")}) DO ${update === "" ? "NOTHING" : `UPDATE SET ${update}`}`
}

/** A JSON object of scalars to text by column, numbers digit for digit: JSON.parse would round them. */
function textRecord(json: string): Record<string, string | null> {
  const record: Record<string, string | null> = {}
  const pairs = /"((?:[^"\\]|\\.)*)": (?:"((?:[^"\\]|\\.)*)"|(null)|([^,{[\]}]+|\{.*?\}|\[.*?\]))(?:, |\}$)/gs
  for (const [, name, text, isNull, other] of json.matchAll(pairs)) {
    const key = JSON.parse(`"${name}"`) as string
    if (key === ORDINAL) continue
    record[key] = isNull !== undefined ? null : text !== undefined ? (JSON.parse(`"${text}"`) as string) : (other ?? "")
  }
  return record
}
