import type { ColumnBuilder, LogicalType } from "../../core/contract/index.ts"

/** Appends the value at `start` of `length` bytes; false when no column of ours can hold it. */
export type Decoder = (column: ColumnBuilder, source: Uint8Array, start: number, length: number) => boolean

/**
 * Decoder of a type's binary COPY form (the `*_recv` functions of PostgreSQL's adt), or undefined where the value is
 * asked for as text. `declared` is the PostgreSQL type.
 */
export function decoderOf(type: LogicalType, declared: string): Decoder | undefined {
  const base = declared.replace(/\(.*?\)/, "")
  switch (type.kind) {
    case "boolean":
      return base === "boolean" ? readBoolean : undefined
    case "int16":
      return base === "smallint" ? readInt16 : undefined
    case "int32":
      return base === "integer" ? readInt32 : undefined
    case "int64":
      return base === "bigint" ? readInt64 : undefined
    case "float32":
      return base === "real" ? readFloat32 : undefined
    case "float64":
      return base === "double precision" ? readFloat64 : undefined
    case "decimal":
      return base === "numeric" ? readNumeric : undefined
    case "string":
      return /^(text|character varying|character|name)$/.test(base) ? readBytes : undefined
    case "bytes":
      return base === "bytea" ? readBytes : undefined
    case "json":
      return base === "json" ? readBytes : base === "jsonb" ? readJsonb : undefined
    case "date":
      return base === "date" ? readDate : undefined
    case "time":
      return base === "time without time zone" ? readTime : undefined
    case "timestamp":
      return base.startsWith("timestamp") ? readTimestamp : undefined
    case "uuid":
      return base === "uuid" ? readBytes : undefined
    default:
      return undefined
  }
}

/** Decoder of a value that the SELECT casts to text. */
export function readText(column: ColumnBuilder, source: Uint8Array, start: number, length: number): boolean {
  return column.parse(source, start, start + length)
}

function readBoolean(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  column.boolean(source[start] === 1)
  return true
}

function readInt16(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  column.int(((source[start]! << 24) >> 16) | source[start + 1]!)
  return true
}

export function int32At(source: Uint8Array, at: number): number {
  return (source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!
}

function readInt32(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  column.int(int32At(source, start))
  return true
}

function readInt64(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  column.int64(int32At(source, start + 4), int32At(source, start))
  return true
}

const floatBytes = new Uint8Array(8)
const float32 = new Float32Array(floatBytes.buffer, 0, 1)
const float64 = new Float64Array(floatBytes.buffer)

function readFloat32(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  for (let i = 0; i < 4; i++) floatBytes[i] = source[start + 3 - i]!
  column.float(float32[0]!)
  return true
}

function readFloat64(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  for (let i = 0; i < 8; i++) floatBytes[i] = source[start + 7 - i]!
  column.float(float64[0]!)
  return true
}

function readBytes(column: ColumnBuilder, source: Uint8Array, start: number, length: number): boolean {
  column.bytes(source, start, start + length)
  return true
}

/** One version byte, then text. */
function readJsonb(column: ColumnBuilder, source: Uint8Array, start: number, length: number): boolean {
  column.bytes(source, start + 1, start + length)
  return true
}

/** Days between 1970-01-01 and 2000-01-01, PostgreSQL's epoch. */
export const EPOCH_DAYS = 10957
/** The same in microseconds, 946684800000000, as two halves. */
export const EPOCH_LOW = 0x3b37e000
export const EPOCH_HIGH = 0x35d01

function readDate(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  const days = int32At(source, start)
  const infinite = days === 2147483647 || days === -2147483648
  column.int(infinite ? days : days + EPOCH_DAYS)
  return true
}

function readTime(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  return readInt64(column, source, start)
}

function readTimestamp(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  const high = int32At(source, start)
  const low = int32At(source, start + 4)
  if ((high === 0x7fffffff && low === -1) || (high === -2147483648 && low === 0)) {
    column.int64(low, high)
    return true
  }
  const sum = (low >>> 0) + EPOCH_LOW
  const carried = high + EPOCH_HIGH + (sum > 4294967295 ? 1 : 0)
  // Years 294247 to 294276 exist in PostgreSQL but not in 64 bits from 1970, whose last value is infinity.
  if (carried > 2147483647 || (carried === 2147483647 && (sum | 0) === -1)) return false
  column.int64(sum, carried)
  return true
}

const NAN = new TextEncoder().encode("NaN")
const INFINITY = new TextEncoder().encode("Infinity")
const MINUS_INFINITY = new TextEncoder().encode("-Infinity")
let digitsText = new Uint8Array(256)

/** Groups of four decimal digits (`numeric_send`): count, weight of the first group, sign, digits to show, groups. */
export function readNumeric(column: ColumnBuilder, source: Uint8Array, start: number): boolean {
  const groups = (source[start]! << 8) | source[start + 1]!
  const weight = ((source[start + 2]! << 24) >> 16) | source[start + 3]!
  const sign = (source[start + 4]! << 8) | source[start + 5]!
  const scale = (source[start + 6]! << 8) | source[start + 7]!
  if (sign >= 0xc000) {
    const special = sign === 0xc000 ? NAN : sign === 0xd000 ? INFINITY : MINUS_INFINITY
    column.bytes(special, 0, special.length)
    return true
  }
  const room = 8 + (Math.max(weight, 0) + 1) * 4 + scale + 4
  if (room > digitsText.length) digitsText = new Uint8Array(room * 2)
  const out = digitsText
  let to = 0
  if (sign === 0x4000) out[to++] = 0x2d
  const first = start + 8
  if (weight < 0) out[to++] = 0x30
  for (let group = 0; group <= weight; group++) {
    const at = first + group * 2
    const value = group < groups ? (source[at]! << 8) | source[at + 1]! : 0
    if (group === 0) {
      to = leadingDigits(out, to, value)
      continue
    }
    to = fourDigits(out, to, value)
  }
  if (scale > 0) {
    out[to++] = 0x2e
    const end = to + scale
    for (let group = weight + 1; to < end; group++) {
      const at = first + group * 2
      to = fourDigits(out, to, group >= 0 && group < groups ? (source[at]! << 8) | source[at + 1]! : 0)
    }
    to = end
  }
  column.bytes(out, 0, to)
  return true
}

/** The four digits of every number below 10000, each in its byte: dividing costs more than the rest of a value. */
const DIGITS = Uint32Array.from({ length: 10_000 }, (_, value) => {
  const digit = (unit: number) => 0x30 + (Math.trunc(value / unit) % 10)
  return digit(1000) | (digit(100) << 8) | (digit(10) << 16) | (digit(1) << 24)
})

function fourDigits(out: Uint8Array, at: number, value: number): number {
  const digits = DIGITS[value]!
  out[at] = digits
  out[at + 1] = digits >>> 8
  out[at + 2] = digits >>> 16
  out[at + 3] = digits >>> 24
  return at + 4
}

/** Without the zeros in front. */
function leadingDigits(out: Uint8Array, at: number, value: number): number {
  const digits = DIGITS[value]!
  let to = at
  if (value >= 1000) out[to++] = digits
  if (value >= 100) out[to++] = digits >>> 8
  if (value >= 10) out[to++] = digits >>> 16
  out[to++] = digits >>> 24
  return to
}
