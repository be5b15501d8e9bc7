import type { Batch, BatchBuilder, Columns, LoadRequest, Session } from "../../core/contract/index.ts"
import type { Chunk } from "./mysql-chunk.ts"

/**
 * Reads a chunk of `TAB_SEPARATED` text as batches of the target's columns. Rejects on the way what the host rejects
 * of batches before they come to a load, in the same words: text that is too long, and NULL where it is not allowed.
 */
export function* batchesOf(chunk: Chunk, request: LoadRequest, session: Session): Generator<Batch> {
  // Lengths are looked at later, when the whole row can be shown, in the source's words.
  const columns = request.columns.map((column, i) => {
    if (column.type.kind === "string") return { ...column, type: { kind: "string" } as const }
    return isNumbered(request, i) ? { ...column, type: { kind: "boolean" } as const } : column
  })
  const builder = session.batches.builder(columns)
  const finish = () => allowed(at(builder.finish(), chunk.firstRow), request, session)
  let start = 0
  for (let row = 0; row < chunk.rows; row++) {
    const refused = (i: number, from: number, to: number) => {
      const { name, type } = columns[i]!
      const value = decoder.decode(chunk.data.subarray(from, to))
      const reason = `The value does not fit the type ${type.kind}`
      session.reject({ row: chunk.firstRow + row, column: name, value, reason })
    }
    start = readRow(chunk.data, start, columns, builder, refused)
    if (builder.full) yield finish()
  }
  if (builder.rows > 0) yield finish()
}

/** Booleans of the source that are numbers here; their text is the same, 0 and 1. */
function isNumbered({ columns, input }: LoadRequest, i: number): boolean {
  return input?.[i]?.type.kind === "boolean" && NUMBERS.has(columns[i]!.type.kind)
}

const NUMBERS: ReadonlySet<string> = new Set(["int16", "int32", "int64", "uint64"])
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Appends the row at `start`, or discards it once a value is `refused`; returns where the next row starts. */
function readRow(
  data: Uint8Array,
  start: number,
  columns: Columns,
  builder: BatchBuilder,
  refused: (i: number, from: number, to: number) => void,
): number {
  let good = true
  let from = start
  for (let i = 0; i < columns.length; i++) {
    let end = from
    let escapes = 0
    for (let byte = data[end]!; byte !== TAB && byte !== LINE; byte = data[++end]!) {
      if (byte !== BACKSLASH) continue
      escapes++
      end++
    }
    if (good && !readField(data, from, end, escapes, builder.columns[i]!)) {
      good = false
      refused(i, from, end)
    }
    from = end + 1
  }
  if (good) builder.endRow()
  else builder.discardRow()
  return from
}

function readField(
  data: Uint8Array,
  start: number,
  end: number,
  escapes: number,
  column: BatchBuilder["columns"][number],
): boolean {
  if (escapes === 1 && end === start + 2 && data[start + 1] === NULL_LETTER) {
    column.null()
    return true
  }
  const isHex = column.type.kind === "bytes"
  if (escapes === 0 && !isHex) return column.parse(data, start, end)
  if (end - start + 2 > field.length) field = new Uint8Array((end - start) * 2 + 2)
  let to = 0
  if (isHex) {
    field[to++] = BACKSLASH
    field[to++] = 0x78
  }
  for (let at = start; at < end; at++) {
    const byte = data[at]!
    field[to++] = byte === BACKSLASH ? (LETTERS.get(data[++at]!) ?? data[at]!) : byte
  }
  return column.parse(field, 0, to)
}

let field = new Uint8Array(256)
const TAB = 0x09
const LINE = 0x0a
const BACKSLASH = 0x5c
const NULL_LETTER = 0x4e
/** What stands for itself behind a backslash is not listed. */
const LETTERS = new Map(
  [...["b\b", "n\n", "r\r", "t\t"]].map(([letter, character]) => [code(letter!), code(character!)]),
)

function code(character: string): number {
  return character.charCodeAt(0)
}

/** The builder has counted rows from the chunk's first one. */
function at(batch: Batch, firstRow: number): Batch {
  const moved = { ...batch, firstRow: batch.firstRow + firstRow }
  return batch.positions === undefined ? moved : { ...moved, positions: batch.positions.map((row) => row + firstRow) }
}

/** Without the rows that have text that is too long, or NULL where it is not allowed. */
function allowed(batch: Batch, request: LoadRequest, session: Session): Batch {
  const { columns, keyColumns, mode } = request
  const { batches } = session
  const refused = new Set<number>()
  const refuse = (row: number, i: number, reason: string) => {
    if (refused.has(row)) return
    refused.add(row)
    const column = columns[i]!.name
    const value = batches.valueText(batch.vectors[i]!, row)
    session.reject({ row: batches.position(batch, row), column, value, reason, record: batches.record(batch, row) })
  }
  const vectors = batch.vectors.map((vector, i) => {
    const { name, type, native } = columns[i]!
    if (isNumbered(request, i)) return batches.cast(vector, type).vector
    if (type.kind !== "string" || type.length === undefined) return vector
    const { vector: result, failed } = batches.cast(vector, type)
    for (const row of failed) refuse(row, i, `The value does not fit ${native?.type ?? type.kind} of column "${name}"`)
    return result
  })
  for (const [i, { name, nullable }] of columns.entries()) {
    const key = mode !== "append" && keyColumns.includes(name)
    const vector = batch.vectors[i]!
    if ((nullable && !key) || vector.nulls === 0) continue
    const reason = `NULL is not allowed in ${nullable ? "key " : ""}column "${name}"`
    for (let row = 0; row < batch.rows; row++) if (batches.isNull(vector, row)) refuse(row, i, reason)
  }
  const whole = { ...batch, columns, vectors }
  if (refused.size === 0) return whole
  return batches.take(
    whole,
    Array.from({ length: batch.rows }, (_, row) => row).filter((row) => !refused.has(row)),
  )
}
