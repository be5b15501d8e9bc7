import { Buffer } from "node:buffer"
import type { Frame, LoadRequest, Session } from "../../core/contract/index.ts"
import { BatchWriter, Chunk, MAX_ROWS } from "./mysql-chunk.ts"
import type { Placer } from "./mysql-place.ts"
import { batchesOf } from "./mysql-text.ts"

const LINE = 10

/** Puts the lines of one frame into chunks, as they are. */
export class FrameWriter {
  readonly #frame: Frame
  #at = 0
  #row = 0

  constructor(frame: Frame) {
    this.#frame = frame
  }

  /** Fills the chunk; true when the frame is used up. */
  fill(chunk: Chunk): boolean {
    const { data, rows } = this.#frame
    const position = this.#frame.firstRow + this.#row
    if (chunk.rows > 0 && chunk.firstRow + chunk.rows !== position) return false
    if (chunk.takes(rows - this.#row, data.length - this.#at)) {
      chunk.appendText(data.subarray(this.#at), rows - this.#row, position)
      return true
    }
    if (chunk.rows > 0) return false
    // The frame alone is too large: as many of its lines as there is room for, but at least one.
    let count = 0
    let end = this.#at
    while (count < MAX_ROWS && this.#row + count < rows) {
      const next = data.indexOf(LINE, end) + 1
      if (count > 0 && !chunk.takes(count + 1, next - this.#at)) break
      end = next
      count++
    }
    chunk.appendText(data.subarray(this.#at, end), count, position)
    this.#at = end
    this.#row += count
    return this.#row === rows
  }
}

/**
 * Places chunks of forwarded text. They go to the server unread, and stay there if it finds nothing wrong with any of
 * their rows; otherwise they are taken back, read into batches and placed as those, which settles what is rejected.
 */
export class Forwarder {
  readonly #placer: Pick<Placer, "place" | "placeUnread">
  readonly #request: LoadRequest
  readonly #session: Session
  readonly #bytes: number
  readonly #always: boolean
  readonly #losesZeros: boolean
  /** Chunks to be read before the next one is tried unread; doubles while it fails, as bad rows come in swarms. */
  #pause = 1
  #left = 0

  constructor(
    placer: Pick<Placer, "place" | "placeUnread">,
    request: LoadRequest,
    session: Session,
    { bytes, hasNegativeZeros }: { readonly bytes: number; readonly hasNegativeZeros: boolean },
  ) {
    this.#placer = placer
    this.#request = request
    this.#session = session
    this.#bytes = bytes
    const { columns, keyColumns, mode } = request
    // The server takes a NULL in a nullable key, but no row is found by it.
    this.#always = mode !== "append" && columns.some(({ name, nullable }) => nullable && keyColumns.includes(name))
    this.#losesZeros =
      !hasNegativeZeros && columns.some(({ type: { kind } }) => kind === "float32" || kind === "float64")
  }

  async place(chunk: Chunk): Promise<void> {
    if (this.#always || this.#left > 0 || (this.#losesZeros && mayHoldNegativeZero(chunk))) {
      this.#left = Math.max(this.#left - 1, 0)
      return this.#placeRead(chunk)
    }
    if (await this.#placer.placeUnread(chunk)) {
      this.#pause = Math.max(this.#pause >> 1, 1)
      return
    }
    this.#left = this.#pause
    this.#pause = Math.min(this.#pause * 2, MOST_READ)
    await this.#placeRead(chunk)
  }

  async #placeRead(chunk: Chunk): Promise<void> {
    const piece = new Chunk(this.#bytes)
    for (const batch of batchesOf(chunk, this.#request, this.#session)) {
      const writer = new BatchWriter(batch, this.#request, this.#session)
      while (!writer.fill(piece)) {
        await this.#placer.place(piece)
        piece.clear()
      }
    }
    if (piece.rows > 0) await this.#placer.place(piece)
  }
}

const MOST_READ = 32
const NEGATIVE_ZEROS = [Buffer.from("-0\t"), Buffer.from("-0\n")]

/** Negative zeros are counted, MariaDB has none. Other fields that end like this only make the chunk be read. */
function mayHoldNegativeZero({ data, length }: Chunk): boolean {
  const text = Buffer.from(data.buffer, data.byteOffset, length)
  return NEGATIVE_ZEROS.some((zero) => text.includes(zero))
}
