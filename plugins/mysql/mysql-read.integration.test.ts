import { expect, test } from "bun:test"
import type { Batch, Frame, Session } from "../../core/contract/index.ts"
import { series } from "../../scripts/testing/mysql-series.ts"
import { testSession } from "../../scripts/testing/session.ts"
import rowsInput from "../rows/rows-input.ts"
import { mysqlDatabase } from "./mysql-database.ts"
import { onServers, type TestServer } from "./testdata/servers.ts"

/** What a number in JSON may be at most: MariaDB keeps text. */
const longNumber = (server: TestServer) =>
  server.mariadb ? "123456789012345678901234567890.10" : "18446744073709551615"
const everyType = (
  server: TestServer,
) => `id int auto_increment primary key, s varchar(20), l varchar(10) charset latin1, e enum('a','b'),
  st set('x','y'), b varbinary(10), bl longblob, f float, d double, dc decimal(65,30), dt date, tm time(6),
  ts timestamp(6) null, dtm datetime(3), y year, j json, u ${server.mariadb ? "uuid" : "char(36) charset ascii"}, b1 bit(1), b9 bit(9), b64 bit(64), g geometry,
  bu bigint unsigned, bi bigint, t1 tinyint(1), m mediumint unsigned, z int(8) zerofill`
const everyValue = (server: TestServer) => [
  `(1, 'a\\tb\\n\\\\N😀', 'é€', 'a', 'x,y', x'00ff0a09', x'5c4e00', 1.2345678, 1.1e-300,
    '-12345678901234567890123456789012345.123456789012345678901234567891', '0001-01-01', '-838:59:59',
    '2038-01-19 03:14:07.999999', '9999-12-31 23:59:59.999', 1901, '{"a": ${longNumber(server)}}',
    '123e4567-e89b-12d3-a456-426614174000', 1, 257, 18446744073709551615, ST_GeomFromText('POINT(1 2)', 4326),
    18446744073709551615, -9223372036854775808, 2, 16777215, 42)`,
  `(2, '', '', 'b', '', '', '', -0e0, 1.7976931348623157e308, '0.000000000000000000000000000001', '2024-02-29',
    '-00:00:00.000001', '1970-01-01 00:00:01', '1000-01-01 00:00:00', 0, '[]',
    '00000000-0000-0000-0000-000000000000', 0, 0, 0, ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), 0,
    9223372036854775807, -1, 0, 0)`,
  `(3${", null".repeat(25)})`,
]

