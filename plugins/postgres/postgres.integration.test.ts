import { expect, test } from "bun:test"
import { createServer, type Server } from "node:net"
import type { Connection, Failure, LoadRequest } from "../../core/contract/index.ts"
import { startPostgres } from "../../scripts/services/postgres.ts"
import { postgres as server } from "../../scripts/services/services.ts"
import { type TestSession, testSession } from "../../scripts/testing/session.ts"
import { connect } from "./postgres-connection.ts"
import postgres from "./postgres-database.ts"
import { postgresDialect } from "./postgres-dialect.ts"
import type { PostgresSettings } from "./settings.ts"

/** Sends from the first moment on: a series in FROM would be computed whole before. */
const ROWS = "SELECT generate_series(1, 1000000000)::int8 AS i"

async function settings(database?: string): Promise<PostgresSettings> {
  const { host, port, user, password, database: own } = await server()
  return { host, port, user, password, database: database ?? own, tls: "auto" }
}

async function fresh(): Promise<{ at: PostgresSettings; watch: Connection }> {
  const at = await settings(await (await server()).createDatabase("postgres"))
  return { at, watch: await connect(at, testSession()) }
}

/** Backends of ours that are at work, other than the one that looks. */
async function running(watch: Connection): Promise<number> {
  const [row] = await watch.query(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'",
  )
  return Number(row?.[0])
}

/** The test's own limit ends this; what it waits for would take far longer by itself. */
async function eventually(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await Bun.sleep(10)
}

/** Backends of the database of `watch` in a state of waiting. */
async function waiting(watch: Connection, condition: string): Promise<number> {
  const [row] = await watch.query(
    `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND ${condition}`,
  )
  return Number(row?.[0])
}

const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => {
      throw new Error("it succeeded")
    },
    (error) => error as Failure,
  )

async function columnsOf(watch: Connection, name: string): Promise<LoadRequest["columns"]> {
  return (await watch.describeTable({ name }))!.columns
}

test.each([
  { what: "sends rows", sql: ROWS },
  { what: "computes and sends nothing", sql: "SELECT 1::int8 AS i FROM pg_sleep(600)" },
])("postgres stops a read on the server when it is aborted, while it $what", async ({ sql }) => {
  for (const encoding of [undefined, "postgres-copy-binary", "tab-separated-text"]) {
    const { at, watch } = await fresh()
    const session = testSession()
    const connection = await connect(at, session)
    const columns = await connection.describeQuery(sql)
    const rows = connection.read({ sql, columns, options: {}, ...(encoding && { encoding }) }, session)
    const reading = failureOf(
      (async () => {
        for await (const _ of rows);
      })(),
    )
    await eventually(async () => (await running(watch)) > 0)
    session.abort()
    expect((await reading).reason).toBe("cancelled")
    await eventually(async () => (await running(watch)) === 0)
    await connection.close()
    await watch.close()
  }
})

test("postgres stops a read on the server when its consumer returns early", async () => {
  const { at, watch } = await fresh()
  const session = testSession()
  const connection = await connect(at, session)
  const sql = ROWS
  const columns = await connection.describeQuery(sql)
  for await (const item of connection.read({ sql, columns, options: {} }, session)) {
    expect(item.rows).toBeGreaterThan(0)
    break
  }
  await eventually(async () => (await running(watch)) === 0)
  await connection.close()
  await watch.close()
})

test("postgres leaves nothing running and nothing written when a load is aborted", async () => {
  const { at, watch } = await fresh()
  await watch.execute("CREATE TABLE t (i int8)")
  const columns = await columnsOf(watch, "t")
  const session = testSession()
  const connection = await connect(at, session)
  const load = { table: { name: "t" }, columns, mode: "append", keyColumns: [], options: {} } as const
  await connection.begin()
  const loading = failureOf(connection.load(load, endless(session, columns), session))
  await eventually(async () => (await running(watch)) > 0)
  session.abort()
  expect((await loading).reason).toBe("cancelled")
  await connection.rollback().catch(() => undefined)
  await connection.close()
  await eventually(async () => (await running(watch)) === 0)
  expect(await watch.query("SELECT count(*) FROM t")).toEqual([["0"]])
  await watch.close()
})

test("postgres leaves nothing running when the rows of a load end in a failure, and says what that was", async () => {
  const { at, watch } = await fresh()
  await watch.execute("CREATE TABLE t (i int8)")
  const columns = await columnsOf(watch, "t")
  const session = testSession()
  const connection = await connect(at, session)
  async function* broken() {
    yield session.batches.fromRows(columns, [{ i: 1n }])
    throw session.failure("data", "Cannot read row 2")
  }
  await connection.begin()
  const load = { table: { name: "t" }, columns, mode: "append", keyColumns: [], options: {} } as const
  const failed = await failureOf(connection.load(load, broken(), session))
  expect([failed.reason, failed.message]).toEqual(["data", "Cannot read row 2"])
  await eventually(async () => (await running(watch)) === 0)
  expect((await failureOf(connection.rollback())).reason).toBe("connection")
  await connection.close()
  expect(await watch.query("SELECT count(*) FROM t")).toEqual([["0"]])
  await watch.close()
})

