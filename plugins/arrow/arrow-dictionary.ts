import type { ColumnBuilder, LogicalType, Session, Vector } from "../../core/contract/index.ts"
import type { ReadVector } from "./arrow-read.ts"

/** The values that indices name; a dictionary that has grown has several parts, numbered through. */
export function lookedUp(
  parts: readonly ReadVector[],
  indices: ArrayLike<number | bigint>,
  request: { readonly type: LogicalType; readonly length: number; readonly isPresent: (row: number) => boolean },
  session: Session,
): ReadVector {
  const { type, length, isPresent } = request
  const limits = { rows: Math.max(length, 1), bytes: Number.POSITIVE_INFINITY }
  const builder = session.batches.builder([{ name: "values", type, nullable: true }], limits)
  const column = builder.columns[0]!
  const places = parts.map(({ vector, unfit }) => ({
    append: appender(vector, column, session),
    unfit,
    length: vector.length,
  }))
  const refused = new Map<number, string>()
  for (let row = 0; row < length; row++) {
    if (isPresent(row)) {
      let index = Number(indices[row])
      const part = places.find((place) => {
        if (index < place.length) return true
        index -= place.length
        return false
      })
      if (part === undefined || index < 0) throw new RangeError(`a dictionary has no value ${indices[row]}`)
      part.append(index)
      const reason = part.unfit.get(index)
      if (reason !== undefined) refused.set(row, reason)
    } else column.null()
    builder.endRow()
  }
  return { vector: builder.finish().vectors[0]!, unfit: refused }
}

function appender(vector: Vector, column: ColumnBuilder, { batches }: Session): (row: number) => void {
  const append = presentAppender(vector, column)
  return vector.nulls === 0 ? append : (row) => (batches.isNull(vector, row) ? column.null() : append(row))
}

function presentAppender(vector: Vector, column: ColumnBuilder): (row: number) => void {
  switch (vector.storage) {
    case "bit":
      return (row) => column.boolean(((vector.values[row >>> 3]! >>> (row & 7)) & 1) === 1)
    case "int16":
    case "int32":
      return (row) => column.int(vector.values[row]!)
    case "int64":
      return (row) => column.int64(vector.words[row * 2]!, vector.words[row * 2 + 1]!)
    case "float32":
    case "float64":
      return (row) => column.float(vector.values[row]!)
    case "bytes":
      return (row) => column.bytes(vector.data, vector.offsets[row]!, vector.offsets[row + 1]!)
    case "uuid":
      return (row) => column.bytes(vector.data, row * 16, row * 16 + 16)
  }
}
