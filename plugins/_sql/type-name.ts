import type { LogicalType } from "../../core/contract/index.ts"

type Make = (args: readonly number[]) => LogicalType | undefined

/**
 * The logical type that an option spells, such as `int64`, `decimal(12,2)`, `timestamptz(3)` or
 * `native(postgres, int4range)`; undefined when it spells none. Upper case and blanks make no difference.
 * {@link typeName} is its inverse.
 *
 * | spelling | type |
 * |---|---|
 * | `boolean` `int16` `int32` `int64` `uint64` `float32` `float64` `date` `interval` `json` `uuid` | the kind of that name |
 * | `decimal` `decimal(p)` `decimal(p,s)` | any number of digits; p digits, s of them behind the point |
 * | `string` `string(n)` `char(n)` | text; at most n characters; blank-padded to n |
 * | `bytes` `bytes(n)` | binary data; at most n bytes |
 * | `time` `timestamp` `timestamptz`, each also with `(p)` | p digits behind the second, 0 to 6; `tz` is an instant |
 * | `native(system, name)` | a type that only that system knows |
 */
export function parseTypeName(text: string): LogicalType | undefined {
  const native = /^\s*native\s*\(\s*([\w-]+)\s*,\s*(\S(?:.*\S)?)\s*\)\s*$/is.exec(text)
  if (native) return { kind: "native", system: native[1]!.toLowerCase(), name: native[2]! }
  const match = /^\s*(\w+)\s*(?:\(\s*(-?\d{1,9}(?:\s*,\s*-?\d{1,9})?)\s*\)\s*)?$/.exec(text)
  if (!match) return undefined
  return makers.get(match[1]!.toLowerCase())?.(match[2]?.split(",").map(Number) ?? [])
}

/** How options and messages spell a type: the text that {@link parseTypeName} reads back as the same type. */
export function typeName(type: LogicalType): string {
  switch (type.kind) {
    case "decimal":
      return type.precision === undefined ? "decimal" : `decimal(${type.precision},${type.scale ?? 0})`
    case "string":
      return sized(type.fixed ? "char" : "string", type.length)
    case "bytes":
      return sized("bytes", type.length)
    case "time":
      return sized("time", type.precision)
    case "timestamp":
      return sized(type.zone ? "timestamptz" : "timestamp", type.precision)
    case "native":
      return `native(${type.system}, ${type.name})`
    default:
      return type.kind
  }
}

/** The spellings, for messages that say what is allowed. */
export const typeNameExamples =
  "boolean, int16, int32, int64, uint64, float32, float64, decimal(p,s), string(n), char(n), bytes(n), date, time(p), timestamp(p), timestamptz(p), interval, json, uuid"

const makers = new Map<string, Make>([
  ...(
    ["boolean", "int16", "int32", "int64", "uint64", "float32", "float64", "date", "interval", "json", "uuid"] as const
  ).map((kind): [string, Make] => [kind, (args) => (args.length === 0 ? { kind } : undefined)]),
  ["decimal", decimal],
  ["string", size((length) => ({ kind: "string", ...(length !== undefined && { length }) }), 1)],
  [
    "char",
    (args) => (args.length === 1 && args[0]! > 0 ? { kind: "string", length: args[0]!, fixed: true } : undefined),
  ],
  ["bytes", size((length) => ({ kind: "bytes", ...(length !== undefined && { length }) }), 1)],
  ["time", size((precision) => ({ kind: "time", ...(precision !== undefined && { precision }) }), 0, 6)],
  [
    "timestamp",
    size((precision) => ({ kind: "timestamp", zone: false, ...(precision !== undefined && { precision }) }), 0, 6),
  ],
  [
    "timestamptz",
    size((precision) => ({ kind: "timestamp", zone: true, ...(precision !== undefined && { precision }) }), 0, 6),
  ],
])

function size(make: (value?: number) => LogicalType, least: number, most = Number.POSITIVE_INFINITY): Make {
  return ([value, ...more]) => {
    if (more.length > 0) return undefined
    return value === undefined || (value >= least && value <= most) ? make(value) : undefined
  }
}

function decimal([precision, scale = 0]: readonly number[]): LogicalType | undefined {
  if (precision === undefined) return { kind: "decimal" }
  // A scale may be negative or larger than the precision: PostgreSQL has both.
  return precision > 0 ? { kind: "decimal", precision, scale } : undefined
}

function sized(name: string, size: number | undefined): string {
  return size === undefined ? name : `${name}(${size})`
}