test("postgres stops a load that waits for a lock when it is aborted", async () => {
  const { at, watch } = await fresh()
  await watch.execute("CREATE TABLE t (i int8 PRIMARY KEY)")
  const columns = await columnsOf(watch, "t")
  const holder = await connect(at, testSession())
  await holder.execute("BEGIN; INSERT INTO t VALUES (1)")
  const session = testSession()
  const connection = await connect(at, session)
  await connection.begin()
  const batch = session.batches.fromRows(columns, [{ i: 1n }])
  const load = { table: { name: "t" }, columns, mode: "append", keyColumns: ["i"], options: {} } as const
  const loading = failureOf(connection.load(load, once(batch), session))
  await eventually(async () => (await waiting(watch, "wait_event_type = 'Lock'")) === 1)
  session.abort()
  expect((await loading).reason).toBe("cancelled")
  await connection.close()
  await eventually(async () => (await waiting(watch, "wait_event_type = 'Lock'")) === 0)
  await holder.close()
  await watch.close()
})

test.each([undefined, "postgres-copy-binary", "tab-separated-text"])(
  "postgres holds a bounded number of bytes while the consumer rests (%p)",
  async (encoding) => {
    const { at, watch } = await fresh()
    const session = testSession()
    const connection = await connect(at, session)
    // 400 MB, which would all arrive if the socket were read on.
    const sql = "SELECT repeat('x', 1000) AS t FROM generate_series(1, 400000)"
    const columns = await connection.describeQuery(sql)
    const rows = connection.read({ sql, columns, options: {}, ...(encoding && { encoding }) }, session)
    const iterator = rows[Symbol.asyncIterator]()
    await iterator.next()
    // The server itself says when it can send no more.
    await eventually(async () => (await waiting(watch, "wait_event = 'ClientWrite'")) === 1)
    Bun.gc(true)
    const before = process.memoryUsage.rss()
    await Bun.sleep(100)
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 1024 * 1024)
    let count = 0
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) count += next.value.rows
    expect(count).toBeGreaterThan(350_000)
    expect(await connection.query("SELECT 'of further use'")).toEqual([["of further use"]])
    await connection.close()
    await watch.close()
  },
)

test("postgres checks the server's certificate as the data source says", async () => {
  const at = await settings()
  const ca = (await server()).caCertificate!
  const encrypted = async (more: Partial<PostgresSettings>) => {
    const connection = await connect({ ...at, ...more }, testSession())
    const [row] = await connection.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await connection.close()
    return row?.[0]
  }
  expect(await encrypted({ tls: "off" })).toBe("f")
  expect(await encrypted({ tls: "auto" })).toBe("f")
  expect(await encrypted({ tls: "require" })).toBe("t")
  expect(await encrypted({ tls: "verify", tlsCa: ca })).toBe("t")
  expect(await encrypted({ tls: "verify", tlsCa: ca, host: "localhost" })).toBe("t")
  const stranger = await failureOf(encrypted({ tls: "verify" }))
  expect([stranger.reason, stranger.retryable]).toEqual(["connection", false])
  expect(stranger.hint).toContain("tlsCa")
})

test("postgres refuses a certificate for another host, and a server without TLS", async () => {
  const elsewhere = await startPostgres({ ssl: { names: ["db.example"] } })
  const plain = await startPostgres()
  try {
    const open = ({ host, port, user, password, database }: typeof plain, more: Partial<PostgresSettings>) =>
      failureOf(connect({ host, port, user, password, database, tls: "verify", ...more }, testSession()))
    const misnamed = await open(elsewhere, { tlsCa: elsewhere.caCertificate! })
    expect([misnamed.reason, misnamed.hint]).toEqual(["connection", expect.stringContaining("host name")])
    for (const tls of ["verify", "require"] as const) {
      const refused = await open(plain, { tls })
      expect([refused.reason, refused.retryable]).toEqual(["connection", false])
      expect(refused.hint).toContain("set tls to off")
    }
  } finally {
    await elsewhere.stop()
    await plain.stop()
  }
})

test("postgres says why it cannot connect", async () => {
  const at = await settings()
  const failed = (more: Partial<PostgresSettings>, connectTimeoutMs = 10_000) =>
    failureOf(connect({ ...at, ...more }, testSession({ settings: { connectTimeoutMs } })))
  const password = await failed({ password: "wrong" })
  expect([password.reason, password.code, password.retryable]).toEqual(["authentication", "28P01", false])
  expect(password.message).toContain(`Cannot connect on PostgreSQL ${at.host}:${at.port}/${at.database}`)
  expect(password.message).not.toContain("wrong")
  const user = await failed({ user: "nobody" })
  expect(user.reason).toBe("authentication")
  const database = await failed({ database: "no such" })
  expect([database.reason, database.code]).toEqual(["missing", "3D000"])
  // A machine without a network may ask for long.
  const host = await failed({ host: "no-such-host.invalid" }, 50_000)
  expect([host.reason, host.hint]).toEqual(["connection", "Check the host of the data source"])
  const closed = await listening(() => {})
  await new Promise((resolve) => closed.server.close(resolve))
  const port = await failed({ port: closed.port })
  expect([port.reason, port.retryable]).toEqual(["connection", true])
})

