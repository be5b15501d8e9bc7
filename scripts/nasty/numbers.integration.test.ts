import { describe, expect, test } from "bun:test"
import { csvSystem, move, mysqlSystem, PATHS, postgresSystem, type System, sqliteSystem } from "./systems.ts"

const DIGITS_78 = `${"1234567890".repeat(5)}.${"0987654321".repeat(2)}12345678`
const BIG_JSON = '{"n": 9007199254740993, "d": 0.123456789012345678901234567891, "e": 1e400, "dup": 1, "dup": 2}'

const columnTypes = (my: System, table: string) =>
  my.sql(
    `SELECT COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`,
  )
const declared = (pg: System, table: string) =>
  pg.sql(
    `SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0 ORDER BY attnum`,
  )

describe.each(PATHS)("postgres numbers ($path)", ({ settings }) => {
  test("case 15, 16: NaN, infinities, -0 and numerics of 78 digits stay themselves in postgres", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE n (id int PRIMARY KEY, n numeric, p numeric(20,5), neg numeric(5,-3), small numeric(3,6), r real, f double precision);
      INSERT INTO n VALUES (1, 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN'), (2, 'Infinity', 0, 0, 0, 'Infinity', '-Infinity'),
        (3, '-Infinity', -0.00001, -12345678, -0.000123, '-0', '-0'), (4, ${DIGITS_78}, 123456789012345.12345, 99999499, 0.000999, 1e-45, 5e-324),
        (5, -${DIGITS_78}, NULL, NULL, NULL, 3.4028235e38, 1.7976931348623157e308), (6, 1e-16383, 0.1, 1000, 0, 0.1, 0.1),
        (7, 1e1000, 10000, 10000, 0.0001, 16777217, 9007199254740993), (8, 0.00001234, 100000000.00010, NULL, NULL, NULL, NULL),
        (9, 1.500, 0.00000, NULL, NULL, NULL, NULL)`)
    await move({ at: pg, table: "n" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual(await pg.sql("SELECT * FROM n ORDER BY id"))
    expect(await declared(pg, "copy")).toEqual(await declared(pg, "n"))
  })

  test("case 18, 19: integers and numbers inside json keep every digit", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE n (id int PRIMARY KEY, s smallint, i integer, b bigint, o oid, j json, jb jsonb);
      INSERT INTO n VALUES (1, 32767, 2147483647, 9223372036854775807, 4294967295, '${BIG_JSON}', '${BIG_JSON}'),
        (2, -32768, -2147483648, -9223372036854775808, 0, 'null', 'null'), (3, -1, -1, 9007199254740993, 1, '"\\u00e9"', '[1.10]')`)
    await move({ at: pg, table: "n" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual(await pg.sql("SELECT * FROM n ORDER BY id"))
  })
})

test("case 15: NaN and infinities are rejected by mysql with column and value, -0 and extremes arrive", async () => {
  const [pg, my] = [await postgresSystem(), await mysqlSystem()]
  await pg.sql(`CREATE TABLE n (id int PRIMARY KEY, n numeric(10,2), f double precision, r real);
    INSERT INTO n VALUES (1, 'NaN', 0, 0), (2, 0, 'NaN', 0), (3, 0, 0, '-Infinity'), (4, 0, 'Infinity', 0),
      (5, -12345678.99, '-0', 1e-38), (6, 12345678.99, 2.2250738585072014e-308, 0.1), (7, NULL, 1.7976931348623157e308, 3.4028233e38)`)
  const { refused } = await move({ at: pg, table: "n" }, { at: my, table: "n", createTable: true })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
    [0, "n", "NaN"],
    [1, "f", "NaN"],
    [2, "r", "-Infinity"],
    [3, "f", "Infinity"],
  ])
  expect(
    await my.sql("SELECT n, f, CAST(r AS DOUBLE) - CAST(0.1 AS DOUBLE) BETWEEN -1e-8 AND 1e-8 FROM n ORDER BY id"),
  ).toEqual([
    // MariaDB knows no -0.
    ["-12345678.99", "0", "0"],
    ["12345678.99", "2.2250738585072014e-308", "1"],
    [null, "1.7976931348623157e308", "0"],
  ])
  await move({ at: my, table: "n" }, { at: pg, table: "back", createTable: true })
  expect(await pg.sql("SELECT * FROM back ORDER BY id")).toEqual(
    await pg.sql("SELECT id, n, f + 0, r FROM n WHERE id > 4 ORDER BY id"),
  )
})

