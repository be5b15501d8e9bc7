import { Buffer } from "node:buffer"
import { free } from "../_sql/free.ts"
import type { OnRow } from "./mysql-wire.ts"

/** The driver's cutter of packets, whose state is told by the step that comes next. Internals of mysql2 3.24.5. */
export interface PacketParser {
  execute(chunk: Uint8Array): unknown
  /** Between packets. */
  executeStart(chunk: Uint8Array): unknown
  /** Within one, of whose length the first three bytes are known. */
  executePayload(chunk: Uint8Array): unknown
  readonly length: number
  readonly bufferLength: number
  readonly packetHeaderLength: number
  readonly largePacketParts: readonly unknown[]
}

const HEADER_BYTES = 4
const LARGEST = 0xffffff
const ERROR = 0xff
const END = 0xfe
/** A row that begins like an end is longer than any end. */
const END_BYTES = 9
const MOST_KEPT = 1_048_576

/**
 * Stands before the driver's cutter of packets. The packets of rows go past the driver, which takes a dozen steps for each;
 * every other packet is the driver's, and so is what a chunk holds besides rows.
 */
export class RowTap {
  readonly #parser: PacketParser
  readonly #passed: (packets: number) => void
  #onRow: OnRow | undefined
  /** Rows that the driver does not know of. */
  #rows = 0
  /** A row of which the end is missing: its beginning, and how much of that there is. */
  #part: Uint8Array = new Uint8Array(HEADER_BYTES)
  #have = 0
  /** The driver has seen some of the chunk at hand, and may keep that. */
  #isHeld = false

  /** `passed` is told how many packets the driver has not seen. */
  constructor(parser: PacketParser, passed: (packets: number) => void) {
    this.#parser = parser
    this.#passed = passed
  }

  /** Only rows follow from the next chunk on, until the packet that ends them. */
  rowsFollow(onRow: OnRow): void {
    this.#onRow = onRow
  }

  /** The driver has seen the packet that ends them, or another statement begins. */
  rowsEnd(): void {
    this.#onRow = undefined
  }

  execute(chunk: Uint8Array): void {
    this.#isHeld = false
    this.#take(chunk)
    if (!this.#isHeld) free(chunk)
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#onRow === undefined) at = this.#give(chunk, at)
      else if (this.#have > 0) at = this.#complete(chunk, at)
      else if (this.#isWithin()) at = this.#finish(chunk, at)
      else at = this.#rowsOf(chunk, at, this.#onRow)
    }
  }

  #rowsOf(chunk: Uint8Array, start: number, onRow: OnRow): number {
    let at = start
    while (chunk.length - at > HEADER_BYTES) {
      const length = lengthAt(chunk, at)
      if (!isRow(chunk[at + HEADER_BYTES]!, length)) return this.#leave(chunk, at)
      const next = at + HEADER_BYTES + length
      if (next > chunk.length) break
      onRow(chunk, at + HEADER_BYTES, next)
      this.#rows++
      at = next
    }
    if (at < chunk.length) this.#append(chunk, at, chunk.length)
    return chunk.length
  }

  /** The driver has begun a packet whose end is missing. */
  #isWithin(): boolean {
    const { execute, executeStart, largePacketParts } = this.#parser
    return execute !== executeStart || largePacketParts.length > 0
  }

  /** Lets the driver have the rest of a packet that it has begun; gives where the next one begins. */
  #finish(chunk: Uint8Array, start: number): number {
    const parser = this.#parser
    let at = start
    while (at < chunk.length && this.#isWithin()) {
      const isPayload = parser.execute === parser.executePayload
      const missing = isPayload ? parser.length + parser.packetHeaderLength - 3 - parser.bufferLength : 1
      const end = Math.min(chunk.length, at + missing)
      this.#give(chunk.subarray(0, end), at)
      at = end
    }
    return at
  }

  /** Puts a row together that is cut in two; gives where the next one begins. */
  #complete(chunk: Uint8Array, from: number): number {
    let at = from
    if (this.#have <= HEADER_BYTES) {
      // The first byte tells whether it is a row.
      const end = Math.min(chunk.length, at + HEADER_BYTES + 1 - this.#have)
      this.#append(chunk, at, end)
      at = end
      if (this.#have <= HEADER_BYTES) return at
      if (!isRow(this.#part[HEADER_BYTES]!, lengthAt(this.#part, 0))) {
        const part = this.#part.slice(0, this.#have)
        this.#have = 0
        this.#leave(part, 0)
        return at
      }
    }
    const size = HEADER_BYTES + lengthAt(this.#part, 0)
    const end = Math.min(chunk.length, at + size - this.#have)
    this.#append(chunk, at, end)
    if (this.#have < size) return end
    this.#have = 0
    this.#rows++
    this.#onRow?.(this.#part, HEADER_BYTES, size)
    // One large row must not be kept room for ever.
    if (size > MOST_KEPT) this.#part = new Uint8Array(HEADER_BYTES)
    return end
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    const have = this.#have + end - start
    if (have > this.#part.length) {
      const larger = new Uint8Array(Math.max(have, HEADER_BYTES + (this.#have < 3 ? 0 : lengthAt(this.#part, 0))))
      larger.set(this.#part.subarray(0, this.#have))
      this.#part = larger
    }
    this.#part.set(chunk.subarray(start, end), this.#have)
    this.#have = have
  }

  /** What follows is the driver's, until it says that rows follow once more. */
  #leave(chunk: Uint8Array, at: number): number {
    this.#passed(this.#rows)
    this.#rows = 0
    // A row that is too large for one packet is put together by the driver, and others may follow.
    if (lengthAt(chunk, at) < LARGEST) this.#onRow = undefined
    return this.#give(chunk, at)
  }

  /** To its end. */
  #give(chunk: Uint8Array, at: number): number {
    this.#isHeld = true
    this.#parser.execute(Buffer.from(chunk.buffer, chunk.byteOffset + at, chunk.length - at))
    return chunk.length
  }
}

function lengthAt(data: Uint8Array, at: number): number {
  return data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)
}

function isRow(first: number, length: number): boolean {
  return length < LARGEST && length > 0 && first !== ERROR && !(first === END && length < END_BYTES)
}
