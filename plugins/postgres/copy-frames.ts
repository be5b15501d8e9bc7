import { Buffer } from "node:buffer"
import type { Batch, Columns, Frame, Session } from "../../core/contract/index.ts"
import { CSV_RECORDS } from "../_sql/csv-records.ts"
import { TAB_SEPARATED } from "../_sql/tab-separated.ts"
import { int32At } from "./binary-read.ts"
import type { Rows } from "./copy-inbox.ts"
import { HEADER_BYTES, MESSAGE_BYTES, seal } from "./copy-message.ts"
import { CsvMender } from "./csv-mender.ts"

/** Tuples of `COPY … (FORMAT binary)`, in CopyData messages of some tuples each, without signature and trailer. */
export const COPY_BINARY = "postgres-copy-binary"

const FRAME_BYTES = 262_144
/** Rows may be short; whoever gathers frames into units of so many rows should not have to cut them. */
const FRAME_ROWS = 8192

/** Gathers CopyData messages into frames, in memory that goes round. */
abstract class Frames implements Rows {
  protected data: Uint8Array = new Uint8Array(FRAME_BYTES)
  protected used = 0
  protected rows = 0
  readonly #encoding: string
  readonly #free: Uint8Array[] = []
  #firstRow = 0

  constructor(encoding: string) {
    this.#encoding = encoding
  }

  take(source: Uint8Array, start: number, end: number, ship: (frame: Frame) => void): void {
    for (let at = start; at < end; ) {
      const room = at + this.data.length - this.used
      let rows = this.rows
      let stop = at
      for (let next = at; stop < end && rows < FRAME_ROWS; stop = next) {
        next = stop + 1 + int32At(source, stop + 1)
        if (next > room) break
        rows++
      }
      if (stop > at) {
        this.data.set(source.subarray(at, stop), this.used)
        this.append(stop - at)
        this.rows = rows
        at = stop
        continue
      }
      if (this.rows === 0) {
        this.data = new Uint8Array(1 + int32At(source, at + 1))
        continue
      }
      const full = this.rest()
      if (full !== undefined) ship(full)
    }
  }

  abstract first(source: Uint8Array, start: number, end: number): void

  rest(): Frame | undefined {
    if (this.rows === 0) return undefined
    const data = this.data.subarray(0, this.finish())
    const frame = { encoding: this.#encoding, rows: this.rows, data, bytes: data.length, firstRow: this.#firstRow }
    this.#firstRow += this.rows
    this.data = this.#free.pop() ?? new Uint8Array(FRAME_BYTES)
    this.used = 0
    this.rows = 0
    return frame
  }

  recycle(item: Batch | Frame): void {
    if (item.encoding !== undefined && item.data.buffer.byteLength === FRAME_BYTES)
      this.#free.push(new Uint8Array(item.data.buffer))
  }

  /** The messages that follow `used` belong to the frame. */
  protected abstract append(bytes: number): void
  /** Length of the finished frame. */
  protected abstract finish(): number
}

/** Tuples in messages as large as suits the server: it sends one a tuple, and takes that less gladly than it gives it. */
export class BinaryFrames extends Frames {
  /** Where the open message begins; -1: there is none. */
  #message = -1

  constructor() {
    super(COPY_BINARY)
  }

  first(source: Uint8Array, start: number, end: number): void {
    const size = HEADER_BYTES + end - start
    if (size > this.data.length) this.data = new Uint8Array(size)
    this.data.set(source.subarray(start, end), HEADER_BYTES)
    this.used = size
    this.rows = 1
    this.#message = 0
  }

  protected append(bytes: number): void {
    const { data } = this
    const end = this.used + bytes
    let message = this.#message
    let to = this.used
    for (let at = to; at < end; ) {
      const next = at + 1 + int32At(data, at + 1)
      if (message < 0 || to - message >= MESSAGE_BYTES) {
        if (message >= 0) seal(data, message, to)
        message = to
        to += HEADER_BYTES
      }
      data.copyWithin(to, at + HEADER_BYTES, next)
      to += next - at - HEADER_BYTES
      at = next
    }
    this.#message = message
    this.used = to
  }

  protected finish(): number {
    if (this.#message >= 0) seal(this.data, this.#message, this.used)
    this.#message = -1
    return this.used
  }
}

/** The rows of a text format: one a message, whose header is dropped. */
abstract class RowFrames extends Frames {
  first(): void {
    throw new TypeError("Cannot take the first row apart: text has no signature")
  }

  /** Rows move together within the frame: of all ways to drop headers the cheapest (measured: 14 ns a row). */
  protected append(bytes: number): void {
    const { data } = this
    const end = this.used + bytes
    let to = this.used
    for (let at = to; at < end; ) {
      const next = at + 1 + int32At(data, at + 1)
      data.copyWithin(to, at + HEADER_BYTES, next)
      to += next - at - HEADER_BYTES
      at = next
    }
    this.used = to
  }
}

/** The lines of `COPY … (FORMAT text)` as {@link TAB_SEPARATED}. */
export class TextFrames extends RowFrames {
  constructor() {
    super(TAB_SEPARATED)
  }

  protected finish(): number {
    return withoutRareEscapes(this.data, this.used)
  }
}

/** The records of `COPY … (FORMAT csv)` as {@link CSV_RECORDS}. */
export class CsvFrames extends RowFrames {
  readonly #mender: CsvMender

  constructor(columns: Columns, session: Pick<Session, "batches" | "reject">) {
    super(CSV_RECORDS)
    this.#mender = new CsvMender(columns, session)
  }

  override rest(): Frame | undefined {
    const frame = super.rest()
    return frame && this.#mender.mended(frame)
  }

  protected finish(): number {
    return this.used
  }
}

const FORM_FEED = Buffer.from("\\f")
const VERTICAL_TAB = Buffer.from("\\v")

/**
 * COPY also escapes form feed and vertical tab, which others read as "f" and "v". Puts the characters themselves
 * there, in place, and returns the new length.
 */
export function withoutRareEscapes(data: Uint8Array, length: number): number {
  const text = Buffer.from(data.buffer, data.byteOffset, length)
  // Escapes as such may be frequent, every NULL is one; native searches pass over them.
  if (!text.includes(0x5c) || !(text.includes(FORM_FEED) || text.includes(VERTICAL_TAB))) return length
  let to = 0
  for (let from = 0; from < length; ) {
    const byte = data[from++]!
    if (byte !== 0x5c) {
      data[to++] = byte
      continue
    }
    const letter = data[from++]!
    if (letter === 0x66) data[to++] = 0x0c
    else if (letter === 0x76) data[to++] = 0x0b
    else {
      data[to++] = 0x5c
      data[to++] = letter
    }
  }
  return to
}
