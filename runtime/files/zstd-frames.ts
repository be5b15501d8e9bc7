/**
 * Finds where zstd frames end (RFC 8878, section 3.1). Neither Bun nor Deno tells a truncated archive from a whole
 * one, and Deno stops after the first of several frames; so the frames are walked here and decompressed one by one.
 */
export class ZstdFrame {
  /** True when the frame is complete. */
  done = false
  #stage: "magic" | "descriptor" | "block" | "skippable" = "magic"
  #need = 4
  #gathered: number[] = []
  #skip = 0
  #checksum = 0
  #last = false

  /**
   * Walks over `chunk` from `from`; returns where the next block ends in it, or the chunk's length. A block holds at
   * most 128 KiB: output for which Deno needs no second turn, in which it would throw past every handler.
   */
  take(chunk: Uint8Array, from: number): number {
    let at = from
    while (!this.done && at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at)
        at += step
        this.#skip -= step
        if (this.#skip === 0 && !this.#last) return at
      } else {
        this.#gathered.push(chunk[at++]!)
        if (this.#gathered.length < this.#need) continue
        this.#advance(this.#gathered.reduceRight((value, byte) => value * 256 + byte, 0))
        this.#gathered = []
      }
      this.done = this.#last && this.#skip === 0
    }
    return at
  }

  #advance(value: number): void {
    switch (this.#stage) {
      case "magic":
        if (value === 0xfd2fb528) this.#expect("descriptor", 1)
        else if (value >>> 4 === 0x184d2a5) this.#expect("skippable", 4)
        else throw new Error("zstd: no frame starts where one should")
        return
      case "skippable":
        this.#skip = value
        this.#last = true
        return
      case "descriptor": {
        const single = (value >>> 5) & 1
        const dictionary = [0, 1, 2, 4][value & 3]!
        const size = [single, 2, 4, 8][value >>> 6]!
        this.#skip = 1 - single + dictionary + size
        this.#checksum = value & 4
        this.#expect("block", 3)
        return
      }
      case "block": {
        this.#last = (value & 1) === 1
        const isRun = ((value >>> 1) & 3) === 1
        this.#skip = (isRun ? 1 : value >>> 3) + (this.#last ? this.#checksum : 0)
      }
    }
  }

  #expect(stage: "descriptor" | "block" | "skippable", need: number): void {
    this.#stage = stage
    this.#need = need
  }
}
