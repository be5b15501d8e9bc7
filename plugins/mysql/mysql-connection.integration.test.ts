import { expect, test } from "bun:test"
import { startMariadb } from "../../scripts/services/mariadb.ts"
import { mariadb } from "../../scripts/services/services.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import type { MysqlSettings } from "./mysql-settings.ts"
import { bed, settingsOf } from "./testdata/database.ts"

async function refusal(settings: Partial<MysqlSettings>): Promise<unknown> {
  const server = await mariadb()
  const session = testSession({ settings: { connectTimeoutMs: 2000 } })
  const connecting = mysqlDatabase.connect({ ...settingsOf(server, "mysql"), ...settings }, session)
  const error = await connecting.then(
    async (connection) => connection.close(),
    (cause: unknown) => cause,
  )
  expect(Bun.inspect(error)).not.toContain("s3cret")
  return error
}

test("mysql says why it cannot connect, and never the password", async () => {
  expect(await refusal({ password: "s3cret" })).toMatchObject({ reason: "authentication", code: "1045" })
  expect(await refusal({ user: "nobody", password: "s3cret" })).toMatchObject({ reason: "authentication" })
  expect(await refusal({ database: "nothing" })).toMatchObject({ reason: "missing", code: "1049" })
  expect(await refusal({ port: 1 })).toMatchObject({ reason: "connection", retryable: true })
  expect(await refusal({ host: "nowhere.invalid" })).toMatchObject({ reason: "connection" })
  expect(await refusal({ socketPath: "/nowhere/socket" })).toMatchObject({ reason: "connection" })
})

test("mysql gives up connecting when the run is aborted", async () => {
  const session = testSession()
  const connecting = mysqlDatabase.connect(settingsOf(await mariadb(), "mysql"), session)
  session.abort()
  await expect(connecting).rejects.toMatchObject({ reason: "cancelled" })
})

test("mysql gives up connecting to a server that does not answer", async () => {
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })
  try {
    const session = testSession({ settings: { connectTimeoutMs: 100 } })
    const settings = { host: "127.0.0.1", port: silent.port, user: "u", database: "d" }
    await expect(mysqlDatabase.connect(settings, session)).rejects.toMatchObject({ reason: "connection" })
  } finally {
    silent.stop(true)
  }
})

test.each(["127.0.0.1", "localhost"])(
  "mysql verifies the certificate of %s against the given authority",
  async (host) => {
    const server = await mariadb()
    const settings = { ...settingsOf(server, "mysql"), host, tls: "verify", tlsCa: server.caCertificate! } as const
    await using connection = await mysqlDatabase.connect(settings, testSession())
    const [row] = await connection.query("show status like 'Ssl_cipher'")
    expect(row?.[1]).not.toBe("")
  },
)

test("mysql refuses a certificate of an unknown authority unless told to go without", async () => {
  expect(await refusal({ tls: "verify" })).toMatchObject({ reason: "connection", retryable: false })
  await using connection = await mysqlDatabase.connect(
    { ...settingsOf(await mariadb(), "mysql"), tls: "require" },
    testSession(),
  )
  expect((await connection.query("show status like 'Ssl_cipher'"))[0]?.[1]).not.toBe("")
})

test("mysql refuses a certificate for another name or address", async () => {
  const server = await startMariadb({ ssl: { names: ["db.example"] } })
  try {
    for (const host of ["127.0.0.1", "localhost"]) {
      const settings = { ...settingsOf(server, "mysql"), host, tls: "verify", tlsCa: server.caCertificate! } as const
      await expect(mysqlDatabase.connect(settings, testSession())).rejects.toMatchObject({
        reason: "connection",
        retryable: false,
        code: "HANDSHAKE_SSL_ERROR",
      })
    }
  } finally {
    await server.stop()
  }
})

test("mysql pins the session whatever the server's defaults are", async () => {
  const server = await startMariadb({
    settings: {
      "sql-mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT",
      "default-time-zone": "+05:30",
      "character-set-server": "latin1",
      "max-statement-time": "1",
      "sql-safe-updates": "ON",
    },
  })
  try {
    await using at = await bed({}, server)
    expect(
      await at.connection.query(
        "select @@time_zone, @@max_statement_time, @@sql_safe_updates, @@character_set_client, @@character_set_results, 'a\\\\b', \"text\", @@autocommit",
      ),
    ).toEqual([["+00:00", "0.000000", "0", "utf8mb4", "utf8mb4", "a\\b", "text", "1"]])
    await at.connection.execute(
      "create table p (id int primary key, t timestamp(3) null, s varchar(9) charset utf8mb4)",
    )
    const rows = [{ id: 0, t: "2024-06-01 00:00:00.123+00", s: "a\\'é😀" }]
    expect(await at.load("p", rows)).toBe(1)
    expect(await at.rows("select * from p")).toEqual(rows)
    await expect(at.connection.execute("insert into p values (1, '2024-02-30', null)")).rejects.toMatchObject({
      reason: "data",
    })
  } finally {
    await server.stop()
  }
})

