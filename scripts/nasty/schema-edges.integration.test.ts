import { describe, expect, test } from "bun:test"
import { attempt, LENIENT, move, mysqlSystem, PATHS, postgresSystem, type System, sqliteSystem } from "./systems.ts"

const declared = (pg: System, table: string) =>
  pg.sql(
    `SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0 ORDER BY attnum`,
  )
const primaryKey = (pg: System, table: string) =>
  pg.sql(`SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '${table}'::regclass AND contype = 'p'`)
const columnTypes = (my: System, table: string) =>
  my.sql(
    `SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`,
  )

describe.each(PATHS)("postgres schema edges ($path)", ({ settings }) => {
  test("case 40: generated columns are computed anew, identity columns keep the source's values", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE s (id int, n int, twice int, extra text); INSERT INTO s VALUES (41, 5, -1, 'a'), (42, 6, -1, 'b');
      CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, extra text)`)
    for (const mode of ["append", "updateRows", "overwriteRows"]) {
      await move({ at: pg, table: "s" }, { at: pg, table: "t", mode }, settings)
      expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
        ["41", "5", "10", "a"],
        ["42", "6", "12", "b"],
      ])
    }
    await move({ at: pg, table: "t" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual([
      ["41", "5", "10", "a"],
      ["42", "6", "12", "b"],
    ])
  })

  test("case 40: reserved, mixed-case, quoted and 63-byte names arrive as they are", async () => {
    const pg = await postgresSystem()
    const long = "é".repeat(31)
    await pg.sql(`CREATE SCHEMA "Odd Schema"; CREATE TABLE "Odd Schema"."select" ("Id" int PRIMARY KEY, "id" int, "order" text, "a""b" text, "x.y" int, " " int, "${long}" int, "q'" int, "1;--" int);
      INSERT INTO "Odd Schema"."select" VALUES (1, 2, 'x', 'y', 3, 4, 5, 6, 7)`)
    for (const mode of ["append", "updateRows"]) {
      await move(
        { at: pg, table: "select", schema: "Odd Schema" },
        { at: pg, table: '"Odd Schema"."Copy.of"', createTable: true, mode },
        settings,
      )
    }
    expect(await pg.sql('SELECT * FROM "Odd Schema"."Copy.of"')).toEqual([
      ["1", "2", "x", "y", "3", "4", "5", "6", "7"],
    ])
    expect(await declared(pg, '"Odd Schema"."Copy.of"')).toEqual(await declared(pg, '"Odd Schema"."select"'))
  })

  test("case 40: 1600 columns arrive", async () => {
    const pg = await postgresSystem()
    await pg.sql(`DO $$ BEGIN
      EXECUTE 'CREATE TABLE w (' || (SELECT string_agg(format('c%s smallint', i), ', ') FROM generate_series(1, 1600) AS i) || ')';
      EXECUTE 'INSERT INTO w SELECT ' || (SELECT string_agg(CASE WHEN i % 2 = 0 THEN 'NULL' ELSE 'g' END, ', ') FROM generate_series(1, 1600) AS i) || ' FROM generate_series(1, 300) AS g'; END $$`)
    await move({ at: pg, table: "w" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT count(*), sum(c1), sum(c1599), count(c1600) FROM copy")).toEqual([
      ["300", "45150", "45150", "0"],
    ])
  })

  test("case 40: cells of 64 MB arrive among small ones", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE b (id int PRIMARY KEY, t text, b bytea);
      INSERT INTO b VALUES (1, 'small', 'x'), (2, repeat('0123456789abcdé', 4473925), NULL), (3, NULL, decode(repeat('00ff', 2097152), 'hex')), (4, 'end', '')`)
    await move(
      { at: pg, table: "b" },
      { at: pg, table: "copy", createTable: true },
      { ...settings, bufferBytes: 65_536 },
    )
    const sums = "SELECT id, length(t), md5(t), length(b), md5(b) FROM"
    expect(await pg.sql(`${sums} copy ORDER BY id`)).toEqual(await pg.sql(`${sums} b ORDER BY id`))
    expect(await pg.sql("SELECT octet_length(t) >= 64 * 1024 * 1024 FROM copy WHERE id = 2")).toEqual([["t"]])
  })

  test("case 40: arrays, ranges, geometry, addresses, intervals and xml stay themselves, types included", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE x (id int PRIMARY KEY, a int[], aa text[], am numeric(5,2)[], r int4range, tr tstzrange, mr nummultirange, p point, pg polygon, c circle,
        i inet, ci cidr, m macaddr, iv interval, ivf interval second(3), u uuid, x xml, ts tsvector, mo money, ch "char", b bit(3)[], h jsonb[], big oid);
      INSERT INTO x VALUES (1, '{{1,2},{3,NULL}}', ARRAY['a"b', '', NULL, E'\\\\', '{}', ',', 'NULL'], '{1.10,NaN}', '[1,10)', '["2024-01-01 00:00:00+00",)', '{[1,2),(3.5,]}',
          '(1.5,-0.1)', '((0,0),(1,0),(1,1))', '<(0,0),1e300>', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '1 mon -2 days 00:00:00.000001', '1.234',
          '00000000-0000-0000-0000-000000000001', '<a b="c">&lt;</a>', 'a:1 b:2A', '-1.50', 'x', '{101,000}', ARRAY['{"a": 1e400}'::jsonb], 4294967295),
        (2, '{}', '{}', NULL, 'empty', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, '0', NULL, NULL, NULL, '', '0', NULL, NULL, NULL, 0),
        (3, '[5:6]={7,8}', NULL, NULL, '(,)', '(,)', NULL, '(NaN,Infinity)', NULL, NULL, '192.168.0.1', NULL, NULL, '-178000000 years', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`)
    await move({ at: pg, table: "x" }, { at: pg, table: "made", createTable: true }, settings)
    const all = await pg.sql("SELECT * FROM x ORDER BY id")
    expect(await pg.sql("SELECT * FROM made ORDER BY id")).toEqual(all)
    expect(await primaryKey(pg, "made")).toEqual(await primaryKey(pg, "x"))
    await pg.sql("CREATE TABLE there (LIKE x INCLUDING ALL)")
    for (const mode of ["append", "updateRows"])
      await move({ at: pg, table: "x" }, { at: pg, table: "there", mode }, settings)
    expect(await pg.sql("SELECT * FROM there ORDER BY id")).toEqual(all)
  })

  test("case 40: enums, domains and composites go to the same type elsewhere, and bad ones cost their row", async () => {
    const [pg, other] = [await postgresSystem(), await postgresSystem()]
    const types = `CREATE TYPE mood AS ENUM ('sad', 'it''s "ok", \\'); CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b text)`
    await pg.sql(`${types}; CREATE TABLE e (id int PRIMARY KEY, m mood, ms mood[], p pos, c pair);
      INSERT INTO e VALUES (1, 'sad', ARRAY['it''s "ok", \\', 'sad']::mood[], 7, ROW(1, 'x,"(')), (2, NULL, NULL, NULL, NULL), (3, 'sad', '{}', 5, NULL)`)
    const refusedRun = await attempt({ at: pg, table: "e" }, { at: other, table: "e", createTable: true }, settings)
    expect([refusedRun.report.status, refusedRun.report.failure?.reason]).toEqual(["failed", "missing"])
    expect(refusedRun.report.failure?.message).toContain('type "mood" does not exist')
    // The numbers inside differ there: an enum forwarded as bytes must not end up as another value.
    await other.sql(
      `CREATE TYPE unrelated AS ENUM ('a'); ${types.replace("VALUE > 0", "VALUE > 6")}; CREATE TABLE e (id int PRIMARY KEY, m mood, ms mood[], p pos, c pair); ALTER TYPE mood ADD VALUE 'new' BEFORE 'sad'`,
    )
    const { refused } = await move({ at: pg, table: "e" }, { at: other, table: "e" }, settings)
    expect(refused.map(({ row, record }) => [row, record?.p])).toEqual([[2, "5"]])
    expect(await other.sql("SELECT * FROM e ORDER BY id")).toEqual(
      (await pg.sql("SELECT * FROM e ORDER BY id")).slice(0, 2),
    )
  })

  test("case 40: a table without rows or columns, and one with dropped columns, arrive", async () => {
    const pg = await postgresSystem()
    await pg.sql(
      "CREATE TABLE d (a int, gone text, b int); ALTER TABLE d DROP COLUMN gone; INSERT INTO d VALUES (1, 2); CREATE TABLE none (a int)",
    )
    await move({ at: pg, table: "d" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM copy")).toEqual([["1", "2"]])
    expect((await move({ at: pg, table: "none" }, { at: pg, table: "none2", createTable: true }, settings)).read).toBe(
      0,
    )
  })
})

test("case 40: a table made in mysql and sqlite keeps types, lengths, NOT NULL and the order of the key", async () => {
  const [pg, my, lite] = [await postgresSystem(), await mysqlSystem(), sqliteSystem()]
  await pg.sql(`CREATE TABLE f (s smallint NOT NULL, i int, b bigint, n numeric(12,3) NOT NULL, r real, d double precision, v varchar(20) NOT NULL, c char(3), t text, y bytea,
    bo boolean, da date, ti time(3), ts timestamp(3), tz timestamptz(0), iv interval, j jsonb, u uuid, PRIMARY KEY (v, s));
    INSERT INTO f VALUES (1, 2, 3, 4.5, 0.1, 0.1, 'é', 'ab', 't', '\\x00ff', true, '2024-02-29', '01:02:03.004', '2024-01-01 00:00:00.123', '2024-01-01 00:00:00+00', '1 day', '{"a": 1}', '123e4567-e89b-12d3-a456-426614174000')`)
  const all = await pg.sql("SELECT * FROM f")
  await move({ at: pg, table: "f" }, { at: my, table: "f", createTable: true })
  expect(await columnTypes(my, "f")).toEqual([
    ["s", "smallint(6)", "NO", "PRI"],
    ["i", "int(11)", "YES", ""],
    ["b", "bigint(20)", "YES", ""],
    ["n", "decimal(12,3)", "NO", ""],
    ["r", "float", "YES", ""],
    ["d", "double", "YES", ""],
    ["v", "varchar(20)", "NO", "PRI"],
    ["c", "char(3)", "YES", ""],
    ["t", "longtext", "YES", ""],
    ["y", "longblob", "YES", ""],
    ["bo", "tinyint(1)", "YES", ""],
    ["da", "date", "YES", ""],
    ["ti", "time(3)", "YES", ""],
    ["ts", "datetime(3)", "YES", ""],
    ["tz", "timestamp", "YES", ""],
    ["iv", "varchar(255)", "YES", ""],
    ["j", "longtext", "YES", ""],
    ["u", "char(36)", "YES", ""],
  ])
  expect(
    await my.sql(
      "SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'f' ORDER BY SEQ_IN_INDEX",
    ),
  ).toEqual([["v"], ["s"]])
  await move({ at: pg, table: "f" }, { at: lite, table: "f", createTable: true })
  for (const system of [my, lite]) {
    await pg.sql(`CREATE TABLE from_${system.kind} (LIKE f INCLUDING ALL)`)
    await move({ at: system, table: "f" }, { at: pg, table: `from_${system.kind}` })
    expect(await pg.sql(`SELECT * FROM from_${system.kind}`)).toEqual(all)
  }
  await move({ at: lite, table: "f" }, { at: pg, table: "made", createTable: true })
  expect(await primaryKey(pg, "made")).toEqual([["PRIMARY KEY (v, s)"]])
  expect((await declared(pg, "made")).filter(([, , notNull]) => notNull === "t").map(([name]) => name)).toEqual([
    "s",
    "n",
    "v",
  ])
})

test("case 40: a table made in postgres keeps mysql's lengths, NOT NULL, key, and leaves out what it computes", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(`CREATE TABLE \`Order\` (Id INT AUTO_INCREMENT, \`group\` VARCHAR(30) NOT NULL, e ENUM('a','b''c') NOT NULL, s SET('x','y'), p POINT, doubled INT AS (Id * 2) VIRTUAL, PRIMARY KEY (\`group\`, Id), KEY (Id));
    INSERT INTO \`Order\` (Id, \`group\`, e, s, p) VALUES (7, 'g', 'b''c', 'x,y', POINT(1.5, -2)), (8, 'h', 'a', '', NULL)`)
  await move({ at: my, table: "Order" }, { at: pg, table: "Order", createTable: true })
  expect(await primaryKey(pg, '"Order"')).toEqual([[`PRIMARY KEY ("group", "Id")`]])
  expect((await declared(pg, '"Order"')).map(([name, type, notNull]) => [name, type, notNull])).toEqual([
    ["Id", "integer", "t"],
    ["group", "character varying(30)", "t"],
    ["e", "text", "t"],
    ["s", "text", "f"],
    ["p", "text", "f"],
    ["doubled", "integer", "f"],
  ])
  await my.sql("CREATE TABLE back LIKE `Order`")
  await move({ at: pg, table: "Order" }, { at: my, table: "back" })
  expect(await my.sql("SELECT Id, `group`, e, s, ST_AsText(p), doubled FROM back ORDER BY Id")).toEqual([
    ["7", "g", "b'c", "x,y", "POINT(1.5 -2)", "14"],
    ["8", "h", "a", "", null, "16"],
  ])
  const { refused } = await move(
    { at: pg, query: `SELECT 9 AS "Id", 'g' AS "group", 'no such' AS e` },
    { at: my, table: "back" },
  )
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[0, "e", "no such"]])
})

