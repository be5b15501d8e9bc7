import type { ColumnBuilder, LogicalType } from "../../core/contract/index.ts"
import { type Decoder, decoderOf, EPOCH_DAYS, EPOCH_HIGH, EPOCH_LOW, readNumeric } from "./binary-read.ts"

/** Where the values of a column begin in the bytes, row by row; -1: NULL. Each has its length in front. */
export type Places = Int32Array

/** The bytes of some tuples, looked at in two ways. */
export interface Tuples {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Appends one column of many tuples: a loop that knows its type takes half the time of a call a value (measured). */
export interface ColumnDecoder {
  append(column: ColumnBuilder, tuples: Tuples, places: Places, rows: number): void
  /** False when a value fits no column of ours, so that its row has to be rejected; absent: every one fits. */
  fits?(tuples: Tuples, places: Places, rows: number): boolean
}

/** Undefined where values have to be taken one by one, as any of them may be refused. */
export function columnDecoderOf(type: LogicalType, declared: string): ColumnDecoder | undefined {
  const decoder = decoderOf(type, declared)
  if (decoder === undefined) return undefined
  switch (type.kind) {
    case "boolean":
      return { append: appendBooleans }
    case "string":
    case "bytes":
      return { append: appendBytes }
    case "decimal":
      return { append: appendNumerics }
    case "int32":
      return { append: appendInt32s }
    case "int64":
    case "time":
      return { append: appendInt64s }
    case "float64":
      return { append: appendFloat64s }
    case "date":
      return { append: appendDates }
    case "timestamp":
      return { append: appendTimestamps, fits: timestampsFit }
    default:
      return { append: appending(decoder) }
  }
}

/** For the types that are rare in large tables. */
function appending(decoder: Decoder): ColumnDecoder["append"] {
  return (column, { bytes, view }, places, rows) => {
    for (let row = 0; row < rows; row++) {
      const at = places[row]!
      if (at < 0) column.null()
      else decoder(column, bytes, at, view.getInt32(at - 4))
    }
  }
}

function appendBytes(column: ColumnBuilder, { bytes, view }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) column.null()
    else column.bytes(bytes, at, at + view.getInt32(at - 4))
  }
}

function appendNumerics(column: ColumnBuilder, { bytes }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) column.null()
    else readNumeric(column, bytes, at)
  }
}

function appendBooleans(column: ColumnBuilder, { bytes }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) column.null()
    else column.boolean(bytes[at] === 1)
  }
}

function appendInt32s(column: ColumnBuilder, { view }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) column.null()
    else column.int(view.getInt32(at))
  }
}

function appendInt64s(column: ColumnBuilder, { view }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) column.null()
    else column.int64(view.getInt32(at + 4), view.getInt32(at))
  }
}

function appendFloat64s(column: ColumnBuilder, { view }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) column.null()
    else column.float(view.getFloat64(at))
  }
}

function appendDates(column: ColumnBuilder, { view }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) {
      column.null()
      continue
    }
    const days = view.getInt32(at)
    const infinite = days === 2147483647 || days === -2147483648
    column.int(infinite ? days : days + EPOCH_DAYS)
  }
}

function appendTimestamps(column: ColumnBuilder, { view }: Tuples, places: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) {
      column.null()
      continue
    }
    const high = view.getInt32(at)
    const low = view.getInt32(at + 4)
    if (isInfinite(low, high)) {
      column.int64(low, high)
      continue
    }
    const sum = (low >>> 0) + EPOCH_LOW
    column.int64(sum | 0, high + EPOCH_HIGH + (sum > 4294967295 ? 1 : 0))
  }
}

function timestampsFit({ view }: Tuples, places: Places, rows: number): boolean {
  for (let row = 0; row < rows; row++) {
    const at = places[row]!
    if (at < 0) continue
    const high = view.getInt32(at)
    // The exact border is looked at where values are taken one by one.
    if (high >= 0x7fffffff - EPOCH_HIGH && !isInfinite(view.getInt32(at + 4), high)) return false
  }
  return true
}

function isInfinite(low: number, high: number): boolean {
  return (high === 0x7fffffff && low === -1) || (high === -2147483648 && low === 0)
}