test("case 15: sqlite rejects NaN, keeps infinity, and counts the -0 that it makes 0", async () => {
  const [pg, lite] = [await postgresSystem(), sqliteSystem()]
  await pg.sql(`CREATE TABLE n (id int PRIMARY KEY, f double precision);
    INSERT INTO n VALUES (1, 'NaN'), (2, 'Infinity'), (3, '-Infinity'), (4, '-0'), (5, 5e-324)`)
  const { refused, report } = await move({ at: pg, table: "n" }, { at: lite, table: "n", createTable: true })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[0, "f", "NaN"]])
  expect(report.adjusted.map(({ policy, values }) => [policy, values])).toEqual([["negativeZero", 1]])
  await move({ at: lite, table: "n" }, { at: pg, table: "back", createTable: true })
  expect(await pg.sql("SELECT f FROM back ORDER BY id")).toEqual([["Infinity"], ["-Infinity"], ["0"], ["5e-324"]])
})

test("case 16: numerics of 78 digits arrive in sqlite and csv, and are rejected by a mysql decimal they do not fit", async () => {
  const [pg, my, lite, csv] = [await postgresSystem(), await mysqlSystem(), sqliteSystem(), csvSystem()]
  await pg.sql(`CREATE TABLE n (id int PRIMARY KEY, n numeric);
    INSERT INTO n VALUES (1, ${DIGITS_78}), (2, -0.000000000000000000000000000001), (3, 1e40), (4, 12345678901234567890123456789012345.5)`)
  const all = await pg.sql("SELECT * FROM n ORDER BY id")
  await move({ at: pg, table: "n" }, { at: lite, table: "n", createTable: true })
  await move({ at: lite, table: "n" }, { at: pg, table: "from_lite", createTable: true })
  expect(await pg.sql("SELECT * FROM from_lite ORDER BY id")).toEqual(all)
  await move({ at: pg, table: "n" }, { at: csv, path: "n.csv" })
  await move(
    {
      at: csv,
      path: "n.csv",
      columns: [
        { name: "id", type: "int32" },
        { name: "n", type: "decimal" },
      ],
    },
    { at: pg, table: "from_csv", createTable: true },
  )
  expect(await pg.sql("SELECT * FROM from_csv ORDER BY id")).toEqual(all)
  await my.sql("CREATE TABLE n (id INT PRIMARY KEY, n DECIMAL(65,30))")
  await expect(move({ at: pg, table: "n" }, { at: my, table: "n" })).rejects.toThrow(/"n" loses something/)
  const { refused } = await move({ at: pg, table: "n" }, { at: my, table: "n", allowLossy: ["n"] })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
    [0, "n", DIGITS_78],
    [2, "n", `1${"0".repeat(40)}`],
  ])
  expect(await my.sql("SELECT n FROM n ORDER BY id")).toEqual([
    ["-0.000000000000000000000000000001"],
    ["12345678901234567890123456789012345.500000000000000000000000000000"],
  ])
})

test("case 16: a mysql table made for an unconstrained numeric says so before the run", async () => {
  const [pg, my] = [await postgresSystem(), await mysqlSystem()]
  await pg.sql("CREATE TABLE n (id int PRIMARY KEY, n numeric); INSERT INTO n VALUES (1, 1.5)")
  await expect(move({ at: pg, table: "n" }, { at: my, table: "n", createTable: true })).rejects.toThrow(
    /created as decimal\(65,30\)/,
  )
  expect(await my.sql("SHOW TABLES")).toEqual([])
})

test("case 17: decimals are created with their own precision and scale, in every direction", async () => {
  const [pg, my, lite] = [await postgresSystem(), await mysqlSystem(), sqliteSystem()]
  await my.sql(
    "CREATE TABLE n (id INT PRIMARY KEY, a DECIMAL(10,0), b DECIMAL(65,30), c DECIMAL(5,5)); INSERT INTO n VALUES (1, -9999999999, -12345678901234567890123456789012345.123456789012345678901234567891, 0.12345)",
  )
  await move({ at: my, table: "n" }, { at: pg, table: "n", createTable: true })
  expect(await declared(pg, "n")).toEqual([
    ["id", "integer"],
    ["a", "numeric(10,0)"],
    ["b", "numeric(65,30)"],
    ["c", "numeric(5,5)"],
  ])
  await move({ at: pg, table: "n" }, { at: lite, table: "n", createTable: true })
  await move({ at: lite, table: "n" }, { at: my, table: "back", createTable: true })
  expect((await columnTypes(my, "back")).slice(1)).toEqual([
    ["a", "decimal(10,0)"],
    ["b", "decimal(65,30)"],
    ["c", "decimal(5,5)"],
  ])
  expect(await my.sql("SELECT a, b, c FROM back")).toEqual([
    ["-9999999999", "-12345678901234567890123456789012345.123456789012345678901234567891", "0.12345"],
  ])
})