onServers((server) => {
  const { bed } = server

  test("mysql reads every type and writes it back exactly", async () => {
    await using at = await bed()
    await at.connection.execute(`create table every (${everyType(server)})`)
    await at.connection.execute(`insert into every values ${everyValue(server).join(", ")}`)
    await at.connection.execute("create table again like every")
    const rows = await at.rows("select * from every order by id")
    expect(rows[0]).toMatchObject({
      s: "a\tb\n\\N😀",
      l: "é€",
      b: new Uint8Array([0, 255, 10, 9]),
      f: Math.fround(1.2345678),
      d: 1.1e-300,
      dc: "-12345678901234567890123456789012345.123456789012345678901234567891",
      dt: "0001-01-01",
      tm: "-838:59:59.000000",
      ts: "2038-01-19 03:14:07.999999+00",
      dtm: "9999-12-31 23:59:59.999",
      y: 1901,
      j: `{"a": ${longNumber(server)}}`,
      b1: true,
      b9: 257n,
      b64: 18446744073709551615n,
      bu: 18446744073709551615n,
      bi: -9223372036854775808n,
      t1: 2,
      z: 42n,
    })
    expect(Object.values(rows[2]!).slice(1)).toEqual(Array(25).fill(null))
    expect(await at.load("again", rows)).toBe(3)
    expect(at.session.rejected).toEqual([])
    expect(await at.rows("select * from again order by id")).toEqual(rows)
    // The server's own eyes: exact bytes, not what this client makes of them.
    const same =
      "select count(*) from every x join again y using (id) where x.f <=> y.f and x.g <=> y.g and x.s <=> y.s"
    expect(await at.connection.query(`${same} and x.j <=> y.j and x.tm <=> y.tm and x.bl <=> y.bl`)).toEqual([["3"]])
  })

  test.each([1, 2])("mysql keeps or rejects the hostile rows of seed %d, and changes none", async (seed) => {
    await using at = await bed({ settings: { batchRows: 100 } })
    const types =
      "boolean int16 int32 int64 uint64 float32 float64 decimal(12,2) decimal(30,10) string string(5) bytes bytes(4) date time time(3) timestamp timestamp(0) timestamptz timestamptz(3) json uuid".split(
        " ",
      )
    const columns = types.map((type) => ({ name: type, type, nullShare: 0.1 }))
    const config = { rows: 1000, seed, splits: 1, nasty: true, columns }
    const plan = await rowsInput.plan(config, {})
    const source = await rowsInput.open(config, { columns: types, parallel: 1 })
    const { quote, columnType } = mysqlDatabase.dialect
    const declared = plan.columns.map(
      (column) => `${quote(column.name)} ${columnType(column, { key: false }).type} NULL`,
    )
    await at.connection.execute(
      `create table hostile (n int auto_increment primary key, ${declared.join(", ")}) charset utf8mb4`,
    )
    const target = (await at.columns("hostile")).slice(1)

    const sent = new Map<number, string>()
    await at.connection.begin()
    const kept = async function* () {
      for await (const batch of source.read(source.splits[0]!, at.session)) {
        if (batch.encoding !== undefined) throw new Error("no frame was asked for")
        for (const [i, line] of lines(batch, at.session, server).entries()) sent.set(batch.firstRow + i, line)
        yield batch
      }
    }
    const request = {
      table: { name: "hostile" },
      columns: target,
      mode: "append",
      keyColumns: [],
      options: {},
    } as const
    const { written } = await at.connection.load(request, kept(), at.session)
    await at.connection.commit()
    expect(written + at.session.rejected.length).toBe(sent.size)
    expect(written).toBeGreaterThan(0)
    for (const { row } of at.session.rejected) sent.delete(row)

    const names = types.map(quote).join(", ")
    const back: string[] = []
    const read = { sql: `select ${names} from hostile order by n`, columns: plan.columns, options: {} }
    for await (const batch of at.connection.read(read, at.session)) back.push(...lines(batch, at.session, server))
    expect(back.toSorted()).toEqual([...sent.values()].toSorted())
  })

  test("mysql applies the policy for zero dates and counts what it changes", async () => {
    await using at = await bed()
    await at.connection.execute("create table z (id int, d date not null, t datetime, s timestamp not null default 0)")
    await at.connection.execute(
      "insert into z values (1,'0000-00-00','0000-00-00 00:00:00',0), (2,'2010-00-00','1989-12-00 12:00:00','2020-01-01 00:00:00')",
    )
    const sql = "select * from z order by id"
    expect(await at.rows(sql)).toMatchObject([
      { d: null, t: null, s: null },
      { d: null, t: null, s: "2020-01-01 00:00:00+00" },
    ])
    expect(Object.fromEntries(at.session.adjustments)).toEqual({ "zeroDates/d": 2, "zeroDates/t": 2, "zeroDates/s": 1 })
    expect(await at.rows(sql, { zeroDates: "1970-01-01" })).toMatchObject([{ d: "1970-01-01" }, { d: "1970-01-01" }])
    expect(await at.rows(sql, { zeroDates: "reject" })).toEqual([])
    expect(at.session.rejected).toMatchObject([
      { row: 0, column: "d", value: "0000-00-00", record: { id: "1", t: "0000-00-00 00:00:00" } },
      { row: 1, column: "d", value: "2010-00-00" },
    ])
  })

  test("mysql rejects a zero date where neither NULL nor the literal fits", async () => {
    await using at = await bed()
    await at.connection.execute("create table z (d date not null)")
    await at.connection.execute("insert into z values ('0000-00-00'), ('2020-01-01')")
    const columns = await at.columns("z")
    const read = { sql: "select d from z", columns, options: { zeroDates: "null" } }
    for await (const batch of at.connection.read(read, at.session)) expect(batch.rows).toBe(1)
    expect(at.session.rejected).toMatchObject([{ row: 0, column: "d", value: "0000-00-00" }])
  })

  test("mysql reads tinyint(1) and TIME as the options say", async () => {
    await using at = await bed()
    await at.connection.execute("create table o (id int, t tinyint(1), h time(3))")
    await at.connection.execute("insert into o values (1, 1, '23:59:59.5'), (2, 9, '00:00:00'), (3, 0, '-00:00:01')")
    expect(await at.rows("select t, h from o")).toEqual([
      { t: 1, h: "23:59:59.500" },
      { t: 9, h: "00:00:00.000" },
      { t: 0, h: "-00:00:01.000" },
    ])
    const options = { tinyint1AsBoolean: true, timeAs: "time" }
    expect(await at.rows("select t, h from o", options)).toEqual([{ t: true, h: "23:59:59.5" }])
    expect(at.session.rejected).toMatchObject([
      { row: 1, column: "t", value: "9" },
      { row: 2, column: "h", value: "-00:00:01.000" },
    ])
  })

  test("mysql rejects text that is not UTF-8, with its row", async () => {
    await using at = await bed()
    await at.connection.execute("create table u (id int, s varbinary(20))")
    await at.connection.execute("insert into u values (1, 'fine'), (2, x'c328'), (3, 'é')")
    const columns = (await at.columns("u")).map((column) =>
      column.name === "s" ? { ...column, type: { kind: "string" } as const } : column,
    )
    let rows = 0
    for await (const batch of at.connection.read({ sql: "select * from u", columns, options: {} }, at.session)) {
      rows += batch.encoding === undefined ? batch.rows : 0
    }
    expect(rows).toBe(2)
    expect(at.session.rejected).toMatchObject([{ row: 1, column: "s" }])
  })

  test("mysql reads and writes a value of more than 16 MB", async () => {
    await using at = await bed()
    await at.connection.execute("create table h (id int, s longtext, b longblob)")
    await at.connection.execute("insert into h values (1, repeat('é', 9000000), null), (2, 'x', null)")
    const rows = await at.rows("select * from h order by id")
    expect(String(rows[0]?.s)).toHaveLength(9_000_000)
    expect(await at.load("h", rows)).toBe(2)
    expect(await at.connection.query("select max(length(s)), count(distinct s) from h")).toEqual([["18000000", "2"]])
  })

  test("mysql describes tables and queries", async () => {
    await using at = await bed()
    await at.connection.execute(
      "create table p (a int, b varchar(5) not null default 'x' comment 'the b', c int as (a + 1) stored, d text, j json, primary key (b, a), unique (c), unique key part (d(5)))",
    )
    await at.connection.execute("create view v as select a, b from p")
    const info = await at.connection.describeTable({ name: "p" })
    expect(info).toMatchObject({ kind: "table", primaryKey: ["b", "a"] })
    expect(info?.uniqueKeys.toSorted()).toEqual([["b", "a"], ["c"]])
    expect(
      info?.columns.map(({ name, nullable, generated, hasDefault }) => [name, nullable, generated, hasDefault]),
    ).toEqual([
      ["a", false, false, false],
      ["b", false, false, true],
      ["c", true, true, false],
      ["d", true, false, false],
      ["j", true, false, false],
    ])
    expect(info?.columns.at(-1)).toMatchObject({ type: { kind: "json" }, native: { type: "json" } })
    expect(info?.columns[1]?.comment).toBe("the b")
    expect(await at.connection.describeTable({ name: "v" })).toMatchObject({ kind: "view", primaryKey: [] })
    expect(await at.connection.describeTable({ name: "nothing" })).toBeUndefined()
    expect((await at.connection.tables()).map(({ name }) => name)).toEqual(["p", "v"])
    const columns = await at.connection.describeQuery(
      "select a, b, count(*) as n, 1.50 as d, cast('2024-01-01' as date) as day, x'00' as x, j from p group by a, b;",
    )
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ["a", { kind: "int32" }],
      ["b", { kind: "string", length: 5 }],
      ["n", { kind: "int64" }],
      ["d", { kind: "decimal", precision: 3, scale: 2 }],
      ["day", { kind: "date" }],
      ["x", { kind: "bytes", length: 1 }],
      ["j", { kind: "json" }],
    ])
  })

  test("mysql answers queries in canonical text and binds parameters", async () => {
    await using at = await bed()
    const sql = "select ?, x'00ff', cast('2024-01-01 10:00:00' as datetime), null, b'1', 18446744073709551615"
    expect(await at.connection.query(sql, ["it's \\ ?"])).toEqual([
      ["it's \\ ?", "\\x00ff", "2024-01-01 10:00:00", null, "\\x01", "18446744073709551615"],
    ])
  })

  const BIG = `select big.* from (select seq as n, repeat('x', 1000) as s from ${series(250_000)}) as big`

  test("mysql does not read ahead of a slow consumer", async () => {
    await using at = await bed({ settings: { bufferBytes: 2_097_152 } })
    const columns = await at.connection.describeQuery(BIG)
    const rows = at.connection.read({ sql: BIG, columns, options: {} }, at.session)[Symbol.asyncIterator]()
    await rows.next()
    const other = await mysqlDatabase.connect(at.settings, testSession())
    // Until the server says that its writes wait for this client, and for some reads of that state to be the same.
    let state = ""
    for (let i = 0; i < 50 && state !== "Writing to net"; i++) {
      const [row] = await other.query("select state from information_schema.processlist where info like 'select big.%'")
      state = row?.[0] ?? ""
      await Bun.sleep(20)
    }
    const before = process.memoryUsage().rss
    await Bun.sleep(500)
    expect(process.memoryUsage().rss - before).toBeLessThan(64_000_000)
    expect(
      await other.query("select count(*) from information_schema.processlist where info like 'select big.%'"),
    ).toEqual([["1"]])
    let count = 0
    for (let next = await rows.next(); !next.done; next = await rows.next()) {
      count += next.value.encoding === undefined ? next.value.rows : 0
    }
    expect(count).toBeGreaterThan(245_000)
    await other.close()
  })

  test("mysql ends the statement when the consumer stops early, and the connection goes on", async () => {
    await using at = await bed()
    const columns = await at.connection.describeQuery(BIG)
    for await (const _ of at.connection.read({ sql: BIG, columns, options: {} }, at.session)) break
    expect(await at.connection.query("select 1")).toEqual([["1"]])
    expect(await running(at, "select big.%")).toBe("0")
  })

  test("mysql ends the statement when the run is aborted", async () => {
    await using at = await bed()
    await using other = await bed()
    const columns = await at.connection.describeQuery(BIG)
    const read = async () => {
      for await (const _ of at.connection.read({ sql: BIG, columns, options: {} }, at.session)) at.session.abort()
    }
    await expect(read()).rejects.toMatchObject({ reason: "cancelled" })
    await over(other, "select big.%")
  })

  test("mysql ends a statement that waits when the run is aborted or time is up", async () => {
    await using at = await bed()
    await using other = await bed()
    await expect(at.connection.execute("do sleep(300)", { timeoutMs: 50 })).rejects.toMatchObject({ reason: "timeout" })
    expect(await at.connection.query("select 1")).toEqual([["1"]])
    const waiting = at.connection.execute("do sleep(3000)")
    at.session.abort()
    await expect(waiting).rejects.toMatchObject({ reason: "cancelled" })
    await over(other, "do sleep(3%")
  })

  test("mysql passes on that the limit of rejected rows was reached", async () => {
    await using at = await bed({ rejectLimit: 3 })
    const sql = `select seq as n from ${series(1000)}`
    const columns = [{ name: "n", type: { kind: "boolean" } as const, nullable: false }]
    const read = async () => {
      for await (const _ of at.connection.read({ sql, columns, options: {} }, at.session));
    }
    await expect(read()).rejects.toMatchObject({ reason: "data" })
    expect(at.session.rejected).toHaveLength(4)
    expect(await at.connection.query("select 1")).toEqual([["1"]])
  })

  /** A server ends a statement a moment after it was told to; the test's own limit ends this. */
  async function over(at: Awaited<ReturnType<typeof bed>>, pattern: string): Promise<void> {
    while ((await running(at, pattern)) !== "0") await Bun.sleep(20)
  }

  async function running(at: Awaited<ReturnType<typeof bed>>, pattern: string): Promise<string | null | undefined> {
    const sql = "select count(*) from information_schema.processlist where info like ? and command = 'Query'"
    return (await at.connection.query(sql, [pattern]))[0]?.[0]
  }
})

/** The rows as text; numbers and texts of JSON that MySQL has put into its own form are compared without that form. */
function lines(batch: Batch | Frame, { batches }: Session, server: TestServer): string[] {
  if (batch.encoding !== undefined) throw new Error("no frame was asked for")
  return Array.from({ length: batch.rows }, (_, row) =>
    JSON.stringify(
      batch.vectors.map((vector) => {
        const text = batches.valueText(vector, row)
        if (vector.type.kind === "json" && text !== null && !server.mariadb) {
          // Of two members of one name, MySQL 5.7 keeps the first one, as nobody else does.
          return sorted(JSON.parse(server.major === 5 ? text.replace('"a": 1, "a": 2', '"a": 1') : text))
        }
        return vector.storage.startsWith("float") && text === "-0" ? "0" : text
      }),
    ),
  )
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const)
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
