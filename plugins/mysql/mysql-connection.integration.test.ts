import { expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import { onServers } from "./testdata/servers.ts"

onServers((server) => {
  const { bed } = server

  test("mysql pins the session whatever the server's defaults are", async () => {
    const service = await server.start({
      settings: {
        "sql-mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT",
        "default-time-zone": "+05:30",
        "character-set-server": "latin1",
        ...(server.mariadb
          ? { "max-statement-time": "1", "sql-safe-updates": "ON" }
          : { "max-execution-time": "1", "init-connect": "set sql_safe_updates = 1" }),
      },
    })
    try {
      await using at = await bed({}, service)
      const limit = server.mariadb ? "@@max_statement_time" : "@@max_execution_time"
      expect(
        await at.connection.query(
          `select @@time_zone, ${limit} + 0, @@sql_safe_updates, @@character_set_client, @@character_set_results, 'a\\\\b', "text", @@autocommit`,
        ),
      ).toEqual([["+00:00", server.mariadb ? "0.000000" : "0", "0", "utf8mb4", "utf8mb4", "a\\b", "text", "1"]])
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
      await service.stop()
    }
  })

  test("mysql names what is missing, forbidden and misspelt", async () => {
    await using at = await bed()
    await expect(at.connection.query("select * from nothing")).rejects.toMatchObject({
      reason: "missing",
      code: "1146",
    })
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
})
