import type { Connection, Database, Session } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"
import { parkingOf } from "../host/parking.ts"
import { handOver, patient } from "./patience.ts"

/** Connections of one run to one data source, opened when needed, at most `most` at a time. */
export class Connections implements AsyncDisposable {
  readonly #open: (session: Session) => Promise<Connection>
  #most: number
  readonly #all = new Set<Connection>()
  readonly #idle: Connection[] = []
  readonly #waiting = new Set<() => void>()
  #opening = 0
  #isDisposed = false

  constructor(most: number, open: (session: Session) => Promise<Connection>) {
    this.#open = open
    this.#most = most
  }

  async take(session: Session): Promise<Connection> {
    for (;;) {
      session.signal.throwIfAborted()
      if (this.#isDisposed) throw session.failure("cancelled", "Cannot connect: the run has ended")
      const idle = this.#idle.pop()
      if (idle !== undefined) return idle
      if (this.#all.size + this.#opening < this.#most) return await this.#opened(session)
      await this.#turn(session.signal)
    }
  }

  /** Takes over a connection that was opened elsewhere. */
  adopt(connection: Connection): void {
    this.#all.add(connection)
    this.#idle.push(connection)
  }

  /** Gives a connection back; one in an unknown state is closed instead of used again. Never rejects. */
  async give(connection: Connection, reusable: boolean): Promise<void> {
    if (reusable && !this.#isDisposed) this.#idle.push(connection)
    else await this.#close(connection)
    this.#wake()
  }

  /** No further connection can be opened: those that are left are shared. False when there are none. */
  limitToOpened(): boolean {
    // With none left the next one has to try, or it would wait for a connection that nobody gives back.
    if (this.#all.size > 0) this.#most = this.#all.size
    return this.#all.size > 0
  }

  /** Closes all connections, also those that somebody has taken and not given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    this.#idle.length = 0
    for (const go of this.#waiting) go()
    await Promise.all([...this.#all].map((connection) => this.#close(connection)))
  }

  async #opened(session: Session): Promise<Connection> {
    this.#opening++
    try {
      const connection = await this.#open(session)
      this.#all.add(connection)
      if (!this.#isDisposed) return connection
      await this.#close(connection)
      throw session.failure("cancelled", "Cannot connect: the run has ended")
    } catch (error) {
      this.#wake()
      throw error
    } finally {
      this.#opening--
    }
  }

  /** Closes it once. What goes wrong then is of no use to anybody: the work is done, or has failed already. */
  async #close(connection: Connection): Promise<void> {
    if (!this.#all.has(connection)) return
    try {
      await connection.close()
    } catch {
    } finally {
      this.#all.delete(connection)
    }
  }

  #wake(): void {
    const [go] = this.#waiting
    go?.()
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    signal.addEventListener("abort", () => resolve(), { once: true })
    await promise
    this.#waiting.delete(resolve)
    // Who gives up passes the turn on.
    if (signal.aborted) this.#wake()
  }
}

/**
 * In a resumed run: ends what earlier attempts have left at the server, whose locks would be waited for. Where that is
 * not possible the run goes on, for the ledger keeps such attempts from committing all the same.
 */
export async function alone(connection: Connection, session: Session): Promise<void> {
  if (session.run.fence <= 1 || connection.evictOthers === undefined) return
  try {
    await connection.evictOthers(session.run)
  } catch (error) {
    session.signal.throwIfAborted()
    session.log.warn("Connections of an earlier attempt are left at the server", { cause: pluginError(error).message })
  }
}

/** A connection that planning has left, or a new one. */
export async function connectionOf(database: Database, settings: unknown, session: Session): Promise<Connection> {
  const parked = parkingOf(session)?.take(keyOf(database, settings))
  if (parked === undefined) return await connected((at) => database.connect(settings, at), session)
  handOver(parked, session)
  return parked
}

/** Plans with a connection, and leaves it to the run that follows, if one does. */
export async function planning<A>(
  database: Database,
  settings: unknown,
  session: Session,
  plan: (connection: Connection) => Promise<A>,
): Promise<A> {
  const mine = await connectionOf(database, settings, session)
  const parking = parkingOf(session)
  try {
    await alone(mine, session)
    const planned = await plan(mine)
    if (parking === undefined) await mine.close()
    else await parking.leave(keyOf(database, settings), mine)
    return planned
  } catch (error) {
    await mine.close().catch(() => undefined)
    throw error
  }
}

function keyOf({ id }: Database, settings: unknown): string {
  return JSON.stringify([id, settings])
}

/** Connects, trying again what may pass, as often as the run's settings say. No call of the connection waits forever. */
export async function connected(connect: (at: Session) => Promise<Connection>, session: Session): Promise<Connection> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await patient(connect, session)
    } catch (error) {
      const { retryable, message } = pluginError(error)
      if (!retryable || session.signal.aborted || attempt >= session.settings.connectRetries) throw error
      const waitMs = Math.min(200 * 2 ** attempt, 5000)
      session.log.warn("Cannot connect, trying again", {
        attempt: attempt + 1,
        waitMs,
        cause: message,
      })
      await delay(waitMs, session.signal)
      session.signal.throwIfAborted()
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
