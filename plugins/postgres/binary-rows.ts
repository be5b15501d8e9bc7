import type { Batch, BytesVector, LoadRequest, Vector } from "../../core/contract/index.ts"
import { EPOCH_DAYS, EPOCH_HIGH, EPOCH_LOW } from "./binary-read.ts"
import { type Encoder, encoderOf, NUMERIC_BYTES, numeric } from "./binary-write.ts"
import type { Chunk } from "./chunk.ts"
import { HEADER_BYTES, MESSAGE_BYTES, seal } from "./copy-message.ts"

/** Where the next value of each row goes. */
type Places = Int32Array

interface Column {
  readonly vector: Vector
  /** Decimals as the server takes them. */
  readonly encoded: Encoded | undefined
  /** A byte in front of the text, which jsonb has. */
  readonly version: 0 | 1
}

interface Encoded {
  readonly data: Uint8Array
  readonly offsets: Int32Array
}

/**
 * Appends a batch column by column, in loops that know their type: half the time of a call a value (measured). Returns
 * the end of the last message, or -1 when a value may have to be refused, which only a look at each of them can tell.
 */
export function appendColumns(batch: Batch, request: LoadRequest, chunk: Chunk): number {
  const { vectors, rows } = batch
  for (const vector of vectors) if (mayRefuse(vector)) return -1
  const columns = vectors.map((vector, i): Column => {
    const declared = request.columns[i]!.native?.type ?? ""
    const isDecimal = vector.storage === "bytes" && vector.type.kind === "decimal"
    const encoded = isDecimal ? encodedDecimals(vector, i) : undefined
    return { vector, encoded, version: declared === "jsonb" ? 1 : 0 }
  })
  if (rows > places.length) places = new Int32Array(rows)
  const at = places
  at.fill(2, 0, rows)
  for (const column of columns) addSizes(column, at, rows)
  const end = placeRows(at, rows, columns.length, chunk)
  const view = new DataView(chunk.data.buffer, chunk.data.byteOffset, chunk.data.byteLength)
  for (const column of columns) write(column, chunk.data, view, at, rows)
  return end
}

let places: Places = new Int32Array(0)
/** Memory for decimals, by the column's position. */
const decimals: { data: Uint8Array; offsets: Int32Array }[] = []

function encodedDecimals({ data, offsets, length, validity }: BytesVector, column: number): Encoded {
  decimals[column] ??= { data: new Uint8Array(0), offsets: new Int32Array(0) }
  const to = decimals[column]
  const most = length * NUMERIC_BYTES + offsets[length]! - offsets[0]!
  if (most > to.data.length) to.data = new Uint8Array(most + (most >> 2))
  if (length >= to.offsets.length) to.offsets = new Int32Array(length + 1)
  let at = 0
  for (let row = 0; row < length; row++) {
    if (validity === undefined || present(validity, row))
      at = numeric(data, offsets[row]!, offsets[row + 1]!, to.data, at)
    to.offsets[row + 1] = at
  }
  return to
}

/** A NUL in text, or a timestamp from before PostgreSQL's first: only a look at each value tells which. */
function mayRefuse(vector: Vector): boolean {
  if (vector.storage === "bytes") {
    if (vector.type.kind === "bytes" || vector.type.kind === "decimal") return false
    const { data, offsets, length } = vector
    return data.subarray(offsets[0], offsets[length]).includes(0)
  }
  if (vector.storage !== "int64" || vector.type.kind !== "timestamp") return false
  const { words, length } = vector
  for (let row = 0; row < length; row++) {
    const high = words[row * 2 + 1]!
    if (high <= -2147483648 + EPOCH_HIGH && !(high === -2147483648 && words[row * 2] === 0)) return true
  }
  return false
}

/** Adds what the column takes to the size of each row. */
function addSizes({ vector, encoded, version }: Column, sizes: Int32Array, rows: number): void {
  const { validity } = vector
  const offsets = encoded?.offsets ?? (vector.storage === "bytes" ? vector.offsets : undefined)
  if (offsets === undefined) {
    const width = WIDTHS[vector.storage as keyof typeof WIDTHS] // what is not bytes has a width
    for (let row = 0; row < rows; row++) sizes[row]! += validity === undefined || present(validity, row) ? 4 + width : 4
    return
  }
  for (let row = 0; row < rows; row++) {
    const isNull = validity !== undefined && !present(validity, row)
    sizes[row]! += isNull ? 4 : 4 + version + offsets[row + 1]! - offsets[row]!
  }
}

const WIDTHS = { bit: 1, int16: 2, int32: 4, int64: 8, float32: 4, float64: 8, uuid: 16 }

/** Turns sizes into places behind each row's number of columns, in messages; returns where the last one ends. */
function placeRows(at: Int32Array, rows: number, columns: number, chunk: Chunk): number {
  let room = HEADER_BYTES
  for (let row = 0; row < rows; row++) room += at[row]!
  chunk.reserve(room + Math.ceil(room / MESSAGE_BYTES) * HEADER_BYTES)
  const out = chunk.data
  let message = chunk.used
  let next = message + HEADER_BYTES
  for (let row = 0; row < rows; row++) {
    if (next - message >= MESSAGE_BYTES) {
      seal(out, message, next)
      message = next
      next += HEADER_BYTES
    }
    const size = at[row]!
    out[next] = columns >> 8
    out[next + 1] = columns
    at[row] = next + 2
    next += size
  }
  if (rows === 0) return message
  seal(out, message, next)
  return next
}

