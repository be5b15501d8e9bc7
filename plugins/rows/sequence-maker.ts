import type { ColumnBuilder, LogicalType } from "../../core/contract/index.ts"
import { appendMicros } from "./value-maker.ts"

/** Appends the value that stands for the row, counted from 0. */
export type MakeNext = (row: number) => void

/** How many different values a sequence of this type has; 0 where there are no sequences. */
export function sequenceLength(type: LogicalType): number {
  switch (type.kind) {
    case "int16":
      return 32767
    case "int32":
      return 2147483647
    case "int64":
    case "uint64":
    case "float64":
    case "uuid":
      return Number.MAX_SAFE_INTEGER
    case "decimal":
      if ((type.scale ?? 0) < 0) return 0
      return Math.min(10 ** Math.max((type.precision ?? 16) - (type.scale ?? 0), 0) - 1, Number.MAX_SAFE_INTEGER)
    case "string":
      return Math.min(10 ** (type.length ?? 16) - 1, Number.MAX_SAFE_INTEGER)
    case "date":
      return 2_900_000
    case "timestamp":
      return 250_000_000_000
    default:
      return 0
  }
}

/** 1, 2, 3, …, in the shape of the type: days from 1970-01-02, seconds after 1970-01-01 00:00:00, uuids that count. */
export function sequenceMaker(type: LogicalType, column: ColumnBuilder): MakeNext {
  switch (type.kind) {
    case "int16":
    case "int32":
    case "date":
      return (row) => column.int(row + 1)
    case "int64":
    case "uint64":
      return (row) => appendMicros(column, row + 1)
    case "timestamp":
      return (row) => appendSeconds(column, row + 1)
    case "float64":
      return (row) => column.float(row + 1)
    case "uuid":
      return uuids(column)
    case "decimal":
    case "string":
      return digits(column)
    default:
      throw new TypeError(`Cannot count in ${type.kind}`)
  }
}

function appendSeconds(column: ColumnBuilder, seconds: number): void {
  if (seconds < 9e9) appendMicros(column, seconds * 1e6)
  else column.bigint(BigInt(seconds) * 1_000_000n)
}

function uuids(column: ColumnBuilder): MakeNext {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  return (row) => {
    view.setUint32(8, Math.floor((row + 1) / 4294967296))
    view.setUint32(12, (row + 1) % 4294967296)
    column.bytes(bytes, 0, 16)
  }
}

function digits(column: ColumnBuilder): MakeNext {
  const text = new Uint8Array(16)
  return (row) => {
    let at = 16
    for (let rest = row + 1; rest > 0; rest = Math.floor(rest / 10)) text[--at] = 0x30 + (rest % 10)
    column.parse(text, at, 16)
  }
}
