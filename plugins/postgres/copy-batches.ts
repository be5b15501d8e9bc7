import type { Batch, BatchBuilder, ColumnBuilder, Columns, Session } from "../../core/contract/index.ts"
import { type Decoder, int32At, readText } from "./binary-read.ts"
import type { Rows } from "./copy-inbox.ts"
import { HEADER_BYTES } from "./copy-message.ts"

/** Decodes tuples into columns. */
export class BatchRows implements Rows {
  readonly #schema: Columns
  readonly #decoders: readonly Decoder[]
  readonly #builder: BatchBuilder
  readonly #columns: readonly ColumnBuilder[]
  readonly #session: Session
  #row = 0

  constructor(schema: Columns, decoders: readonly (Decoder | undefined)[], session: Session) {
    this.#schema = schema
    this.#decoders = decoders.map((decoder) => decoder ?? readText)
    this.#builder = session.batches.builder(schema)
    this.#columns = this.#builder.columns
    this.#session = session
  }

  take(source: Uint8Array, start: number, end: number, ship: (batch: Batch) => void): void {
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
