import type { Batch, BatchBuilder, Columns, Vector } from "../contract/index.ts"
import { type Collector, makeCollector } from "./column-builder.ts"

/** Sizes at which a batch is full. */
export interface BatchLimits {
  readonly rows: number
  readonly bytes: number
}

/** `reuse`: whether memory that comes back is used again. */
export function makeBatchBuilder(columns: Columns, limits: BatchLimits & { readonly reuse?: boolean }): BatchBuilder {
  return new Builder(columns, limits)
}

/** Puts a batch together from finished vectors. */
export function makeBatch(columns: Columns, vectors: readonly Vector[], rows: number, firstRow: number): Batch {
  return { columns, vectors, rows, firstRow, bytes: vectors.reduce((sum, vector) => sum + vectorBytes(vector), 0) }
}

/** What a vector's values occupy. */
export function vectorBytes(vector: Vector): number {
  const validity = vector.validity === undefined ? 0 : (vector.length + 7) >>> 3
  if (vector.storage === "bytes") {
    return validity + vector.length * 4 + (vector.offsets[vector.length] ?? 0) - (vector.offsets[0] ?? 0)
  }
  return validity + vector.length * WIDTHS[vector.storage]
}

const WIDTHS = { bit: 0.125, int16: 2, int32: 4, int64: 8, float32: 4, float64: 8, uuid: 16 }

class Builder implements BatchBuilder {
  readonly columns: readonly Collector[]
  rows = 0
  readonly #schema: Columns
  readonly #limits: BatchLimits & { readonly reuse?: boolean }
  /** Position of the next row to be ended. */
  #position = 0
  #firstRow = 0
  /** Positions of the rows so far, kept only once a row was discarded. */
  #positions: Float64Array | undefined
  #checkAt = 64

  constructor(columns: Columns, limits: BatchLimits & { readonly reuse?: boolean }) {
    this.#schema = columns
    this.#limits = limits
    this.columns = columns.map((column) => makeCollector(column.type, limits.rows))
  }

  get full(): boolean {
    if (this.rows >= this.#limits.rows) return true
    // Adding up bytes costs as much as a row does, so look only every 64 rows.
    if (this.rows < this.#checkAt) return false
    this.#checkAt = this.rows + 64
    return this.#bytes() >= this.#limits.bytes
  }

  endRow(): void {
    const rows = ++this.rows
    const { columns } = this
    for (let i = 0; i < columns.length; i++) if (columns[i]!.length !== rows) this.#misshapen()
    if (this.#positions !== undefined) this.#positions[rows - 1] = this.#position
    this.#position++
    // One value may be as large as a batch: then the batch ends with it.
    if (rows < 64 && this.#checkAt === 64 && (rows & 7) === 0 && this.#bytes() >= this.#limits.bytes)
      this.#checkAt = rows
  }

  endRows(count: number): void {
    if (count === 0) return
    const first = this.rows
    this.rows += count
    const { columns, rows } = this
    for (let i = 0; i < columns.length; i++) if (columns[i]!.length !== rows) this.#misshapen()
    if (this.#positions !== undefined)
      for (let row = first; row < rows; row++) this.#positions[row] = this.#position + row - first
    this.#position += count
    this.#checkAt = rows
  }

  discardRow(): void {
    for (const column of this.columns) column.truncate(this.rows)
    if (this.rows === 0) this.#firstRow++
    else if (this.#positions === undefined) {
      this.#positions = new Float64Array(this.#limits.rows)
      for (let row = 0; row < this.rows; row++) this.#positions[row] = this.#firstRow + row
    }
    this.#position++
  }

  finish(): Batch {
    const { rows } = this
    const vectors = this.columns.map((column) => column.finish())
    const batch = makeBatch(this.#schema, vectors, rows, this.#firstRow)
    const positions = this.#positions?.subarray(0, rows)
    this.rows = 0
    this.#firstRow = this.#position
    this.#positions = undefined
    this.#checkAt = 64
    return positions === undefined ? batch : { ...batch, positions }
  }

  recycle(batch: Batch): void {
    if (this.#limits.reuse !== true) return
    const { columns } = this
    for (let i = 0; i < columns.length; i++) columns[i]!.recycle(batch.vectors[i]!)
  }

  #bytes(): number {
    let bytes = 0
    for (const column of this.columns) bytes += column.bytesUsed
    return bytes
  }

  #misshapen(): never {
    const names = this.columns.flatMap((column, i) =>
      column.length === this.rows ? [] : [`"${this.#schema[i]!.name}"`],
    )
    throw new TypeError(`Cannot end row ${this.#position}: no value, or more than one, in column ${names.join(", ")}`)
  }
}
