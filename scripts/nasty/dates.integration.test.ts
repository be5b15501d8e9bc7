import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { startMariadb } from "../services/mariadb.ts"
import {
  attempt,
  csvSystem,
  engineFor,
  flowOf,
  LENIENT,
  move,
  mysqlSystem,
  PATHS,
  postgresSystem,
  sqliteSystem,
} from "./systems.ts"

const ZERO_DATES = `CREATE TABLE z (id INT PRIMARY KEY, d DATE, dt DATETIME(6));
  INSERT INTO z VALUES (1, '2024-02-29', '2024-02-29 12:00:00.000001'), (2, '0000-00-00', '0000-00-00 12:00:00'),
    (3, '2010-00-00', '2010-00-00 00:00:00'), (4, '1989-12-00', '1989-12-00 01:02:03'), (5, NULL, NULL)`

test("case 1, 3, 4: mysql zero and partial dates become NULL in nullable columns, and are counted", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(ZERO_DATES)
  const { report, refused } = await move({ at: my, table: "z" }, { at: pg, table: "z", createTable: true })
  expect(refused).toEqual([])
  expect(await pg.sql("SELECT id, d, dt FROM z ORDER BY id")).toEqual([
    ["1", "2024-02-29", "2024-02-29 12:00:00.000001"],
    ["2", null, null],
    ["3", null, null],
    ["4", null, null],
    ["5", null, null],
  ])
  expect(report.adjusted.map(({ policy, column, values }) => [policy, column, values])).toEqual([
    ["zeroDates", "d", 3],
    ["zeroDates", "dt", 3],
  ])
})

test("case 1, 3, 4: mysql zero dates are rejected or replaced where the input says so", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(ZERO_DATES)
  const strict = await move({ at: my, table: "z", zeroDates: "reject" }, { at: pg, table: "strict", createTable: true })
  expect(strict.refused.map(({ row, column, value }) => [row, column, value])).toEqual([
    [1, "d", "0000-00-00"],
    [2, "d", "2010-00-00"],
    [3, "d", "1989-12-00"],
  ])
  expect(await pg.sql("SELECT id FROM strict ORDER BY id")).toEqual([["1"], ["5"]])
  const given = await move(
    { at: my, table: "z", columns: ["id", "d"], zeroDates: "1970-01-01" },
    { at: pg, table: "given", createTable: true },
  )
  expect(given.report.adjusted.map(({ policy, column, values }) => [policy, column, values])).toEqual([
    ["zeroDates", "d", 3],
  ])
  expect(await pg.sql("SELECT d FROM given ORDER BY id")).toEqual([
    ["2024-02-29"],
    ["1970-01-01"],
    ["1970-01-01"],
    ["1970-01-01"],
    [null],
  ])
})

test("case 2: a mysql zero date for a NOT NULL target rejects its row and no other", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql("CREATE TABLE z (id INT PRIMARY KEY, d DATE); INSERT INTO z VALUES (1, '2024-01-01'), (2, '0000-00-00')")
  await pg.sql("CREATE TABLE z (id int PRIMARY KEY, d date NOT NULL)")
  const { refused } = await move({ at: my, table: "z" }, { at: pg, table: "z" })
  expect(refused.map(({ row, column }) => [row, column])).toEqual([[1, "d"]])
  expect(refused[0]?.reason).toContain("NULL is not allowed")
  expect(await pg.sql("SELECT * FROM z")).toEqual([["1", "2024-01-01"]])
})

