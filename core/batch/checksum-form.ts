import type { LogicalType, TextView, Vector } from "../contract/index.ts"
import { textOf } from "./text.ts"

/**
 * What is hashed of a column's values: its canonical text, in a form that every system can print from what it has
 * stored. `Dialect.checksum` in the contract states the forms, and dialects print them in SQL.
 */
export function checksumForm(vector: Vector): TextView {
  switch (vector.storage) {
    case "float32":
    case "float64":
      return float(vector.values)
    case "bytes":
      return variable(vector.type, vector.offsets, vector.data)
    default:
      return textOf(vector)
  }
}

function variable(type: LogicalType, offsets: Int32Array, data: Uint8Array): TextView {
  const trim = trimmer(type)
  return {
    size: (row) => offsets[row + 1]! - offsets[row]! + 1,
    write(row, target, at) {
      const from = offsets[row]!
      const end = offsets[row + 1]!
      let to = at
      if (end - from > 48) {
        target.set(data.subarray(from, end), at)
        to += end - from
      } else for (let i = from; i < end; i++) target[to++] = data[i]!
      return trim === undefined ? to : trim(target, at, to)
    },
  }
}

/** Shortens, in place, what different systems print in different lengths; returns the new end. */
type Trim = (target: Uint8Array, start: number, end: number) => number

function trimmer(type: LogicalType): Trim | undefined {
  if (type.kind === "decimal") return plainNumber
  if (type.kind === "interval") return plainClock
  return type.kind === "string" && type.fixed === true ? withoutBlanks : undefined
}

function withoutBlanks(target: Uint8Array, start: number, end: number): number {
  let to = end
  while (to > start && target[to - 1] === BLANK) to--
  return to
}

/** `1.50` as `1.5`, `1.00` as `1`, `-0.0` as `0`. */
function plainNumber(target: Uint8Array, start: number, end: number): number {
  const to = withoutZeros(target, start, end)
  if (to !== start + 2 || target[start] !== MINUS || target[start + 1] !== ZERO) return to
  target[start] = ZERO
  return start + 1
}

/** `1:02:03.50` as `01:02:03.5`, `-00:00:00` without its sign; an interval that is no time is left as it is. */
function plainClock(target: Uint8Array, start: number, end: number): number {
  const first = target[start] === MINUS ? start + 1 : start
  let colons = 0
  let digits = 0
  let last = end
  for (let at = first; at < end; at++) {
    const byte = target[at]!
    if (byte === COLON) {
      if (colons++ === 0) digits = at - first
    } else if (byte === POINT) last = Math.min(last, at)
    else if (byte < ZERO || byte > NINE) return end
  }
  if (colons !== 2 || last - first - digits !== 6) return end
  let to = withoutZeros(target, start, end)
  if (digits === 1) {
    target.copyWithin(first + 1, first, to++)
    target[first] = ZERO
  }
  if (first === start) return to
  for (let at = first; at < to; at++) if (target[at]! > ZERO && target[at]! <= NINE) return to
  target.copyWithin(start, first, to)
  return to - 1
}

/** Without the zeros that end a fraction, and without its point where nothing else is left. */
function withoutZeros(target: Uint8Array, start: number, end: number): number {
  let point = end - 1
  while (point >= start && target[point] !== POINT) point--
  if (point < start) return end
  let to = end
  while (target[to - 1] === ZERO) to--
  return to === point + 1 ? point : to
}

/** The IEEE 754 bytes, the highest first: no two systems print the same digits. One zero, one NaN. */
function float(values: Float32Array | Float64Array): TextView {
  const width = values.BYTES_PER_ELEMENT
  const number = width === 4 ? new Float32Array(1) : new Float64Array(1)
  const bytes = new Uint8Array(number.buffer)
  return {
    size: () => width,
    write(row, target, at) {
      const value = values[row]!
      number[0] = value === 0 ? 0 : value
      for (let i = 0; i < width; i++) target[at + i] = bytes[width - 1 - i]!
      if (!Number.isNaN(value)) return at + width
      target.fill(0, at, at + width)
      target[at] = 0x7f
      target[at + 1] = width === 4 ? 0xc0 : 0xf8
      return at + width
    },
  }
}

const BLANK = 0x20
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
