/** Random numbers that a seed repeats: the same seed, the same numbers, on every machine. */
export class Random {
  #state: number

  constructor(seed: string) {
    this.#state = Number(Bun.hash.xxHash32(seed)) | 0
  }

  /** From 0 up to but not 1. */
  number(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  between(least: number, most: number): number {
    return least + this.number() * (most - least)
  }

  chance(probability: number): boolean {
    return this.number() < probability
  }

  pick<A>(choices: readonly A[]): A {
    const chosen = choices[Math.floor(this.number() * choices.length)]
    if (chosen === undefined) throw new Error("Cannot pick: there is nothing to choose from")
    return chosen
  }

  /** One of the choices, each as likely as its weight says. */
  weighted<A>(choices: readonly (readonly [weight: number, choice: A])[]): A {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0)
    let rest = this.number() * total
    for (const [weight, choice] of choices) {
      rest -= weight
      if (rest < 0) return choice
    }
    return this.pick(choices)[1]
  }
}
