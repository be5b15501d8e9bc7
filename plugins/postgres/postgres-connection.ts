import type { Sql } from "postgres"
import type { Connection, Failure, Session } from "../../core/contract/index.ts"
import { describeResult, describeTable, listTables, type Query, qualified, type ResultColumn } from "./catalog.ts"
import { load, loadEncodings } from "./copy-load.ts"
import { read, readEncodings } from "./copy-read.ts"
import { classify, hintFor, isFailure, serverError } from "./failures.ts"
import { replacement } from "./replacement.ts"
import { applicationName, evictEarlier, lock, waitsFor } from "./server-sessions.ts"
import type { PostgresSettings } from "./settings.ts"
import { lost, Wire } from "./wire.ts"

/** A connection and what the COPY code needs of it. */
export interface Link {
  readonly sql: Sql
  readonly session: Session
  readonly version: number
  /** Process number of the server's end. */
  readonly backend: number
  /** True for a database in SQL_ASCII, whose text may be any bytes. */
  readonly anyBytes: boolean
  /** One or more statements without result. */
  run(statements: string): Promise<void>
  fail(action: string, error: unknown): Failure
  /** Runs a query that the session's signal cancels on the server. */
  cancellable<A>(query: { cancel(): unknown }, signal: AbortSignal, use: () => Promise<A>): Promise<A>
  /** Asks the server to stop a statement that it runs. */
  cancel(query: { cancel(): unknown }): void
  destroy(): Promise<void>
  readonly wire: Wire
}

export async function connect(settings: PostgresSettings, session: Session): Promise<Connection> {
  const link = await open(settings, session)
  const query: Query = async (text, parameters = []) => {
    try {
      const pending = link.sql.unsafe(text, [...parameters])
      const rows = await link.cancellable(pending, session.signal, () => pending.raw())
      return rows.map((row) =>
        (row as unknown as (Uint8Array | null)[]).map((cell) => (cell === null ? null : decoder.decode(cell))),
      )
    } catch (error) {
      throw link.fail("run a query", error)
    }
  }
  const number = link.version
  return {
    server: `PostgreSQL ${Math.floor(number / 10000)}.${number % 10000}`,
    query,
    async execute(text, options) {
      try {
        if (options?.timeoutMs !== undefined) await link.run(`SET statement_timeout = ${Math.trunc(options.timeoutMs)}`)
        const pending = link.sql.unsafe(text).simple()
        await link.cancellable(pending, session.signal, async () => void (await pending))
      } catch (error) {
        throw link.fail("run a statement", error)
      } finally {
        if (options?.timeoutMs !== undefined) await link.run("SET statement_timeout = 0").catch(() => undefined)
      }
    },
    tables: (filter) => listTables(query, filter?.schema),
    describeTable: (table) => describeTable(query, table),
    async describeQuery(text) {
      try {
        const pending = link.sql.unsafe(text)
        // It waits for a table that somebody has locked.
        const { columns } = await link.cancellable(pending, session.signal, () => pending.describe())
        return await describeResult(query, columns as unknown as ResultColumn[])
      } catch (error) {
        throw link.fail("understand the query", error)
      }
    },
    async physicalSplits(table, wanted) {
      // Before version 14 a range of ctid is a scan of the whole table.
      if (number < 140000) return []
      const [row] = await query(
        `SELECT pg_relation_size(c.oid) / current_setting('block_size')::int8 FROM pg_catalog.pg_class c
         WHERE c.oid = to_regclass($1) AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid)`,
        [qualified(table)],
      )
      return pageRanges(Number(row?.[0] ?? 0), wanted)
    },
    readEncodings: (columns) => readEncodings(columns, link),
    read: (request, at) => read(link, request, at),
    loadEncodings,
    evictOthers: (run) => evictEarlier(query, session, run),
    waitsFor: blockers,
    lock: (name) => lock(query, name),
    async dropEmpty(table) {
      const name = qualified(table)
      await step("begin", "BEGIN")
      try {
        await step("lock a table", `LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`)
        const [row] = await query(`SELECT EXISTS (SELECT FROM ${name})`)
        const isEmpty = row?.[0] === "f"
        if (isEmpty) await step("drop a table", `DROP TABLE ${name}`)
        await step("commit", "COMMIT")
        return isEmpty
      } catch (error) {
        await step("roll back", "ROLLBACK").catch(() => undefined)
        throw error
      }
    },
    replacement: replacement(link),
    begin: () => step("begin", "BEGIN"),
    commit: () => step("commit", "COMMIT"),
    rollback: () => step("roll back", "ROLLBACK"),
    load: (request, rows, at) => load(link, request, rows, at),
    close,
    [Symbol.asyncDispose]: close,
  }

  async function blockers(): Promise<readonly string[]> {
    // Belongs to no run, and is not cancelled with it.
    const own = { ...session, signal: new AbortController().signal, run: { id: "console", fence: 1 } }
    await using other = await connect(settings, own)
    return await waitsFor(other, link.backend)
  }

  async function close(): Promise<void> {
    // Good manners only while somebody listens.
    await link.sql.end({ timeout: link.wire.closed ? 0 : 2 }).catch(() => undefined)
  }

  async function step(action: string, statement: string): Promise<void> {
    try {
      await link.run(statement)
    } catch (error) {
      throw link.fail(action, error)
    }
  }
}

