import { sameLayout } from "../batch/conversion.ts"
import { isNull, positionOf, recordOf, valueText } from "../batch/rows.ts"
import { project, take } from "../batch/take.ts"
import type { Batch, Caster, Frame, Session, Vector } from "../contract/index.ts"
import type { MappedColumn } from "./mapping.ts"

/**
 * Turns incoming batches into the target's columns and types; rows with a value that does not fit are rejected, and so
 * are those with NULL in one of `keyColumns`, which no row could be found by.
 */
export async function* converted(
  rows: AsyncIterable<Batch | Frame>,
  { pairs, keyColumns }: { readonly pairs: readonly MappedColumn[]; readonly keyColumns: readonly string[] },
  session: Session,
): AsyncGenerator<Batch | Frame> {
  const columns = pairs.map(({ to }) => to)
  const casters = pairs.map(({ to }) => session.batches.caster(to.type))
  const strict = pairs.flatMap(({ from, to }, i) =>
    from.nullable && (!to.nullable || keyColumns.includes(to.name)) ? [i] : [],
  )
  for await (const item of rows) {
    if (item.encoding !== undefined) {
      yield item
      continue
    }
    const positions = pairs.map(({ from }, i) => {
      const at = item.columns[i]?.name === from.name ? i : item.columns.findIndex((column) => column.name === from.name)
      return { from: at, column: columns[i]! }
    })
    const projected = project(item, positions)
    const refused = new Set<number>()
    const vectors = projected.vectors.map((vector, i) =>
      convert(vector, i, projected, item, { pairs, casters, refused, session }),
    )
    for (const i of strict) rejectNulls(vectors[i]!, i, item, pairs, refused, session)
    const batch = { ...projected, vectors }
    if (refused.size === 0) yield batch
    else if (refused.size < batch.rows) yield take(batch, rowsExcept(batch.rows, refused))
    for (let i = 0; i < casters.length; i++) casters[i]!.recycle(vectors[i]!)
  }
}

interface Conversion {
  readonly pairs: readonly MappedColumn[]
  readonly casters: readonly Caster[]
  readonly refused: Set<number>
  readonly session: Session
}

function convert(
  vector: Vector,
  i: number,
  projected: Batch,
  item: Batch,
  { pairs, casters, refused, session }: Conversion,
): Vector {
  const { from, to } = pairs[i]!
  if (sameLayout(from.type, to.type)) return { ...vector, type: to.type }
  const { vector: result, failed } = casters[i]!.cast(vector)
  for (const row of failed) {
    if (refused.has(row)) continue
    refused.add(row)
    session.reject({
      row: positionOf(projected, row),
      column: from.name,
      value: valueText(vector, row),
      reason: `The value does not fit ${to.native?.type ?? to.type.kind} of column "${to.name}"`,
      record: recordOf(item, row),
    })
  }
  return result
}

/** Found here rather than by the database: the same words for every target, and no round trip. */
function rejectNulls(
  vector: Vector,
  i: number,
  item: Batch,
  pairs: readonly MappedColumn[],
  refused: Set<number>,
  session: Session,
): void {
  if (vector.nulls === 0) return
  const { from, to } = pairs[i]!
  for (let row = 0; row < vector.length; row++) {
    if (!isNull(vector, row) || refused.has(row)) continue
    refused.add(row)
    session.reject({
      row: positionOf(item, row),
      column: from.name,
      value: null,
      reason: `NULL is not allowed in ${to.nullable ? "key " : ""}column "${to.name}"`,
      record: recordOf(item, row),
    })
  }
}

function rowsExcept(rows: number, refused: ReadonlySet<number>): Int32Array {
  const kept = new Int32Array(rows - refused.size)
  let at = 0
  for (let row = 0; row < rows; row++) if (!refused.has(row)) kept[at++] = row
  return kept
}
