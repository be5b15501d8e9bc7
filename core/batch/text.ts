import type { TextView, Vector } from "../contract/index.ts"
import { civil, civilFromDays, DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MICROS } from "./calendar.ts"
import { divide, division } from "./int64.ts"

/** The canonical text of a vector's values. */
export function textOf(vector: Vector): TextView {
  const view = present(vector)
  const { validity } = vector
  if (validity === undefined) return view
  return { ...view, size: (row) => (((validity[row >>> 3]! >>> (row & 7)) & 1) === 0 ? 0 : view.size(row)) }
}

function present(vector: Vector): TextView {
  switch (vector.storage) {
    case "bit":
      return {
        size: () => 5,
        write: (row, target, at) =>
          put(target, at, ((vector.values[row >>> 3]! >>> (row & 7)) & 1) === 1 ? TRUE : FALSE),
      }
    case "int16":
      return { size: () => 6, write: (row, target, at) => writeInteger(target, at, vector.values[row]!) }
    case "int32":
      if (vector.type.kind === "date") {
        return { size: () => 20, write: (row, target, at) => writeDate(target, at, vector.values[row]!) }
      }
      return { size: () => 11, write: (row, target, at) => writeInteger(target, at, vector.values[row]!) }
    case "int64":
      return wide(vector.type.kind, vector.type.kind === "timestamp" && vector.type.zone, vector.words)
    case "float32":
      return { size: () => 24, write: (row, target, at) => putAscii(target, at, float32Text(vector.values[row]!)) }
    case "float64":
      return { size: () => 26, write: (row, target, at) => writeFloat(target, at, vector.values[row]!) }
    case "uuid":
      return { size: () => 36, write: (row, target, at) => writeUuid(target, at, vector.data, row * 16) }
    case "bytes":
      return vector.type.kind === "bytes" ? hexText(vector.offsets, vector.data) : plain(vector.offsets, vector.data)
  }
}

function plain(offsets: Int32Array, data: Uint8Array): TextView {
  return {
    size: (row) => offsets[row + 1]! - offsets[row]!,
    write(row, target, at) {
      const end = offsets[row + 1]!
      let from = offsets[row]!
      if (end - from >= 48) {
        target.set(data.subarray(from, end), at)
        return at + end - from
      }
      let to = at
      while (from < end) target[to++] = data[from++]!
      return to
    },
  }
}

function hexText(offsets: Int32Array, data: Uint8Array): TextView {
  return {
    size: (row) => 2 + (offsets[row + 1]! - offsets[row]!) * 2,
    write(row, target, at) {
      let to = at
      target[to++] = 0x5c
      target[to++] = 0x78
      for (let from = offsets[row]!; from < offsets[row + 1]!; from++) {
        target[to++] = HEX[data[from]! >>> 4]!
        target[to++] = HEX[data[from]! & 15]!
      }
      return to
    },
  }
}

function wide(kind: string, zone: boolean, words: Int32Array): TextView {
  if (kind === "timestamp") {
    return {
      size: () => 40,
      write: (row, target, at) => writeTimestamp(target, at, words[row * 2]!, words[row * 2 + 1]!, zone),
    }
  }
  if (kind === "time") {
    return {
      size: () => 15,
      write(row, target, at) {
        return writeClock(target, at, words[row * 2 + 1]! * 4294967296 + (words[row * 2]! >>> 0))
      },
    }
  }
  if (kind === "uint64") {
    return {
      size: () => 20,
      write: (row, target, at) => writeUnsigned(target, at, words[row * 2]!, words[row * 2 + 1]! >>> 0),
    }
  }
  return { size: () => 20, write: (row, target, at) => writeInt64(target, at, words[row * 2]!, words[row * 2 + 1]!) }
}