/** Half-open page ranges; the last one is open, because the table may have grown since. */
function pageRanges(pages: number, wanted: number): { label: string; where: string }[] {
  const count = Math.max(1, Math.min(wanted, pages))
  if (count < 2) return []
  return Array.from({ length: count }, (_, i) => {
    const first = Math.floor((pages * i) / count)
    const end = Math.floor((pages * (i + 1)) / count)
    const last = i === count - 1
    return {
      label: last ? `pages ${first} and up` : `pages ${first} to ${end - 1}`,
      where: `ctid >= '(${first},0)'::tid${last ? "" : ` AND ctid < '(${end},0)'::tid`}`,
    }
  })
}

const decoder = new TextDecoder()

/** Nothing is inherited from the server, the role or the environment. */
const PINNED = {
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  extra_float_digits: "3",
  bytea_output: "hex",
  standard_conforming_strings: "on",
  client_encoding: "UTF8",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  default_transaction_isolation: "read committed",
  xmlbinary: "base64",
}

async function open(settings: PostgresSettings, session: Session): Promise<Link> {
  // Loaded when first needed: a run that never meets PostgreSQL does not carry its driver.
  const { default: postgres } = await import("postgres")
  const wire = new Wire(settings, session.settings.connectTimeoutMs)
  const sql = postgres({
    host: settings.host,
    port: settings.port,
    database: settings.database,
    username: settings.user,
    password: settings.password ?? "",
    // TLS is the wire's business: one path for every byte.
    ssl: false,
    // An option that the driver's documentation has and its types lack.
    ...({ socket: () => wire.open() } as object),
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: session.settings.connectTimeoutMs / 1000,
    backoff: false,
    prepare: false,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: applicationName(session.run), ...PINNED } as Record<string, string>,
  })
  const where = `${settings.host}:${settings.port}/${settings.database}`
  const fail = (action: string, error: unknown): Failure => {
    const { message, code, detail, where: context } = serverError(error)
    if (isFailure(error)) return error
    const { reason, retryable } = session.signal.aborted
      ? { reason: "cancelled" as const, retryable: false }
      : classify(code)
    const hint = hintFor(code)
    const more = [detail, context].filter((part) => part !== undefined).join("; ")
    return session.failure(
      reason,
      `Cannot ${action} on PostgreSQL ${where}: ${message}${more === "" ? "" : ` (${more})`}`,
      {
        code,
        retryable,
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      },
    )
  }
  const destroy = async () => {
    wire.destroy()
    await sql.end({ timeout: 0 }).catch(() => undefined)
  }
  const cancel = (query: { cancel(): unknown }) => {
    // The driver counts a COPY as done when it begins, and would not cancel it.
    Object.assign(query, { active: true })
    wire.cancelling(() => void Promise.resolve(query.cancel()).catch(() => undefined))
  }
  const giveUp = () => void destroy()
  session.signal.addEventListener("abort", giveUp, { once: true })
  try {
    session.signal.throwIfAborted()
    const [row] = await sql.unsafe(
      "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding, pg_backend_pid() AS backend",
    )
    const version = Number(row!.version)
    const anyBytes = row!.encoding === "SQL_ASCII"
    // Otherwise the server checks what it sends, and ends the whole statement over one bad byte.
    if (anyBytes) await sql.unsafe("SET client_encoding = 'SQL_ASCII'")
    return {
      sql,
      session,
      version,
      backend: Number(row!.backend),
      anyBytes,
      fail,
      destroy,
      cancel,
      wire,
      async run(statements) {
        if (wire.closed) throw lost()
        await Promise.race([sql.unsafe(statements).simple(), wire.gone])
      },
      async cancellable(query, signal, use) {
        const stop = () => cancel(query)
        signal.addEventListener("abort", stop, { once: true })
        try {
          signal.throwIfAborted()
          return await Promise.race([use(), wire.gone])
        } finally {
          signal.removeEventListener("abort", stop)
        }
      },
    }
  } catch (error) {
    await destroy()
    throw fail("connect", error)
  } finally {
    session.signal.removeEventListener("abort", giveUp)
  }
}
