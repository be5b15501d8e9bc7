import type { Failure, FailureOptions, FailureReason, Session } from "../../core/contract/index.ts"
import { failureOf } from "./mysql-failures.ts"
import { identification } from "./mysql-locks.ts"
import { addressOf, type MysqlSettings } from "./mysql-settings.ts"
import { waitsFor } from "./mysql-waits.ts"
import { type Done, type OnRow, openWire, type Wire, type WireField } from "./mysql-wire.ts"

/** Rows of a small result, values as the server writes them. */
export type Texts = readonly (readonly (string | null)[])[]

/** What was asked of the server right after the login. */
export interface Facts {
  readonly version: string
  readonly mariadb: boolean
  readonly maxPacketBytes: number
}

/** A logged-in and pinned connection whose errors are failures. */
export class Link {
  readonly facts: Facts
  readonly wire: Wire
  readonly #settings: MysqlSettings
  readonly #session: Session
  #running: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  private constructor(wire: Wire, facts: Facts, settings: MysqlSettings, session: Session) {
    this.wire = wire
    this.facts = facts
    this.#settings = settings
    this.#session = session
  }

  static async open(settings: MysqlSettings, session: Session): Promise<Link> {
    const action = `Cannot connect to ${addressOf(settings)} as "${settings.user}"`
    let wire: Wire | undefined
    try {
      wire = await openWire(settings, session.settings.connectTimeoutMs, session.signal)
      return new Link(wire, await pin(wire, await identification(session.run)), settings, session)
    } catch (cause) {
      wire?.destroy(new Error("given up"))
      if (session.signal.aborted) throw session.failure("cancelled", `${action}: it was cancelled`, { cause })
      throw failureOf(session, action, cause)
    }
  }

  /** Runs a statement; ends it at the server when the session is aborted or `timeoutMs` have passed. */
  async run(
    action: string,
    sql: string,
    on: { fields?: (fields: readonly WireField[]) => void; row?: OnRow; timeoutMs?: number } = {},
  ): Promise<Done> {
    return this.guard(action, () => this.wire.run(sql, on), on.timeoutMs)
  }

  failure(reason: FailureReason, message: string, options?: FailureOptions): Failure {
    return this.#session.failure(reason, message, options)
  }

  /** Runs a statement even when the session is aborted: what cleans up must not be cancelled. */
  async settle(action: string, sql: string): Promise<void> {
    try {
      await this.wire.run(sql)
    } catch (cause) {
      throw failureOf(this.#session, action, cause)
    }
  }

  async rows(action: string, sql: string): Promise<Texts> {
    const rows: (string | null)[][] = []
    await this.run(action, sql, {
      row: (buffer, start, end) =>
        void rows.push(valuesOf(buffer, start, end, (from, to) => decoder.decode(buffer.subarray(from, to)))),
    })
    return rows
  }

  /** Waits for `start`'s statement under the same rules as {@link run}. */
  async guard<T>(action: string, start: () => Promise<T>, timeoutMs?: number): Promise<T> {
    const { signal } = this.#session
    let ended: Failure | undefined
    const stop = (failure: Failure) => {
      ended ??= failure
      void this.stop()
    }
    const onAbort = () => stop(this.#session.failure("cancelled", `${action}: it was cancelled`))
    if (signal.aborted) throw this.#session.failure("cancelled", `${action}: it was cancelled`)
    signal.addEventListener("abort", onAbort, { once: true })
    const onTime = () => stop(this.#session.failure("timeout", `${action}: it took longer than ${timeoutMs} ms`))
    const timer = timeoutMs !== undefined && timeoutMs > 0 ? setTimeout(onTime, timeoutMs) : undefined
    const running = start()
    this.#running = running
    try {
      const result = await running
      // A statement such as SLEEP ends without an error when it is killed.
      if (ended) throw ended
      return result
    } catch (cause) {
      throw ended ?? failureOf(this.#session, action, cause)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener("abort", onAbort)
    }
  }

  /**
   * Ends the running statement: at the server by a second connection, and if it does not settle soon, by cutting the
   * connection. Never fails.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined
    })
    return this.#stopping
  }

  async #stop(): Promise<void> {
    if (this.wire.closed) return
    const settled = this.#running.then(
      () => true,
      () => true,
    )
    await this.kill("QUERY")
    this.wire.resume()
    if (await Promise.race([settled, delay(STOP_MS)])) {
      // A KILL that comes late hits the next statement, so let that be this one.
      if (!this.wire.closed) await this.wire.run("DO 0").catch(() => {})
      return
    }
    this.cut()
  }

  /** Who keeps the running statement waiting. */
  waitsFor(): Promise<readonly string[]> {
    return waitsFor(this.#settings, this.#session, this.wire.threadId)
  }

  /** Cuts the connection and makes the server forget it, with whatever transaction it had. */
  async abandon(): Promise<void> {
    if (this.wire.closed) return
    const killed = this.kill("CONNECTION")
    this.cut()
    await killed
  }

  async kill(what: "QUERY" | "CONNECTION"): Promise<void> {
    try {
      const second = await openWire(this.#settings, KILL_MS, new AbortController().signal)
      await second.run(`KILL ${what} ${this.wire.threadId}`).catch(() => {})
      await second.end()
    } catch {
      this.cut()
    }
  }

  cut(): void {
    this.wire.destroy(new Error("the connection was cut"))
  }
}

const STOP_MS = 700
const KILL_MS = 2000
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** The values of one row packet; `read` gets the place of each that is not NULL. */
export function valuesOf<T>(
  buffer: Uint8Array,
  start: number,
  end: number,
  read: (from: number, to: number, index: number) => T,
): (T | null)[] {
  const values: (T | null)[] = []
  let at = start
  while (at < end) {
    let size = buffer[at++]!
    if (size === 0xfb) {
      values.push(null)
      continue
    }
    if (size > 0xfb) {
      const bytes = size === 0xfc ? 2 : size === 0xfd ? 3 : 8
      size = lengthAt(buffer, at, bytes)
      at += bytes
    }
    values.push(read(at, at + size, values.length))
    at += size
  }
  return values
}

/** A little-endian integer of up to 8 bytes. */
export function lengthAt(buffer: Uint8Array, at: number, bytes: number): number {
  let value = 0
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + buffer[at + i]!
  return value
}

/** What a session is pinned to. Zero dates stay readable and comparable; no value that a batch can hold makes one. */
const SQL_MODE =
  "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"
const PINNED = [
  "time_zone = '+00:00'",
  `sql_mode = '${SQL_MODE}'`,
  "autocommit = 1",
  "sql_safe_updates = 0",
  "sql_auto_is_null = 0",
  "sql_select_limit = DEFAULT",
  "sql_notes = 1",
  "net_write_timeout = 28800",
  "net_read_timeout = 28800",
  "wait_timeout = 86400",
]
/**
 * What not every version knows, or allows every user: it must go without as well. Without `max_error_count`, which MySQL
 * gives administrators only, the culprits of a load are found in more rounds.
 */
const MARIADB_WISHES = ["max_error_count = 65535", "max_statement_time = 0", "idle_transaction_timeout = 0"]
const MYSQL_WISHES = [
  "max_error_count = 65535",
  "max_execution_time = 0",
  "explicit_defaults_for_timestamp = 1",
  // MySQL 8 repeats statistics that are up to a day old, such as that a table is empty.
  "information_schema_stats_expiry = 0",
]

async function pin(wire: Wire, identification: string | undefined): Promise<Facts> {
  await wire.run("SET NAMES utf8mb4")
  await wire.run(`SET ${PINNED.map((text) => `SESSION ${text}`).join(", ")}`)
  // Where the server has no user locks, or allows none, the connection stays without a name.
  const named = identification && (await factsOf(wire, identification).catch(onlyServerSays))
  const facts = named || (await factsOf(wire, "NULL"))
  for (const wish of facts.mariadb ? MARIADB_WISHES : MYSQL_WISHES) {
    await wire.run(`SET SESSION ${wish}`).catch(onlyServerSays)
  }
  return facts
}

async function factsOf(wire: Wire, identification: string): Promise<Facts> {
  let facts: Facts | undefined
  await wire.run(`SELECT VERSION(), @@max_allowed_packet, @@version_comment, ${identification}`, {
    row(buffer, start, end) {
      const [version, packet, comment] = valuesOf(buffer, start, end, (from, to) =>
        decoder.decode(buffer.subarray(from, to)),
      )
      const mariadb = /mariadb/i.test(`${version} ${comment}`)
      facts = { version: version ?? "", mariadb, maxPacketBytes: Number(packet) }
    },
  })
  if (!facts) throw Object.assign(new Error("the server does not tell its version"), { code: "PROTOCOL_ERROR" })
  return facts
}

function onlyServerSays(error: { readonly errno?: unknown }): undefined {
  if (typeof error.errno !== "number") throw error
}

function delay(milliseconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), milliseconds))
}
