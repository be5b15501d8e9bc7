import type { DataType, Field } from "apache-arrow"
import type { Column, LogicalType } from "../../core/contract/index.ts"
import { parseTypeName, typeName } from "../_sql/type-name.ts"
import type { Arrow } from "./arrow-library.ts"

/** Where a field says what its Arrow type cannot, spelled as `typeName` does. */
export const STATED = "headrace.type"
const EXTENSION = "ARROW:extension:name"
const EXTENSION_DATA = "ARROW:extension:metadata"
/** What Decimal256 holds. */
const MOST_DIGITS = 76

/** The Arrow field of a column. */
export function fieldOf(column: Column, arrow: Arrow): Field {
  const type = arrowType(column.type, arrow)
  const metadata = new Map<string, string>()
  const extension = EXTENSIONS[column.type.kind]
  if (extension !== undefined) {
    metadata.set(EXTENSION, extension)
    metadata.set(EXTENSION_DATA, "")
  }
  const plain = new arrow.Field(column.name, type, column.nullable, metadata)
  const understood = logicalType(plain, arrow)
  if (understood !== undefined && typeName(understood) === typeName(column.type)) return plain
  return new arrow.Field(column.name, type, column.nullable, metadata.set(STATED, typeName(column.type)))
}

const EXTENSIONS: Readonly<Record<string, string>> = { uuid: "arrow.uuid", json: "arrow.json" }

function arrowType(type: LogicalType, arrow: Arrow): DataType {
  switch (type.kind) {
    case "boolean":
      return new arrow.Bool()
    case "int16":
      return new arrow.Int16()
    case "int32":
      return new arrow.Int32()
    case "int64":
      return new arrow.Int64()
    case "uint64":
      return new arrow.Uint64()
    case "float32":
      return new arrow.Float32()
    case "float64":
      return new arrow.Float64()
    case "decimal": {
      const { precision, scale = 0 } = type
      if (precision === undefined || precision > MOST_DIGITS || scale < 0 || scale > precision) return new arrow.Utf8()
      return new arrow.Decimal(scale, precision, precision > 38 ? 256 : 128)
    }
    case "bytes":
      return new arrow.Binary()
    case "date":
      return new arrow.DateDay()
    case "time":
      return new arrow.TimeMicrosecond()
    case "timestamp":
      return new arrow.TimestampMicrosecond(type.zone ? "UTC" : null)
    case "uuid":
      return new arrow.FixedSizeBinary(16)
    default:
      return new arrow.Utf8()
  }
}

/** What a field's values are here; undefined where they have no counterpart. */
export function logicalType(field: Field, arrow: Arrow): LogicalType | undefined {
  const plain = ofType(field.type, arrow)
  if (plain === undefined) return undefined
  const extension = field.metadata.get(EXTENSION)
  if (extension === "arrow.json" && plain.kind === "string") return { kind: "json" }
  if (extension === "arrow.uuid" && plain.kind === "bytes" && plain.length === 16) return { kind: "uuid" }
  const text = field.metadata.get(STATED)
  const stated = text === undefined ? undefined : parseTypeName(text)
  return stated !== undefined && refines(stated, plain) ? stated : plain
}

/** Whether values of `plain` can be what the file says they are. */
function refines(stated: LogicalType, plain: LogicalType): boolean {
  if (plain.kind === "string") return ["string", "decimal", "interval", "native", "json"].includes(stated.kind)
  if (stated.kind === "timestamp" && plain.kind === "timestamp") return stated.zone === plain.zone
  return stated.kind === plain.kind && ["bytes", "time"].includes(plain.kind)
}

/** What a type is here, whatever its field says besides. */
export function ofType(type: DataType, arrow: Arrow): LogicalType | undefined {
  const { DataType } = arrow
  if (DataType.isDictionary(type)) return ofType(type.dictionary, arrow)
  if (DataType.isBool(type)) return { kind: "boolean" }
  if (DataType.isInt(type)) return { kind: INTEGERS[`${type.isSigned ? "int" : "uint"}${type.bitWidth}`]! }
  if (DataType.isFloat(type)) return { kind: type.precision === arrow.Precision.DOUBLE ? "float64" : "float32" }
  if (DataType.isDecimal(type)) return { kind: "decimal", precision: type.precision, scale: type.scale }
  if (DataType.isDate(type)) return { kind: "date" }
  if (DataType.isTime(type)) return { kind: "time", ...precisionOf(type.unit) }
  if (DataType.isTimestamp(type)) return { kind: "timestamp", zone: Boolean(type.timezone), ...precisionOf(type.unit) }
  if (DataType.isInterval(type) || DataType.isDuration(type)) return { kind: "interval" }
  if (DataType.isFixedSizeBinary(type)) return { kind: "bytes", length: type.byteWidth }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isBinaryView(type)) return { kind: "bytes" }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)) return { kind: "string" }
  if (DataType.isNull(type)) return { kind: "string" }
  if (isNested(type, arrow)) {
    const inside = type.children.map((child) => ofType(child.type, arrow))
    return inside.includes(undefined) ? undefined : { kind: "json" }
  }
  return undefined
}

export function isNested(type: DataType, { DataType }: Arrow): boolean {
  return (
    DataType.isList(type) ||
    DataType.isLargeList(type) ||
    DataType.isFixedSizeList(type) ||
    DataType.isStruct(type) ||
    DataType.isMap(type)
  )
}

const INTEGERS: Readonly<Record<string, "int16" | "int32" | "int64" | "uint64">> = {
  int8: "int16",
  uint8: "int16",
  int16: "int16",
  uint16: "int32",
  int32: "int32",
  uint32: "int64",
  int64: "int64",
  uint64: "uint64",
}

/** Units are seconds, milliseconds, microseconds, nanoseconds; the last two have all the digits that we hold. */
function precisionOf(unit: number): { precision?: number } {
  return unit === 0 ? { precision: 0 } : unit === 1 ? { precision: 3 } : {}
}
