import type { Column, ColumnBuilder } from "../../core/contract/index.ts"
import { halves, isZeroDate, readDate, readTimestamp } from "./mysql-clock.ts"
import { hexOf } from "./mysql-fields.ts"
import { isOpaque } from "./mysql-types.ts"
import type { WireField } from "./mysql-wire.ts"

/** Appends the value `source[start .. end)` as the server wrote it; false, appending nothing, when it does not fit. */
export type Decode = (source: Uint8Array, start: number, end: number) => boolean

/** What becomes of `0000-00-00`: called instead of reading one; returns what {@link Decode} does. */
export type OnZeroDate = (builder: ColumnBuilder, column: Column) => boolean

/** The decoder of one column, made once per read. */
export function decoderOf(column: Column, field: WireField, builder: ColumnBuilder, onZeroDate: OnZeroDate): Decode {
  const { kind } = column.type
  if (field.columnType === BIT) return bits(column, builder)
  switch (kind) {
    case "int16":
      return integer(builder, -32_768, 32_767)
    case "int32":
      return integer(builder, -2_147_483_648, 2_147_483_647)
    case "int64":
    case "uint64":
      return wideInteger(builder)
    case "decimal":
      // Without ZEROFILL the server writes the canonical text; only its number of digits is open.
      return NUMERIC.has(field.columnType) && (field.flags & ZEROFILL) === 0 && covers(column, field)
        ? copy(builder)
        : (source, start, end) => builder.parse(source, start, end)
    case "string":
      return text(builder, column.type.length ?? Number.POSITIVE_INFINITY)
    case "json":
      return text(builder, Number.POSITIVE_INFINITY)
    case "interval":
      return copy(builder)
    case "bytes":
      return copy(builder)
    case "date":
      return date(column, builder, onZeroDate)
    case "timestamp":
      return timestamp(column, builder, onZeroDate)
    case "native":
      if (!isOpaque(column.type)) return text(builder, Number.POSITIVE_INFINITY)
      return (source, start, end) => {
        builder.text(hexOf(source, start, end))
        return true
      }
    default:
      return (source, start, end) => builder.parse(source, start, end)
  }
}

function integer(builder: ColumnBuilder, least: number, most: number): Decode {
  return (source, start, end) => {
    const value = smallNumber(source, start, end)
    if (!(value >= least && value <= most)) return builder.parse(source, start, end)
    builder.int(value)
    return true
  }
}

function wideInteger(builder: ColumnBuilder): Decode {
  return (source, start, end) => {
    const value = smallNumber(source, start, end)
    // A value that is no safe integer, or negative where it may not be, is for the general parser to judge.
    if (!(value >= 0)) {
      if (builder.type.kind === "uint64" || Number.isNaN(value)) return builder.parse(source, start, end)
    }
    const high = Math.floor(value / 4_294_967_296)
    builder.int64(value - high * 4_294_967_296, high)
    return true
  }
}

/** An integer of at most 15 digits; NaN for everything else. */
function smallNumber(source: Uint8Array, start: number, end: number): number {
  const negative = source[start] === 0x2d
  let at = negative ? start + 1 : start
  const size = end - at
  if (size < 1 || size > 15) return Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = source[at]! - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return negative ? -value : value
}

function date(column: Column, builder: ColumnBuilder, onZeroDate: OnZeroDate): Decode {
  return (source, start, end) => {
    const days = readDate(source, start, end)
    if (!Number.isNaN(days)) {
      builder.int(days)
      return true
    }
    if (isZeroDate(source, start, end)) return onZeroDate(builder, column)
    return builder.parse(source, start, end)
  }
}

function timestamp(column: Column, builder: ColumnBuilder, onZeroDate: OnZeroDate): Decode {
  const precision = column.type.kind === "timestamp" ? (column.type.precision ?? 6) : 6
  return (source, start, end) => {
    // Digits beyond the declared ones are for the general parser to judge.
    if (end - start <= 20 + precision && readTimestamp(source, start, end)) {
      builder.int64(halves.low, halves.high)
      return true
    }
    if (isZeroDate(source, start, end)) return onZeroDate(builder, column)
    return builder.parse(source, start, end)
  }
}

function text(builder: ColumnBuilder, length: number): Decode {
  return (source, start, end) => {
    if (end - start > length) return builder.parse(source, start, end)
    for (let at = start; at < end; at++) if (source[at]! > 0x7f) return builder.parse(source, start, end)
    // A JSON column holds what the server has checked, so ASCII text needs no second look.
    builder.bytes(source, start, end)
    return true
  }
}

function copy(builder: ColumnBuilder): Decode {
  return (source, start, end) => {
    builder.bytes(source, start, end)
    return true
  }
}

/** BIT arrives as bytes, the highest first. */
function bits(column: Column, builder: ColumnBuilder): Decode {
  const { kind } = column.type
  if (kind === "boolean") {
    return (source, start, end) => {
      const value = source[end - 1]!
      if (end - start !== 1 || value > 1) return false
      builder.boolean(value === 1)
      return true
    }
  }
  if (kind === "bytes") return copy(builder)
  const encoder = new TextEncoder()
  return (source, start, end) => {
    let low = 0
    let high = 0
    for (let at = Math.max(start, end - 4); at < end; at++) low = low * 256 + source[at]!
    for (let at = start; at < end - 4; at++) high = high * 256 + source[at]!
    if (kind === "uint64") {
      builder.int64(low, high)
      return true
    }
    const digits = encoder.encode(String((BigInt(high) << 32n) | BigInt(low)))
    return builder.parse(digits, 0, digits.length)
  }
}

/** True when every number of the result has room in the column. */
function covers(column: Column, field: WireField): boolean {
  if (column.type.kind !== "decimal") return false
  const { precision, scale } = column.type
  if (precision === undefined) return true
  const digits = field.columnLength - (field.decimals > 0 ? 1 : 0) - ((field.flags & UNSIGNED) === 0 ? 1 : 0)
  return field.decimals <= (scale ?? 0) && digits - field.decimals <= precision - (scale ?? 0)
}

const BIT = 0x10
const UNSIGNED = 32
const ZEROFILL = 64
const NUMERIC = new Set([0x00, 0xf6])
