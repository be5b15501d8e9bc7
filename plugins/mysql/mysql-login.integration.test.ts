import { describe, expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import type { MysqlSettings } from "./mysql-settings.ts"
import { settingsOf } from "./testdata/database.ts"
import { onServers } from "./testdata/servers.ts"

onServers((server) => {
  async function refusal(settings: Partial<MysqlSettings>): Promise<unknown> {
    const service = await server.shared()
    const session = testSession({ settings: { connectTimeoutMs: 2000 } })
    const connecting = mysqlDatabase.connect({ ...settingsOf(service, "mysql"), ...settings }, session)
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
    const connecting = mysqlDatabase.connect(settingsOf(await server.shared(), "mysql"), session)
    session.abort()
    await expect(connecting).rejects.toMatchObject({ reason: "cancelled" })
  })

  test.each(server.plugins)("mysql logs in by %s, again and again", async (plugin) => {
    await using at = await server.bed()
    const user = `u${crypto.randomUUID().slice(0, 8)}`
    await at.connection.execute(`create user ${user} identified with ${plugin} by 'päss wörd'`)
    await at.connection.execute(`grant select on ${at.settings.database}.* to ${user}`)
    const service = await server.shared()
    // The first time the server wants the password itself, later it remembers a digest of it.
    for (const tls of server.tls ? (["off", "verify", "off"] as const) : (["off", "off"] as const)) {
      const settings = { ...at.settings, user, password: "päss wörd", tls, tlsCa: service.caCertificate ?? "" }
      await using connection = await mysqlDatabase.connect(settings, testSession())
      expect((await connection.query("select current_user()"))[0]![0]).toStartWith(user)
      expect(await refusal({ ...settings, password: "s3cret" })).toMatchObject({
        reason: "authentication",
        code: "1045",
      })
    }
    await at.connection.execute(`drop user ${user}`)
  })

  if (!server.tls) return
  describe("with TLS:", () => {
    test.each(["127.0.0.1", "localhost"])(
      "mysql verifies the certificate of %s against the given authority",
      async (host) => {
        const service = await server.shared()
        const settings = {
          ...settingsOf(service, "mysql"),
          host,
          tls: "verify",
          tlsCa: service.caCertificate!,
        } as const
        await using connection = await mysqlDatabase.connect(settings, testSession())
        const [row] = await connection.query("show status like 'Ssl_cipher'")
        expect(row?.[1]).not.toBe("")
      },
    )

    test("mysql refuses a certificate of an unknown authority unless told to go without", async () => {
      expect(await refusal({ tls: "verify" })).toMatchObject({ reason: "connection", retryable: false })
      await using connection = await mysqlDatabase.connect(
        { ...settingsOf(await server.shared(), "mysql"), tls: "require" },
        testSession(),
      )
      expect((await connection.query("show status like 'Ssl_cipher'"))[0]?.[1]).not.toBe("")
    })

    test("mysql refuses a certificate for another name or address", async () => {
      const service = await server.start({ ssl: { names: ["db.example"] } })
      try {
        for (const host of ["127.0.0.1", "localhost"]) {
          const settings = {
            ...settingsOf(service, "mysql"),
            host,
            tls: "verify",
            tlsCa: service.caCertificate!,
          } as const
          await expect(mysqlDatabase.connect(settings, testSession())).rejects.toMatchObject({
            reason: "connection",
            retryable: false,
            code: "HANDSHAKE_SSL_ERROR",
          })
        }
      } finally {
        await service.stop()
      }
    })
  })
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
