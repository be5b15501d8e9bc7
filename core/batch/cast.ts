import type { Caster, LogicalType, Vector } from "../contract/index.ts"
import { DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MICROS } from "./calendar.ts"
import { type Collector, makeCollector } from "./column-builder.ts"
import { sameLayout } from "./conversion.ts"
import { divide, division, fromMicros, halves } from "./int64.ts"
import { decimal, readDecimal } from "./read-decimal.ts"
import { isNull } from "./rows.ts"
import { textOf } from "./text.ts"

/** A vector as another type, by SQL's rules: digits beyond a scale are rounded half away from zero, text is never cut. */
export function cast(vector: Vector, type: LogicalType): { vector: Vector; failed: readonly number[] } {
  return makeCaster(type, false).cast(vector)
}

/** Casts one column's vectors, one after the other; `reuse`: whether memory that comes back is used again. */
export function makeCaster(type: LogicalType, reuse: boolean): Caster {
  let column: Collector | undefined
  let given: Vector | undefined
  return {
    cast(vector) {
      if (sameLayout(vector.type, type)) return { vector: { ...vector, type }, failed: [] }
      if (column === undefined || column.capacity < vector.length) column = makeCollector(type, vector.length)
      const failed = appendAll(vector, type, column)
      given = column.finish()
      return { vector: given, failed }
    },
    recycle(vector) {
      // What is only labelled anew, or was made with less room, is not this column's.
      if (!reuse || vector !== given) return
      column?.recycle(vector)
      given = undefined
    },
  }
}

/** Returns the rows whose value does not fit; they are NULL. */
function appendAll(vector: Vector, type: LogicalType, column: Collector): number[] {
  const append = appender(vector, type, column)
  const failed: number[] = []
  for (let row = 0; row < vector.length; row++) {
    if (isNull(vector, row)) column.null()
    else if (!append(row)) {
      column.null()
      failed.push(row)
    }
  }
  return failed
}

type Append = (row: number) => boolean

function appender(vector: Vector, type: LogicalType, column: Collector): Append {
  const from = vector.type.kind
  const to = type.kind
  if (vector.storage === "int16" || (vector.storage === "int32" && from === "int32")) {
    const { values } = vector
    if (to === "int32") return (row) => done(column.int(values[row]!))
    if (to === "int64") return (row) => done(column.int64(values[row]!, values[row]! >> 31))
    if (to === "float32" || to === "float64") return (row) => done(column.float(values[row]!))
    if (to === "boolean") return (row) => bit(column, values[row]!)
  }
  if (vector.storage === "float32" && to === "float64") return (row) => done(column.float(vector.values[row]!))
  if (vector.storage === "float64" && to === "float32") return (row) => narrow(column, vector.values[row]!)
  if (vector.storage === "int64" && from === "timestamp") {
    if (to === "date") return (row) => dateOf(column, vector.words[row * 2]!, vector.words[row * 2 + 1]!)
    if (to === "timestamp") return (row) => timestampOf(column, vector.words, row, type)
    if (to === "time") return (row) => clockOf(column, vector.words[row * 2]!, vector.words[row * 2 + 1]!)
  }
  if (from === "date" && to === "timestamp" && vector.storage === "int32") {
    return (row) => midnightOf(column, vector.values[row]!)
  }
  if (from === "boolean" && to !== "string" && vector.storage === "bit") {
    return throughText(column, 1, (row, buffer) => {
      buffer[0] = 0x30 + ((vector.values[row >>> 3]! >>> (row & 7)) & 1)
      return 1
    })
  }
  return general(vector, type, column)
}

/** Through canonical text, which every type can read and write. */
function general(vector: Vector, type: LogicalType, column: Collector): Append {
  const view = textOf(vector)
  const number = NUMBERS.has(vector.type.kind)
  if (type.kind === "decimal" && number) {
    return withText(view, (buffer, end) => {
      if (!readDecimal(buffer, 0, end, type, true)) return false
      column.bytes(decimal.text, 0, decimal.length)
      return true
    })
  }
  if (INTEGERS.has(type.kind) && number) {
    return withText(view, (buffer, end) => {
      if (!readDecimal(buffer, 0, end, { precision: 20, scale: 0 }, true)) return false
      return column.parse(decimal.text, 0, decimal.length)
    })
  }
  if (type.kind === "boolean" && number) {
    return withText(
      view,
      (buffer, end) =>
        wholeEnd(buffer, end) === 1 && (buffer[0] === 0x30 || buffer[0] === 0x31) && column.parse(buffer, 0, 1),
    )
  }
  const trims =
    vector.type.kind === "string" && type.kind !== "string" && type.kind !== "json" && type.kind !== "native"
  return withText(view, (buffer, end) => {
    let start = 0
    let stop = end
    if (trims) {
      while (start < stop && buffer[start] === 0x20) start++
      while (stop > start && buffer[stop - 1] === 0x20) stop--
    }
    return column.parse(buffer, start, stop)
  })
}