describe("case 5: mysql TIME", () => {
  const TIMES = `CREATE TABLE t (id INT PRIMARY KEY, c TIME(6));
    INSERT INTO t VALUES (1, '-838:59:59'), (2, '838:59:59'), (3, '-00:00:00.000001'), (4, '23:59:59.999999'), (5, '24:00:00')`
  const RIGHT = [
    ["-838:59:59.000000"],
    ["838:59:59.000000"],
    ["-00:00:00.000001"],
    ["23:59:59.999999"],
    ["24:00:00.000000"],
  ]

  test("case 5: mysql TIME of -838:59:59 to 838:59:59 is an interval in postgres, unclamped, and comes back", async () => {
    const [my, pg] = [await mysqlSystem(), await postgresSystem()]
    await my.sql(TIMES)
    await move({ at: my, table: "t" }, { at: pg, table: "t", createTable: true })
    expect(await pg.sql("SELECT c, extract(epoch FROM c) FROM t ORDER BY id")).toEqual([
      ["-838:59:59", "-3020399.000000"],
      ["838:59:59", "3020399.000000"],
      ["-00:00:00.000001", "-0.000001"],
      ["23:59:59.999999", "86399.999999"],
      ["24:00:00", "86400.000000"],
    ])
    await my.sql("CREATE TABLE back (id INT PRIMARY KEY, c TIME(6))")
    const { refused } = await move({ at: pg, table: "t" }, { at: my, table: "back" })
    expect(refused).toEqual([])
    expect(await my.sql("SELECT c FROM back ORDER BY id")).toEqual(RIGHT)
  })

  test("case 5: mysql TIME stays itself in mysql, sqlite and csv", async () => {
    const [my, lite, csv] = [await mysqlSystem(), sqliteSystem(), csvSystem()]
    await my.sql(TIMES)
    await move({ at: my, table: "t" }, { at: my, table: "copy", createTable: true })
    expect(await my.sql("SELECT c FROM copy ORDER BY id")).toEqual(RIGHT)
    await move({ at: my, table: "t" }, { at: lite, table: "t", createTable: true })
    expect(await lite.sql("SELECT c FROM t ORDER BY id")).toEqual(RIGHT)
    await move({ at: my, table: "t" }, { at: csv, path: "t.csv" })
    expect(readFileSync(join(csv.base, "t.csv"), "utf8").split("\n").slice(1, 3)).toEqual([
      "1,-838:59:59.000000",
      "2,838:59:59.000000",
    ])
  })

  test("case 5: mysql TIME into a postgres time warns before the run and rejects what is no time of day", async () => {
    const [my, pg] = [await mysqlSystem(), await postgresSystem()]
    await my.sql(TIMES)
    await pg.sql("CREATE TABLE t (id int PRIMARY KEY, c time)")
    const [from, to] = [
      { at: my, table: "t" },
      { at: pg, table: "t" },
    ]
    const { warnings } = await engineFor(from, to).plan(flowOf(from, to))
    expect(warnings.map(({ message }) => message).join()).toContain("an interval that is no time of day is rejected")
    const { refused } = await move(from, to)
    expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
      [0, "c", "-838:59:59.000000"],
      [1, "c", "838:59:59.000000"],
      [2, "c", "-00:00:00.000001"],
    ])
    expect(await pg.sql("SELECT c FROM t ORDER BY id")).toEqual([["23:59:59.999999"], ["24:00:00"]])
  })
})

