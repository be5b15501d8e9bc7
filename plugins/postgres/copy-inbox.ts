import type { Batch, Frame } from "../../core/contract/index.ts"
import { int32At } from "./binary-read.ts"
import { HEADER_BYTES } from "./copy-message.ts"
import type { CopySink } from "./copy-tap.ts"
import { Pace } from "./pace.ts"
import type { Wire } from "./wire.ts"

/** Signature and flags, before the length of the header extension. */
const SIGNATURE_BYTES = 15
const TRAILER_BYTES = 7

/** Makes batches or frames of rows. */
export interface Rows {
  /** Takes the rows of whole CopyData messages; `ship` takes what becomes full. */
  take(source: Uint8Array, start: number, end: number, ship: (item: Batch | Frame) => void): void
  /** The first tuple of the binary format stands behind the signature in its message. */
  first(source: Uint8Array, start: number, end: number): void
  rest(): Batch | Frame | undefined
  /** The consumer has asked for the next item, so this one's memory is free. */
  recycle?(item: Batch | Frame): void
}

export interface InboxOptions {
  /** Bytes that wait for the consumer at most, but for what comes at once. */
  readonly limit: number
  readonly binary: boolean
  /** Whether the consumer is mostly faster than the server, as a file is. */
  readonly patient: boolean
}

/** Takes rows straight from the socket and hands over batches; pauses the socket when too many wait. */
export class Inbox implements CopySink {
  readonly #pace: Pace
  readonly #isPatient: boolean
  readonly #rows: Rows
  readonly #limit: number
  readonly #binary: boolean
  readonly #ready: (Batch | Frame)[] = []
  #bytes = 0
  #started = false
  #paused = false
  #done = false
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(wire: Wire, rows: Rows, options: InboxOptions) {
    this.#pace = new Pace(wire)
    this.#isPatient = options.patient
    this.#rows = rows
    this.#limit = options.limit
    this.#binary = options.binary
  }

  async next(): Promise<Batch | Frame | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      const next = this.#ready.shift()
      if (next !== undefined) {
        this.#bytes -= next.bytes
        if (this.#paused && this.#bytes <= this.#limit / 2) {
          this.#paused = false
          this.#pace.resume()
        }
        return next
      }
      if (this.#done) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  messages(source: Uint8Array, start: number, end: number): void {
    if (this.#failure !== undefined) return
    if (this.#isPatient) this.#pace.took(end - start)
    try {
      if (this.#binary) this.#tuples(source, start, end)
      else this.#rows.take(source, start, end, this.#ship)
    } catch (error) {
      // A full reject limit is thrown here, inside the socket's callback: it must reach the reader instead.
      this.fail(error)
    }
    if (this.#bytes < this.#limit || this.#paused) return
    this.#paused = true
    this.#pace.pause()
  }

  end(): void {
    this.#done = true
    try {
      const rest = this.#failure === undefined ? this.#rows.rest() : undefined
      if (rest !== undefined) this.#ship(rest)
    } catch (error) {
      this.fail(error)
    }
    this.#wake?.()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#ready.length = 0
    this.#wake?.()
  }

  #tuples(source: Uint8Array, start: number, end: number): void {
    const first = this.#started ? start : this.#begin(source, start)
    // The trailer is a message of its own: a field count of -1.
    const stop = isTrailer(source, end) ? end - TRAILER_BYTES : end
    if (first < stop) this.#rows.take(source, first, stop, this.#ship)
  }

  /** Position of the second message. */
  #begin(source: Uint8Array, start: number): number {
    this.#started = true
    const payload = start + HEADER_BYTES
    const end = start + 1 + int32At(source, start + 1)
    const tuple = payload + SIGNATURE_BYTES + 4 + int32At(source, payload + SIGNATURE_BYTES)
    if (tuple < end && !(source[tuple] === 0xff && source[tuple + 1] === 0xff)) this.#rows.first(source, tuple, end)
    return end
  }

  readonly #ship = (item: Batch | Frame): void => {
    this.#ready.push(item)
    this.#bytes += item.bytes
    this.#wake?.()
  }
}

function isTrailer(source: Uint8Array, end: number): boolean {
  return source[end - 1] === 0xff && source[end - 2] === 0xff && end >= TRAILER_BYTES && int32At(source, end - 6) === 6
}
