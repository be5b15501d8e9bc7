import type { Data, Decimal, Field, RecordBatch, Schema } from "apache-arrow"
import type { Batch, Session, Vector } from "../../core/contract/index.ts"
import { readDecimal } from "./arrow-decimal.ts"
import type { Arrow } from "./arrow-library.ts"

/** The batch as an Arrow record batch over the same memory; only decimals are converted. Rows that do not fit are rejected. */
export function recordBatchOf(batch: Batch, schema: Schema, arrow: Arrow, session: Session): RecordBatch {
  const fitting = withoutUnfit(batch, schema.fields, arrow, session)
  const children = schema.fields.map((field, i) => dataOf(fitting.vectors[i]!, field, arrow))
  const type = new arrow.Struct(schema.fields)
  const data = arrow.makeData({ type, length: fitting.rows, nullCount: 0, children })
  return new arrow.RecordBatch(schema, data)
}

function dataOf(vector: Vector, field: Field, arrow: Arrow): Data {
  const { length, nulls: nullCount } = vector
  const type = field.type
  const nullBitmap = nullCount === 0 ? undefined : vector.validity?.subarray(0, (length + 7) >>> 3)
  const base = { type, length, nullCount, nullBitmap }
  // The field was made for the vector's own type, so memory and type agree: what the library's overloads cannot know.
  const make = arrow.makeData as (props: object) => Data
  switch (vector.storage) {
    case "int64":
      return make({ ...base, data: vector.type.kind === "uint64" ? unsigned(vector.values) : vector.values })
    case "bytes":
      if (arrow.DataType.isDecimal(type)) return make({ ...base, data: decimals(vector, type).words })
      return make({ ...base, valueOffsets: vector.offsets.subarray(0, length + 1), data: vector.data })
    case "uuid":
      return make({ ...base, data: vector.data.subarray(0, length * 16) })
    case "bit":
      return make({ ...base, data: vector.values.subarray(0, (length + 7) >>> 3) })
    default:
      return make({ ...base, data: vector.values.subarray(0, length) })
  }
}

function unsigned(values: BigInt64Array): BigUint64Array {
  return new BigUint64Array(values.buffer, values.byteOffset, values.length)
}

interface Decimals {
  readonly words: Uint32Array
  /** Rows whose value Arrow's decimal does not hold. */
  readonly unfit: readonly number[]
}

const converted = new WeakMap<Vector, Decimals>()

function decimals(vector: Vector & { readonly storage: "bytes" }, type: Decimal): Decimals {
  const known = converted.get(vector)
  if (known !== undefined) return known
  const width = type.bitWidth / 16
  const halves = new Uint16Array(vector.length * width)
  const unfit: number[] = []
  const { data, offsets, validity } = vector
  for (let row = 0; row < vector.length; row++) {
    if (validity !== undefined && ((validity[row >>> 3]! >>> (row & 7)) & 1) === 0) continue
    const limbs = halves.subarray(row * width, (row + 1) * width)
    if (!readDecimal(data, offsets[row]!, offsets[row + 1]!, type, limbs)) unfit.push(row)
  }
  const result = { words: new Uint32Array(halves.buffer), unfit }
  converted.set(vector, result)
  return result
}

function withoutUnfit(batch: Batch, fields: readonly Field[], arrow: Arrow, session: Session): Batch {
  const refused = new Set<number>()
  for (const [i, { type, name }] of fields.entries()) {
    const vector = batch.vectors[i]!
    if (!arrow.DataType.isDecimal(type) || vector.storage !== "bytes") continue
    for (const row of decimals(vector, type).unfit) {
      if (refused.has(row)) continue
      refused.add(row)
      session.reject({
        row: session.batches.position(batch, row),
        column: name,
        value: session.batches.valueText(vector, row),
        reason: `The value does not fit Arrow's decimal(${type.precision},${type.scale}), which has neither NaN nor infinity`,
        record: session.batches.record(batch, row),
      })
    }
  }
  if (refused.size === 0) return batch
  const kept = Array.from({ length: batch.rows }, (_, row) => row).filter((row) => !refused.has(row))
  return session.batches.take(batch, kept)
}
