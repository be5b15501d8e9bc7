import type { Columns, LogicalType } from "../../core/contract/index.ts"

/** What information_schema says of a column's type. */
export interface DeclaredType {
  /** COLUMN_TYPE, such as `decimal(12,2) unsigned`. */
  readonly type: string
  /** CHARACTER_MAXIMUM_LENGTH: characters of a text, bytes of a binary. */
  readonly length?: number
  /** DATETIME_PRECISION. */
  readonly precision?: number
  readonly json?: boolean
}

/**
 * The logical type of a declared type. `tinyint(1)` is a number and TIME is an interval, because 2 and -838:59:59 are
 * legal values of theirs; {@link inputColumns} applies the options that say otherwise.
 */
export function logicalType(declared: DeclaredType): LogicalType {
  const match = /^(\w+)(?:\(([^)]*)\))?(.*)$/s.exec(declared.type.toLowerCase())
  const name = match?.[1] ?? ""
  const args = match?.[2]
  const unsigned = /\bunsigned\b/.test(match?.[3] ?? "")
  const precision = declared.precision ?? Number(args ?? 0)
  if (declared.json) return { kind: "json" }
  switch (name) {
    case "tinyint":
    case "year":
      return { kind: "int16" }
    case "smallint":
      return { kind: unsigned ? "int32" : "int16" }
    case "mediumint":
      return { kind: "int32" }
    case "int":
    case "integer":
      return { kind: unsigned ? "int64" : "int32" }
    case "bigint":
      return { kind: unsigned ? "uint64" : "int64" }
    case "decimal":
    case "numeric": {
      const [digits = 10, scale = 0] = (args ?? "10,0").split(",").map(Number)
      return { kind: "decimal", precision: digits, scale }
    }
    case "float":
      return { kind: "float32" }
    case "double":
    case "real":
      return { kind: "float64" }
    case "bit":
      return Number(args ?? 1) === 1 ? { kind: "boolean" } : { kind: "uint64" }
    case "date":
      return { kind: "date" }
    case "time":
      return { kind: "interval" }
    case "datetime":
      return { kind: "timestamp", zone: false, precision }
    case "timestamp":
      return { kind: "timestamp", zone: true, precision }
    case "char":
      return { kind: "string", fixed: true, length: declared.length ?? Number(args ?? 1) }
    case "varchar":
      return { kind: "string", length: declared.length ?? Number(args) }
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
    case "enum":
    case "set":
    case "inet4":
    case "inet6":
      return { kind: "string" }
    case "binary":
    case "varbinary":
      return { kind: "bytes", length: declared.length ?? Number(args ?? 1) }
    case "tinyblob":
    case "blob":
    case "mediumblob":
    case "longblob":
      return { kind: "bytes" }
    case "json":
      return { kind: "json" }
    case "uuid":
      return { kind: "uuid" }
    default:
      return { kind: "native", system: "mysql", name: declared.type }
  }
}

/**
 * An input's columns as its options shape them: `tinyint1AsBoolean`, `timeAs`, and columns that `zeroDates: "null"`
 * may make NULL.
 */
export function inputColumns(columns: Columns, options: Readonly<Record<string, unknown>>): Columns {
  return columns.map((column) => {
    if (column.native?.system !== "mysql") return column
    const native = column.native.type.toLowerCase()
    if (options.tinyint1AsBoolean === true && native === "tinyint(1)") return { ...column, type: { kind: "boolean" } }
    if (/^time\b/.test(native) && options.timeAs === "string") return { ...column, type: { kind: "string" } }
    if (/^time\b/.test(native) && options.timeAs === "time") {
      const precision = Number(/\((\d)\)/.exec(native)?.[1] ?? 0)
      return { ...column, type: { kind: "time", precision } }
    }
    const dated = column.type.kind === "date" || column.type.kind === "timestamp"
    const nulls = options.zeroDates === undefined || options.zeroDates === "null"
    return dated && nulls ? { ...column, nullable: true } : column
  })
}

/** Types whose bytes the protocol carries in MySQL's own layout; their text is those bytes in hex. */
export function isOpaque(type: LogicalType): boolean {
  return type.kind === "native" && type.system === "mysql" && OPAQUE.test(type.name)
}

const OPAQUE = /^(geometry|point|linestring|polygon|multi|geom|vector)/i
