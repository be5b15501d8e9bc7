import type { LogicalType, Vector } from "../../core/contract/index.ts"
import { EPOCH_DAYS, EPOCH_HIGH, EPOCH_LOW } from "./binary-read.ts"

/** Writes the length and the value of a present row; -1 when the value cannot be written (a NUL byte in text). */
export type Encoder = (row: number, out: Uint8Array, at: number) => number

/** What to do with U+0000, which PostgreSQL's text does not hold. */
export type NulPolicy = "reject" | "strip" | "replace"

/** Whether values of the type can be written to a column declared so in binary; otherwise they go as text. */
export function hasEncoder(type: LogicalType, declared: string): boolean {
  const base = declared.replace(/\(.*?\)/, "")
  const kinds = BINARY[base]
  return kinds?.includes(type.kind) ?? false
}

const BINARY: Readonly<Record<string, readonly string[]>> = {
  boolean: ["boolean"],
  smallint: ["int16"],
  integer: ["int32"],
  bigint: ["int64"],
  real: ["float32"],
  "double precision": ["float64"],
  numeric: ["decimal"],
  text: ["string"],
  "character varying": ["string"],
  character: ["string"],
  bytea: ["bytes"],
  json: ["json"],
  jsonb: ["json"],
  date: ["date"],
  "time without time zone": ["time"],
  "timestamp without time zone": ["timestamp"],
  "timestamp with time zone": ["timestamp"],
  uuid: ["uuid"],
}

/** Upper bound of the bytes that all values of a column take, lengths included. */
export function encodedBytes(vector: Vector, nul: NulPolicy): number {
  if (vector.storage !== "bytes") return vector.length * 20
  const data = vector.offsets[vector.length]! - vector.offsets[0]!
  // A decimal's groups take two bytes each plus a header; text with every NUL replaced by U+FFFD triples at most.
  if (vector.type.kind === "decimal") return vector.length * 24 + data
  return vector.length * 5 + (nul === "replace" ? data * 3 : data)
}

export function encoderOf(vector: Vector, declared: string, nul: NulPolicy, adjusted: () => void): Encoder {
  switch (vector.storage) {
    case "bit":
      return (row, out, at) => {
        const to = length(out, at, 1)
        out[to] = (vector.values[row >>> 3]! >>> (row & 7)) & 1
        return to + 1
      }
    case "int16":
      return (row, out, at) => {
        const to = length(out, at, 2)
        out[to] = vector.values[row]! >> 8
        out[to + 1] = vector.values[row]!
        return to + 2
      }
    case "int32":
      if (vector.type.kind === "date") return dates(vector.values)
      return (row, out, at) => int32(out, length(out, at, 4), vector.values[row]!)
    case "int64":
      if (vector.type.kind === "timestamp") return timestamps(vector.words)
      return (row, out, at) => {
        const to = int32(out, length(out, at, 8), vector.words[row * 2 + 1]!)
        return int32(out, to, vector.words[row * 2]!)
      }
    case "float32":
      return (row, out, at) => {
        float32[0] = vector.values[row]!
        const to = length(out, at, 4)
        for (let i = 0; i < 4; i++) out[to + i] = floatBytes[3 - i]!
        return to + 4
      }
    case "float64":
      return (row, out, at) => {
        float64[0] = vector.values[row]!
        const to = length(out, at, 8)
        for (let i = 0; i < 8; i++) out[to + i] = floatBytes[7 - i]!
        return to + 8
      }
    case "uuid":
      return (row, out, at) => {
        const to = length(out, at, 16)
        for (let i = 0; i < 16; i++) out[to + i] = vector.data[row * 16 + i]!
        return to + 16
      }
    case "bytes":
      if (vector.type.kind === "decimal") return decimals(vector.offsets, vector.data)
      if (vector.type.kind === "bytes") return raw(vector.offsets, vector.data)
      return text(vector.offsets, vector.data, declared === "jsonb" ? 1 : 0, nul, adjusted)
  }
}

function length(out: Uint8Array, at: number, size: number): number {
  out[at] = 0
  out[at + 1] = 0
  out[at + 2] = 0
  out[at + 3] = size
  return at + 4
}

export function int32(out: Uint8Array, at: number, value: number): number {
  out[at] = value >> 24
  out[at + 1] = value >> 16
  out[at + 2] = value >> 8
  out[at + 3] = value
  return at + 4
}

