/**
 * CopyData messages between two acknowledgements of the server: kept so that a bad one can be singled out, in memory that is
 * used again for the next chunk.
 */
export class Chunk {
  data: Uint8Array<ArrayBuffer>
  used = 0
  rows = 0
  readonly #segments: { readonly firstRow: number; readonly position: (n: number) => number }[] = []

  constructor(bytes: number) {
    this.data = new Uint8Array(bytes)
  }

  /** Makes room for that many bytes behind `at`, and keeps all before it: rows that are not appended yet as well. */
  reserve(bytes: number, at = this.used): void {
    if (at + bytes <= this.data.length) return
    const larger = new Uint8Array(Math.max(at + bytes, this.data.length + (this.data.length >> 1)))
    larger.set(this.data.subarray(0, at))
    this.data = larger
  }

  /** Notes rows that were written up to `end`; `position` gives the place in the split of the n-th of them. */
  append(end: number, rows: number, position: (n: number) => number): void {
    if (rows > 0) this.#segments.push({ firstRow: this.rows, position })
    this.used = end
    this.rows += rows
  }

  position(row: number): number {
    const segment = this.#segments.findLast((candidate) => candidate.firstRow <= row)!
    return segment.position(row - segment.firstRow)
  }

  clear(): void {
    this.used = 0
    this.rows = 0
    this.#segments.length = 0
  }
}
