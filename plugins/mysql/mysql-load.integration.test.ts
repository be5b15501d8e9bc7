import { expect, test } from "bun:test"
import { series } from "../../scripts/testing/mysql-series.ts"
import type { Bed } from "./testdata/database.ts"
import { onServers } from "./testdata/servers.ts"

const T = "create table t (id int primary key, s varchar(5), n decimal(6,2)) charset utf8mb4"

onServers((server) => {
  const { bed } = server

  // Every guarantee holds for both ways to send rows.
  for (const way of ["LOAD DATA", "INSERT"]) {
    const place = async () => bed({}, way === "LOAD DATA" ? undefined : await server.withoutLocal())

    test(`mysql costs one bad row in 25000 one row, by ${way}`, async () => {
      await using at = await place()
      await at.connection.execute(T)
      const rows = many(25_000, (id) => ({ id, s: id === 17_000 ? "toolong" : "é", n: "1.00" }))
      expect(await at.load("t", rows)).toBe(24_999)
      expect(at.session.rejected).toEqual([
        {
          row: 17_000,
          column: "s",
          value: "toolong",
          reason: "Data too long for column 's'",
          code: "1406",
          record: { id: "17000", s: "toolong", n: "1.00" },
        },
      ])
      expect(await count(at)).toBe("24999")
      expect(at.session.warnings).toHaveLength(way === "LOAD DATA" ? 0 : 1)
    })

    test(`mysql rejects all of many bad rows, by ${way}`, async () => {
      await using at = await place()
      await at.connection.execute(T)
      const rows = many(5000, (id) => ({ id, s: id % 50 === 0 ? "toolong" : "x", n: null }))
      expect(await at.load("t", rows)).toBe(4900)
      expect(at.session.rejected.map(({ row }) => row)).toEqual(many(100, (i) => i * 50))
      expect(await count(at)).toBe("4900")
    })

    test(`mysql rejects rows whose key exists, by ${way}`, async () => {
      await using at = await place()
      await at.connection.execute(T)
      await at.connection.execute(`insert into t select seq * 2, 'old', 1 from ${series(1500)}`)
      const rows = many(3000, (id) => ({ id: id === 2999 ? 1 : id, s: "new", n: null }))
      expect(await at.load("t", rows)).toBe(1499)
      expect(at.session.rejected.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual([
        ...many(1500, (i) => i * 2),
        2999,
      ])
      expect(at.session.rejected[0]).toMatchObject({ column: "id", code: "1062" })
      expect(await at.connection.query("select s, count(*) from t group by s order by s")).toEqual([
        ["new", "1499"],
        ["old", "1500"],
      ])
    })

    test(`mysql rejects every row of a load that was loaded before, by ${way}`, async () => {
      await using at = await place()
      await at.connection.execute(T)
      const rows = many(6000, (id) => ({ id, s: "x", n: null }))
      expect(await at.load("t", rows)).toBe(6000)
      expect(await at.load("t", rows)).toBe(0)
      expect(at.session.rejected).toHaveLength(6000)
      expect(await count(at)).toBe("6000")
    })

    test(`mysql overwrites whole rows and keeps the last of a key, by ${way}`, async () => {
      await using at = await place()
      await at.connection.execute(T)
      await at.connection.execute("insert into t values (0, 'old', 1), (1, 'old', 1), (9000, 'old', 1)")
      const rows = many(6000, (i) => ({ id: i % 2000, s: i === 4001 ? "toolong" : `v${Math.floor(i / 2000)}` }))
      const options = { mode: "overwriteRows", keyColumns: ["id"], columns: ["id", "s"] } as const
      expect(await at.load("t", rows, options)).toBe(5999)
      expect(at.session.rejected).toMatchObject([{ row: 4001, column: "s" }])
      expect(await at.rows("select * from t where id in (0, 1, 2, 9000) order by id")).toEqual([
        { id: 0, s: "v2", n: null },
        { id: 1, s: "v1", n: null },
        { id: 2, s: "v2", n: null },
        { id: 9000, s: "old", n: "1.00" },
      ])
    })

    test(`mysql updates the mapped columns and keeps the last of a key, by ${way}`, async () => {
      await using at = await place()
      await at.connection.execute(T)
      await at.connection.execute("insert into t values (0, 'old', 1), (1, 'old', 1), (9000, 'old', 1)")
      const rows = many(6000, (i) => ({ id: i % 2000, s: i === 4001 ? "toolong" : `v${Math.floor(i / 2000)}` }))
      const options = { mode: "updateRows", keyColumns: ["id"], columns: ["id", "s"] } as const
      expect(await at.load("t", rows, options)).toBe(5999)
      expect(at.session.rejected).toMatchObject([{ row: 4001, column: "s" }])
      expect(await at.rows("select * from t where id in (0, 1, 2, 9000) order by id")).toEqual([
        { id: 0, s: "v2", n: "1.00" },
        { id: 1, s: "v1", n: "1.00" },
        { id: 2, s: "v2", n: null },
        { id: 9000, s: "old", n: "1.00" },
      ])
    })

    test(`mysql never cuts, replaces or rounds what does not fit, by ${way}`, async () => {
      await using at = await place()
      await at.connection.execute(`create table f (id int primary key, narrow varchar(20) charset utf8mb3,
      latin varchar(20) charset latin1, e enum('a','b'), tiny tinyint unsigned, day timestamp null, j json)`)
      const base = { narrow: "x", latin: "x", e: "a", tiny: 1, day: null, j: null }
      const rows = [
        { ...base, id: 0 },
        { ...base, id: 1, narrow: "a😀b" },
        { ...base, id: 2, latin: "漢" },
        { ...base, id: 3, e: "c" },
        { ...base, id: 4, tiny: 256 },
        { ...base, id: 5, tiny: -1 },
        { ...base, id: 6, day: "2300-01-01 00:00:00+00" },
        { ...base, id: 7, day: "1970-01-01 00:00:00+00" },
        {
          ...base,
          id: 8,
          narrow: "é漢",
          latin: "é€",
          e: "b",
          tiny: 255,
          day: "2020-02-29 23:59:59+00",
          j: '{"a": "\\n\\t"}',
        },
        { ...base, id: 9, narrow: "'\"\\", latin: "\uFEFF".slice(1) },
      ]
      expect(await at.load("f", rows)).toBe(3)
      expect(at.session.rejected.map(({ row, column }) => [row, column]).toSorted()).toEqual([
        [1, "narrow"],
        [2, "latin"],
        [3, "e"],
        [4, "tiny"],
        [5, "tiny"],
        [6, "day"],
        [7, "day"],
      ])
      expect(await at.rows("select * from f order by id")).toEqual([rows[0]!, rows[8]!, rows[9]!])
    })

    test(`mysql leaves rows of other keys alone, by ${way}`, async () => {
      await using at = await place()
      for (const mode of ["overwriteRows", "updateRows"] as const) {
        await at.connection.execute("drop table if exists k")
        await at.connection.execute("create table k (id int primary key, e varchar(10) unique, s varchar(5))")
        await at.connection.execute("insert into k values (1, 'a', 'old'), (9, 'b', 'keep')")
        const rows = [
          { id: 1, e: "a", s: "new" },
          { id: 2, e: "b", s: "clash" },
          { id: 3, e: "c", s: "new" },
        ]
        expect(await at.load("k", rows, { mode, keyColumns: ["id"] })).toBe(2)
        expect(at.session.rejected.splice(0)).toMatchObject([{ row: 1, column: "e", value: "b", code: "1062" }])
        expect(await at.connection.query("select * from k order by id")).toEqual([
          ["1", "a", "new"],
          ["3", "c", "new"],
          ["9", "b", "keep"],
        ])
      }
    })
  }

  test("mysql rejects rows that a foreign key or a check refuses", async () => {
    await using at = await bed()
    await at.connection.execute("create table parent (id int primary key)")
    await at.connection.execute("insert into parent values (1)")
    await at.connection.execute(
      "create table child (id int primary key, p int, c int check (c > 0), foreign key (p) references parent (id))",
    )
    const rows = many(2000, (id) => ({ id, p: id === 700 ? 99 : 1, c: id === 1500 ? -1 : 1 }))
    const refused = [
      { row: 700, column: "p", value: "99", code: "1452" },
      ...(server.checks ? [{ row: 1500, code: server.mariadb ? "4025" : "3819" }] : []),
    ]
    expect(await at.load("child", rows)).toBe(2000 - refused.length)
    expect(at.session.rejected.toSorted((a, b) => a.row - b.row)).toMatchObject(refused)
  })

  test("mysql keeps NULL and 0 apart in an identity column", async () => {
    await using at = await bed()
    await at.connection.execute("create table i (id int auto_increment primary key, v int)")
    expect(
      await at.load("i", [
        { id: 0, v: 1 },
        { id: 7, v: 2 },
        { id: null, v: 3 },
      ]),
    ).toBe(2)
    expect(at.session.rejected).toMatchObject([{ row: 2, column: "id", value: null }])
    expect(await at.load("i", [{ v: 4 }], { columns: ["v"] })).toBe(1)
    expect(await at.connection.query("select id, v from i order by v")).toEqual([
      ["0", "1"],
      ["7", "2"],
      ["8", "4"],
    ])
  })

  test("mysql makes NULL of what it does not have when told so, and counts it", async () => {
    await using at = await bed()
    await at.connection.execute("create table n (id int primary key, f double, d date, m date not null)")
    const rows = [
      { id: 1, f: Number.NaN, d: "infinity", m: "2020-01-01" },
      { id: 2, f: 1, d: "0044-03-15 BC", m: "2020-01-01" },
      { id: 3, f: 1, d: null, m: "infinity" },
    ]
    expect(await at.load("n", rows, { options: { unrepresentable: "null" } })).toBe(2)
    expect(Object.fromEntries(at.session.adjustments)).toEqual({ "unrepresentable/f": 1, "unrepresentable/d": 2 })
    expect(at.session.rejected).toMatchObject([{ row: 2, column: "m", value: "infinity" }])
    expect(await at.load("n", [{ id: 5, f: null, d: "infinity", m: "2020-01-01" }])).toBe(0)
    expect(at.session.rejected[1]).toMatchObject({ column: "d", value: "infinity" })
  })

  test("mysql rejects values that the server would replace without a word", async () => {
    await using at = await bed()
    await at.connection.execute(
      "create table w (id int primary key, y year, e enum('a','b'), b binary(3), x bit(3), h time(1), d double(8,2))",
    )
    const base = { y: 2024, e: "a", b: new Uint8Array([1, 2, 3]), x: 7n, h: "10:00:00.5", d: 1.25 }
    const rows = [
      { ...base, id: 0, y: 0 },
      { ...base, id: 1, y: 70 },
      { ...base, id: 2, e: "2" },
      { ...base, id: 3, b: new Uint8Array([1]) },
      { ...base, id: 4, x: 8n },
      { ...base, id: 5, h: "10:00:00.55" },
      { ...base, id: 6, d: 1.255 },
    ]
    expect(await at.load("w", rows)).toBe(1)
    expect(at.session.rejected.map(({ row, column }) => [row, column]).toSorted()).toEqual([
      [1, "y"],
      [2, "e"],
      [3, "b"],
      [4, "x"],
      [5, "h"],
      [6, "d"],
    ])
    expect(await at.rows("select * from w")).toEqual([rows[0]!])
  })

  test("mysql refuses a table without transactions, because nothing could be taken back", async () => {
    await using at = await bed()
    await at.connection.execute("create table t (id int primary key) engine=myisam")
    await expect(at.load("t", [{ id: 1 }])).rejects.toMatchObject({ reason: "unsupported" })
    await at.connection.rollback()
  })

  test("mysql loads many chunks under a small buffer, and takes all of it back", async () => {
    await using at = await bed({ settings: { bufferBytes: 150_000 } })
    await at.connection.execute(T)
    const rows = many(40_000, (id) => ({ id, s: "x", n: id % 9000 === 8999 ? "1234.00" : "-9999.99" }))
    expect(await at.load("t", rows, { batchRows: 1000 })).toBe(40_000)
    expect(await count(at)).toBe("40000")
    await at.connection.begin()
    await at.connection.execute("delete from t")
    await at.connection.rollback()
    expect(await count(at)).toBe("40000")
  })

  test("mysql leaves nothing running and nothing written when a load is aborted", async () => {
    await using at = await bed({ settings: { bufferBytes: 200_000 } })
    await using other = await bed()
    await at.connection.execute(T)
    const columns = await at.columns("t")
    async function* endless() {
      for (let from = 0; ; from += 1000) {
        if (from === 20_000) at.session.abort()
        yield at.session.batches.fromRows(
          columns,
          many(1000, (i) => ({ id: from + i, s: "x", n: null })),
          from,
        )
      }
    }
    await at.connection.begin()
    const request = { table: { name: "t" }, columns, mode: "append", keyColumns: [], options: {} } as const
    await expect(at.connection.load(request, endless(), at.session)).rejects.toMatchObject({ reason: "cancelled" })
    await at.connection.rollback()
    const sql = "select count(*) from information_schema.processlist where db = ?"
    // The test's own limit ends this.
    while ((await other.connection.query(sql, [at.settings.database]))[0]![0] !== "0") await Bun.sleep(20)
    expect(await other.connection.query(`select count(*) from \`${at.settings.database}\`.t`)).toEqual([["0"]])
  })

  test("mysql does not blame a row for a lock that is held by somebody else", async () => {
    await using at = await bed()
    await at.connection.execute(T)
    await at.connection.execute("set session innodb_lock_wait_timeout = 1")
    await using other = await bed()
    await other.connection.begin()
    await other.connection.execute(`insert into \`${at.settings.database}\`.t values (5, 'x', 1)`)
    await expect(at.load("t", [{ id: 5, s: "y", n: null }])).rejects.toMatchObject({
      reason: "conflict",
      retryable: true,
      code: "1205",
    })
    expect(at.session.rejected).toEqual([])
    await other.connection.rollback()
  })

  function many<T>(length: number, make: (i: number) => T): T[] {
    return Array.from({ length }, (_, i) => make(i))
  }

  async function count(at: Bed): Promise<string | null | undefined> {
    return (await at.connection.query("select count(*) from t"))[0]?.[0]
  }
})