test("case 40: columns whose names differ only in case are kept apart, or refused where the database cannot", async () => {
  const [pg, my] = [await postgresSystem(), await mysqlSystem()]
  await pg.sql(`CREATE TABLE c ("Name" text, name text, "NAME" text); INSERT INTO c VALUES ('a', 'b', 'c')`)
  await move({ at: pg, table: "c" }, { at: pg, table: "copy", createTable: true })
  expect(await pg.sql("SELECT * FROM copy")).toEqual([["a", "b", "c"]])
  await my.sql("CREATE TABLE c (NAME VARCHAR(9))")
  await expect(move({ at: pg, table: "c" }, { at: my, table: "c" })).rejects.toThrow(/Cannot write column "NAME" twice/)
  await expect(move({ at: pg, table: "c" }, { at: my, table: "made", createTable: true })).rejects.toThrow(
    /Duplicate column|differ only in case/,
  )
  expect(await my.sql("SHOW TABLES")).toEqual([["c"], ["headrace_ledger"]])
})

test("case 40: a query with two columns of one name, or none at all, is refused with a reason", async () => {
  const pg = await postgresSystem()
  await expect(
    move({ at: pg, query: "SELECT 1 AS a, 2 AS a" }, { at: pg, table: "t", createTable: true }),
  ).rejects.toThrow(/columns are called "a"/)
  await expect(move({ at: pg, query: "SELECT" }, { at: pg, table: "t", createTable: true })).rejects.toThrow(
    /Cannot read the query: it has no columns/,
  )
})

