import type { LogicalType } from "../contract/index.ts"
import type { Collector } from "./column-builder.ts"
import { fromMicros, halves } from "./int64.ts"
import { decimal, readDecimal } from "./read-decimal.ts"
import { fitsInt64, fitsUint64, float, readFloat, readInteger } from "./read-number.ts"
import { hex, isJson, readBoolean, readUuid, utf8Length, uuid } from "./read-text.ts"
import { moment, readDate, readTime, readTimestamp } from "./read-time.ts"

export type Parser = (column: Collector, source: Uint8Array, start: number, end: number) => boolean

/** Reads a type's canonical text into a column; the contract's `ColumnBuilder.parse` says what it takes. */
export function parserOf(type: LogicalType): Parser {
  switch (type.kind) {
    case "boolean":
      return parseBoolean
    case "int16":
      return smallInteger(-32768, 32767)
    case "int32":
      return smallInteger(-2147483648, 2147483647)
    case "int64":
      return parseInt64
    case "uint64":
      return parseUint64
    case "float32":
      return parseFloat32
    case "float64":
      return parseFloat64
    case "decimal":
      return (column, source, start, end) => {
        if (!readDecimal(source, start, end, type)) return false
        column.bytes(decimal.text, 0, decimal.length)
        return true
      }
    case "string":
      return text(type.length)
    case "interval":
    case "native":
      return text(undefined)
    case "json":
      return (column, source, start, end) => {
        if (utf8Length(source, start, end) < 0 || !isJson(source, start, end)) return false
        column.bytes(source, start, end)
        return true
      }
    case "bytes":
      return hexBytes(type.length)
    case "date":
      return parseDate
    case "time":
      return withPrecision(type.precision, parseTime)
    case "timestamp":
      return withPrecision(type.precision, type.zone ? parseInstant : parseWallClock)
    case "uuid":
      return parseUuid
  }
}

function parseBoolean(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  const value = readBoolean(source, start, end)
  if (value < 0) return false
  column.boolean(value === 1)
  return true
}

function smallInteger(least: number, most: number): Parser {
  return (column, source, start, end) => {
    if (end - start > 19 || !readInteger(source, start, end) || !fitsInt64()) return false
    const value = halves.high * 4294967296 + halves.low
    if (value < least || value > most) return false
    column.int(value)
    return true
  }
}

function parseInt64(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readInteger(source, start, end) || !fitsInt64()) return false
  column.int64(halves.low, halves.high)
  return true
}

function parseUint64(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readInteger(source, start, end) || !fitsUint64()) return false
  column.int64(halves.low, halves.high)
  return true
}

function parseFloat64(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readFloat(source, start, end)) return false
  column.float(float.value)
  return true
}

function parseFloat32(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readFloat(source, start, end)) return false
  if (Number.isFinite(float.value) && !Number.isFinite(Math.fround(float.value))) return false
  column.float(float.value)
  return true
}

function text(length: number | undefined): Parser {
  return (column, source, start, end) => {
    const points = utf8Length(source, start, end)
    if (points < 0 || (length !== undefined && points > length)) return false
    column.bytes(source, start, end)
    return true
  }
}

function hexBytes(length: number | undefined): Parser {
  return (column, source, start, end) => {
    const size = (end - start - 2) / 2
    if (source[start] !== 0x5c || source[start + 1] !== 0x78 || !Number.isInteger(size)) return false
    if (length !== undefined && size > length) return false
    const bytes = new Uint8Array(size)
    for (let i = 0, at = start + 2; i < size; i++, at += 2) {
      const value = (hex(source[at]!) << 4) | hex(source[at + 1]!)
      if (hex(source[at]!) < 0 || value < 0) return false
      bytes[i] = value
    }
    column.bytes(bytes, 0, size)
    return true
  }
}

function parseDate(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readDate(source, start, end)) return false
  column.int(moment.days)
  return true
}

function parseTime(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readTime(source, start, end)) return false
  fromMicros(moment.seconds, moment.micros)
  column.int64(halves.low, halves.high)
  return true
}

function parseWallClock(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readTimestamp(source, start, end)) return false
  if (moment.infinite === 0 && !Number.isNaN(moment.offset)) return false
  return appendMoment(column, 0)
}

/** Text without an offset is UTC: sessions are pinned to it. */
function parseInstant(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readTimestamp(source, start, end)) return false
  return appendMoment(column, Number.isNaN(moment.offset) ? 0 : moment.offset)
}

function appendMoment(column: Collector, offset: number): boolean {
  if (moment.infinite !== 0) {
    if (moment.infinite > 0) column.int64(-1, 0x7fffffff)
    else column.int64(0, -2147483648)
    return true
  }
  fromMicros(moment.days * 86400 + moment.seconds - offset, moment.micros)
  if (!fitsInt64()) return false
  column.int64(halves.low, halves.high)
  return true
}

/** A type of fewer than six digits refuses values that have more. */
function withPrecision(precision: number | undefined, parse: Parser): Parser {
  if (precision === undefined || precision >= 6) return parse
  const unit = 10 ** (6 - precision)
  return (column, source, start, end) => {
    moment.micros = 0
    const before = column.length
    if (!parse(column, source, start, end)) return false
    if (moment.micros % unit === 0) return true
    column.truncate(before)
    return false
  }
}

function parseUuid(column: Collector, source: Uint8Array, start: number, end: number): boolean {
  if (!readUuid(source, start, end)) return false
  column.bytes(uuid, 0, 16)
  return true
}