const floatBytes = new Uint8Array(8)
const float32 = new Float32Array(floatBytes.buffer, 0, 1)
const float64 = new Float64Array(floatBytes.buffer)

function dates(values: Int32Array): Encoder {
  return (row, out, at) => {
    const days = values[row]!
    const infinite = days === 2147483647 || days === -2147483648
    return int32(out, length(out, at, 4), infinite ? days : days - EPOCH_DAYS)
  }
}

function timestamps(words: Int32Array): Encoder {
  return (row, out, at) => {
    const low = words[row * 2]!
    const high = words[row * 2 + 1]!
    const to = length(out, at, 8)
    if ((high === 0x7fffffff && low === -1) || (high === -2147483648 && low === 0))
      return int32(out, int32(out, to, high), low)
    const difference = (low >>> 0) - EPOCH_LOW
    const borrowed = high - EPOCH_HIGH - (difference < 0 ? 1 : 0)
    if (borrowed < -2147483648) return -1
    return int32(out, int32(out, to, borrowed), difference)
  }
}

function raw(offsets: Int32Array, data: Uint8Array): Encoder {
  return (row, out, at) => {
    const from = offsets[row]!
    const end = offsets[row + 1]!
    const to = int32(out, at, end - from)
    out.set(data.subarray(from, end), to)
    return to + end - from
  }
}

function text(offsets: Int32Array, data: Uint8Array, version: number, nul: NulPolicy, adjusted: () => void): Encoder {
  return (row, out, at) => {
    const end = offsets[row + 1]!
    let to = at + 4
    if (version === 1) out[to++] = 1
    let changed = false
    for (let from = offsets[row]!; from < end; from++) {
      const byte = data[from]!
      if (byte !== 0) {
        out[to++] = byte
        continue
      }
      if (nul === "reject") return -1
      changed = true
      if (nul === "replace") {
        out[to++] = 0xef
        out[to++] = 0xbf
        out[to++] = 0xbd
      }
    }
    if (changed) adjusted()
    int32(out, at, to - at - 4)
    return to
  }
}

function decimals(offsets: Int32Array, data: Uint8Array): Encoder {
  return (row, out, at) => {
    const end = numeric(data, offsets[row]!, offsets[row + 1]!, out, at + 4)
    int32(out, at, end - at - 4)
    return end
  }
}

/** What {@link numeric} writes at most for each value, next to one byte for each of its text. */
export const NUMERIC_BYTES = 16

/** Canonical text, `data[start .. end)`, to `numeric_recv`'s form; returns where that ends. */
export function numeric(data: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let from = start
  const minus = data[from] === 0x2d
  if (minus) from++
  if (data[from]! > 0x39) return header(out, at, 0, 0, data[from] === 0x4e ? 0xc000 : minus ? 0xf000 : 0xd000, 0)
  let point = from
  while (point < end && data[point] !== 0x2e) point++
  const scale = point < end ? end - point - 1 : 0
  let weight = ((point - from + 3) >> 2) - 1
  const first = at + 8
  let to = first
  // Digits are grouped outwards from the point, so the first group may be short and the last is padded.
  for (let stop = point - weight * 4; stop <= point; stop += 4) {
    let value = 0
    while (from < stop) value = value * 10 + data[from++]! - 0x30
    if (value === 0 && to === first) {
      weight--
      continue
    }
    out[to++] = value >> 8
    out[to++] = value
  }
  for (from = point + 1; from < end; ) {
    const stop = from + 4
    let value = 0
    for (; from < stop; from++) value = value * 10 + (from < end ? data[from]! - 0x30 : 0)
    if (value === 0 && to === first) {
      weight--
      continue
    }
    out[to++] = value >> 8
    out[to++] = value
  }
  while (to > first && out[to - 1] === 0 && out[to - 2] === 0) to -= 2
  const groups = (to - first) >> 1
  header(out, at, groups, groups === 0 ? 0 : weight, minus && groups > 0 ? 0x4000 : 0, scale)
  return to
}

function header(out: Uint8Array, at: number, groups: number, weight: number, sign: number, scale: number): number {
  out[at] = groups >> 8
  out[at + 1] = groups
  out[at + 2] = weight >> 8
  out[at + 3] = weight
  out[at + 4] = sign >> 8
  out[at + 5] = sign
  out[at + 6] = scale >> 8
  out[at + 7] = scale
  return at + 8
}