const encoder = new TextEncoder()
const TRUE = encoder.encode("true")
const FALSE = encoder.encode("false")
const INFINITY = encoder.encode("infinity")
const MINUS_INFINITY = encoder.encode("-infinity")
const ERA = encoder.encode(" BC")
const HEX = encoder.encode("0123456789abcdef")

function put(target: Uint8Array, at: number, bytes: Uint8Array): number {
  target.set(bytes, at)
  return at + bytes.length
}

function putAscii(target: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** A safe integer in decimal. */
export function writeInteger(target: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  if (rest < 0) {
    target[at++] = 0x2d
    rest = -rest
  }
  let size = 1
  for (let bound = 10; rest >= bound; bound *= 10) size++
  const end = at + size
  for (let to = end - 1; to >= at; to--) {
    const next = Math.floor(rest / 10)
    target[to] = 0x30 + rest - next * 10
    rest = next
  }
  return end
}

/** Signed 64-bit integer, in halves. */
export function writeInt64(target: Uint8Array, at: number, low: number, high: number): number {
  if (high === low >> 31) return writeInteger(target, at, low)
  if (high >= 0) return writeUnsigned(target, at, low, high)
  target[at] = 0x2d
  const negated = -low >>> 0
  return writeUnsigned(target, at + 1, negated, (~high >>> 0) + (negated === 0 ? 1 : 0))
}

/** Unsigned 64-bit integer, in halves. */
export function writeUnsigned(target: Uint8Array, at: number, low: number, high: number): number {
  divide(low, high, 1e9)
  const { quotient, remainder } = division
  if (quotient === 0) return writeInteger(target, at, remainder)
  return writePadded(target, writeInteger(target, at, quotient), remainder, 9)
}

function writePadded(target: Uint8Array, at: number, value: number, width: number): number {
  let rest = value
  for (let to = at + width - 1; to >= at; to--) {
    const next = Math.floor(rest / 10)
    target[to] = 0x30 + rest - next * 10
    rest = next
  }
  return at + width
}

/** `yyyy-mm-dd`, with ` BC` where it belongs, or an infinity. */
export function writeDate(target: Uint8Array, at: number, days: number): number {
  if (days >= 0 && days < KNOWN_DAYS) return writeKnownDay(target, at, days)
  if (days === DATE_INFINITY) return put(target, at, INFINITY)
  if (days === DATE_MINUS_INFINITY) return put(target, at, MINUS_INFINITY)
  const end = writeDay(target, at, days)
  return civil.year > 0 ? end : put(target, end, ERA)
}

/** Days from 1970-01-01 to 2099-12-31, whose text is made once: `yyyy-mm-dd` each, 0 where it is not made yet. */
const KNOWN_DAYS = 47_482
const knownDays = new Uint8Array(KNOWN_DAYS * 10)

function writeKnownDay(target: Uint8Array, at: number, days: number): number {
  const from = days * 10
  if (knownDays[from] === 0) writeDay(knownDays, from, days)
  for (let i = 0; i < 10; i++) target[at + i] = knownDays[from + i]!
  return at + 10
}

/** Leaves the year in `civil`; writes no era. */
function writeDay(target: Uint8Array, start: number, days: number): number {
  civilFromDays(days)
  const year = civil.year > 0 ? civil.year : 1 - civil.year
  let at = year > 9999 ? writeInteger(target, start, year) : writePadded(target, start, year, 4)
  target[at++] = 0x2d
  at = twoDigits(target, at, civil.month)
  target[at++] = 0x2d
  return twoDigits(target, at, civil.day)
}

function twoDigits(target: Uint8Array, at: number, value: number): number {
  const tens = (value / 10) | 0
  target[at] = 0x30 + tens
  target[at + 1] = 0x30 + value - tens * 10
  return at + 2
}

/** Microseconds of a day as `hh:mm:ss[.ffffff]`, the fraction without trailing zeros. */
export function writeClock(target: Uint8Array, start: number, micros: number): number {
  const seconds = (micros / 1e6) | 0
  let fraction = micros - seconds * 1e6
  const hours = (seconds / 3600) | 0
  const minutes = ((seconds - hours * 3600) / 60) | 0
  let at = twoDigits(target, start, hours)
  target[at++] = 0x3a
  at = twoDigits(target, at, minutes)
  target[at++] = 0x3a
  at = twoDigits(target, at, seconds - hours * 3600 - minutes * 60)
  if (fraction === 0) return at
  let width = 6
  while (fraction % 10 === 0) {
    fraction /= 10
    width--
  }
  target[at++] = 0x2e
  return writePadded(target, at, fraction, width)
}

/** Microseconds since 1970 in halves, as `yyyy-mm-dd hh:mm:ss[.ffffff]`, with `+00` for an instant. */
export function writeTimestamp(target: Uint8Array, start: number, low: number, high: number, zone: boolean): number {
  // 4102444800 s, the end of the known days, in halves; such a number of microseconds is exact as a double.
  if (high >= 0 && high < 955_174) {
    const value = high * 4294967296 + (low >>> 0)
    const days = Math.floor(value / DAY_MICROS)
    const day = writeKnownDay(target, start, days)
    target[day] = 0x20
    return writeOffset(target, writeClock(target, day + 1, value - days * DAY_MICROS), zone)
  }
  if (high === 0x7fffffff && low === -1) return put(target, start, INFINITY)
  if (high === -2147483648 && low === 0) return put(target, start, MINUS_INFINITY)
  divide(low, high, DAY_MICROS)
  const micros = division.remainder
  let at = writeDay(target, start, division.quotient)
  const beforeChrist = civil.year <= 0
  target[at++] = 0x20
  at = writeOffset(target, writeClock(target, at, micros), zone)
  return beforeChrist ? put(target, at, ERA) : at
}

function writeOffset(target: Uint8Array, at: number, zone: boolean): number {
  if (!zone) return at
  target[at] = 0x2b
  target[at + 1] = 0x30
  target[at + 2] = 0x30
  return at + 3
}

function writeUuid(target: Uint8Array, start: number, data: Uint8Array, from: number): number {
  let at = start
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) target[at++] = 0x2d
    target[at++] = HEX[data[from + i]! >>> 4]!
    target[at++] = HEX[data[from + i]! & 15]!
  }
  return at
}

