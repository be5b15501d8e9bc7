import { failure } from "../host/failure.ts"

/** Which step of a split keeps the others waiting, and since when. */
export class StallWatch {
  /** Since when a step owes something: an input its next item, an output the taking of its next one. */
  readonly #since = new Map<string, { readonly at: number; readonly what: string }>()
  readonly #limitMs: number
  readonly #timer: ReturnType<typeof setInterval>

  /** Calls `onStall` once, with the step and the failure, when a step has owed something for longer than `limitMs`. */
  constructor(limitMs: number, onStall: (step: string, stalled: Error) => void) {
    this.#limitMs = limitMs
    this.#timer = setInterval(() => this.#look(onStall), Math.max(50, Math.min(limitMs / 4, 5000)))
  }

  /** The step now has to act. */
  owes(step: string, what: string): void {
    this.#since.set(step, { at: performance.now(), what })
  }

  /** The step has acted. */
  done(step: string): void {
    this.#since.delete(step)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(onStall: (step: string, stalled: Error) => void): void {
    const late = performance.now() - this.#limitMs
    // The longest debt is the cause: whoever waits for that step began to wait later.
    const [step, debt] = [...this.#since].sort(([, left], [, right]) => left.at - right.at)[0] ?? []
    if (step === undefined || debt === undefined || debt.at > late) return
    this.stop()
    const seconds = Math.round(this.#limitMs / 100) / 10
    onStall(
      step,
      failure("timeout", `Step "${step}" stalled: ${debt.what} for ${seconds} s`, {
        retryable: false,
        hint: "Look for locks and a dead connection at its system, or raise stallTimeoutMs",
      }),
    )
  }
}
