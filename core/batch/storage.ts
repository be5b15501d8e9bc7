import type { LogicalType, Vector } from "../contract/index.ts"

export type Storage = Vector["storage"]

/** The physical layout of a logical type, as the contract's table states it. */
export function storageOf(type: LogicalType): Storage {
  switch (type.kind) {
    case "boolean":
      return "bit"
    case "int16":
      return "int16"
    case "int32":
    case "date":
      return "int32"
    case "int64":
    case "uint64":
    case "time":
    case "timestamp":
      return "int64"
    case "float32":
      return "float32"
    case "float64":
      return "float64"
    case "uuid":
      return "uuid"
    case "decimal":
    case "string":
    case "bytes":
    case "interval":
    case "json":
    case "native":
      return "bytes"
  }
}
