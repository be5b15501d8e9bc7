import type { Column } from "../../core/contract/index.ts"
import { logicalType } from "./mysql-types.ts"
import type { WireField } from "./mysql-wire.ts"

/** A result's column as the protocol describes it. The list of an enum or a set is not part of that. */
export function columnOf(field: WireField): Column {
  const type = declared(field)
  const native = type === undefined ? undefined : { system: "mysql", type }
  const logical =
    type === undefined
      ? ({ kind: "string" } as const)
      : logicalType({ type, ...(field.extendedFormat === "json" && { json: true }) })
  return {
    name: field.name,
    type: logical,
    nullable: (field.flags & NOT_NULL) === 0,
    ...(native && field.extendedFormat !== "json" && { native }),
  }
}

/** Turns the bytes of this column into canonical text. */
export function fieldText(field: WireField): (buffer: Uint8Array, start: number, end: number) => string {
  const type = columnOf(field).type
  if (field.columnType === BIT) {
    return (buffer, start, end) => {
      const value = bigEndian(buffer, start, end)
      return type.kind === "boolean" ? String(value === 1n) : String(value)
    }
  }
  if (type.kind === "bytes") return (buffer, start, end) => `\\x${hexOf(buffer, start, end)}`
  if (field.columnType === GEOMETRY || field.columnType === VECTOR) return hexOf
  const suffix = field.columnType === TIMESTAMP ? "+00" : ""
  return (buffer, start, end) => decoder.decode(buffer.subarray(start, end)) + suffix
}

export function hexOf(buffer: Uint8Array, start: number, end: number): string {
  let text = ""
  for (let at = start; at < end; at++) text += buffer[at]!.toString(16).padStart(2, "0")
  return text
}

function bigEndian(buffer: Uint8Array, start: number, end: number): bigint {
  let value = 0n
  for (let at = start; at < end; at++) value = (value << 8n) | BigInt(buffer[at]!)
  return value
}

function declared(field: WireField): string | undefined {
  const unsigned = (field.flags & UNSIGNED) !== 0
  const suffix = unsigned ? " unsigned" : ""
  const fraction = field.decimals > 0 && field.decimals <= 6 ? `(${field.decimals})` : ""
  if (field.extendedTypeName !== undefined) return field.extendedTypeName
  switch (field.columnType) {
    case TINY:
      return field.columnLength === 1 && !unsigned ? "tinyint(1)" : `tinyint${suffix}`
    case 0x02:
      return `smallint${suffix}`
    case 0x03:
      return `int${suffix}`
    case 0x09:
      return `mediumint${suffix}`
    case 0x08:
      return `bigint${suffix}`
    case 0x04:
      return "float"
    case 0x05:
      return "double"
    case 0x00:
    case 0xf6: {
      const digits = field.columnLength - (field.decimals > 0 ? 1 : 0) - (unsigned ? 0 : 1)
      return `decimal(${Math.max(digits, field.decimals, 1)},${field.decimals})${suffix}`
    }
    case 0x0a:
    case 0x0e:
      return "date"
    case 0x0b:
      return `time${fraction}`
    case 0x0c:
      return `datetime${fraction}`
    case TIMESTAMP:
      return `timestamp${fraction}`
    case 0x0d:
      return "year"
    case BIT:
      return `bit(${field.columnLength})`
    case 0xf5:
      return "json"
    case GEOMETRY:
      return "geometry"
    case VECTOR:
      return `vector(${field.columnLength / 4})`
    case 0x0f:
    case 0xfd:
    case 0xfe:
      return textOrBytes(field)
    case 0xf9:
    case 0xfa:
    case 0xfb:
    case 0xfc:
      return field.characterSet === BINARY ? "longblob" : "longtext"
    default:
      return undefined
  }
}

function textOrBytes(field: WireField): string | undefined {
  if ((field.flags & (ENUM | SET)) !== 0) return undefined
  const fixed = field.columnType === 0xfe
  if (field.characterSet === BINARY) {
    if (field.columnLength > 65_535) return "longblob"
    return `${fixed ? "binary" : "varbinary"}(${field.columnLength})`
  }
  // Lengths count bytes of the connection's utf8mb4, four for a character.
  const length = Math.floor(field.columnLength / 4)
  if (length === 0 || length > 16_383) return "longtext"
  return `${fixed && length <= 255 ? "char" : "varchar"}(${length})`
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const TINY = 0x01
const TIMESTAMP = 0x07
const BIT = 0x10
const GEOMETRY = 0xff
const VECTOR = 0xf2
const BINARY = 63
const NOT_NULL = 1
const UNSIGNED = 32
const ENUM = 256
const SET = 2048