test("case 40: a column left out that is NOT NULL without a default, and a view as the target, are refused before the run", async () => {
  const pg = await postgresSystem()
  await pg.sql("CREATE TABLE s (a int); CREATE TABLE t (a int, b int NOT NULL); CREATE VIEW v AS SELECT * FROM t")
  await expect(move({ at: pg, table: "s" }, { at: pg, table: "t" })).rejects.toThrow(/Cannot leave out column "b"/)
  await expect(move({ at: pg, table: "s" }, { at: pg, table: "v" })).rejects.toThrow(/it is a view/)
})

test("case 40: cells of 20 MB reach mysql and sqlite, and a cell beyond the packet limit costs its row", async () => {
  const [pg, my, lite] = [await postgresSystem(), await mysqlSystem(), sqliteSystem()]
  const limit = Number((await my.sql("SELECT @@max_allowed_packet"))[0]?.[0])
  await pg.sql(
    `CREATE TABLE b (id int PRIMARY KEY, t text); INSERT INTO b VALUES (1, 'x'), (2, repeat('0123456789', 2097152)), (3, 'y')`,
  )
  const sqlite = await move({ at: pg, table: "b" }, { at: lite, table: "b", createTable: true }, LENIENT)
  expect([sqlite.written, await lite.sql("SELECT id, length(t) FROM b ORDER BY id")]).toEqual([
    3,
    [
      ["1", "1"],
      ["2", "20971520"],
      ["3", "1"],
    ],
  ])
  const { written, refused } = await move({ at: pg, table: "b" }, { at: my, table: "b", createTable: true }, LENIENT)
  expect(written + refused.length).toBe(3)
  const right = [
    ["1", "1"],
    ["2", "20971520"],
    ["3", "1"],
  ]
  expect(await my.sql("SELECT id, length(t) FROM b ORDER BY id")).toEqual(
    right.filter(([, size]) => Number(size) < limit || refused.length === 0),
  )
})
