import type { Connection, Session } from "../contract/index.ts"

/** Connections of one run to one data source, opened when needed, at most `most` at a time. */
export class Connections implements AsyncDisposable {
  readonly #open: (session: Session) => Promise<Connection>
  readonly #most: number
  readonly #idle: Connection[] = []
  readonly #waiting: (() => void)[] = []
  #count = 0

  constructor(most: number, open: (session: Session) => Promise<Connection>) {
    this.#open = open
    this.#most = most
  }

  async take(session: Session): Promise<Connection> {
    for (;;) {
      session.signal.throwIfAborted()
      const idle = this.#idle.pop()
      if (idle !== undefined) return idle
      if (this.#count < this.#most) break
      await this.#turn(session.signal)
    }
    this.#count++
    try {
      return await this.#open(session)
    } catch (error) {
      this.#count--
      this.#waiting.shift()?.()
      throw error
    }
  }

  /** Takes over a connection that was opened elsewhere. */
  adopt(connection: Connection): void {
    this.#count++
    this.#idle.push(connection)
  }

  /** Gives a connection back; one in an unknown state is closed instead of used again. */
  async give(connection: Connection, reusable: boolean): Promise<void> {
    if (reusable) this.#idle.push(connection)
    else {
      this.#count--
      await connection.close()
    }
    this.#waiting.shift()?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()))
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        signal.removeEventListener("abort", go)
        resolve()
      }
      signal.addEventListener("abort", go, { once: true })
      this.#waiting.push(go)
    })
  }
}

/** Connects, trying again what may pass, as often as the run's settings say. */
export async function connected(connect: () => Promise<Connection>, session: Session): Promise<Connection> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect()
    } catch (error) {
      const retryable = (error as { retryable?: boolean }).retryable === true
      if (!retryable || session.signal.aborted || attempt >= session.settings.connectRetries) throw error
      const waitMs = Math.min(200 * 2 ** attempt, 5000)
      session.log.warn("Cannot connect, trying again", {
        attempt: attempt + 1,
        waitMs,
        cause: String((error as Error).message),
      })
      await delay(waitMs, session.signal)
    }
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener("abort", done, { once: true })
  })
}
