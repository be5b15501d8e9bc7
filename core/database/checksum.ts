import { checksumForm } from "../batch/checksum-form.ts"
import { Md5 } from "../batch/md5.ts"
import type { Batch, Batches, ColumnChecksum, Dialect, Frame, Session, TableColumn, Vector } from "../contract/index.ts"
import { columnSum, type TableSums } from "./table-sums.ts"

/** How the checksum of a column is taken at this target. */
export function checksumOf(column: TableColumn, dialect: Dialect): ColumnChecksum {
  const known = dialect.checksum?.(column)
  if (known !== undefined) return known
  const { kind } = column.type
  if (kind !== "json" && kind !== "interval" && kind !== "native") return { by: "reading" }
  return { by: "count", why: `a value of ${kind} may be kept in a form of the database's own` }
}

/**
 * The sums of the rows that a load was given and the target has taken: one for each try at a split. The batches hold
 * the target's columns and types, in this order.
 */
export class ColumnChecksums {
  readonly #columns: readonly Counted[]
  readonly #batches: Batches
  readonly #md5 = new Md5()
  #rows = 0

  constructor(columns: readonly TableColumn[], dialect: Dialect, batches: Batches) {
    this.#batches = batches
    this.#columns = columns.map((column) => {
      const how = checksumOf(column, dialect)
      return { column, why: how.by === "count" ? how.why : undefined, isLost: false, values: 0, sum: 0n }
    })
  }

  add(batch: Batch): void {
    this.#count(batch, 1)
  }

  /** Takes a row back that was added, given as canonical text by column name. */
  remove(record: Readonly<Record<string, string | null>>): void {
    const columns = this.#columns.map(({ column }) => column)
    const builder = this.#batches.builder(columns, { rows: 1 })
    for (const [i, column] of columns.entries()) {
      const text = Object.hasOwn(record, column.name) ? record[column.name] : undefined
      const bytes = typeof text === "string" ? encoder.encode(text) : undefined
      if (bytes !== undefined && builder.columns[i]!.parse(bytes, 0, bytes.length)) continue
      builder.columns[i]!.null()
      if (text !== null) this.#lose(column.name, "a rejected value could not be read again")
    }
    builder.endRow()
    this.#count(builder.finish(), -1)
  }

  /** Rows on their way to a load, added as they pass. */
  async *tap(rows: AsyncIterable<Batch | Frame>, session: Session): AsyncGenerator<Batch> {
    for await (const item of rows) {
      if (item.encoding !== undefined)
        throw session.failure("protocol", `Cannot add up rows in the encoding "${item.encoding}"`)
      this.add(item)
      yield item
    }
  }

  /** The session for a load: what it rejects is taken back, and what it changes by a policy is not compared. */
  watch(session: Session): Session {
    return {
      ...session,
      reject: (row) => {
        if (row.record !== undefined) this.remove(row.record)
        else {
          this.#rows--
          for (const { column } of this.#columns) this.#lose(column.name, "a row was rejected without its values")
        }
        session.reject(row)
      },
      adjusted: (policy, column, values) => {
        // Both sides take every zero for the same.
        if (policy !== "negativeZero") this.#lose(column, `the policy ${policy} has changed values`)
        session.adjusted(policy, column, values)
      },
    }
  }

  result(): TableSums {
    return {
      rows: String(this.#rows),
      columns: this.#columns.map(({ column: { name }, why, isLost, values, sum }) =>
        columnSum(name, isLost ? undefined : String(values), why === undefined ? String(sum) : undefined, why),
      ),
    }
  }

  #count(batch: Batch, sign: 1 | -1): void {
    this.#rows += sign * batch.rows
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i]!
      const vector = batch.vectors[i]!
      column.values += sign * (vector.length - vector.nulls)
      if (column.why !== undefined) continue
      for (let from = 0; from < vector.length; from += EXACT_ROWS) {
        const sum = sumOf(vector, from, Math.min(from + EXACT_ROWS, vector.length), this.#md5)
        column.sum += BigInt(sign * sum)
      }
    }
  }

  #lose(name: string, why: string): void {
    const column = this.#columns.find((each) => each.column.name === name)
    if (column === undefined) return
    column.isLost = true
    column.why = why
  }
}

interface Counted {
  readonly column: TableColumn
  /** Why its values are not hashed. */
  why: string | undefined
  /** True when not even their number is known. */
  isLost: boolean
  values: number
  sum: bigint
}

/** So many 32-bit numbers add up exactly in a double. */
const EXACT_ROWS = 2 ** 20
const encoder = new TextEncoder()

function sumOf(vector: Vector, from: number, end: number, md5: Md5): number {
  const form = checksumForm(vector)
  const { validity } = vector
  let sum = 0
  for (let row = from; row < end; row++) {
    if (validity !== undefined && ((validity[row >>> 3]! >>> (row & 7)) & 1) === 0) continue
    sum += md5.head(form.write(row, md5.room(form.size(row)), 0))
  }
  return sum
}
