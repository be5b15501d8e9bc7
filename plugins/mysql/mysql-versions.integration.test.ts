import { expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import { bed } from "./testdata/database.ts"
import { onServers } from "./testdata/servers.ts"

onServers((server) => {
  test("mysql finds the bad rows also where a server keeps no warnings and a user may not ask for them", async () => {
    const service = await server.start({ settings: { "max-error-count": "0" } })
    try {
      await using admin = await bed({}, service)
      const { database } = admin.settings
      await admin.connection.execute("create table t (id int primary key, e int unique, s varchar(5))")
      await admin.connection.execute("create user plain identified by 'x'")
      await admin.connection.execute(
        `grant select, insert, update, delete, create temporary tables on ${database}.* to plain`,
      )
      await using at = await admin.as({ user: "plain", password: "x" })
      const rows = Array.from({ length: 3000 }, (_, id) => ({ id, e: id, s: id % 1000 === 7 ? "toolong" : "x" }))
      expect(await at.load("t", rows)).toBe(2997)
      expect(at.session.rejected.splice(0).map(({ row }) => row)).toEqual([7, 1007, 2007])
      const again = rows.map(({ id, s }) => ({ id, e: id === 5 ? 6 : id, s }))
      expect(await at.load("t", again, { mode: "updateRows", keyColumns: ["id"] })).toBe(2996)
      const refused = at.session.rejected.map(({ row }) => row)
      expect(refused.toSorted((a, b) => a - b)).toEqual([5, 7, 1007, 2007])
    } finally {
      await service.stop()
    }
  })

  if (server.mariadb) return

  test("mysql merges by key while the server numbers transactions, or says from which version on", async () => {
    const settings = { "log-bin": "log", "server-id": "1", "gtid-mode": "ON", "enforce-gtid-consistency": "ON" }
    const service = await server.start({ settings })
    try {
      await using at = await bed({}, service)
      await at.connection.execute("create table t (id int primary key, e int unique, s varchar(5))")
      await at.connection.execute("insert into t values (1, 1, 'old')")
      const rows = [
        { id: 1, e: 1, s: "new" },
        { id: 2, e: 2, s: "new" },
      ]
      const loading = at.load("t", rows, { mode: "updateRows", keyColumns: ["id"] })
      if (server.major === 5) {
        await expect(loading).rejects.toMatchObject({ reason: "unsupported", hint: expect.stringContaining("8.0.13") })
        return await at.connection.rollback()
      }
      expect(await loading).toBe(2)
      expect(await at.rows("select * from t order by id")).toEqual(rows)
    } finally {
      await service.stop()
    }
  })

  if (server.major === 5) return

  test("mysql counts privileges that a role gives", async () => {
    await using at = await server.bed()
    const id = crypto.randomUUID().slice(0, 8)
    const { database } = at.settings
    await at.connection.execute("create table t (id int)")
    await at.connection.execute(`create role r${id}`)
    await at.connection.execute(`grant select, insert, create, alter, drop, trigger on ${database}.* to r${id}`)
    await at.connection.execute(`create user u${id} identified by 'x'`)
    await at.connection.execute(`grant r${id} to u${id}`)
    await at.connection.execute(`grant select on ${database}.* to u${id}`)
    const obstacles = async () => {
      await using guest = await at.as({ user: `u${id}`, password: "x" })
      return await guest.connection.replacement!.obstacles({ name: "t" })
    }
    expect(await obstacles()).not.toEqual([])
    await at.connection.execute(`set default role r${id} to u${id}`)
    expect(await obstacles()).toEqual([])
    await at.connection.execute(`drop user u${id}`)
    await at.connection.execute(`drop role r${id}`)
  })

  test("mysql knows the rows of a table that was filled a moment ago", async () => {
    await using at = await server.bed()
    await at.connection.execute("create table t (id int primary key)")
    expect((await at.connection.describeTable({ name: "t" }))?.estimatedRows).toBe(0)
    await at.load(
      "t",
      Array.from({ length: 2000 }, (_, id) => ({ id })),
    )
    await at.connection.query("analyze table t")
    expect((await at.connection.describeTable({ name: "t" }))?.estimatedRows).toBeGreaterThan(1000)
  })

  if (server.major < 9) return

  test("mysql reads vectors and writes them back exactly", async () => {
    await using at = await server.bed()
    await at.connection.execute("create table v (id int primary key, e vector(3))")
    await at.connection.execute("create table w like v")
    await at.connection.execute("insert into v values (1, string_to_vector('[1.5, -2, 3e10]')), (2, null)")
    const rows = await at.rows("select * from v order by id")
    expect(await at.connection.query("select lower(hex(e)) from v where id = 1")).toEqual([[String(rows[0]!.e)]])
    expect(await at.load("w", rows)).toBe(2)
    expect(await at.connection.query("select id, vector_to_string(e) from w order by id")).toEqual(
      await at.connection.query("select id, vector_to_string(e) from v order by id"),
    )
    expect((await at.columns("v"))[1]).toMatchObject({ native: { type: "vector(3)" } })
  })

  test("mysql describes columns that are invisible, and those with computed defaults", async () => {
    await using at = await server.bed()
    await at.connection.execute(
      `create table t (a int, b int default (1 + 1) invisible, c int as (a * 2) stored invisible, d varchar(9) default 'NULL',
        key sums ((a + b)), unique key twice ((a * 2)))`,
    )
    const info = await at.connection.describeTable({ name: "t" })
    expect(info?.columns.map(({ name, generated, hasDefault }) => [name, generated, hasDefault])).toEqual([
      ["a", false, false],
      ["b", false, true],
      ["c", true, false],
      ["d", false, true],
    ])
    expect(info?.uniqueKeys).toEqual([])
    const rows = [
      { a: 1, b: 5, d: "x" },
      { a: 1, b: 6, d: "x" },
    ]
    expect(await at.load("t", rows)).toBe(1)
    expect(at.session.rejected).toMatchObject([{ row: 1, code: "1062" }])
    expect(await at.rows("select a, b, c, d from t")).toEqual([{ ...rows[0]!, c: 2 }])
  })

  test("mysql connects without any privilege beyond those on the table", async () => {
    await using at = await server.bed()
    const user = `u${crypto.randomUUID().slice(0, 8)}`
    await at.connection.execute(`create user ${user} identified by 'x'`)
    await at.connection.execute("create table t (id int)")
    await at.connection.execute(`grant select on ${at.settings.database}.t to ${user}`)
    await using connection = await mysqlDatabase.connect({ ...at.settings, user, password: "x" }, testSession())
    expect(await connection.query("select @@max_error_count, @@sql_mode like '%STRICT%'")).toEqual([["1024", "1"]])
    await at.connection.execute(`drop user ${user}`)
  })
})