test("mysql names what is missing, forbidden and misspelt", async () => {
  await using at = await bed()
  await expect(at.connection.query("select * from nothing")).rejects.toMatchObject({ reason: "missing", code: "1146" })
  await expect(at.connection.query("select nothing")).rejects.toMatchObject({ reason: "missing", code: "1054" })
  await expect(at.connection.query("selekt 1")).rejects.toMatchObject({ reason: "config", code: "1064" })
  const user = `u${crypto.randomUUID().slice(0, 8)}`
  await at.connection.execute(`create user ${user} identified by 'x'`)
  await at.connection.execute("create table t (id int)")
  await at.connection.execute(`grant insert on ${at.settings.database}.t to ${user}`)
  await using guest = await mysqlDatabase.connect({ ...at.settings, user, password: "x" }, testSession())
  await expect(guest.query("select * from t")).rejects.toMatchObject({ reason: "permission", code: "1142" })
  await at.connection.execute(`drop user ${user}`)
})

test("mysql fails with a known reason when the server kills the connection", async () => {
  await using at = await bed()
  await using other = await bed()
  const [[id]] = (await at.connection.query("select connection_id()")) as [[string]]
  const waiting = at.connection.execute("do sleep(20)")
  const caught = waiting.catch((cause: unknown) => cause)
  await other.connection.execute(`kill connection ${id}`)
  expect(await caught).toMatchObject({ reason: "connection", retryable: true })
  await expect(at.connection.query("select 1")).rejects.toMatchObject({ reason: "connection" })
  await at.connection.rollback()
})

test("mysql reads one state on all connections of a snapshot", async () => {
  await using at = await bed()
  await at.connection.execute("create table s (id int primary key)")
  await at.connection.execute("insert into s values (1), (2)")
  const session = testSession()
  await using snapshot = await mysqlDatabase.snapshot!(at.settings, 3, session)
  expect(snapshot).toMatchObject({ consistent: true, label: "read lock" })
  await at.connection.execute("insert into s values (3)")
  const connections = [
    await snapshot.connect(session),
    await snapshot.connect(session),
    await snapshot.connect(session),
  ]
  for (const each of connections) expect(await each.query("select count(*) from s")).toEqual([["2"]])
  await expect(snapshot.connect(session)).rejects.toMatchObject({ reason: "connection", retryable: false })
  await connections[1]!.close()
  const again = await snapshot.connect(session)
  expect(await again.query("select count(*) from s")).toEqual([["2"]])
})

test("mysql proves one state by the binary log, without a lock", async () => {
  const server = await startMariadb({ settings: { "log-bin": "log", "server-id": "1" } })
  try {
    await using at = await bed({}, server)
    await at.connection.execute("create table s (id int auto_increment primary key)")
    const writer = await mysqlDatabase.connect(at.settings, testSession())
    let writing = true
    const busy = (async () => {
      while (writing) {
        await writer.execute("insert into s values ()")
        await Bun.sleep(1)
      }
    })()
    for (let i = 0; i < 5; i++) {
      const session = testSession()
      await using snapshot = await mysqlDatabase.snapshot!(at.settings, 3, session)
      expect(snapshot.consistent).toBe(true)
      const counts = []
      for (let c = 0; c < 3; c++) counts.push(await (await snapshot.connect(session)).query("select count(*) from s"))
      expect(new Set(counts.map(String)).size).toBe(1)
    }
    writing = false
    await busy
    await writer.close()
    await using quiet = await mysqlDatabase.snapshot!(at.settings, 2, testSession())
    expect(quiet.label).toStartWith("binary log log.")
  } finally {
    await server.stop()
  }
})

test("mysql says so when it can neither lock nor see the binary log", async () => {
  await using at = await bed()
  const user = `u${crypto.randomUUID().slice(0, 8)}`
  await at.connection.execute(`create user ${user} identified by 'x'`)
  await at.connection.execute(`grant select on ${at.settings.database}.* to ${user}`)
  await using snapshot = await mysqlDatabase.snapshot!({ ...at.settings, user, password: "x" }, 2, testSession())
  expect(snapshot.consistent).toBe(false)
  expect(snapshot.note).toContain("RELOAD")
  await at.connection.execute(`drop user ${user}`)
})
