import type { Batch, BatchBuilder, ColumnBuilder, Columns, Frame, Session } from "../../core/contract/index.ts"
import { type ColumnDecoder, columnDecoderOf, type Tuples } from "./binary-columns.ts"
import { type Decoder, int32At, readText } from "./binary-read.ts"
import type { Rows } from "./copy-inbox.ts"
import { HEADER_BYTES } from "./copy-message.ts"

/** Rows that are decoded column by column at most. */
const BLOCK_ROWS = 1024

/** Decodes tuples into columns. */
export class BatchRows implements Rows {
  readonly #schema: Columns
  readonly #decoders: readonly Decoder[]
  /** Absent where rows have to be taken one by one. */
  readonly #columnDecoders: readonly ColumnDecoder[] | undefined
  readonly #places: readonly Int32Array[]
  readonly #builder: BatchBuilder
  readonly #columns: readonly ColumnBuilder[]
  readonly #session: Session
  #row = 0

  constructor(schema: Columns, decoders: readonly (Decoder | undefined)[], session: Session) {
    this.#schema = schema
    this.#decoders = decoders.map((decoder) => decoder ?? readText)
    const byColumn = schema.map(({ type, native }, i) =>
      this.#decoders[i] === readText ? undefined : columnDecoderOf(type, native?.type ?? ""),
    )
    this.#columnDecoders = byColumn.every((decoder) => decoder !== undefined) ? byColumn : undefined
    this.#places = schema.map(() => new Int32Array(BLOCK_ROWS))
    this.#builder = session.batches.builder(schema)
    this.#columns = this.#builder.columns
    this.#session = session
  }

  take(source: Uint8Array, start: number, end: number, ship: (batch: Batch) => void): void {
    const decoders = this.#columnDecoders
    if (decoders === undefined) {
      this.#oneByOne(source, start, end, ship)
      return
    }
    const tuples = { bytes: source, view: new DataView(source.buffer, source.byteOffset, source.byteLength) }
    for (let at = start; at < end; ) at = this.#block(decoders, tuples, at, end, ship)
  }

  /** Decodes as many rows as the batch has room for; returns where they end. */
  #block(
    decoders: readonly ColumnDecoder[],
    tuples: Tuples,
    start: number,
    end: number,
    ship: (batch: Batch) => void,
  ): number {
    const places = this.#places
    const builder = this.#builder
    const most = Math.min(BLOCK_ROWS, this.#session.settings.batchRows - builder.rows)
    const { rows, next: at } = locate(tuples.bytes, start, end, places, most)
    for (let i = 0; i < decoders.length; i++) {
      if (decoders[i]!.fits?.(tuples, places[i]!, rows) !== false) continue
      this.#oneByOne(tuples.bytes, start, at, ship)
      return at
    }
    for (let i = 0; i < decoders.length; i++) decoders[i]!.append(this.#columns[i]!, tuples, places[i]!, rows)
    builder.endRows(rows)
    this.#row += rows
    if (builder.full) ship(builder.finish())
    return at
  }

  #oneByOne(source: Uint8Array, start: number, end: number, ship: (batch: Batch) => void): void {
    for (let at = start; at < end; at += 1 + int32At(source, at + 1)) {
      this.first(source, at + HEADER_BYTES)
      if (this.#builder.full) ship(this.#builder.finish())
    }
  }

  first(tuple: Uint8Array, start: number): void {
    const columns = this.#columns
    const decoders = this.#decoders
    const row = this.#row++
    let at = start + 2
    for (let i = 0; i < decoders.length; i++) {
      const length = int32At(tuple, at)
      at += 4
      if (length < 0) {
        columns[i]!.null()
        continue
      }
      if (!decoders[i]!(columns[i]!, tuple, at, length)) {
        this.#reject(row, i, tuple, at, length)
        return
      }
      at += length
    }
    this.#builder.endRow()
  }

  recycle(item: Batch | Frame): void {
    if (item.encoding === undefined) this.#builder.recycle(item)
  }

  rest(): Batch | undefined {
    return this.#builder.rows === 0 ? undefined : this.#builder.finish()
  }

  #reject(row: number, i: number, tuple: Uint8Array, at: number, length: number): void {
    const column = this.#schema[i]!
    this.#builder.discardRow()
    const text = this.#decoders[i] === readText
    const bytes = tuple.subarray(at, at + length)
    const value = (text ? utf8(bytes) : undefined) ?? `\\x${hexOf(bytes)}`
    this.#session.reject({
      row,
      column: column.name,
      value,
      reason: `The value does not fit the type ${column.type.kind}`,
    })
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** Finds the values of at most so many rows; `next` is where those end. A function of its own is compiled earlier. */
function locate(bytes: Uint8Array, start: number, end: number, places: readonly Int32Array[], most: number) {
  const columns = places.length
  let rows = 0
  let at = start
  while (rows < most && at < end) {
    at += HEADER_BYTES + 2
    for (let i = 0; i < columns; i++) {
      const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
      at += 4
      places[i]![rows] = length < 0 ? -1 : at
      if (length > 0) at += length
    }
    rows++
  }
  return { rows, next: at }
}
