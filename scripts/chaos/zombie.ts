import type { State } from "./state.ts"
import { type Ended, lastWords, printedReport, type Worker } from "./worker.ts"

/** A worker that was given up while it was frozen. It goes on in the middle of the attempt that has taken its place. */
export class Zombie {
  readonly #worker: Worker
  readonly #thawMs: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #isDeaf = false

  constructor(worker: Worker, thawMs: number) {
    this.#worker = worker
    this.#thawMs = thawMs
  }

  /** The attempt that takes its place has begun. */
  follow(): void {
    this.#timer ??= setTimeout(() => this.#worker.thaw(), this.#thawMs)
  }

  /** Packets of its connections vanish as well: it may wait as long as its settings say, so somebody kills it in the end. */
  deafen(): void {
    this.#isDeaf = true
  }

  thaw(): void {
    clearTimeout(this.#timer)
    this.#worker.thaw()
  }

  /** Lets it go on and waits for its end. `faults` is what it did that it must not do. */
  async end(read: () => State | undefined): Promise<{ readonly faults: readonly string[]; readonly said: string }> {
    this.thaw()
    let isLate = false
    const limit = setTimeout(() => {
      isLate = true
      this.#worker.kill()
    }, LIMIT_MS)
    const ended = await this.#worker.exited
    clearTimeout(limit)
    const late = [`a frozen worker did not end in ${LIMIT_MS / 1000} s after it went on`]
    const expected = this.#isDeaf ? [] : late
    const isKilled = isLate || (this.#isDeaf && ended.code === KILLED)
    return { faults: isKilled ? expected : faultsOf(ended, read()), said: `${ended.code}: ${lastWords(ended)}` }
  }
}

function faultsOf(ended: Ended, state: State | undefined): readonly string[] {
  const { code, out } = ended
  if (code === 70 || code > 128) return [`a frozen worker went on and ended with code ${code}: ${lastWords(ended)}`]
  if (code !== 0) return []
  // Nobody may have got as far as taking its place. Whoever has lost the run may not say that it has succeeded.
  const fence = printedReport(out)?.fence
  if (fence === state?.fence) return []
  return [`frozen attempt ${fence} went on and ended with code 0, though attempt ${state?.fence} had taken its place`]
}

const LIMIT_MS = 60_000
const KILLED = 137
