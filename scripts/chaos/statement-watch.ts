import type { Side, Verdict } from "./proxy-line.ts"

/** An instant that comes again when a run is repeated: a message to the server, found by its words. */
export interface Statement {
  /** One of them is enough. */
  readonly words: readonly string[]
  /** Counted from 1 over all connections. */
  readonly nth: number
  /** `before`: the server does not have it yet. `after`: the server has answered, and the client does not know. */
  readonly when: "before" | "after"
}

/** Waits for a statement and then acts once, while the connection is held. */
export class StatementWatch {
  readonly #statement: Statement
  readonly #act: () => Promise<Verdict>
  readonly #count: StatementCount
  #answerDue: unknown

  constructor(statement: Statement, act: () => Promise<Verdict>) {
    this.#statement = statement
    this.#act = act
    this.#count = new StatementCount(statement.words)
  }

  /** `line` tells connections apart. */
  take(chunk: Uint8Array, from: Side, line: unknown): Promise<Verdict> | undefined {
    const { nth, when } = this.#statement
    if (from === "server") {
      if (this.#answerDue !== line) return undefined
      this.#answerDue = undefined
      return this.#act()
    }
    if (this.#count.seen >= nth || !this.#count.take(chunk) || this.#count.seen < nth) return undefined
    if (when === "before") return this.#act()
    this.#answerDue = line
    return undefined
  }
}

/** Counts messages with one of the words. Drivers send a statement in one piece, so words are not cut in two. */
export class StatementCount {
  readonly #words: readonly Buffer[]
  seen = 0

  constructor(words: readonly string[]) {
    this.#words = words.map((word) => Buffer.from(word))
  }

  take(chunk: Uint8Array): boolean {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const hasWord = this.#words.some((word) => bytes.includes(word))
    if (hasWord) this.seen++
    return hasWord
  }
}