test("case 18: bigint unsigned is numeric(20,0) in postgres, and both extremes come back", async () => {
  const [my, pg, lite] = [await mysqlSystem(), await postgresSystem(), sqliteSystem()]
  await my.sql(`CREATE TABLE n (u BIGINT UNSIGNED PRIMARY KEY, b BIGINT, i INT UNSIGNED, m MEDIUMINT UNSIGNED, s SMALLINT UNSIGNED, t TINYINT UNSIGNED, z INT(8) UNSIGNED ZEROFILL);
    INSERT INTO n VALUES (18446744073709551615, 9223372036854775807, 4294967295, 16777215, 65535, 255, 42), (0, -9223372036854775808, 0, 0, 0, 0, 0),
      (9007199254740993, 9007199254740993, 1, 1, 1, 1, 1)`)
  const all = await my.sql("SELECT u, b, i, m, s, t, z + 0 FROM n ORDER BY u")
  await move({ at: my, table: "n" }, { at: pg, table: "n", createTable: true })
  expect((await declared(pg, "n"))[0]).toEqual(["u", "numeric(20,0)"])
  expect(await pg.sql("SELECT * FROM n ORDER BY u")).toEqual(all)
  await move({ at: pg, table: "n" }, { at: my, table: "made", createTable: true })
  expect(await my.sql("SELECT u, b, i, m, s, t, z + 0 FROM made ORDER BY u")).toEqual(all)
  await my.sql("CREATE TABLE back LIKE n")
  await move({ at: pg, table: "n" }, { at: my, table: "back" })
  expect(await my.sql("SELECT u, b, i, m, s, t, z + 0 FROM back ORDER BY u")).toEqual(all)
  await move({ at: my, table: "n" }, { at: lite, table: "n", createTable: true })
  await move({ at: lite, table: "n" }, { at: my, table: "from_lite", createTable: true })
  expect(await my.sql("SELECT u, b, i, m, s, t, z + 0 FROM from_lite ORDER BY u")).toEqual(all)
})

test("case 18: a number that a smaller integer does not hold rejects its row", async () => {
  const [pg, my] = [await postgresSystem(), await mysqlSystem()]
  await pg.sql(
    "CREATE TABLE n (id int PRIMARY KEY, n numeric(20,0)); INSERT INTO n VALUES (1, 18446744073709551615), (2, 9223372036854775808), (3, -1), (4, 7)",
  )
  await my.sql("CREATE TABLE n (id INT PRIMARY KEY, n BIGINT UNSIGNED)")
  const { refused } = await move({ at: pg, table: "n" }, { at: my, table: "n" })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[2, "n", "-1"]])
  await pg.sql("CREATE TABLE small (id int PRIMARY KEY, n bigint)")
  const back = await move({ at: my, table: "n" }, { at: pg, table: "small" })
  expect(back.refused.map(({ row, column, value }) => [row, column, value])).toEqual([
    [0, "n", "18446744073709551615"],
    [1, "n", "9223372036854775808"],
  ])
  expect(await pg.sql("SELECT * FROM small")).toEqual([["4", "7"]])
})

test("case 19: json keeps big integers, long decimals and repeated keys through mysql, sqlite and csv", async () => {
  const [pg, my, lite, csv] = [await postgresSystem(), await mysqlSystem(), sqliteSystem(), csvSystem()]
  await pg.sql(
    `CREATE TABLE j (id int PRIMARY KEY, j json, jb jsonb); INSERT INTO j VALUES (1, '${BIG_JSON}', '{"n": 18446744073709551616}')`,
  )
  const all = await pg.sql("SELECT * FROM j")
  for (const system of [my, lite]) {
    await move({ at: pg, table: "j" }, { at: system, table: "j", createTable: true })
    await pg.sql(`CREATE TABLE from_${system.kind} (LIKE j)`)
    await move({ at: system, table: "j" }, { at: pg, table: `from_${system.kind}` })
    expect(await pg.sql(`SELECT * FROM from_${system.kind}`)).toEqual(all)
  }
  await move({ at: pg, table: "j" }, { at: csv, path: "j.csv" })
  await pg.sql("CREATE TABLE from_csv (LIKE j)")
  await move({ at: csv, path: "j.csv" }, { at: pg, table: "from_csv" })
  expect(await pg.sql("SELECT * FROM from_csv")).toEqual(all)
})

