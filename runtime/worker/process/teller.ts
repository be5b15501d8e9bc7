import type { Told } from "../../../core/server/jobs/orders.ts"

type Send = (items: readonly Told[]) => Promise<void>

/**
 * Tells the server what happens, some at a time. Where the server is slow, progress is left out first, then log lines,
 * whose number is told instead: a run never waits for its listeners.
 */
export class Teller {
  readonly #send: Send
  #waiting: Told[] = []
  #lost = 0
  #sending: Promise<void> | undefined

  constructor(send: Send) {
    this.#send = send
  }

  tell(item: Told): void {
    if (this.#waiting.length >= MOST_WAITING) this.#makeRoom()
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(item)
    else this.#lost++
    this.#sending ??= this.#drain()
  }

  /** Resolves when everything so far is told, or the server is gone. */
  async flushed(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending
  }

  #makeRoom(): void {
    this.#waiting = this.#waiting.filter((item) => item.kind !== "event" || item.event.type !== "run.progressed")
  }

  async #drain(): Promise<void> {
    // What happens in one turn is told at once.
    await Promise.resolve()
    try {
      while (this.#waiting.length > 0) {
        const items = this.#waiting.splice(0, MOST_TOGETHER)
        if (this.#lost > 0) items.push(lostLine(this.#lost))
        this.#lost = 0
        await this.#send(items)
      }
    } catch {
      // The server is gone, and this process will be.
      this.#waiting = []
    } finally {
      this.#sending = undefined
    }
  }
}

function lostLine(count: number): Told {
  return { kind: "log", at: Date.now(), level: "warn", text: `${count} lines were left out: they came too fast` }
}

const MOST_WAITING = 2000
const MOST_TOGETHER = 200
