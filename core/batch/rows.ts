import type { Batch, Columns, Row, Value, Vector } from "../contract/index.ts"
import { makeBatchBuilder } from "./batch-builder.ts"
import type { Collector } from "./column-builder.ts"
import { textOf } from "./text.ts"

export function isNull(vector: Vector, row: number): boolean {
  return vector.validity !== undefined && ((vector.validity[row >>> 3]! >>> (row & 7)) & 1) === 0
}

export function positionOf(batch: Batch, row: number): number {
  return batch.positions === undefined ? batch.firstRow + row : batch.positions[row]!
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const encoder = new TextEncoder()

/** Canonical text of one value, or null. */
export function valueText(vector: Vector, row: number): string | null {
  if (isNull(vector, row)) return null
  const view = textOf(vector)
  const bytes = new Uint8Array(view.size(row))
  return decoder.decode(bytes.subarray(0, view.write(row, bytes, 0)))
}

/** A whole row as canonical text. */
export function recordOf(batch: Batch, row: number): Record<string, string | null> {
  return Object.fromEntries(batch.columns.map((column, i) => [column.name, valueText(batch.vectors[i]!, row)]))
}

export function* rowsOf(batch: Batch): Generator<Row> {
  for (let row = 0; row < batch.rows; row++) {
    yield Object.fromEntries(batch.columns.map((column, i) => [column.name, plainValue(batch.vectors[i]!, row)]))
  }
}

function plainValue(vector: Vector, row: number): Value {
  if (isNull(vector, row)) return null
  switch (vector.storage) {
    case "bit":
      return ((vector.values[row >>> 3]! >>> (row & 7)) & 1) === 1
    case "int16":
    case "float32":
    case "float64":
      return vector.values[row]!
    case "int32":
      return vector.type.kind === "int32" ? vector.values[row]! : valueText(vector, row)
    case "int64":
      if (vector.type.kind === "int64") return vector.values[row]!
      return vector.type.kind === "uint64" ? BigInt.asUintN(64, vector.values[row]!) : valueText(vector, row)
    case "bytes":
      if (vector.type.kind === "bytes") return vector.data.slice(vector.offsets[row], vector.offsets[row + 1])
      return valueText(vector, row)
    case "uuid":
      return valueText(vector, row)
  }
}

/** Objects as one batch; throws a `data` failure that names row and column when a value does not fit. */
export function batchOf(columns: Columns, rows: Iterable<Row>, firstRow: number): Batch {
  const list = [...rows]
  const builder = makeBatchBuilder(columns, { rows: Math.max(list.length, 1), bytes: Number.POSITIVE_INFINITY })
  for (const [index, row] of list.entries()) {
    for (const [i, column] of columns.entries()) {
      const value = (Object.hasOwn(row, column.name) ? row[column.name] : undefined) ?? null
      if (append(builder.columns[i] as Collector, value)) continue
      const shown = typeof value === "string" ? `"${value}"` : String(value)
      const error = new Error(
        `Cannot use ${shown} in column "${column.name}" of row ${firstRow + index}: not a ${column.type.kind}`,
      )
      throw Object.assign(error, { reason: "data", retryable: false })
    }
    builder.endRow()
  }
  return { ...builder.finish(), firstRow }
}

function append(column: Collector, value: Value): boolean {
  if (value === null) {
    column.null()
    return true
  }
  if (value instanceof Uint8Array && column.type.kind === "bytes") {
    column.bytes(value, 0, value.length)
    return true
  }
  if (value instanceof Uint8Array) return false
  const bytes = encoder.encode(Object.is(value, -0) ? "-0" : String(value))
  return column.parse(bytes, 0, bytes.length)
}