describe.each(PATHS)("postgres moments ($path)", ({ settings }) => {
  test("case 6, 7, 8, 14: postgres times and moments stay themselves in postgres", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE m (id int PRIMARY KEY, t time, t3 time(3), d date, ts timestamp, tz timestamptz, tt timetz, i interval);
      INSERT INTO m VALUES
      (1, '24:00:00', '23:59:59.999', '5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '24:00:00-15:59', '-178000000 years'),
      (2, '00:00:00.000001', '00:00:00', '4713-01-01 BC', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '00:00:00.000001+15:59', '1 year -2 days +03:04:05.000006'),
      (3, '12:34:56.789012', '12:34:56.789', '0001-12-31 BC', '0044-03-15 12:00:00.5 BC', '12022-08-03 00:00:00.123456+00', '12:00:00+05:30', '-00:00:00.000001'),
      (4, '00:00:00', NULL, '9999-12-31', '1969-12-31 23:59:59.999999', '2024-02-29 23:59:59.5+00', NULL, '0')`)
    const { refused, written } = await move(
      { at: pg, table: "m" },
      { at: pg, table: "copy", createTable: true },
      settings,
    )
    const all = await pg.sql("SELECT * FROM m ORDER BY id")
    if (settings.forwarding) {
      expect([refused, written]).toEqual([[], 4])
      expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual(all)
      return
    }
    // Microseconds from 1970 end in the year 294247; PostgreSQL's own count from 2000 ends later.
    expect(refused.map(({ row, column }) => [row, column])).toEqual([[0, "ts"]])
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual(all.slice(1))
  })

  test("case 13: postgres infinity stays infinity in postgres", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE m (id int PRIMARY KEY, d date, ts timestamp, tz timestamptz);
      INSERT INTO m VALUES (1, 'infinity', 'infinity', 'infinity'), (2, '-infinity', '-infinity', '-infinity')`)
    await move({ at: pg, table: "m" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual([
      ["1", "infinity", "infinity", "infinity"],
      ["2", "-infinity", "-infinity", "-infinity"],
    ])
  })
})

test("case 6, 7: postgres 24:00:00 and all six digits of a time arrive in mysql, sqlite and come back", async () => {
  const [pg, my, lite] = [await postgresSystem(), await mysqlSystem(), sqliteSystem()]
  await pg.sql(
    "CREATE TABLE t (id int PRIMARY KEY, t time); INSERT INTO t VALUES (1, '24:00:00'), (2, '00:00:00.000001')",
  )
  await move({ at: pg, table: "t" }, { at: my, table: "t", createTable: true })
  expect(await my.sql("SELECT t FROM t ORDER BY id")).toEqual([["24:00:00.000000"], ["00:00:00.000001"]])
  await move({ at: pg, table: "t" }, { at: lite, table: "t", createTable: true })
  await move({ at: lite, table: "t" }, { at: pg, table: "back", createTable: true })
  expect(await pg.sql("SELECT t FROM back ORDER BY id")).toEqual([["24:00:00"], ["00:00:00.000001"]])
})

test("case 8: microseconds arrive in mysql, sqlite and csv, and come back", async () => {
  const [pg, my, lite, csv] = [await postgresSystem(), await mysqlSystem(), sqliteSystem(), csvSystem()]
  await pg.sql(`CREATE TABLE t (id int PRIMARY KEY, a timestamp(6), b timestamptz(6), c timestamp(3), d timestamp(0));
    INSERT INTO t VALUES (1, '2024-01-01 00:00:00.500', '2024-01-01 00:00:00.500001+00', '2024-01-01 00:00:00.999', '2024-01-01 00:00:00'),
      (2, '2024-12-31 23:59:59.999999', '2037-12-31 23:59:59.999999+00', '1969-12-31 23:59:59.001', '1999-12-31 23:59:59')`)
  const all = await pg.sql("SELECT * FROM t ORDER BY id")
  for (const system of [my, lite]) {
    await move({ at: pg, table: "t" }, { at: system, table: "t", createTable: true })
    await move({ at: system, table: "t" }, { at: pg, table: `back_${system.kind}`, createTable: true })
    expect(await pg.sql(`SELECT * FROM back_${system.kind} ORDER BY id`)).toEqual(all)
  }
  expect(await my.sql("SELECT a, b, c, d FROM t ORDER BY id")).toEqual([
    ["2024-01-01 00:00:00.500000", "2024-01-01 00:00:00.500001", "2024-01-01 00:00:00.999", "2024-01-01 00:00:00"],
    ["2024-12-31 23:59:59.999999", "2037-12-31 23:59:59.999999", "1969-12-31 23:59:59.001", "1999-12-31 23:59:59"],
  ])
  await move({ at: pg, table: "t" }, { at: csv, path: "t.csv" })
  await pg.sql("CREATE TABLE back_csv (LIKE t)")
  await move({ at: csv, path: "t.csv" }, { at: pg, table: "back_csv", allowLossy: true })
  expect(await pg.sql("SELECT * FROM back_csv ORDER BY id")).toEqual(all)
})

test("case 9: a naive timestamp and an instant never mix without consent", async () => {
  const [pg, my] = [await postgresSystem(), await mysqlSystem()]
  await pg.sql(`CREATE TABLE t (id int PRIMARY KEY, naive timestamp, instant timestamptz);
    INSERT INTO t VALUES (1, '2024-07-01 12:00:00', '2024-07-01 12:00:00+02');
    CREATE TABLE crossed (id int PRIMARY KEY, naive timestamptz, instant timestamp)`)
  await expect(move({ at: pg, table: "t" }, { at: pg, table: "crossed" })).rejects.toThrow(/naive.*loses something/s)
  await move({ at: pg, table: "t" }, { at: pg, table: "crossed", allowLossy: ["naive", "instant"] })
  expect(await pg.sql("SELECT naive, instant FROM crossed")).toEqual([
    ["2024-07-01 12:00:00+00", "2024-07-01 10:00:00"],
  ])
  await move({ at: pg, table: "t" }, { at: my, table: "t", createTable: true })
  expect(
    await my.sql(
      "SELECT COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't' ORDER BY ORDINAL_POSITION",
    ),
  ).toEqual([["int(11)"], ["datetime(6)"], ["timestamp(6)"]])
  expect(await my.sql("SELECT naive, instant FROM t")).toEqual([
    ["2024-07-01 12:00:00.000000", "2024-07-01 10:00:00.000000"],
  ])
  await move({ at: my, table: "t" }, { at: pg, table: "back", createTable: true })
  expect(await pg.sql("SELECT naive, instant FROM back")).toEqual([["2024-07-01 12:00:00", "2024-07-01 10:00:00+00"]])
})

test("case 10, 11: instants survive a mysql server in +05:30 and a postgres role in New York, folds and gaps included", async () => {
  const service = await startMariadb({ settings: { "default-time-zone": "+05:30" } })
  try {
    const database = await service.createDatabase("nasty")
    const { host, port, user, password } = service
    const my = { ...(await mysqlSystem()), settings: { host, port, user, password, database } }
    const pg = await postgresSystem()
    // Both hours of the fold, the second before and after the gap, in New York.
    await pg.sql(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'America/New_York'); END $$;
      CREATE TABLE t (id int PRIMARY KEY, i timestamptz, n timestamp);
      INSERT INTO t VALUES (1, '2024-11-03 05:30:00+00', '2024-11-03 01:30:00'), (2, '2024-11-03 06:30:00+00', '2024-11-03 01:30:00'),
        (3, '2024-03-10 06:59:59+00', '2024-03-10 02:30:00'), (4, '2024-03-10 07:00:00+00', '2024-03-10 03:00:00')`)
    const all = await pg.sql("SELECT * FROM t ORDER BY id")
    await move({ at: pg, table: "t" }, { at: my, table: "t", createTable: true })
    await move({ at: my, table: "t" }, { at: pg, table: "back", createTable: true })
    expect(await pg.sql("SELECT * FROM back ORDER BY id")).toEqual(all)
    await move(
      { at: my, table: "t", where: "i >= '2024-11-03 06:30:00'" },
      { at: pg, table: "late", createTable: true },
    )
    expect(await pg.sql("SELECT id FROM late")).toEqual([["2"]])
  } finally {
    await service.stop()
  }
})

describe("case 13, 14: what mysql does not have", () => {
  const MOMENTS = `CREATE TABLE m (id int PRIMARY KEY, d date, ts timestamp);
    INSERT INTO m VALUES (1, 'infinity', '2024-01-01'), (2, '2024-01-01', '-infinity'), (3, '0044-03-15 BC', NULL),
      (4, NULL, '12022-01-01 00:00:00'), (5, '9999-12-31', '9999-12-31 23:59:59.999999'), (6, '0001-01-01', '0001-01-01')`

  test("case 13, 14: postgres infinity, BC and five-digit years are rejected by mysql, with row, column and value", async () => {
    const [pg, my] = [await postgresSystem(), await mysqlSystem()]
    await pg.sql(MOMENTS)
    const { refused } = await move({ at: pg, table: "m" }, { at: my, table: "m", createTable: true })
    expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
      [0, "d", "infinity"],
      [1, "ts", "-infinity"],
      [2, "d", "0044-03-15 BC"],
      [3, "ts", "12022-01-01 00:00:00"],
    ])
    expect(await my.sql("SELECT id, d, ts FROM m ORDER BY id")).toEqual([
      ["5", "9999-12-31", "9999-12-31 23:59:59.999999"],
      ["6", "0001-01-01", "0001-01-01 00:00:00.000000"],
    ])
  })

  test("case 13, 14: they become NULL in mysql where the output says so, and are counted", async () => {
    const [pg, my] = [await postgresSystem(), await mysqlSystem()]
    await pg.sql(MOMENTS)
    const { refused, report } = await move(
      { at: pg, table: "m" },
      { at: my, table: "m", createTable: true, unrepresentable: "null" },
    )
    expect(refused).toEqual([])
    expect(await my.sql("SELECT id, d, ts FROM m WHERE id < 5 ORDER BY id")).toEqual([
      ["1", null, "2024-01-01 00:00:00.000000"],
      ["2", "2024-01-01", null],
      ["3", null, null],
      ["4", null, null],
    ])
    expect(report.adjusted.map(({ policy, column, values }) => [policy, column, values])).toEqual([
      ["unrepresentable", "d", 2],
      ["unrepresentable", "ts", 2],
    ])
  })

  test("case 13: a run that may reject nothing fails over infinity and leaves mysql empty, not green", async () => {
    const [pg, my] = [await postgresSystem(), await mysqlSystem()]
    await pg.sql(MOMENTS)
    const { report } = await attempt({ at: pg, table: "m" }, { at: my, table: "m", createTable: true }, {})
    expect(report.status).toBe("failed")
    expect(report.failure?.message).toContain("infinity")
    expect(await my.sql("SHOW TABLES")).toEqual([["headrace_ledger"]])
  })

  test("case 13, 14: sqlite and csv keep infinity, BC and five-digit years as text that postgres reads back", async () => {
    const [pg, lite, csv] = [await postgresSystem(), sqliteSystem(), csvSystem()]
    await pg.sql(MOMENTS)
    const all = await pg.sql("SELECT * FROM m ORDER BY id")
    await move({ at: pg, table: "m" }, { at: lite, table: "m", createTable: true })
    await move({ at: lite, table: "m" }, { at: pg, table: "back", createTable: true })
    expect(await pg.sql("SELECT * FROM back ORDER BY id")).toEqual(all)
    await move({ at: pg, table: "m" }, { at: csv, path: "m.csv" })
    await pg.sql("CREATE TABLE from_csv (LIKE m)")
    await move({ at: csv, path: "m.csv" }, { at: pg, table: "from_csv" }, LENIENT)
    expect(await pg.sql("SELECT * FROM from_csv ORDER BY id")).toEqual(all)
  })
})

test("case 1, 2: a zero date in a NOT NULL mysql column becomes NULL in a nullable target, and is counted", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(
    "CREATE TABLE z (id INT PRIMARY KEY, d DATE NOT NULL); INSERT INTO z VALUES (1, '2024-01-01'), (2, '0000-00-00')",
  )
  const { refused, report } = await move({ at: my, table: "z" }, { at: pg, table: "z", createTable: true })
  expect([refused, report.adjusted.map(({ values }) => values)]).toEqual([[], [1]])
  expect(await pg.sql("SELECT * FROM z ORDER BY id")).toEqual([
    ["1", "2024-01-01"],
    ["2", null],
  ])
})

test("case 5: mysql TIME is read as a time of day or as text where the user says so", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(
    "CREATE TABLE t (id INT PRIMARY KEY, c TIME(3)); INSERT INTO t VALUES (1, '12:00:00.5'), (2, '-01:00:00'), (3, '25:00:00')",
  )
  const timed = await move({ at: my, table: "t", timeAs: "time" }, { at: pg, table: "timed", createTable: true })
  expect(timed.refused.map(({ row, column, value }) => [row, column, value])).toEqual([
    [1, "c", "-01:00:00.000"],
    [2, "c", "25:00:00.000"],
  ])
  expect(await pg.sql("SELECT c, pg_typeof(c) FROM timed")).toEqual([["12:00:00.5", "time without time zone"]])
  await move({ at: my, table: "t", timeAs: "string" }, { at: pg, table: "said", createTable: true })
  expect(await pg.sql("SELECT c, pg_typeof(c) FROM said ORDER BY id")).toEqual([
    ["12:00:00.500", "text"],
    ["-01:00:00.000", "text"],
    ["25:00:00.000", "text"],
  ])
})
