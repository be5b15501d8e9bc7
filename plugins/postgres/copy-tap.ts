import { Buffer } from "node:buffer"
import { free } from "../_sql/free.ts"
import { Answers, cancelRequest } from "./answers.ts"
import { int32At } from "./binary-read.ts"
import { COPY_DATA, HEADER_BYTES } from "./copy-message.ts"

/** Takes the rows of a COPY as they come from the socket. */
export interface CopySink {
  /** Whole CopyData messages, headers included: `source[start .. end)`. The memory is the socket's. */
  messages(source: Uint8Array, start: number, end: number): void
  /** The server has sent everything. */
  end(): void
  fail(error: unknown): void
}

const COPY_DONE = 0x63
const ERROR = 0x45
const KEY = 0x4b

/**
 * Divides what a server sends: CopyData goes to the sink, while there is one, answers to those who have asked past the
 * driver, every other message to the driver.
 */
export class CopyTap {
  driver: ((chunk: Uint8Array) => void) | undefined
  readonly answers = new Answers()
  /** Asks the server to stop what this connection runs; known once it is open. */
  cancelRequest: Uint8Array | undefined
  #sink: CopySink | undefined
  #parts: Uint8Array[] = []
  #have = 0
  /** Length of the incomplete message in `#parts`; 0 while even that is incomplete. */
  #need = 0

  /** True once the driver has seen some of the chunk at hand: it may keep that. */
  #isHeld = false

  /** The next COPY TO STDOUT goes to this sink. */
  receive(sink: CopySink): void {
    this.#sink = sink
  }

  fail(error: unknown): void {
    this.#sink?.fail(error)
    this.#sink = undefined
    this.answers.fail(error)
  }

  readonly data = (chunk: Uint8Array): void => {
    this.#isHeld = false
    this.#take(chunk)
    if (!this.#isHeld) free(chunk)
  }

  #take(chunk: Uint8Array): void {
    let at = 0
    // Only the message that is cut in two is put together; the rest of the chunk is read where it is.
    while (this.#have > 0 && at < chunk.length) {
      const missing = (this.#need === 0 ? HEADER_BYTES : this.#need) - this.#have
      const taken = Math.min(missing, chunk.length - at)
      this.#parts.push(Buffer.from(chunk.subarray(at, at + taken)))
      this.#have += taken
      at += taken
      if (taken < missing) return
      const message = Buffer.concat(this.#parts, this.#have)
      this.#parts = []
      this.#have = 0
      this.#walk(message, 0)
    }
    this.#walk(chunk, at)
  }

  #walk(data: Uint8Array, start: number): void {
    let given = start
    let at = start
    while (at + HEADER_BYTES <= data.length) {
      const end = at + 1 + int32At(data, at + 1)
      if (end > data.length) break
      const type = data[at]!
      const sink = this.#sink
      if (this.answers.takes(type)) {
        this.#give(data, given, at)
        this.answers.take(data, at, end)
        given = end
        at = end
        continue
      }
      if (type === KEY) this.cancelRequest = cancelRequest(data, at)
      if (sink === undefined || (type !== COPY_DATA && type !== COPY_DONE && type !== ERROR)) {
        at = end
        continue
      }
      if (type === COPY_DATA) {
        this.#give(data, given, at)
        const stop = runOf(data, at)
        sink.messages(data, at, stop)
        given = stop
        at = stop
        continue
      }
      // The driver tells an error to whoever waits for the COPY.
      this.#sink = undefined
      this.#give(data, given, end)
      given = end
      at = end
      if (type === COPY_DONE) sink.end()
    }
    this.#give(data, given, at)
    this.#keep(data, at)
  }

  #give(data: Uint8Array, start: number, end: number): void {
    if (start >= end) return
    this.#isHeld = true
    this.driver?.(data.subarray(start, end))
  }

  #keep(data: Uint8Array, at: number): void {
    if (at === data.length) return
    this.#parts = [Buffer.from(data.subarray(at))]
    this.#have = data.length - at
    this.#need = this.#have < HEADER_BYTES ? 0 : 1 + int32At(data, at + 1)
  }
}

/** Where the run of whole CopyData messages that begins at `start` ends. */
function runOf(data: Uint8Array, start: number): number {
  let at = start
  while (at + HEADER_BYTES <= data.length && data[at] === COPY_DATA) {
    const end = at + 1 + int32At(data, at + 1)
    if (end > data.length) break
    at = end
  }
  return at
}
