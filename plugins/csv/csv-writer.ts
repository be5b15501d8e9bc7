import type { Batch, Session, Vector } from "../../core/contract/index.ts"
import type { Dialect } from "./csv-dialect.ts"
import type { Encoder } from "./csv-encoding.ts"

export interface WriterFormat {
  readonly dialect: Dialect
  readonly quoteAll: boolean
  /** What is written for NULL. */
  readonly nullValue: Uint8Array
  readonly lineEnding: Uint8Array
  /** Absent: UTF-8. */
  readonly encoder: Encoder | undefined
}

/**
 * Writes the value of a row at `at` of the writer's buffer, which has room; returns the position after it, or -1 when
 * the format cannot express it.
 */
type FieldWriter = (row: number, at: number) => number

/** What canonical text of numbers, dates, booleans and UUIDs consists of. */
const plainAlphabet = new TextEncoder().encode("0123456789+-.: abcdefilnrstuxyBCIN")

/** Turns batches into records, in one buffer that grows to what a batch needs. */
export class RecordWriter {
  /** Records since `clear` are `bytes[0 .. length)`. */
  bytes = new Uint8Array(300_000)
  length = 0

  #format: WriterFormat
  #session: Pick<Session, "batches" | "reject">
  /** Bytes that force quotes, as 1. */
  #special = new Uint8Array(256)
  #plainIsSafe: boolean
  /** A record before it is put into another encoding. */
  #scratch = new Uint8Array(65_536)

  constructor(format: WriterFormat, session: Pick<Session, "batches" | "reject">) {
    this.#format = format
    this.#session = session
    const { delimiter, quote, escape: escapeByte } = format.dialect
    for (const byte of [10, 13, delimiter[0]!, quote, escapeByte]) if (byte >= 0) this.#special[byte] = 1
    const { nullValue } = format
    const nullIsPlain = nullValue.length > 0 && nullValue.every((byte) => plainAlphabet.includes(byte))
    this.#plainIsSafe = !format.quoteAll && !nullIsPlain && !plainAlphabet.some((byte) => this.#special[byte] === 1)
  }

  clear(): void {
    this.length = 0
  }

  /** Appends the batch's rows with `columns`, positions of its vectors; returns how many, without the rejected. */
  append(batch: Batch, columns: readonly number[]): number {
    const { encoder, dialect, lineEnding } = this.#format
    const { delimiter } = dialect
    const room = this.#roomFor(batch, columns)
    const isDirect = encoder === undefined
    this.#reserve(isDirect ? room : room * 2)
    if (!isDirect && this.#scratch.length < room) this.#scratch = new Uint8Array(room)
    const target = isDirect ? this.bytes : this.#scratch
    const fields = columns.map((column) => this.#fieldWriter(batch.vectors[column]!, target))
    let written = 0
    for (let row = 0; row < batch.rows; row++) {
      let at = isDirect ? this.length : 0
      for (let index = 0; index < fields.length; index++) {
        if (index > 0) for (let byte = 0; byte < delimiter.length; byte++) target[at++] = delimiter[byte]!
        at = fields[index]!(row, at)
        if (at < 0) {
          this.#reject(
            batch,
            row,
            columns[index]!,
            "It cannot be written without quotes: it would read back as something else",
          )
          break
        }
      }
      if (at < 0) continue
      for (let byte = 0; byte < lineEnding.length; byte++) target[at++] = lineEnding[byte]!
      if (encoder !== undefined) {
        at = this.#encode(at, encoder)
        if (at < 0) {
          this.#rejectCharacter(batch, row, columns, encoder)
          continue
        }
      }
      this.length = at
      written++
    }
    return written
  }

  /** Appends one record of texts, such as the header; false when the format cannot express it. */
  appendTexts(texts: readonly string[]): boolean {
    const columns = texts.map((_, index) => ({ name: `c${index}`, type: { kind: "string" as const }, nullable: false }))
    const row = Object.fromEntries(texts.map((text, index) => [`c${index}`, text]))
    let isWhole = true
    const reject = () => {
      isWhole = false
    }
    const { batches } = this.#session
    const writer = new RecordWriter(this.#format, { batches, reject })
    writer.append(batches.fromRows(columns, [row]), [...columns.keys()])
    this.#reserve(writer.length)
    this.bytes.set(writer.bytes.subarray(0, writer.length), this.length)
    this.length += writer.length
    return isWhole
  }

  /** The most bytes that a batch's records may need in UTF-8, were every byte escaped. */
  #roomFor(batch: Batch, columns: readonly number[]): number {
    const { dialect, nullValue, lineEnding } = this.#format
    let room = batch.rows * (columns.length * (dialect.delimiter.length + nullValue.length + 2) + lineEnding.length)
    for (const column of columns) {
      const { size } = this.#session.batches.text(batch.vectors[column]!)
      for (let row = 0; row < batch.rows; row++) room += size(row) * 2
    }
    return room
  }

  #reserve(bytes: number): void {
    if (this.bytes.length - this.length >= bytes) return
    const larger = new Uint8Array(this.length + bytes)
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  #fieldWriter(vector: Vector, target: Uint8Array): FieldWriter {
    const { quoteAll, nullValue } = this.#format
    const { write } = this.#session.batches.text(vector)
    const { validity } = vector
    const isSafe = this.#plainIsSafe && (vector.storage !== "bytes" || vector.type.kind === "decimal")
    const present: FieldWriter = isSafe
      ? (row, at) => write(row, target, at)
      : (row, at) => this.#protect(target, at, write(row, target, at), quoteAll)
    if (validity === undefined) return present
    return (row, at) => {
      if (((validity[row >>> 3]! >>> (row & 7)) & 1) === 1) return present(row, at)
      target.set(nullValue, at)
      return at + nullValue.length
    }
  }

