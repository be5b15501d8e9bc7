import type { Batch, Column, ColumnBuilder, Columns, Session } from "../../core/contract/index.ts"
import { typeName } from "../_sql/type-name.ts"
import type { RowIterator, ToUtf8, Values } from "./rows.ts"
import { readText, type Store, valueReader } from "./value-reader.ts"

/** How long the event loop may wait for the synchronous driver. */
const SLICE_MS = 20

/** Builds batches from rows, rejects those with a value that is not of its column's type, and lets others run in between. */
export async function* readRows(
  rows: Pick<RowIterator, "next">,
  { columns, toUtf8, session }: { columns: Columns; toUtf8: ToUtf8; session: Session },
): AsyncGenerator<Batch> {
  const builder = session.batches.builder(columns)
  const stores = columns.map((column, i) => store(column, builder.columns[i]!, toUtf8))
  let sliceEnd = performance.now() + SLICE_MS
  for (let row = 0; ; row++) {
    const { done, value: values } = rows.next()
    if (done) break
    let i = 0
    while (i < stores.length && stores[i]!(values[i]!)) i++
    if (i === stores.length) builder.endRow()
    else {
      builder.discardRow()
      reject(session, { row, values, columns, blame: i, toUtf8 })
    }
    if (builder.full) {
      yield builder.finish()
    } else if ((row & 255) !== 255 || performance.now() < sliceEnd) continue
    await pause()
    if (session.signal.aborted) throw session.failure("cancelled", "Cannot read on: the run was cancelled")
    sliceEnd = performance.now() + SLICE_MS
  }
  if (builder.rows > 0) yield builder.finish()
}

/** Lets timers, sockets and the other splits have their turn. */
export function pause(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function store(column: Column, builder: ColumnBuilder, toUtf8: ToUtf8): Store {
  const read = valueReader(column.type, builder, toUtf8)
  return (value) => {
    if (value !== null) return read(value)
    if (!column.nullable) return false
    builder.null()
    return true
  }
}

interface Refused {
  readonly row: number
  readonly values: Values
  readonly columns: Columns
  readonly blame: number
  readonly toUtf8: ToUtf8
}

function reject(session: Session, { row, values, columns, blame, toUtf8 }: Refused): void {
  const texts = columns.map((column, i) => readText(column.type, values[i]!, toUtf8))
  const column = columns[blame]!
  const { kind, text } = texts[blame]!
  const declared = column.native ? `, which is declared ${column.native.type || "without a type"},` : ""
  session.reject({
    row,
    column: column.name,
    value: text,
    reason:
      text === null
        ? `NULL in column "${column.name}", which holds no NULL`
        : `${kind} value in column "${column.name}"${declared} is not of type ${typeName(column.type)}`,
    record: Object.fromEntries(columns.map(({ name }, i) => [name, texts[i]!.text])),
  })
}
