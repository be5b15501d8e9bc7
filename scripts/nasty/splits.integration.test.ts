import { describe, expect, test } from "bun:test"
import { missingMysql } from "../services/mysql.ts"
import { mariadb, mysql } from "../services/services.ts"
import { series } from "../testing/mysql-series.ts"
import {
  engineFor,
  flowOf,
  LENIENT,
  move,
  mysqlSystem,
  PATHS,
  postgresSystem,
  type System,
  sqliteSystem,
} from "./systems.ts"

const FOUR = { ...LENIENT, parallel: 4 }

/** Copies in four splits, expects every row exactly once and no split with nearly everything, and returns the splits' sizes. */
async function expectEachOnce(at: System, table: string, splitColumn: string, fair = true): Promise<readonly number[]> {
  const target = await postgresSystem()
  const { report, refused } = await move(
    { at, table, splitColumn, splits: 4 },
    { at: target, table: "copy", createTable: true },
    FOUR,
  )
  expect(refused).toEqual([])
  const count = (system: System, name: string) =>
    system.sql(`SELECT count(*), count(DISTINCT id), sum(id) FROM ${name}`)
  expect(await count(target, "copy")).toEqual(await count(at, table))
  const sizes = report.receipts.map(({ read }) => read)
  const all = sizes.reduce((sum, size) => sum + size, 0)
  if (fair) {
    expect(sizes.length).toBe(4)
    expect(Math.max(...sizes)).toBeLessThan(all / 2)
  }
  return sizes
}

const KEYS = {
  uuid: ["uuid", "md5(i::text)::uuid"],
  decimal: ["numeric(20,4)", "(i * i)::numeric / 7"],
  unconstrained: ["numeric", "CASE WHEN i % 1000 = 0 THEN 'NaN' ELSE sqrt(i::numeric) END"],
  date: ["date", "DATE '1900-01-01' + i * 10"],
  infinite: [
    "date",
    "CASE WHEN i % 900 = 0 THEN '-infinity' WHEN i % 901 = 0 THEN 'infinity' ELSE DATE '4000-01-01 BC' + i * 100 END",
  ],
  instant: ["timestamptz", "TIMESTAMPTZ '2024-10-26 00:00:00.000001+00' + make_interval(secs => i * 10.000001)"],
  text: ["text", `chr(97 + i % 26) || upper(md5(i::text)) || E'\\\\''"'`],
  mixed: [`text COLLATE "en-x-icu"`, "CASE WHEN i % 2 = 0 THEN upper(md5(i::text)) ELSE md5(i::text) END"],
  insensitive: ["text COLLATE nocase", "CASE WHEN i % 2 = 0 THEN 'KEY' ELSE 'key' END || lpad((i / 2)::text, 5, '0')"],
  fixed: ["char(40)", "md5(i::text)"],
  bytes: ["bytea", "sha256(i::text::bytea)"],
  real: ["double precision", "ln(i)"],
  mood: ["mood", "(ARRAY['sad', 'ok', 'happy', 'alive', 'a''b'])[1 + i % 5]::mood"],
} as const

