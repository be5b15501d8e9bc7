import type { SQLOutputValue } from "node:sqlite"
import type { ColumnBuilder, LogicalType } from "../../core/contract/index.ts"
import type { ToUtf8 } from "./rows.ts"

/** Appends one value; false when it is not of the column's type, having appended nothing. */
export type Store = (value: SQLOutputValue) => boolean

/** Types whose values SQLite hands over as they are. The others arrive as `withTextAsBytes` turns them round. */
export function isRaw({ kind }: LogicalType): boolean {
  return kind === "bytes"
}

/** SQLite gives every value a type of its own, so each is held against the type that the column declares. */
export function valueReader(type: LogicalType, column: ColumnBuilder, toUtf8: ToUtf8): Store {
  const parse = (text: Uint8Array): boolean => {
    const utf8 = toUtf8(text)
    return utf8 !== undefined && column.parse(utf8, 0, utf8.length)
  }
  const print = (value: bigint | number): boolean => parseAscii(column, String(value))
  switch (type.kind) {
    case "int16":
    case "int32":
      return smallInteger(column, type.kind === "int16" ? 32768 : 2147483648)
    case "int64":
      return (value) => typeof value === "bigint" && done(column.bigint(value))
    case "uint64":
      return (value) => (value instanceof Uint8Array ? parse(value) : typeof value === "bigint" && print(value))
    case "float32":
    case "float64":
      return floatingPoint(column, type.kind === "float32" ? Math.fround : Number, parse)
    case "bytes":
      return blob(column, type.length)
    case "boolean":
      return (value) => {
        if (value === 0n || value === 1n) return done(column.boolean(value === 1n))
        return value instanceof Uint8Array && parse(value)
      }
    case "uuid":
      return (value) => {
        if (value instanceof Uint8Array) return parse(value)
        return typeof value === "string" && value.length === 34 && parseAscii(column, value.slice(2))
      }
    case "decimal":
    case "json":
    case "string":
      // A column without text affinity turns "12" into a number; printing it is the way back.
      return (value) => {
        if (value instanceof Uint8Array) return parse(value)
        if (typeof value === "string") return false
        return (typeof value === "bigint" || Number.isFinite(value)) && print(value as bigint | number)
      }
    default:
      return (value) => value instanceof Uint8Array && parse(value)
  }
}

/** SQLite's name for a value's own type, and the value as text, for messages and records. */
export function readText(
  type: LogicalType,
  value: SQLOutputValue,
  toUtf8: ToUtf8,
): { kind: string; text: string | null } {
  if (value === null) return { kind: "NULL", text: null }
  if (typeof value === "bigint") return { kind: "INTEGER", text: String(value) }
  if (typeof value === "number") return { kind: "REAL", text: Object.is(value, -0) ? "-0" : String(value) }
  const isText = isRaw(type) === (typeof value === "string")
  if (typeof value === "string") return { kind: isText ? "TEXT" : "BLOB", text: value }
  const text = isText ? decode(toUtf8(value)) : undefined
  if (text !== undefined) return { kind: "TEXT", text }
  return { kind: isText ? "malformed TEXT" : "BLOB", text: `\\x${[...value].map(hexByte).join("")}` }
}

function smallInteger(column: ColumnBuilder, limit: number): Store {
  return (value) => {
    if (typeof value !== "bigint" || value < -limit || value >= limit) return false
    return done(column.int(Number(value)))
  }
}

/** An integer counts when the float holds it; `NaN` can only be kept as text. */
function floatingPoint(
  column: ColumnBuilder,
  round: (value: number) => number,
  parse: (text: Uint8Array) => boolean,
): Store {
  return (value) => {
    if (typeof value === "number") return Object.is(round(value), value) && done(column.float(value))
    if (value instanceof Uint8Array) return parse(value)
    if (typeof value !== "bigint") return false
    const float = Number(value)
    return round(float) === float && BigInt(float) === value && done(column.float(float))
  }
}

function blob(column: ColumnBuilder, length = Number.POSITIVE_INFINITY): Store {
  return (value) => {
    if (!(value instanceof Uint8Array) || value.length > length) return false
    return done(column.bytes(value, 0, value.length))
  }
}

const encoder = new TextEncoder()

function parseAscii(column: ColumnBuilder, text: string): boolean {
  const bytes = encoder.encode(text)
  return column.parse(bytes, 0, bytes.length)
}

function decode(utf8: Uint8Array | undefined): string | undefined {
  try {
    // A byte order mark is part of the text.
    return utf8 && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(utf8)
  } catch {
    return undefined
  }
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0")
}

function done(_appended: unknown): boolean {
  return true
}
