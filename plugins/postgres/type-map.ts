import type { Column, LogicalType } from "../../core/contract/index.ts"
import { hasEncoder } from "./binary-write.ts"

/** A type as the catalog knows it. */
export interface CatalogType {
  /** As declared, such as `numeric(12,2)`. */
  readonly declared: string
  /** `pg_type.typname` of the type, or of the base type of a domain. */
  readonly base: string
  /** `atttypmod`; -1 when there is none. */
  readonly modifier: number
  /** True for a domain: its bytes are those of the base type, but its constraints are its own. */
  readonly domain: boolean
}

/** The logical type of a PostgreSQL type. */
export function logicalType({ declared, base, modifier }: CatalogType): LogicalType {
  switch (base) {
    case "bool":
      return { kind: "boolean" }
    case "int2":
      return { kind: "int16" }
    case "int4":
      return { kind: "int32" }
    case "int8":
    case "oid":
      return { kind: "int64" }
    case "float4":
      return { kind: "float32" }
    case "float8":
      return { kind: "float64" }
    case "numeric":
      return decimalType(modifier)
    case "text":
    case "name":
      return { kind: "string" }
    case "varchar":
      return modifier > 4 ? { kind: "string", length: modifier - 4 } : { kind: "string" }
    case "bpchar":
      return modifier > 4 ? { kind: "string", length: modifier - 4, fixed: true } : { kind: "string" }
    case "bytea":
      return { kind: "bytes" }
    case "date":
      return { kind: "date" }
    case "time":
      return modifier >= 0 ? { kind: "time", precision: modifier } : { kind: "time" }
    case "timestamp":
    case "timestamptz": {
      const zone = base === "timestamptz"
      return modifier >= 0 ? { kind: "timestamp", zone, precision: modifier } : { kind: "timestamp", zone }
    }
    case "interval":
      return { kind: "interval" }
    case "json":
    case "jsonb":
      return { kind: "json" }
    case "uuid":
      return { kind: "uuid" }
    default:
      return { kind: "native", system: "postgres", name: declared }
  }
}

/** `atttypmod` of numeric: precision in the upper 16 bits, an 11-bit signed scale in the lower ones (numeric.c). */
function decimalType(modifier: number): LogicalType {
  if (modifier < 4) return { kind: "decimal" }
  const packed = modifier - 4
  const scale = (((packed & 0x7ff) ^ 1024) - 1024) | 0
  // A negative scale rounds whole digits; its values are integers of more digits.
  if (scale < 0) return { kind: "decimal", precision: ((packed >> 16) & 0xffff) - scale, scale: 0 }
  return { kind: "decimal", precision: (packed >> 16) & 0xffff, scale }
}

/** The PostgreSQL type for a new column. */
export function columnType(column: Column): { readonly type: string; readonly lossy?: string } {
  const { type, native } = column
  if (native?.system === "postgres" && PORTABLE.test(native.type) && stillSays(native.type, type))
    return { type: native.type }
  switch (type.kind) {
    case "boolean":
      return { type: "boolean" }
    case "int16":
      return { type: "smallint" }
    case "int32":
      return { type: "integer" }
    case "int64":
      return { type: "bigint" }
    case "uint64":
      return { type: "numeric(20,0)" }
    case "float32":
      return { type: "real" }
    case "float64":
      return { type: "double precision" }
    case "decimal":
      return {
        type:
          type.precision === undefined || type.precision > 1000
            ? "numeric"
            : `numeric(${type.precision},${type.scale ?? 0})`,
      }
    case "string":
      if (type.length === undefined || type.length > 10_485_760) return { type: "text" }
      return { type: `${type.fixed ? "char" : "varchar"}(${type.length})` }
    case "bytes":
      return { type: "bytea" }
    case "date":
      return { type: "date" }
    case "time":
      return { type: precise("time", type.precision) }
    case "timestamp":
      return { type: precise(type.zone ? "timestamptz" : "timestamp", type.precision) }
    case "interval":
      return { type: "interval" }
    case "json":
      return { type: column.native?.type === "json" ? "json" : "jsonb" }
    case "uuid":
      return { type: "uuid" }
    case "native":
      return type.system === "postgres"
        ? { type: type.name }
        : { type: "text", lossy: `${type.name} of ${type.system} becomes text` }
  }
}

/** A cast on the way may have left the declaration behind. */
function stillSays(declared: string, type: LogicalType): boolean {
  if (type.kind === "native") return type.name === declared
  return type.kind === "interval" ? declared === "interval" : hasEncoder(type, declared)
}

function precise(name: string, precision: number | undefined): string {
  return precision === undefined || precision === 6 ? name : `${name}(${precision})`
}

/** Declared types that exist in every PostgreSQL, so that a table can be made with them elsewhere. */
const PORTABLE =
  /^(boolean|smallint|integer|bigint|real|double precision|numeric(\(\d+,-?\d+\))?|text|character( varying)?(\(\d+\))?|bytea|date|time(stamp)?(\(\d\))? with(out)? time zone|interval|jsonb?|uuid|inet|cidr|macaddr8?|bit( varying)?(\(\d+\))?|(int4|int8|num|ts|tstz|date)(multi)?range|point|line|lseg|box|path|polygon|circle|xml|tsvector|money)(\[\])*$/

/**
 * Declared types whose binary form is the same in every server: built in, and without object ids of one database
 * inside. Enums, composites and extension types are carried as text instead.
 */
export function hasPortableBinary(declared: string): boolean {
  return PORTABLE.test(declared) && !/^(money|xml|tsvector)/.test(declared)
}
