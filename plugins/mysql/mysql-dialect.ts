import type { Column, Dialect, LogicalType } from "../../core/contract/index.ts"
import { checksum } from "./mysql-checksum.ts"
import { isOpaque, logicalType } from "./mysql-types.ts"

/** SQL of MySQL and MariaDB under the pinned session, where backslashes escape and double quotes are strings. */
export const mysqlDialect: Dialect = {
  // 64 characters, none of which takes more than three bytes.
  identifierLimit: { most: 64, unit: "characters" },
  quote,
  literal,
  columnType,
  // A read that locks sees what is committed, not the transaction's snapshot.
  forUpdate: " FOR UPDATE",
  createTableSuffix: " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
  sample: (table, fraction) => ({ from: table, where: `RAND() < ${Math.min(Math.max(fraction, 0), 1)}` }),
  checksum: (column) => checksum(column, quote(column.name)),
}

export function quote(identifier: string): string {
  return `\`${identifier.replaceAll("`", "``")}\``
}

export function qualified(table: { readonly schema?: string; readonly name: string }): string {
  return table.schema === undefined ? quote(table.name) : `${quote(table.schema)}.${quote(table.name)}`
}

export function quoted(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\0", "\\0")}'`
}

function literal(value: string, column?: Column): string {
  if (column === undefined) return quoted(value)
  const { type } = column
  if (isOpaque(type)) return hexLiteral(value) ?? quoted(value)
  const listed = /^(enum|set)\((.*)\)$/is.exec(column.native?.type ?? "")
  if (listed) return String(ordinal(value, listed[1]!.toLowerCase(), listed[2]!))
  switch (type.kind) {
    case "boolean":
      return value === "true" || value === "t" || value === "1" ? "1" : "0"
    case "int16":
    case "int32":
    case "int64":
    case "uint64":
    case "decimal":
    case "float32":
    case "float64":
      return /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(value) ? value : quoted(value)
    case "bytes":
      return (value.startsWith("\\x") ? hexLiteral(value.slice(2)) : undefined) ?? quoted(value)
    case "timestamp":
      return quoted(value.replace(/\+00(:?00)?$/, ""))
    default:
      return quoted(value)
  }
}

/**
 * The number of an ENUM's or SET's value. Both are sorted by it but compared with a text letter by letter: ranges
 * between texts would overlap.
 */
function ordinal(value: string, kind: string, list: string): bigint {
  const members = [...list.matchAll(/'((?:[^']|'')*)'/g)].map(([, member]) => member!.replaceAll("''", "'"))
  if (kind === "enum") return BigInt(members.indexOf(value) + 1)
  return value.split(",").reduce((bits, member) => {
    const at = members.indexOf(member)
    return at < 0 ? bits : bits | (1n << BigInt(at))
  }, 0n)
}

function hexLiteral(digits: string): string | undefined {
  return /^([\da-f]{2})*$/i.test(digits) ? `x'${digits}'` : undefined
}

function columnType(column: Column, options: { readonly key: boolean }): { type: string; lossy?: string } {
  const { native, type } = column
  // A cast on the way may have left the declaration behind; it only counts while it still says the same.
  if (native?.system === "mysql" && !MARIADB_ONLY.test(native.type)) {
    if (logicalType({ type: native.type }).kind === type.kind) return { type: native.type }
  }
  switch (type.kind) {
    case "boolean":
      return { type: "tinyint(1)" }
    case "int16":
      return { type: "smallint" }
    case "int32":
      return { type: "int" }
    case "int64":
      return { type: "bigint" }
    case "uint64":
      return { type: "bigint unsigned" }
    case "float32":
      return { type: "float" }
    case "float64":
      return { type: "double" }
    case "decimal":
      return decimalType(type.precision, type.scale ?? 0)
    case "string":
      return stringType(type.length, type.fixed === true, options.key)
    case "bytes":
      return bytesType(type.length, options.key)
    case "date":
      return { type: "date" }
    case "time":
      return { type: `time(${type.precision ?? 6})` }
    case "timestamp":
      // TIMESTAMP is the type for an instant. It ends in 2038: rows beyond are rejected, never changed.
      return { type: `${type.zone ? "timestamp" : "datetime"}(${type.precision ?? 6})` }
    case "interval":
      return { type: "varchar(255)" }
    case "json":
      return { type: "json" }
    case "uuid":
      return { type: "char(36) CHARACTER SET ascii" }
    case "native":
      return nativeType(type)
  }
}

function nativeType(type: Extract<LogicalType, { kind: "native" }>): { type: string; lossy?: string } {
  if (type.system === "mysql") return { type: type.name }
  return { type: "longtext", lossy: `${type.name} of ${type.system} becomes plain text` }
}

function decimalType(precision: number | undefined, scale: number): { type: string; lossy?: string } {
  if (precision === undefined) {
    return { type: "decimal(65,30)", lossy: "more than 35 digits before or 30 after the point do not fit" }
  }
  // A negative scale holds whole tens, hundreds, …; MySQL has none, so the digits are spelled out.
  const digits = scale < 0 ? precision - scale : Math.max(precision, scale)
  const places = Math.max(scale, 0)
  if (digits <= 65 && places <= 30) return { type: `decimal(${digits},${places})` }
  return {
    type: `decimal(65,${Math.min(places, 30)})`,
    lossy: `decimal(${precision},${scale}) exceeds 65 digits, 30 of them after the point`,
  }
}

function stringType(length: number | undefined, fixed: boolean, key: boolean): { type: string; lossy?: string } {
  if (key && (length === undefined || length > KEY_CHARACTERS)) {
    return { type: `varchar(${KEY_CHARACTERS})`, lossy: `a key holds at most ${KEY_CHARACTERS} characters` }
  }
  if (length === undefined || length > VARCHAR_CHARACTERS) return { type: "longtext" }
  return { type: `${fixed && length <= 255 ? "char" : "varchar"}(${length})` }
}

function bytesType(length: number | undefined, key: boolean): { type: string; lossy?: string } {
  if (key && (length === undefined || length > KEY_BYTES)) {
    return { type: `varbinary(${KEY_BYTES})`, lossy: `a key holds at most ${KEY_BYTES} bytes` }
  }
  if (length === undefined || length > VARBINARY_BYTES) return { type: "longblob" }
  return { type: `varbinary(${length})` }
}

/** MySQL lacks these, and a dialect does not know which server it speaks to. */
const MARIADB_ONLY = /^(uuid|inet4|inet6)$/i
/** An index entry has at most 3072 bytes, and several columns may share them. */
const KEY_CHARACTERS = 255
const KEY_BYTES = 767
/** A row has at most 65535 bytes outside of its texts and blobs; longer columns go there. */
const VARCHAR_CHARACTERS = 1000
const VARBINARY_BYTES = 4000
