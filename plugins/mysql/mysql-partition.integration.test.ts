import { expect, test } from "bun:test"
import type { Connection } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import { onServers } from "./testdata/servers.ts"

onServers((server) => {
  const { bed } = server

  const names = { table: { name: "t" }, stage: { name: "t_b" }, lockTimeoutMs: 1000 }

  async function made(connection: Connection, ...statements: readonly string[]): Promise<void> {
    for (const sql of statements) await connection.execute(sql)
  }

  async function shown(connection: Connection): Promise<string> {
    return (await connection.query("show create table t"))[0]![1]!
  }

  const days =
    "(partition p0 values less than ('2024-01-01'), partition p1 values less than ('2024-01-02'), partition p2 values less than ('2024-01-09'))"

  test.each<[string, string, string, string, string]>([
    ["range of dates", "date", `range columns(k) ${days}`, "2024-01-01", "2024-01-05"],
    [
      "range of days",
      "date",
      `range (to_days(k)) ${days.replace(/\('(\S+)'\)/g, "(to_days('$1'))")}`,
      "2024-01-01",
      "2024-01-05",
    ],
    [
      "range of integers",
      "bigint unsigned",
      "range (k) (partition p0 values less than (9007199254740993), partition p1 values less than (9007199254740994), partition p2 values less than maxvalue)",
      "9007199254740993",
      "9007199254740994",
    ],
    ["list of integers", "int", "list (k) (partition p1 values in (-1), partition p2 values in (5, 6))", "-1", "5"],
    [
      "list of texts",
      "varchar(20)",
      "list columns (k) (partition p1 values in ('it''s \\\\ 1'), partition p2 values in ('a', 'b'))",
      "it's \\ 1",
      "a",
    ],
  ])("mysql exchanges a partition of a %s", async (_, type, partitions, value, shared) => {
    await using at = await bed()
    const { connection } = at
    const literal = (text: string) => mysqlDatabase.dialect.literal(text)
    await made(
      connection,
      `create table t (id int not null auto_increment, k ${type} not null, v int, key (id)) partition by ${partitions}`,
      `insert into t (id, k, v) values (1, ${literal(value)}, 1), (900, ${literal(shared)}, 1)`,
    )
    const before = await shown(connection)
    const { replacement } = connection
    await replacement!.createStage(names.table, names.stage)
    await connection.execute(`insert into t_b (id, k, v) values (3, ${literal(value)}, 2), (4, ${literal(value)}, 2)`)
    const contents = await replacement!.contents!(names.stage)
    const old = await replacement!.contents!(names.table)
    for (const other of [shared, "2031-01-01", "77", "'; drop table t; --"]) {
      expect(await replacement!.swapPartition!({ ...names, column: "k", value: other })).toBe(false)
    }
    expect(await replacement!.swapPartition!({ ...names, column: "v", value: "1" })).toBe(false)
    expect(await replacement!.contents!(names.stage)).toBe(contents)
    expect(await replacement!.contents!(names.table)).toBe(old)
    await connection.execute("create trigger kept before update on t for each row set new.v = new.v")
    expect(await replacement!.swapPartition!({ ...names, column: "k", value })).toBe(true)
    expect(await connection.query("select id, v from t order by id")).toEqual([
      ["3", "2"],
      ["4", "2"],
      ["900", "1"],
    ])
    expect(await connection.query("select id, v from t_b")).toEqual([["1", "1"]])
    expect(await shown(connection)).toBe(before)
    await connection.execute(`insert into t (k, v) values (${literal(shared)}, 3)`)
    expect(await connection.query("select max(id) from t")).toEqual([["901"]])
    expect((await connection.query("show triggers")).length).toBe(1)
  })

  test("mysql finds no partition in a table that has none", async () => {
    await using at = await bed()
    await made(at.connection, "create table t (id int, k date)")
    await at.connection.replacement!.createStage(names.table, names.stage)
    expect(await at.connection.replacement!.swapPartition!({ ...names, column: "k", value: "2024-01-01" })).toBe(false)
  })

  const byDate = `create table t (id int, k date not null) partition by range columns(k) ${days}`

  test("mysql recognises the rows of a stage when its partitions are gone", async () => {
    await using at = await bed()
    const { connection } = at
    await made(connection, byDate, "insert into t values (1, '2024-01-01')")
    await connection.replacement!.createStage(names.table, names.stage)
    await connection.execute("insert into t_b values (2, '2024-01-01'), (3, '2024-01-01'), (null, '2024-01-01')")
    const contents = await connection.replacement!.contents!(names.stage)
    await connection.execute("alter table t_b remove partitioning")
    expect(await connection.replacement!.contents!(names.stage)).toBe(contents)
    expect(await connection.replacement!.swapPartition!({ ...names, column: "k", value: "2024-01-01" })).toBe(true)
    expect(await connection.replacement!.contents!(names.stage)).not.toBe(contents)
  })

  test("mysql exchanges nothing when a row belongs elsewhere", async () => {
    await using at = await bed()
    const { connection } = at
    await made(connection, byDate, "insert into t values (1, '2024-01-01')")
    await connection.replacement!.createStage(names.table, names.stage)
    await connection.execute("insert into t_b values (2, '2024-01-01'), (3, '2024-01-02')")
    await expect(
      connection.replacement!.swapPartition!({ ...names, column: "k", value: "2024-01-01" }),
    ).rejects.toMatchObject({ reason: "constraint", code: "1737" })
    expect(await connection.query("select id from t")).toEqual([["1"]])
  })

  test("mysql waits for a reader of a partitioned table no longer than it was told", async () => {
    await using at = await bed()
    const { connection } = at
    await made(connection, byDate, "insert into t values (1, '2024-01-01')")
    await connection.replacement!.createStage(names.table, names.stage)
    await connection.execute("insert into t_b values (2, '2024-01-01')")
    await using reader = await mysqlDatabase.connect(at.settings, testSession())
    await reader.begin()
    await reader.query("select * from t")
    const request = { ...names, column: "k", value: "2024-01-01" }
    await expect(connection.replacement!.swapPartition!(request)).rejects.toMatchObject({
      reason: "conflict",
      retryable: true,
    })
    expect(await reader.query("select id from t")).toEqual([["1"]])
    await reader.commit()
    expect(await connection.replacement!.swapPartition!(request)).toBe(true)
    expect(await reader.query("select id from t")).toEqual([["2"]])
  })
})
