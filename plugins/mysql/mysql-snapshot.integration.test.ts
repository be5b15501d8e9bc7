import { expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import { onServers } from "./testdata/servers.ts"

onServers((server) => {
  const { bed } = server

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
    const service = await server.start({ settings: { "log-bin": "log", "server-id": "1" } })
    try {
      await using at = await bed({}, service)
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
      const user = `u${crypto.randomUUID().slice(0, 8)}`
      await at.connection.execute(`create user ${user} identified by 'x'`)
      await at.connection.execute(`grant select on ${at.settings.database}.* to ${user}`)
      await at.connection.execute(`grant replication client on *.* to ${user}`)
      await using quiet = await mysqlDatabase.snapshot!({ ...at.settings, user, password: "x" }, 2, testSession())
      expect(quiet).toMatchObject({ consistent: true, label: expect.stringMatching(/^binary log log\.\d+:\d+$/) })
    } finally {
      await service.stop()
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

  if (server.mariadb || server.major < 9) return
  test("mysql locks with the privilege that allows just that", async () => {
    await using at = await bed()
    const user = `u${crypto.randomUUID().slice(0, 8)}`
    await at.connection.execute(`create user ${user} identified by 'x'`)
    await at.connection.execute(`grant select on ${at.settings.database}.* to ${user}`)
    await at.connection.execute(`grant flush_tables on *.* to ${user}`)
    await using snapshot = await mysqlDatabase.snapshot!({ ...at.settings, user, password: "x" }, 2, testSession())
    expect(snapshot).toMatchObject({ consistent: true, label: "read lock" })
    await at.connection.execute(`drop user ${user}`)
  })
})
