import type { Batches } from "../contract/index.ts"
import { type BatchLimits, makeBatchBuilder } from "./batch-builder.ts"
import { cast } from "./cast.ts"
import { batchOf, isNull, positionOf, recordOf, rowsOf, valueText } from "./rows.ts"
import { project, take } from "./take.ts"
import { textOf } from "./text.ts"

export type { BatchLimits } from "./batch-builder.ts"

/** The batch machinery that a session hands to plugins; `limits` are the run's defaults. */
export function makeBatches(limits: BatchLimits): Batches {
  return {
    builder: (columns, options) =>
      makeBatchBuilder(columns, { rows: options?.rows ?? limits.rows, bytes: options?.bytes ?? limits.bytes }),
    text: textOf,
    isNull,
    position: positionOf,
    record: recordOf,
    valueText,
    rows: rowsOf,
    fromRows: (columns, rows, firstRow = 0) => batchOf(columns, rows, firstRow),
    take,
    project,
    cast,
  }
}
