import type { Batch, LoadRequest, Session } from "../../core/contract/index.ts"
import { type Encoder, encoderOf } from "./mysql-encode.ts"

/**
 * Rows in the text format of LOAD DATA, as many as one statement takes. Those that were written from batches know where
 * each of them came from; forwarded text is whole lines that nobody has looked into.
 */
export class Chunk {
  rows = 0
  length = 0
  data: Uint8Array
  /** True for forwarded text, whose rows follow each other in the split from `firstRow` on. */
  isText = false
  firstRow = 0
  readonly #starts = new Int32Array(MAX_ROWS + 1)
  readonly #batchOf = new Int32Array(MAX_ROWS)
  readonly #rowOf = new Int32Array(MAX_ROWS)
  readonly #limit: number
  #batches: Batch[] = []

  constructor(limit: number) {
    this.#limit = limit
    this.data = new Uint8Array(Math.ceil(limit * 1.1))
  }

  get full(): boolean {
    return this.rows === MAX_ROWS || this.length >= this.#limit
  }

  clear(): void {
    this.rows = 0
    this.length = 0
    this.isText = false
    this.#batches = []
    // One huge value must not hold its memory for the rest of the load.
    if (this.data.length > this.#limit * 2) this.data = new Uint8Array(Math.ceil(this.#limit * 1.1))
  }

  /** The text of these rows, which ascend, in as few pieces as possible. */
  *parts(rows: readonly number[]): Generator<Uint8Array> {
    for (let i = 0; i < rows.length; ) {
      const first = rows[i]!
      let next = first + 1
      for (i++; i < rows.length && rows[i] === next; i++) next++
      yield this.data.subarray(this.#starts[first]!, this.#starts[next]!)
    }
  }

  /** A row's fields as they were written, escapes and all. */
  fields(row: number): string[] {
    return decoder.decode(this.data.subarray(this.#starts[row]!, this.#starts[row + 1]! - 1)).split("\t")
  }

  /** Bytes of a row's text. */
  size(row: number): number {
    return this.#starts[row + 1]! - this.#starts[row]!
  }

  origin(row: number): { readonly batch: Batch; readonly row: number } {
    return { batch: this.#batches[this.#batchOf[row]!]!, row: this.#rowOf[row]! }
  }

  /** Room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.data.length) return
    const grown = new Uint8Array(Math.max(this.data.length * 2, this.length + bytes))
    grown.set(this.data.subarray(0, this.length))
    this.data = grown
  }

  /** Whether there is room for more lines without growing. */
  takes(rows: number, bytes: number): boolean {
    return this.rows + rows <= MAX_ROWS && this.length + bytes <= this.data.length
  }

  /** Takes whole lines, which follow those that are there. */
  appendText(text: Uint8Array, rows: number, firstRow: number): void {
    this.reserve(text.length)
    if (this.rows === 0) this.firstRow = firstRow
    this.isText = true
    this.data.set(text, this.length)
    this.length += text.length
    this.rows += rows
  }

  /** Takes over the row whose text ends at `end`. */
  endRow(batch: Batch, row: number, end: number): void {
    if (this.#batches.at(-1) !== batch) this.#batches.push(batch)
    this.#batchOf[this.rows] = this.#batches.length - 1
    this.#rowOf[this.rows] = row
    this.length = end
    this.#starts[++this.rows] = end
  }
}

/** Writes the rows of one batch into chunks; rows that MySQL cannot hold are rejected on the way. */
export class BatchWriter {
  readonly #batch: Batch
  readonly #request: LoadRequest
  readonly #session: Session
  readonly #encoders: readonly Encoder[]
  #next = 0

  constructor(batch: Batch, request: LoadRequest, session: Session) {
    this.#batch = batch
    this.#request = request
    this.#session = session
    this.#encoders = batch.vectors.map((vector, i) => encoderOf(vector, request.columns[i]!, session))
  }

  /** Fills the chunk; true when the batch is used up. */
  fill(chunk: Chunk): boolean {
    const { rows } = this.#batch
    while (this.#next < rows && !chunk.full) this.#write(chunk, this.#next++)
    return this.#next === rows
  }

  #write(chunk: Chunk, row: number): void {
    const encoders = this.#encoders
    const { vectors } = this.#batch
    let room = encoders.length * 3
    for (let i = 0; i < encoders.length; i++) room += encoders[i]!.size(row)
    chunk.reserve(room)
    const { data } = chunk
    let at = chunk.length
    let nulled: number[] | undefined
    for (let i = 0; i < encoders.length; i++) {
      if (i > 0) data[at++] = 0x09
      const { validity } = vectors[i]!
      if (validity === undefined || ((validity[row >>> 3]! >>> (row & 7)) & 1) === 1) {
        const end = encoders[i]!.write(row, data, at)
        if (end >= 0) {
          at = end
          continue
        }
        if (this.#request.options.unrepresentable !== "null" || !this.#request.columns[i]!.nullable) {
          this.#reject(row, i, "the column cannot hold this value unchanged", "22003")
          return
        }
        nulled ??= []
        nulled.push(i)
      } else if (!this.#request.columns[i]!.nullable) {
        this.#reject(row, i, "it is NULL and the column is NOT NULL", "23000")
        return
      }
      data[at++] = 0x5c
      data[at++] = 0x4e
    }
    data[at++] = 0x0a
    chunk.endRow(this.#batch, row, at)
    for (const i of nulled ?? []) this.#session.adjusted("unrepresentable", this.#request.columns[i]!.name, 1)
  }

  #reject(row: number, index: number, reason: string, code: string): void {
    const { batches } = this.#session
    this.#session.reject({
      row: batches.position(this.#batch, row),
      column: this.#request.columns[index]!.name,
      value: batches.valueText(this.#batch.vectors[index]!, row),
      reason,
      code,
      record: batches.record(this.#batch, row),
    })
  }
}

/** No more than the warnings that a server keeps for one statement. */
export const MAX_ROWS = 32_768
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