  /** Quotes or escapes the text in `target[start .. end)` in place, if it needs that. */
  #protect(target: Uint8Array, start: number, end: number, always: boolean): number {
    const special = this.#special
    const { quote, escape: escapeByte } = this.#format.dialect
    let specials = 0
    for (let at = start; at < end; at++) specials += special[target[at]!]!
    if (quote < 0) return this.#escape(target, start, end, specials)
    if (specials === 0 && !always && !this.#reads(target, start, end)) return end
    let doubled = 0
    const prefix = escapeByte < 0 ? quote : escapeByte
    if (specials > 0) {
      for (let at = start; at < end; at++) if (target[at] === quote || target[at] === escapeByte) doubled++
      if (doubled > 0 && escapeByte < 0) return -1
    }
    let to = end + doubled + 2
    const after = to
    target[--to] = quote
    for (let at = end - 1; at >= start; at--) {
      const byte = target[at]!
      target[--to] = byte
      if (byte === quote || byte === escapeByte) target[--to] = prefix
    }
    target[start] = quote
    return after
  }

  /** Without quotes: an escape stands before what is special. */
  #escape(target: Uint8Array, start: number, end: number, specials: number): number {
    const { escape: escapeByte } = this.#format.dialect
    if (specials > 0 && escapeByte < 0) return -1
    let to = end + specials
    const after = to
    for (let at = end - 1; at >= start && specials > 0; at--) {
      const byte = target[at]!
      target[--to] = byte
      if (this.#special[byte] === 1) target[--to] = escapeByte
    }
    return this.#isNull(target, start, after) || isByteOrderMark(target, start, after) ? -1 : after
  }

  /** True when bare text reads back as something else: NULL or a byte order mark. */
  #reads(target: Uint8Array, start: number, end: number): boolean {
    return end === start || this.#isNull(target, start, end) || isByteOrderMark(target, start, end)
  }

  #isNull(target: Uint8Array, start: number, end: number): boolean {
    const { nullValue } = this.#format
    if (end - start !== nullValue.length) return false
    for (let at = start; at < end; at++) if (target[at] !== nullValue[at - start]) return false
    return true
  }

  #encode(end: number, encoder: Encoder): number {
    let to = this.length
    for (let at = 0; at < end && to >= 0; at += width(this.#scratch[at]!)) {
      to = encoder(codePoint(this.#scratch, at), this.bytes, to)
    }
    return to
  }

  #rejectCharacter(batch: Batch, row: number, columns: readonly number[], encoder: Encoder): void {
    const target = new Uint8Array(8)
    for (const column of columns) {
      const text = this.#session.batches.valueText(batch.vectors[column]!, row) ?? ""
      for (const character of text) {
        if (encoder(character.codePointAt(0)!, target, 0) >= 0) continue
        this.#reject(batch, row, column, `The encoding lacks "${character}"`)
        return
      }
    }
    throw new Error("Cannot encode a row: no value is to blame, so the delimiter or the line end is")
  }

  #reject(batch: Batch, row: number, column: number, reason: string): void {
    const { batches } = this.#session
    this.#session.reject({
      row: batches.position(batch, row),
      column: batch.columns[column]!.name,
      value: batches.valueText(batch.vectors[column]!, row),
      reason,
      record: batches.record(batch, row),
    })
  }
}

function isByteOrderMark(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
}

function width(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** The code point at `at` of well-formed UTF-8. */
function codePoint(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!
  const next = (offset: number) => bytes[at + offset]! & 63
  if (lead < 0x80) return lead
  if (lead < 0xe0) return ((lead & 31) << 6) | next(1)
  if (lead < 0xf0) return ((lead & 15) << 12) | (next(1) << 6) | next(2)
  return ((lead & 7) << 18) | (next(1) << 12) | (next(2) << 6) | next(3)
}