/** Where a number ends when nothing but zeros stands behind its point. */
function wholeEnd(buffer: Uint8Array, end: number): number {
  let at = end
  while (at > 0 && buffer[at - 1] === 0x30) at--
  return at > 0 && buffer[at - 1] === 0x2e ? at - 1 : end
}

const NUMBERS = new Set<string>(["int16", "int32", "int64", "uint64", "float32", "float64", "decimal"])
const INTEGERS = new Set<string>(["int16", "int32", "int64", "uint64"])

function withText(view: ReturnType<typeof textOf>, use: (buffer: Uint8Array, end: number) => boolean): Append {
  let buffer = new Uint8Array(64)
  return (row) => {
    const size = view.size(row)
    if (size > buffer.length) buffer = new Uint8Array(size * 2)
    return use(buffer, view.write(row, buffer, 0))
  }
}

function throughText(column: Collector, size: number, write: (row: number, buffer: Uint8Array) => number): Append {
  const buffer = new Uint8Array(size)
  return (row) => column.parse(buffer, 0, write(row, buffer))
}

/** An append that cannot fail. */
function done(_appended: unknown): boolean {
  return true
}

function bit(column: Collector, value: number): boolean {
  if (value !== 0 && value !== 1) return false
  column.boolean(value === 1)
  return true
}

function narrow(column: Collector, value: number): boolean {
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) return false
  column.float(value)
  return true
}

function infinite(low: number, high: number): number {
  if (high === 0x7fffffff && low === -1) return 1
  return high === -2147483648 && low === 0 ? -1 : 0
}

function dateOf(column: Collector, low: number, high: number): boolean {
  const sign = infinite(low, high)
  if (sign !== 0) {
    column.int(sign > 0 ? DATE_INFINITY : DATE_MINUS_INFINITY)
    return true
  }
  divide(low, high, DAY_MICROS)
  column.int(division.quotient)
  return true
}

function clockOf(column: Collector, low: number, high: number): boolean {
  if (infinite(low, high) !== 0) return false
  divide(low, high, DAY_MICROS)
  column.int64(division.remainder % 4294967296, Math.floor(division.remainder / 4294967296))
  return true
}

function midnightOf(column: Collector, days: number): boolean {
  if (days === DATE_INFINITY) column.int64(-1, 0x7fffffff)
  else if (days === DATE_MINUS_INFINITY) column.int64(0, -2147483648)
  else if (days < NEAR_DAYS && days > -NEAR_DAYS) {
    // A day's microseconds are 20 * 2^32 and these; no product here comes near 2^53.
    const rest = days * 500_654_080
    const carry = Math.floor(rest / 4_294_967_296)
    column.int64(rest - carry * 4_294_967_296, days * 20 + carry)
  } else {
    fromMicros(days * 86400, 0)
    if (halves.high > 2147483647 || halves.high < -2147483648) return false
    column.int64(halves.low, halves.high)
  }
  return true
}

/** Some 11 000 years. */
const NEAR_DAYS = 4_194_304

/** Zone to no zone and back keeps the UTC wall clock; a smaller precision rounds to it. */
function timestampOf(column: Collector, words: Int32Array, row: number, type: LogicalType): boolean {
  const low = words[row * 2]!
  const high = words[row * 2 + 1]!
  const precision = type.kind === "timestamp" ? (type.precision ?? 6) : 6
  if (precision >= 6 || infinite(low, high) !== 0) {
    column.int64(low, high)
    return true
  }
  const unit = 10 ** (6 - precision)
  divide(low, high, DAY_MICROS)
  const micros = Math.floor((division.remainder + unit / 2) / unit) * unit
  fromMicros(division.quotient * 86400 + Math.floor(micros / 1e6), micros % 1e6)
  column.int64(halves.low, halves.high)
  return true
}
