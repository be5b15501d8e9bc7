import type {
  Column,
  ColumnChecksum,
  Columns,
  Connection,
  Dialect,
  Session,
  TableColumn,
  TableName,
} from "../contract/index.ts"
import { ColumnChecksums, checksumOf } from "./checksum.ts"
import { qualified, whereClause } from "./source-sql.ts"
import { columnSum, type TableSums } from "./table-sums.ts"

/** The rows of a table whose sums are wanted. */
export interface TargetRows {
  readonly dialect: Dialect
  readonly table: TableName
  /** Those that are written; others do not matter. */
  readonly columns: readonly TableColumn[]
  /** A condition in SQL; absent: all rows. */
  readonly where?: string
}

type How = (column: TableColumn) => ColumnChecksum

/** The sums of a table's rows, taken by the database where it can and by reading the columns back where it cannot. */
export async function targetSums(connection: Connection, target: TargetRows, session: Session): Promise<TableSums> {
  const { columns, dialect } = target
  const sums = new Map<string, { readonly sum?: string; readonly why?: string }>()
  const counts = new Map<string, string>()
  const hasMd5 = (await connection.hasMd5?.()) ?? true
  const howOf: How = (column) => {
    const how = checksumOf(column, dialect)
    return how.by === "sql" && !hasMd5 ? { by: "reading" } : how
  }
  let rows = "0"
  // Databases limit the number of a result's columns.
  for (let from = 0; from === 0 || from < columns.length; from += COLUMNS_AT_ONCE) {
    const some = columns.slice(from, from + COLUMNS_AT_ONCE)
    const [total, ...figures] = await aggregates(connection, { ...target, columns: some }, howOf, session)
    rows = total ?? "0"
    for (const [i, column] of some.entries()) {
      const how = howOf(column)
      counts.set(column.name, figures[i * 2] ?? "0")
      if (how.by === "sql") sums.set(column.name, { sum: figures[i * 2 + 1] ?? "0" })
      if (how.by === "count") sums.set(column.name, { why: how.why })
    }
  }
  const unread = columns.filter(({ name }) => !sums.has(name))
  for (const [name, found] of await readBack(connection, { ...target, columns: unread }, session)) sums.set(name, found)
  return {
    rows,
    columns: columns.map(({ name }) => {
      const { sum, why } = sums.get(name)!
      return columnSum(name, counts.get(name)!, sum, why)
    }),
  }
}

/** The number of rows; then, for each column, the number of values and their sum, which is null where SQL has none. */
async function aggregates(
  connection: Connection,
  { columns, dialect, table, where }: TargetRows,
  howOf: How,
  session: Session,
): Promise<readonly (string | null)[]> {
  const items = columns.flatMap((column) => {
    const how = howOf(column)
    return [`COUNT(${dialect.quote(column.name)})`, how.by === "sql" ? how.sql : undefined]
  })
  const present = ["COUNT(*)", ...items.filter((item) => item !== undefined)]
  const result: Columns = present.map((_, i): Column => ({ name: `c${i}`, type: { kind: "decimal" }, nullable: true }))
  const list = present.map((item, i) => `${item} AS ${dialect.quote(`c${i}`)}`).join(", ")
  const sql = `SELECT ${list} FROM ${qualified(table, dialect)}${whereClause([where])}`
  const figures: (string | null)[] = []
  // Read rather than queried, because only a read can be stopped at the server.
  for await (const item of connection.read({ sql, columns: result, options: {} }, strict(session))) {
    if (item.encoding !== undefined) throw session.failure("protocol", "Cannot read sums in an encoding")
    for (const vector of item.vectors) figures.push(session.batches.valueText(vector, 0))
  }
  let at = 1
  return [figures[0] ?? null, ...items.map((item) => (item === undefined ? null : (figures[at++] ?? null)))]
}

function strict(session: Session): Session {
  return {
    ...session,
    reject: ({ reason }) => {
      throw session.failure("data", `Cannot read the checksums of the target: ${reason}`)
    },
  }
}

/** A column that holds something unreadable, which somebody else has put there, is counted only. */
async function readBack(
  connection: Connection,
  target: TargetRows,
  session: Session,
): Promise<ReadonlyMap<string, { readonly sum?: string; readonly why?: string }>> {
  const { dialect, table, where } = target
  const found = new Map<string, { readonly sum?: string; readonly why?: string }>()
  for (let columns = target.columns; columns.length > 0; columns = columns.filter(({ name }) => !found.has(name))) {
    const unreadable = new Set<string>()
    const own: Session = {
      ...session,
      adjusted: (_policy, column) => void unreadable.add(column),
      // Read to the end nevertheless: a connection on which a read was broken off may be of no use.
      reject: ({ column }) => {
        for (const name of column === undefined ? columns.map((each) => each.name) : [column]) unreadable.add(name)
      },
    }
    const checksums = new ColumnChecksums(columns, dialect, session.batches)
    const list = columns.map(({ name }) => dialect.quote(name)).join(", ")
    const sql = `SELECT ${list} FROM ${qualified(table, dialect)}${whereClause([where])}`
    for await (const batch of checksums.tap(connection.read({ sql, columns, options: {} }, own), own)) void batch
    for (const { column, sum } of checksums.result().columns) {
      if (unreadable.size === 0) found.set(column, { sum: sum! })
      else if (unreadable.has(column)) found.set(column, { why: "the table holds values that cannot be read back" })
    }
  }
  return found
}

const COLUMNS_AT_ONCE = 400
