import type { Batch, Caster, Session, Vector } from "../../core/contract/index.ts"
import { typeName } from "../_sql/type-name.ts"

export interface CastOptions {
  /** The batch as it came in: rejected rows are told in its terms. */
  readonly source: Batch
  readonly policy: "reject" | "null"
  readonly session: Session
}

/** Casts the vectors at these positions to the types of their columns; rows with a value that does not fit are dropped. */
export function castColumns(
  batch: Batch,
  casters: ReadonlyMap<number, Caster>,
  { source, policy, session }: CastOptions,
): { readonly batch: Batch; recycle(): void } {
  const vectors = [...batch.vectors]
  const blame = new Map<number, number>()
  let bytes = batch.bytes
  for (const [position, caster] of casters) {
    const before = batch.vectors[position]!
    const column = batch.columns[position]!
    const { vector, failed } = caster.cast(before)
    vectors[position] = vector
    bytes += bytesOf(vector) - bytesOf(before)
    if (failed.length === 0) continue
    if (policy === "null") session.adjusted("onCastError", column.name, failed.length)
    else for (const row of failed) if (!blame.has(row)) blame.set(row, position)
  }
  const done = { ...batch, vectors, bytes }
  const recycle = () => {
    for (const [position, caster] of casters) caster.recycle(vectors[position]!)
  }
  if (blame.size === 0) return { batch: done, recycle }
  for (const [row, position] of [...blame].sort(([a], [b]) => a - b)) {
    const value = session.batches.valueText(batch.vectors[position]!, row)
    const { name, type } = batch.columns[position]!
    session.reject({
      row: session.batches.position(source, row),
      column: name,
      value,
      reason: `Cannot cast ${quoted(value)} in column "${name}" to ${typeName(type)}`,
      record: session.batches.record(source, row),
    })
  }
  const kept = Array.from({ length: batch.rows }, (_, row) => row).filter((row) => !blame.has(row))
  return { batch: session.batches.take(done, kept), recycle }
}

function bytesOf(vector: Vector): number {
  const validity = vector.validity?.byteLength ?? 0
  if (vector.storage === "bytes") return validity + vector.data.byteLength + vector.offsets.byteLength
  return validity + (vector.storage === "uuid" ? vector.data : vector.values).byteLength
}

function quoted(value: string | null): string {
  if (value === null) return "NULL"
  return value.length > 60 ? `"${value.slice(0, 60)}…"` : `"${value}"`
}
