import type { Batches } from "../contract/index.ts"
import { type BatchLimits, makeBatchBuilder } from "./batch-builder.ts"
import { cast, makeCaster } from "./cast.ts"
import { batchOf, isNull, positionOf, recordOf, rowsOf, valueText } from "./rows.ts"
import { project, take } from "./take.ts"
import { textOf } from "./text.ts"

export type { BatchLimits } from "./batch-builder.ts"

/**
 * The batch machinery that a session hands to plugins; `limits` are the run's defaults. `reuse`: every step that rows
 * come to lets go of them, so that memory goes round.
 */
export function makeBatches(limits: BatchLimits, reuse = false): Batches {
  return {
    builder: (columns, { rows = limits.rows, bytes = limits.bytes } = {}) =>
      makeBatchBuilder(columns, { rows, bytes, reuse }),
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
    caster: (type) => makeCaster(type, reuse),
  }
}