describe("postgres ranges", () => {
  test.each(Object.entries(KEYS))(
    "case 28, 29: postgres splits by a %s key, NULLs included, each row once",
    async (kind, [type, value]) => {
      const pg = await postgresSystem()
      await pg.sql(`CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'alive', 'a''b');
      CREATE TABLE t (id int, k ${type});
      INSERT INTO t SELECT i, CASE WHEN i % 11 <> 0 THEN ${value} END FROM generate_series(1, 3000) AS i`)
      if (kind === "mood") {
        // The target has no such type.
        const target = await postgresSystem()
        await target.sql("CREATE TABLE copy (id int, k text)")
        await move({ at: pg, table: "t", splitColumn: "k", splits: 4 }, { at: target, table: "copy" }, FOUR)
        expect(await target.sql("SELECT count(*), count(DISTINCT id), count(k) FROM copy")).toEqual([
          ["3000", "3000", "2728"],
        ])
        return
      }
      if (kind === "insensitive") {
        const target = await postgresSystem()
        await target.sql("CREATE TABLE copy (id int, k text)")
        const { report } = await move(
          { at: pg, table: "t", splitColumn: "k", splits: 4 },
          { at: target, table: "copy" },
          FOUR,
        )
        expect(report.receipts.length).toBe(4)
        expect(await target.sql("SELECT count(*), count(DISTINCT id) FROM copy")).toEqual([["3000", "3000"]])
        return
      }
      await expectEachOnce(pg, "t", "k")
    },
  )

  test("case 30: postgres splits skewed snowflake keys, with and without statistics, into even ranges", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE t (id bigint) WITH (autovacuum_enabled = false);
      INSERT INTO t SELECT CASE WHEN i <= 10 THEN i ELSE 7300000000000000000 + i * 4194304::bigint END FROM generate_series(1, 20000) AS i`)
    const sizes = await expectEachOnce(pg, "t", "id")
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(2)
    await pg.sql("ANALYZE t")
    await expectEachOnce(pg, "t", "id")
  })

  test("case 30: postgres statistics that are out of date still give even ranges", async () => {
    const pg = await postgresSystem()
    await pg.sql(
      "CREATE TABLE t (id int) WITH (autovacuum_enabled = false); ANALYZE t; INSERT INTO t SELECT generate_series(1, 30000)",
    )
    await expectEachOnce(pg, "t", "id")
    await pg.sql(
      "CREATE TABLE u (id int) WITH (autovacuum_enabled = false); INSERT INTO u SELECT 1; ANALYZE u; INSERT INTO u SELECT generate_series(2, 30000)",
    )
    await expectEachOnce(pg, "u", "id")
    const [from, to] = [
      { at: pg, table: "u" },
      { at: pg, table: "copy", createTable: true },
    ]
    const { steps } = await engineFor(from, to).plan(flowOf(from, to))
    expect(steps[0]?.estimatedRows).toBeGreaterThan(100)
  })

  test("case 30: postgres splits one column of a composite key, and a key that nearly always repeats", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE t (a int, id int, PRIMARY KEY (a, id)); INSERT INTO t SELECT i % 50, i FROM generate_series(1, 5000) AS i;
      CREATE TABLE same (k int, id int); INSERT INTO same SELECT CASE WHEN i < 100 THEN i ELSE 100 END, i FROM generate_series(1, 5000) AS i;
      CREATE TABLE one (k int, id int); INSERT INTO one SELECT 1, i FROM generate_series(1, 50) AS i;
      CREATE TABLE nulls (k int, id int); INSERT INTO nulls SELECT NULL, i FROM generate_series(1, 50) AS i;
      CREATE TABLE none (k int, id int)`)
    await expectEachOnce(pg, "t", "a")
    for (const table of ["same", "one", "nulls", "none"]) await expectEachOnce(pg, table, "k", false)
  })

  test("case 30: postgres splits a query, a view and a partitioned table", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE t (id int, k text) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000); CREATE TABLE t2 PARTITION OF t DEFAULT;
      INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 4000) AS i; CREATE VIEW v AS SELECT * FROM t; ANALYZE t`)
    await expectEachOnce(pg, "t", "k")
    await expectEachOnce(pg, "v", "k")
    const target = await postgresSystem()
    const query = "SELECT id, k || '-' AS k FROM t -- all of it"
    const { report } = await move(
      { at: pg, query, splitColumn: "k", splits: 4 },
      { at: target, table: "q", createTable: true },
      FOUR,
    )
    expect(report.receipts.length).toBe(4)
    expect(await target.sql("SELECT count(*), count(DISTINCT id) FROM q")).toEqual([["4000", "4000"]])
  })
})

describe.each(PATHS)("postgres pages ($path)", ({ settings }) => {
  test("case 30: postgres page ranges see one state while rows come, go and move", async () => {
    const [pg, target] = [await postgresSystem(), await postgresSystem()]
    await pg.sql(`CREATE TABLE t (id int PRIMARY KEY, pad text) WITH (fillfactor = 50);
      INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i`)
    let stop = false
    let changes = 0
    const meddler = (async () => {
      for (let next = 20_001; !stop; next += 500) {
        // A sum that every transaction leaves as it was: only one state of the table can show it.
        await pg.sql(`BEGIN; INSERT INTO t SELECT i, repeat('y', 100) FROM generate_series(${next}, ${next + 499}) AS i;
          DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT 500); UPDATE t SET pad = pad || 'z' WHERE id % 97 = 0; COMMIT`)
        changes++
      }
    })()
    for (let run = 0; run < 3; run++) {
      const { report } = await move(
        { at: pg, table: "t" },
        { at: target, table: `copy${run}`, createTable: true },
        { ...settings, parallel: 4 },
      )
      expect(report.receipts.length).toBe(4)
      expect(report.notes).toEqual([])
      expect(await target.sql(`SELECT count(*), max(id) - min(id) FROM copy${run}`)).toEqual([["20000", "19999"]])
    }
    stop = true
    await meddler
    expect(changes).toBeGreaterThan(0)
  })
})

const missing = missingMysql()
if (missing !== undefined) console.error(`SKIPPED: splits of MySQL. ${missing}`)

// Their standard collations differ in whether blanks at the end count.
describe.each([
  { server: "MariaDB", start: mariadb },
  ...(missing === undefined ? [{ server: "MySQL", start: mysql }] : []),
])("mysql ranges on $server", ({ start }) => {
  const from1 = (last: number) => `(SELECT seq + 1 AS seq FROM ${series(last)}) AS from1`
  const MY_KEYS = {
    "case-insensitive text": [
      "VARCHAR(60) COLLATE utf8mb4_general_ci",
      "IF(i % 2 = 0, UPPER(SHA2(i, 224)), SHA2(i, 224))",
    ],
    "upper and lower case of one uuid": [
      "CHAR(36) COLLATE utf8mb4_unicode_ci",
      "IF(i % 2 = 0, UPPER(LEFT(SHA2(i DIV 2, 224), 36)), LOWER(LEFT(SHA2(i DIV 2, 224), 36)))",
    ],
    binary: ["VARBINARY(40)", "UNHEX(SHA2(i, 224))"],
    decimal: ["DECIMAL(20,4)", "i * i / 7"],
    "unsigned bigint": ["BIGINT UNSIGNED", "18446744073709551615 - i * 1000"],
    double: ["DOUBLE", "LN(i)"],
    date: ["DATE", "DATE '1900-01-01' + INTERVAL i * 10 DAY"],
    instant: ["TIMESTAMP(6)", "TIMESTAMP '2024-01-01 00:00:00.000001' + INTERVAL i HOUR"],
    "trailing blanks": ["VARCHAR(40)", "CONCAT(LPAD(i DIV 3, 5, '0'), REPEAT(' ', i % 3))"],
    quotes: ["VARCHAR(80)", `CONCAT(CHAR(97 + i % 26), '\\\\''"', SHA2(i, 224))`],
  } as const

  test.each(Object.entries(MY_KEYS))(
    "case 28, 29: mysql splits by %s, NULLs included, each row once",
    async (_, [type, value]) => {
      const my = await mysqlSystem("", await start())
      await my.sql(
        `CREATE TABLE t (id INT, k ${type}); INSERT INTO t SELECT seq, IF(seq % 11 = 0, NULL, ${value.replaceAll(/\bi\b/g, "seq")}) FROM ${from1(3000)}`,
      )
      await expectEachOnce(my, "t", "k")
    },
  )

  test("case 28: mysql splits by an enum whose order is not the alphabet's, each row once", async () => {
    const my = await mysqlSystem("", await start())
    await my.sql(
      `CREATE TABLE t (id INT, k ENUM('zebra', 'yak', 'mole', 'it''s', 'bee', 'ape')); INSERT INTO t SELECT seq, IF(seq % 11 = 0, NULL, 1 + seq % 6) FROM ${from1(3000)}`,
    )
    await expectEachOnce(my, "t", "k", false)
  })

  test("case 28: mysql reads a query in one split where an enum cannot divide it, and by text of it in several", async () => {
    const [my, pg] = [await mysqlSystem("", await start()), await postgresSystem()]
    await my.sql(
      `CREATE TABLE t (id INT, k ENUM('zebra', 'yak', 'mole', 'bee', 'ape')); INSERT INTO t SELECT seq, 1 + seq % 5 FROM ${from1(3000)}`,
    )
    const queries = { k: "SELECT id, k FROM t", text: "SELECT id, CAST(k AS CHAR) AS text FROM t" }
    for (const [splitColumn, query] of Object.entries(queries)) {
      const target = { at: pg, table: `by_${splitColumn}`, createTable: true }
      const { report } = await move({ at: my, query, splitColumn, splits: 4 }, target, FOUR)
      expect(report.receipts.length).toBe(splitColumn === "k" ? 1 : 4)
      expect(await pg.sql(`SELECT count(*), count(DISTINCT id) FROM by_${splitColumn}`)).toEqual([["3000", "3000"]])
    }
  })

  test("case 28: mysql splits by a set, each row once", async () => {
    const my = await mysqlSystem("", await start())
    await my.sql(
      `CREATE TABLE t (id INT, k SET('z', 'm', 'a')); INSERT INTO t SELECT seq, IF(seq % 11 = 0, NULL, seq % 8) FROM ${from1(3000)}`,
    )
    await expectEachOnce(my, "t", "k", false)
  })

  test("mysql takes four splits whose rows collide with a unique key, each good row once", async () => {
    const [pg, my] = [await postgresSystem(), await mysqlSystem("", await start())]
    // By their codes the rows of all splits lie beside each other, and so do the locks of a collision.
    await pg.sql(`CREATE TABLE t (id int PRIMARY KEY, code text);
      INSERT INTO t SELECT i, CASE WHEN i % 1000 = 7 THEN 'taken-' || i / 1000 ELSE 'code-' || i END FROM generate_series(1, 40000) AS i`)
    await my.sql(`CREATE TABLE copy (id INT PRIMARY KEY, code VARCHAR(40) NOT NULL UNIQUE);
      INSERT INTO copy SELECT -seq, CONCAT('taken-', seq - 1) FROM ${from1(40)}`)
    const { report, refused } = await move(
      { at: pg, table: "t", splitColumn: "id", splits: 4 },
      { at: my, table: "copy" },
      FOUR,
    )
    expect(report).toMatchObject({ status: "succeeded", rejected: 40 })
    expect(refused.length).toBe(40)
    expect(await my.sql("SELECT COUNT(*), COUNT(DISTINCT id) FROM copy")).toEqual([["40000", "40000"]])
  })

  test("case 1, 30: mysql splits by a date that may be zero, and by skewed keys", async () => {
    const my = await mysqlSystem("", await start())
    await my.sql(
      `CREATE TABLE t (id INT, k DATE); INSERT INTO t SELECT seq, IF(seq % 3 = 0, '0000-00-00', DATE '2024-01-01' + INTERVAL seq DAY) FROM ${from1(3000)}`,
    )
    await expectEachOnce(my, "t", "k", false)
    await my.sql(
      `CREATE TABLE s (id BIGINT); INSERT INTO s SELECT IF(seq <= 10, seq, 7300000000000000000 + seq * 4194304) FROM ${from1(5000)}`,
    )
    await expectEachOnce(my, "s", "id")
  })
})

test("case 28, 29, 30: sqlite splits by text of both cases, NULLs included, each row once", async () => {
  const lite = sqliteSystem()
  await lite.sql(`CREATE TABLE t (id INTEGER, k TEXT COLLATE NOCASE);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO t SELECT i, CASE WHEN i % 11 = 0 THEN NULL WHEN i % 2 = 0 THEN upper(hex(i * 7919)) ELSE lower(hex(i * 7919)) END FROM n`)
  await expectEachOnce(lite, "t", "k")
})

test("case 30: a split column that does not exist is refused before the run, with the closest name", async () => {
  const pg = await postgresSystem()
  await pg.sql("CREATE TABLE t (id int, name text)")
  const [from, to] = [
    { at: pg, table: "t", splitColumn: "nmae" },
    { at: pg, table: "copy", createTable: true },
  ]
  await expect(engineFor(from, to).plan(flowOf(from, to))).rejects.toThrow('Cannot find column "nmae" in table "t"')
})