test("case 20, 22: tinyint(1) keeps 2, 9 and -1, and NULL stays NULL in boolean, year and integer columns", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(`CREATE TABLE t (id INT PRIMARY KEY, t TINYINT(1), y YEAR, b BIT(1));
    INSERT INTO t VALUES (1, 2, 1901, b'1'), (2, 9, 2155, b'0'), (3, -1, 0, b'1'), (4, NULL, NULL, NULL), (5, 0, 2024, b'0')`)
  await move({ at: my, table: "t" }, { at: pg, table: "t", createTable: true })
  expect(await declared(pg, "t")).toEqual([
    ["id", "integer"],
    ["t", "smallint"],
    ["y", "smallint"],
    ["b", "boolean"],
  ])
  expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", "2", "1901", "t"],
    ["2", "9", "2155", "f"],
    ["3", "-1", "0", "t"],
    ["4", null, null, null],
    ["5", "0", "2024", "f"],
  ])
  await pg.sql("CREATE TABLE bool (id int PRIMARY KEY, t boolean)")
  const { refused } = await move({ at: my, table: "t" }, { at: pg, table: "bool" })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
    [0, "t", "2"],
    [1, "t", "9"],
    [2, "t", "-1"],
  ])
  expect(await pg.sql("SELECT * FROM bool ORDER BY id")).toEqual([
    ["4", null],
    ["5", "f"],
  ])
  await my.sql("CREATE TABLE back LIKE t")
  await move({ at: pg, table: "t" }, { at: my, table: "back" })
  expect(await my.sql("SELECT id, t, y, b + 0 FROM back ORDER BY id")).toEqual(
    await my.sql("SELECT id, t, y, b + 0 FROM t ORDER BY id"),
  )
})

test("case 21: bit(n) of mysql is a number and comes back; bit strings of postgres keep their zeros", async () => {
  const [my, pg, lite] = [await mysqlSystem(), await postgresSystem(), sqliteSystem()]
  await my.sql(`CREATE TABLE b (id INT PRIMARY KEY, b8 BIT(8), b64 BIT(64));
    INSERT INTO b VALUES (1, b'0', b'0'), (2, 255, 18446744073709551615), (3, 1, 256), (4, NULL, NULL)`)
  const all = await my.sql("SELECT id, b8 + 0, b64 + 0 FROM b ORDER BY id")
  await move({ at: my, table: "b" }, { at: pg, table: "b", createTable: true })
  expect(await pg.sql("SELECT * FROM b ORDER BY id")).toEqual(all)
  await my.sql("CREATE TABLE back LIKE b")
  await move({ at: pg, table: "b" }, { at: my, table: "back" })
  expect(await my.sql("SELECT id, b8 + 0, b64 + 0 FROM back ORDER BY id")).toEqual(all)
  await move({ at: my, table: "b" }, { at: lite, table: "b", createTable: true })
  await my.sql("CREATE TABLE from_lite LIKE b")
  await move({ at: lite, table: "b" }, { at: my, table: "from_lite" })
  expect(await my.sql("SELECT id, b8 + 0, b64 + 0 FROM from_lite ORDER BY id")).toEqual(all)

  await pg.sql(
    "CREATE TABLE bits (id int PRIMARY KEY, b bit(10), v bit varying(70)); INSERT INTO bits VALUES (1, B'0000000001', B''), (2, B'1111111111', B'01')",
  )
  await move({ at: pg, table: "bits" }, { at: my, table: "bits", createTable: true })
  expect(await my.sql("SELECT b, v FROM bits ORDER BY id")).toEqual([
    ["0000000001", ""],
    ["1111111111", "01"],
  ])
})

describe.each(PATHS)("postgres bits ($path)", ({ settings }) => {
  test("case 21: bit and bit varying stay themselves in postgres", async () => {
    const pg = await postgresSystem()
    await pg.sql(
      "CREATE TABLE b (id int PRIMARY KEY, b bit(10), o bit, v bit varying(70)); INSERT INTO b VALUES (1, B'0000000001', B'1', B''), (2, NULL, B'0', repeat('10', 35)::bit(70))",
    )
    await move({ at: pg, table: "b" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual(await pg.sql("SELECT * FROM b ORDER BY id"))
    expect(await declared(pg, "copy")).toEqual(await declared(pg, "b"))
  })
})

test("case 16: a table that changes between plan and run is judged again before a row is written", async () => {
  const pg = await postgresSystem()
  await pg.sql("CREATE TABLE n (id int, n numeric); INSERT INTO n VALUES (1, 1.55); CREATE TABLE t (id int, n numeric)")
  const before = ["ALTER TABLE t ALTER COLUMN n TYPE numeric(2,1)"]
  await expect(move({ at: pg, table: "n" }, { at: pg, table: "t", before })).rejects.toThrow(/loses something/)
  expect(await pg.sql("SELECT * FROM t")).toEqual([])
})

test("case 20: tinyint(1) is a boolean where the user says so, and a row with another number is rejected", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(
    "CREATE TABLE t (id INT PRIMARY KEY, t TINYINT(1)); INSERT INTO t VALUES (1, 0), (2, 1), (3, 2), (4, NULL)",
  )
  const { refused } = await move(
    { at: my, table: "t", tinyint1AsBoolean: true },
    { at: pg, table: "t", createTable: true },
  )
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[2, "t", "2"]])
  expect((await declared(pg, "t"))[1]).toEqual(["t", "boolean"])
  expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", "f"],
    ["2", "t"],
    ["4", null],
  ])
})
