import { connect, type Socket } from "node:net"
import postgres, { type Options, type Sql } from "postgres"

/**
 * One connection to PostgreSQL. The driver's own pool does not survive a connection that breaks inside a transaction: it
 * sends into nothing, or goes on with another one. So each of these lives once, and whoever finds it lost takes a new one.
 */
export class PostgresLink {
  readonly sql: Sql
  #socket: Socket | undefined
  #isLost = false
  readonly #gone = Promise.withResolvers<never>()

  constructor(options: Options<Record<string, never>>) {
    this.sql = postgres({
      ...options,
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      backoff: false,
      // An option that the driver's documentation has and its types lack.
      ...({ socket: () => this.#open(options) } as object),
      onclose: () => this.#lose(),
    })
    this.#gone.promise.catch(() => undefined)
  }

  get isLost(): boolean {
    return this.#isLost || this.#socket?.destroyed === true
  }

  /** Rows of a statement, as objects or as arrays. */
  async query(text: string, params: readonly unknown[], options: QueryOptions = {}): Promise<Row[]> {
    if (this.isLost) throw lost()
    // A server that is frozen says nothing at all.
    const timer = setTimeout(() => this.#socket?.destroy(lost()), DEADLINE_MS)
    try {
      const pending = this.sql.unsafe(text, params as never, { prepare: options.prepare === true }) // values of columns
      const rows = options.asArrays ? pending.values() : pending
      return (await Promise.race([rows, this.#gone.promise])) as unknown as Row[]
    } catch (error) {
      // The server has said its last word.
      if ((error as { severity?: string }).severity === "FATAL") this.#lose()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Statements without result. */
  async run(text: string): Promise<void> {
    await this.query(text, [])
  }

  async end(): Promise<void> {
    if (this.isLost) return
    await this.sql.end({ timeout: 2 }).catch(() => undefined)
    this.#socket?.destroy()
  }

  #lose(): void {
    this.#isLost = true
    this.#socket?.destroy()
    // The driver speaks first: it may know what the server has said. It does not always speak.
    setTimeout(() => this.#gone.reject(lost()), 50)
  }

  async #open({ host, port }: Options<Record<string, never>>): Promise<Socket> {
    if (this.#socket !== undefined) throw lost()
    const socket = connect(
      String(host).startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host: String(host), port: Number(port) },
    )
    this.#socket = socket
    const timer = setTimeout(() => socket.destroy(lost("no connection within 10 s", "CONNECT_TIMEOUT")), CONNECT_MS)
    try {
      await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject))
    } catch (error) {
      this.#lose()
      throw error
    } finally {
      clearTimeout(timer)
    }
    return socket.setNoDelay(true).once("close", () => this.#lose())
  }
}

export interface QueryOptions {
  /** It comes again: the server parses it once. */
  readonly prepare?: boolean
  readonly asArrays?: boolean
}

export type Row = Record<string | number, unknown>

export function lost(message = "the connection is lost", code = "CONNECTION_CLOSED"): Error {
  return Object.assign(new Error(message), { code })
}

const CONNECT_MS = 10_000
const DEADLINE_MS = 130_000
