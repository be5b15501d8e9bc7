import type { Column, LogicalType } from "../../core/contract/index.ts"

/** What SQLite does to a value on its way into a column: https://www.sqlite.org/datatype3.html#type_affinity */
export type Affinity = "integer" | "text" | "blob" | "real" | "numeric"

/** SQLite looks for parts of the declared type, in this order: `POINT` is an integer type because of its end. */
export function affinity(declared: string): Affinity {
  const name = declared.toUpperCase()
  if (name.includes("INT")) return "integer"
  if (/CHAR|CLOB|TEXT/.test(name)) return "text"
  if (name === "" || name.includes("BLOB")) return "blob"
  return /REAL|FLOA|DOUB/.test(name) ? "real" : "numeric"
}

/**
 * The logical type that a declared type promises; undefined when it promises nothing, as in a column without a type,
 * in an expression, or in a type that only its author knows.
 */
export function logicalType(declared: string): LogicalType | undefined {
  const [, before = "", size, after = ""] = /^([^(]*)(?:\(([^)]*)\))?(.*)$/s.exec(declared) ?? []
  const name = `${before} ${after}`.trim().replace(/\s+/g, " ").toUpperCase()
  const sizes = size?.match(/-?\d+/g)?.map(Number) ?? []
  const known = named.get(name) ?? named.get(name.replace(/[ _]TEXT$/, ""))
  if (known) return known(sizes)
  switch (affinity(declared)) {
    case "integer":
      return { kind: "int64" }
    case "real":
      return { kind: "float64" }
    case "text":
      return text(sizes)
    case "blob":
      return declared === "" ? undefined : binary(sizes)
    case "numeric":
      return undefined
  }
}

/**
 * The declared type for a new column. SQLite has no exact decimals and no unsigned integers, and turns text that looks
 * like a number into one unless the declared type contains TEXT: hence `DECIMAL_TEXT`, `UNSIGNED_TEXT` and `JSON_TEXT`,
 * which keep every digit and are known when they are read back.
 */
export function columnType(column: Column): { readonly type: string; readonly lossy?: string } {
  const { type, native } = column
  if (native?.system === "sqlite" && native.type !== "") return { type: native.type }
  switch (type.kind) {
    case "boolean":
    case "date":
    case "uuid":
      return { type: type.kind.toUpperCase() }
    case "int16":
      return { type: "INT2" }
    case "int32":
      return { type: "INT4" }
    case "int64":
      return { type: "INTEGER" }
    case "uint64":
      return { type: "UNSIGNED_TEXT" }
    case "float32":
      return { type: "FLOAT4" }
    case "float64":
      return { type: "REAL" }
    case "decimal":
      return { type: sized("DECIMAL_TEXT", type.precision, type.scale ?? 0) }
    case "string":
      return { type: type.length === undefined ? "TEXT" : `VARCHAR(${type.length})` }
    case "bytes":
      return { type: sized("BLOB", type.length) }
    case "time":
      return { type: sized("TIME", type.precision) }
    case "timestamp":
      return { type: sized(type.zone ? "TIMESTAMPTZ" : "TIMESTAMP", type.precision) }
    case "interval":
      return { type: "DURATION_TEXT" }
    case "json":
      return { type: "JSON_TEXT" }
    case "native":
      return type.system === "sqlite"
        ? { type: type.name }
        : { type: "TEXT", lossy: `the type ${type.name} of ${type.system} becomes text` }
  }
}

type Make = (args: readonly number[]) => LogicalType

const named = new Map<string, Make>([
  ...every(["BOOLEAN", "BOOL"], () => ({ kind: "boolean" })),
  ...every(["INT2"], () => ({ kind: "int16" })),
  ...every(["INT4"], () => ({ kind: "int32" })),
  ...every(["UNSIGNED_TEXT"], () => ({ kind: "uint64" })),
  ...every(["FLOAT4"], () => ({ kind: "float32" })),
  ...every(["DECIMAL", "NUMERIC", "NUMBER", "DEC", "MONEY"], decimal),
  ...every(["STRING"], text),
  ...every(["BINARY", "VARBINARY", "BYTEA"], binary),
  // GeoPackage and SpatiaLite keep shapes as blobs.
  ...every(["GEOMETRY", "POINT", "LINESTRING", "POLYGON", "GEOMETRYCOLLECTION"], () => ({ kind: "bytes" })),
  ...every(["MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON"], () => ({ kind: "bytes" })),
  ...every(["DATE"], () => ({ kind: "date" })),
  ...every(["TIME", "TIME WITHOUT TIME ZONE"], ([digits]) => ({ kind: "time", ...fraction(digits) })),
  ...every(["DATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"], ([digits]) => ({
    kind: "timestamp",
    zone: false,
    ...fraction(digits),
  })),
  ...every(["TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "DATETIMEOFFSET"], ([digits]) => ({
    kind: "timestamp",
    zone: true,
    ...fraction(digits),
  })),
  ...every(["DURATION", "INTERVAL"], () => ({ kind: "interval" })),
  ...every(["JSON", "JSONB"], () => ({ kind: "json" })),
  ...every(["UUID", "GUID", "UNIQUEIDENTIFIER"], () => ({ kind: "uuid" })),
])

function every(names: readonly string[], make: Make): [string, Make][] {
  return names.map((name) => [name, make])
}

function decimal([precision, scale = 0]: readonly number[]): LogicalType {
  return precision !== undefined && precision > 0 ? { kind: "decimal", precision, scale } : { kind: "decimal" }
}

function text([length]: readonly number[]): LogicalType {
  return length !== undefined && length > 0 ? { kind: "string", length } : { kind: "string" }
}

function binary([length]: readonly number[]): LogicalType {
  return length !== undefined && length > 0 ? { kind: "bytes", length } : { kind: "bytes" }
}

function fraction(digits: number | undefined): { precision?: number } {
  return digits === undefined ? {} : { precision: Math.min(digits, 6) }
}

function sized(name: string, ...sizes: (number | undefined)[]): string {
  return sizes[0] === undefined ? name : `${name}(${sizes.join(",")})`
}
