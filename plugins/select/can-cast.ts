import type { LogicalType, TypeKind } from "../../core/contract/index.ts"

/** Whether values of one type can become another at all, as `session.batches.cast` does it. */
export function canCast(from: LogicalType, to: LogicalType): boolean {
  if (from.kind === to.kind || from.kind === "string" || to.kind === "string") return true
  return conversions[from.kind].includes(to.kind)
}

const integers: readonly TypeKind[] = ["int16", "int32", "int64", "uint64"]
const floats: readonly TypeKind[] = ["float32", "float64"]
const fromInteger: readonly TypeKind[] = [...integers, ...floats, "decimal", "boolean"]
const fromFloat: readonly TypeKind[] = [...integers, ...floats, "decimal"]

/** Kinds beside itself and string. */
const conversions: Readonly<Record<TypeKind, readonly TypeKind[]>> = {
  boolean: [...integers, "decimal"],
  int16: fromInteger,
  int32: fromInteger,
  int64: fromInteger,
  uint64: fromInteger,
  float32: fromFloat,
  float64: fromFloat,
  decimal: [...integers, ...floats, "boolean", "native"],
  string: [],
  bytes: [],
  date: ["timestamp"],
  time: ["interval"],
  timestamp: ["date", "time"],
  interval: ["time", "native"],
  json: ["native"],
  uuid: [],
  native: [],
}