test("postgres gives up on a server that never answers, and on one that speaks something else", async () => {
  const at = await settings()
  const silent = await listening(() => {})
  const other = await listening((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
  try {
    const open = (port: number) =>
      failureOf(connect({ ...at, port }, testSession({ settings: { connectTimeoutMs: 300 } })))
    const mute = await open(silent.port)
    expect([mute.reason, mute.retryable]).toEqual(["timeout", true])
    expect(REASONS).toContain((await open(other.port)).reason)
  } finally {
    silent.server.close()
    other.server.close()
  }
})

const REASONS = ["connection", "protocol", "timeout"]

test("postgres reads and writes literals and names that break out elsewhere, whatever the server's settings", async () => {
  const { watch } = await fresh()
  const hostile = ["'", "\\", "\\'", "''; DROP TABLE t; --", '"', "a\nb", "$1", "${x}", "E'\\n'", "\u2028", "😀", ""]
  for (const setting of ["on", "off"]) {
    await watch.execute(`SET standard_conforming_strings = ${setting}`)
    for (const text of hostile) {
      expect(await watch.query(`SELECT ${postgresDialect.literal(text)}`)).toEqual([[text]])
      if (text === "") continue
      const name = postgresDialect.quote(text)
      expect(await watch.query(`SELECT 1 AS ${name} FROM (SELECT 2 AS ${name}) AS x WHERE ${name} = 2`)).toEqual([
        ["1"],
      ])
    }
  }
  await watch.close()
})

test("postgres is not misled by the settings of a role", async () => {
  const { at, watch } = await fresh()
  await watch.execute(`ALTER DATABASE "${at.database}" SET datestyle = 'SQL, DMY'; ALTER DATABASE "${at.database}" SET timezone = 'Asia/Kolkata';
    ALTER DATABASE "${at.database}" SET intervalstyle = 'iso_8601'; ALTER DATABASE "${at.database}" SET bytea_output = 'escape';
    ALTER DATABASE "${at.database}" SET extra_float_digits = -15; ALTER DATABASE "${at.database}" SET statement_timeout = 1`)
  const connection = await connect(at, testSession())
  const rows = await connection.query(
    "SELECT DATE '2024-02-29', TIMESTAMPTZ '2024-01-01 00:00:00+00', INTERVAL '1 day 2 hours', '\\x5c00'::bytea, 0.1::float4, pg_sleep(0.05) IS NOT NULL",
  )
  expect(rows).toEqual([["2024-02-29", "2024-01-01 00:00:00+00", "1 day 02:00:00", "\\x5c00", "0.1", "t"]])
  await connection.close()
  await watch.close()
})

test("postgres splits see one snapshot, on as many connections as were asked for, one after another too", async () => {
  const { at, watch } = await fresh()
  await watch.execute("CREATE TABLE t (i int); INSERT INTO t VALUES (1)")
  const session = testSession()
  const snapshot = await postgres.snapshot!(at, 2, session)
  await watch.execute("INSERT INTO t VALUES (2)")
  const one = await snapshot.connect(session)
  const two = await snapshot.connect(session)
  await one.close()
  const three = await snapshot.connect(session)
  for (const connection of [two, three]) expect(await connection.query("SELECT count(*) FROM t")).toEqual([["1"]])
  expect(snapshot.consistent).toBe(true)
  await Promise.all([two.close(), three.close()])
  await snapshot[Symbol.asyncDispose]()
  await eventually(async () => {
    const [row] = await watch.query(
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    return row?.[0] === "0"
  })
  await watch.close()
})

async function* endless(session: TestSession, columns: LoadRequest["columns"]) {
  for (let from = 0; ; from += 1000) {
    yield session.batches.fromRows(
      columns,
      Array.from({ length: 1000 }, (_, i) => ({ i: BigInt(from + i) })),
      from,
    )
    await Bun.sleep(1)
  }
}

async function* once<A>(item: A): AsyncGenerator<A> {
  yield item
}

function listening(onSocket: (socket: import("node:net").Socket) => void): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const made = createServer((socket) => {
      socket.on("error", () => {})
      onSocket(socket)
    })
    made.listen(0, "127.0.0.1", () => {
      const address = made.address()
      if (address === null || typeof address === "string") throw new Error("no port")
      resolve({ server: made, port: address.port })
    })
  })
}
