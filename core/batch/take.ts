import type { Batch, Column, Vector } from "../contract/index.ts"
import { makeBatch } from "./batch-builder.ts"
import { isNull, positionOf } from "./rows.ts"

/** The named rows as a new batch. */
export function take(batch: Batch, indices: ArrayLike<number>): Batch {
  const rows = indices.length
  const positions = new Float64Array(rows)
  for (let i = 0; i < rows; i++) positions[i] = positionOf(batch, indices[i]!)
  const vectors = batch.vectors.map((vector) => gather(vector, indices))
  return { ...makeBatch(batch.columns, vectors, rows, positions[0] ?? batch.firstRow), positions }
}

/** The same rows under other columns. */
export function project(batch: Batch, columns: readonly { readonly from: number; readonly column: Column }[]): Batch {
  const vectors = columns.map(({ from }) => batch.vectors[from]!)
  const projected = makeBatch(
    columns.map(({ column }) => column),
    vectors,
    batch.rows,
    batch.firstRow,
  )
  return batch.positions === undefined ? projected : { ...projected, positions: batch.positions }
}

function gather(vector: Vector, indices: ArrayLike<number>): Vector {
  const length = indices.length
  const { validity, nulls } = gatherValidity(vector, indices)
  const base = { type: vector.type, length, nulls, validity }
  switch (vector.storage) {
    case "bit": {
      const values = new Uint8Array((length + 7) >>> 3)
      for (let i = 0; i < length; i++) {
        const row = indices[i]!
        if (((vector.values[row >>> 3]! >>> (row & 7)) & 1) === 1) values[i >>> 3] = values[i >>> 3]! | (1 << (i & 7))
      }
      return { ...base, storage: "bit", values }
    }
    case "int16":
      return { ...base, storage: "int16", values: pick(new Int16Array(length), vector.values, indices) }
    case "int32":
      return { ...base, storage: "int32", values: pick(new Int32Array(length), vector.values, indices) }
    case "float32":
      return { ...base, storage: "float32", values: pick(new Float32Array(length), vector.values, indices) }
    case "float64":
      return { ...base, storage: "float64", values: pick(new Float64Array(length), vector.values, indices) }
    case "int64": {
      const words = new Int32Array(length * 2)
      for (let i = 0; i < length; i++) {
        words[i * 2] = vector.words[indices[i]! * 2]!
        words[i * 2 + 1] = vector.words[indices[i]! * 2 + 1]!
      }
      return { ...base, storage: "int64", words, values: new BigInt64Array(words.buffer, 0, length) }
    }
    case "uuid": {
      const data = new Uint8Array(length * 16)
      for (let i = 0; i < length; i++) data.set(vector.data.subarray(indices[i]! * 16, indices[i]! * 16 + 16), i * 16)
      return { ...base, storage: "uuid", data }
    }
    case "bytes": {
      const offsets = new Int32Array(length + 1)
      for (let i = 0; i < length; i++) {
        offsets[i + 1] = offsets[i]! + vector.offsets[indices[i]! + 1]! - vector.offsets[indices[i]!]!
      }
      const data = new Uint8Array(offsets[length]!)
      for (let i = 0; i < length; i++) {
        data.set(vector.data.subarray(vector.offsets[indices[i]!]!, vector.offsets[indices[i]! + 1]!), offsets[i]!)
      }
      return { ...base, storage: "bytes", offsets, data }
    }
  }
}

function pick<A extends Int16Array | Int32Array | Float32Array | Float64Array>(
  to: A,
  from: A,
  at: ArrayLike<number>,
): A {
  for (let i = 0; i < at.length; i++) to[i] = from[at[i]!]!
  return to
}

function gatherValidity(
  vector: Vector,
  indices: ArrayLike<number>,
): { validity: Uint8Array | undefined; nulls: number } {
  if (vector.validity === undefined) return { validity: undefined, nulls: 0 }
  const validity = new Uint8Array((indices.length + 7) >>> 3).fill(255)
  let nulls = 0
  for (let i = 0; i < indices.length; i++) {
    if (!isNull(vector, indices[i]!)) continue
    validity[i >>> 3] = validity[i >>> 3]! & ~(1 << (i & 7))
    nulls++
  }
  return { validity: nulls === 0 ? undefined : validity, nulls }
}