const TENS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

/**
 * Shortest text that reads back as the same double. Up to 15 digits identify a double, so the fewest decimal places
 * that give it back are the shortest text; only what needs more than six goes the engine's long way.
 */
function writeFloat(target: Uint8Array, start: number, value: number): number {
  const size = value < 0 ? -value : value
  // Zero may be negative, and NaN fails every comparison.
  if (!(size > 0 && size < 1e9)) return putAscii(target, start, float64Text(value))
  for (let places = 0; places <= 6; places++) {
    const unit = TENS[places]!
    const digits = Math.round(size * unit)
    if (digits / unit !== size) continue
    let at = start
    if (value < 0) target[at++] = 0x2d
    if (places === 0) return writeInteger(target, at, digits)
    const whole = Math.floor(digits / unit)
    at = writeInteger(target, at, whole)
    target[at++] = 0x2e
    return writePadded(target, at, digits - whole * unit, places)
  }
  return putAscii(target, start, float64Text(value))
}

/** Shortest text that reads back as the same double. */
export function float64Text(value: number): string {
  return value === 0 && Object.is(value, -0) ? "-0" : String(value)
}

/** Shortest text that reads back as the same float. */
export function float32Text(value: number): string {
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) return float64Text(value)
  // Six digits always survive, and their trailing zeros are dropped; the smallest floats have fewer.
  for (let digits = Math.abs(value) < 1.1754944e-38 ? 1 : 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)))
    if (Math.fround(Number(text)) === value) return text
  }
  return String(Number(value.toPrecision(9)))
}
