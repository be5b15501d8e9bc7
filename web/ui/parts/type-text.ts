import type { LogicalType } from "../../../core/contract/index.ts"

/** A type as flows spell it, such as `decimal(12,2)`. */
export function typeText(type: LogicalType): string {
  const sized = (name: string, size: number | undefined) => (size === undefined ? name : `${name}(${size})`)
  switch (type.kind) {
    case "decimal":
      return type.precision === undefined ? "decimal" : `decimal(${type.precision},${type.scale ?? 0})`
    case "string":
    case "bytes":
      return sized(type.kind, type.length)
    case "time":
      return sized("time", type.precision)
    case "timestamp":
      return sized(type.zone ? "timestamptz" : "timestamp", type.precision)
    case "native":
      return `${type.system} ${type.name}`
    default:
      return type.kind
  }
}