function present(validity: Uint8Array, row: number): boolean {
  return ((validity[row >>> 3]! >>> (row & 7)) & 1) !== 0
}

function write({ vector, encoded, version }: Column, out: Uint8Array, view: DataView, at: Places, rows: number): void {
  const { validity } = vector
  if (validity !== undefined) writeNulls(validity, view, at, rows)
  if (encoded !== undefined) writeBytes(encoded, validity, 0, view, at, rows)
  else if (vector.storage === "bytes") writeBytes(vector, validity, version, view, at, rows)
  else if (vector.storage === "int32")
    writeInt32s(vector.values, validity, vector.type.kind === "date" ? EPOCH_DAYS : 0, view, at, rows)
  else if (vector.storage === "float64") writeFloat64s(vector.values, validity, view, at, rows)
  else if (vector.storage === "bit") writeBits(vector.values, validity, view, at, rows)
  else if (vector.storage !== "int64") writeOthers(encoderOf(vector, "", "reject", unchanged), validity, out, at, rows)
  else if (vector.type.kind === "timestamp") writeTimestamps(vector.words, validity, view, at, rows)
  else writeInt64s(vector.words, validity, view, at, rows)
}

function unchanged(): void {}

function writeNulls(validity: Uint8Array, view: DataView, at: Places, rows: number): void {
  for (let row = 0; row < rows; row++) {
    if (present(validity, row)) continue
    view.setInt32(at[row]!, -1)
    at[row]! += 4
  }
}

function writeInt32s(
  values: Int32Array,
  validity: Uint8Array | undefined,
  epoch: number,
  view: DataView,
  at: Places,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (validity !== undefined && !present(validity, row)) continue
    const to = at[row]!
    const value = values[row]!
    const infinite = value === 2147483647 || value === -2147483648
    view.setInt32(to, 4)
    view.setInt32(to + 4, infinite ? value : value - epoch)
    at[row] = to + 8
  }
}

function writeInt64s(
  words: Int32Array,
  validity: Uint8Array | undefined,
  view: DataView,
  at: Places,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (validity !== undefined && !present(validity, row)) continue
    const to = at[row]!
    view.setInt32(to, 8)
    view.setInt32(to + 4, words[row * 2 + 1]!)
    view.setInt32(to + 8, words[row * 2]!)
    at[row] = to + 12
  }
}

function writeTimestamps(
  words: Int32Array,
  validity: Uint8Array | undefined,
  view: DataView,
  at: Places,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (validity !== undefined && !present(validity, row)) continue
    const to = at[row]!
    let low = words[row * 2]!
    let high = words[row * 2 + 1]!
    if (!((high === 0x7fffffff && low === -1) || (high === -2147483648 && low === 0))) {
      const difference = (low >>> 0) - EPOCH_LOW
      high = high - EPOCH_HIGH - (difference < 0 ? 1 : 0)
      low = difference | 0
    }
    view.setInt32(to, 8)
    view.setInt32(to + 4, high)
    view.setInt32(to + 8, low)
    at[row] = to + 12
  }
}

function writeFloat64s(
  values: Float64Array,
  validity: Uint8Array | undefined,
  view: DataView,
  at: Places,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (validity !== undefined && !present(validity, row)) continue
    const to = at[row]!
    view.setInt32(to, 8)
    view.setFloat64(to + 4, values[row]!)
    at[row] = to + 12
  }
}

function writeBits(
  values: Uint8Array,
  validity: Uint8Array | undefined,
  view: DataView,
  at: Places,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (validity !== undefined && !present(validity, row)) continue
    const to = at[row]!
    view.setInt32(to, 1)
    view.setUint8(to + 4, (values[row >>> 3]! >>> (row & 7)) & 1)
    at[row] = to + 5
  }
}

function writeBytes(
  { data, offsets }: Encoded,
  validity: Uint8Array | undefined,
  version: number,
  view: DataView,
  at: Places,
  rows: number,
): void {
  const source = new DataView(data.buffer, data.byteOffset, data.byteLength)
  for (let row = 0; row < rows; row++) {
    if (validity !== undefined && !present(validity, row)) continue
    const end = offsets[row + 1]!
    let from = offsets[row]!
    let to = at[row]!
    const size = end - from
    view.setInt32(to, size + version)
    to += 4
    if (version === 1) view.setUint8(to++, 1)
    at[row] = to + size
    if (size < LONG) {
      for (const stop = end - 3; from < stop; from += 4, to += 4) view.setInt32(to, source.getInt32(from, true), true)
      while (from < end) view.setUint8(to++, source.getUint8(from++))
    } else new Uint8Array(view.buffer, view.byteOffset + to, size).set(data.subarray(from, end))
  }
}

/** What is shorter is copied faster by hand than by a call (measured). */
const LONG = 256

function writeOthers(
  encode: Encoder,
  validity: Uint8Array | undefined,
  out: Uint8Array,
  at: Places,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (validity === undefined || present(validity, row)) at[row] = encode(row, out, at[row]!)
  }
}
