/**
 * Random numbers that are a function of seed, column and row: a row is the same whichever split makes it, and a column
 * the same whichever others stand beside it.
 */
export class Draw {
  readonly #stream: number
  #state = 0

  constructor(seed: number, name: string) {
    let stream = mix(seed | 0) ^ mix(Math.floor(seed / 4294967296) + 1)
    for (let i = 0; i < name.length; i++) stream = mix(stream ^ name.charCodeAt(i))
    this.#stream = stream
  }

  /** Starts the numbers of a row. */
  at(row: number): this {
    this.#state = mix(this.#stream ^ row) ^ Math.floor(row / 4294967296)
    return this
  }

  /** 32 random bits as a number from 0 up. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    return mix(this.#state) >>> 0
  }

  /** A whole number from 0 up to and without `end`. */
  below(end: number): number {
    return Math.floor((this.next() / 4294967296) * end)
  }
}

/** Spreads 32 bits so that neighbours have nothing in common; every result occurs once. */
function mix(bits: number): number {
  let mixed = bits ^ (bits >>> 16)
  mixed = Math.imul(mixed, 0x21f0aaad)
  mixed ^= mixed >>> 15
  mixed = Math.imul(mixed, 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
