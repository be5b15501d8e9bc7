import { describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { csvSystem, engineFor, flowOf, move, mysqlSystem, PATHS, postgresSystem, sqliteSystem } from "./systems.ts"

const HOSTILE = [
  "plain",
  "",
  " leading and trailing ",
  "tab\tline\nreturn\rback\\slash\\N\\.",
  `quotes ' " \` $$ ; -- /* */`,
  "😀 astral 𝔘, combining é, bidi \u202e, ZWJ 👩‍👩‍👧",
  "\u0001\u001f\u007f\u0080\u2028\ufeff\uffff\u{10ffff}",
  "NULL",
  "\\x00",
  "ß İ ﬁ",
]
const sqlText = (text: string) =>
  `U&'${[...text].map((c) => `\\+${c.codePointAt(0)!.toString(16).padStart(6, "0")}`).join("")}'`
const texts = (id: number) => `(${id + 1}, ${sqlText(HOSTILE[id]!)})`
const FILL = `CREATE TABLE t (id int PRIMARY KEY, t text); INSERT INTO t VALUES ${HOSTILE.map((_, i) => texts(i)).join(", ")}, (99, NULL)`
const RIGHT = [...HOSTILE.map((text, i) => [String(i + 1), text]), ["99", null]]

test.each(PATHS)(
  "case 23: hostile text, empty text and NULL stay themselves from postgres to postgres ($path)",
  async ({ settings }) => {
    const pg = await postgresSystem()
    await pg.sql(FILL)
    await move({ at: pg, table: "t" }, { at: pg, table: "copy", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual(RIGHT)
  },
)

test.each([
  { kind: "mysql", make: () => mysqlSystem() },
  { kind: "sqlite", make: async () => sqliteSystem() },
])("case 23, 25: hostile text, empty text and NULL stay themselves in $kind and back", async ({ make }) => {
  const [pg, other] = [await postgresSystem(), await make()]
  await pg.sql(FILL)
  const there = await move({ at: pg, table: "t" }, { at: other, table: "t", createTable: true })
  expect(there.refused).toEqual([])
  expect(await other.sql("SELECT id, t FROM t ORDER BY id")).toEqual(RIGHT)
  await move({ at: other, table: "t" }, { at: pg, table: "back", createTable: true })
  expect(await pg.sql("SELECT * FROM back ORDER BY id")).toEqual(RIGHT)
})

test("case 23: hostile text, empty text and NULL stay themselves in csv and back", async () => {
  const [pg, csv] = [await postgresSystem(), csvSystem()]
  await pg.sql(FILL)
  await move({ at: pg, table: "t" }, { at: csv, path: "t.csv" })
  await move({ at: csv, path: "t.csv", inferTypes: false }, { at: pg, table: "back", createTable: true })
  expect(await pg.sql("SELECT * FROM back ORDER BY id::int")).toEqual(RIGHT)
})

describe("case 24: U+0000", () => {
  const NULS =
    "CREATE TABLE t (id INT PRIMARY KEY, t TEXT); INSERT INTO t VALUES (1, 'a\\0b'), (2, 'fine'), (3, '\\0'), (4, '\\0\\0c')"

  test("case 24: U+0000 in text rejects its row in postgres, with column and value", async () => {
    const [my, pg] = [await mysqlSystem(), await postgresSystem()]
    await my.sql(NULS)
    const { refused } = await move({ at: my, table: "t" }, { at: pg, table: "t", createTable: true })
    expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
      [0, "t", "a\0b"],
      [2, "t", "\0"],
      [3, "t", "\0\0c"],
    ])
    expect(refused[0]?.reason).toContain("U+0000")
    expect(await pg.sql("SELECT * FROM t")).toEqual([["2", "fine"]])
  })

  test.each([
    { policy: "strip", right: ["ab", "fine", "", "c"] },
    { policy: "replace", right: ["a\ufffdb", "fine", "\ufffd", "\ufffd\ufffdc"] },
  ])("case 24: U+0000 in text is $policy-ed where the output says so, and counted", async ({ policy, right }) => {
    const [my, pg] = [await mysqlSystem(), await postgresSystem()]
    await my.sql(NULS)
    await pg.sql(
      "CREATE TABLE in_text (id bigint, t text); CREATE DOMAIN words AS text; CREATE TABLE in_domain (id bigint, t words)",
    )
    for (const table of ["in_text", "in_domain"]) {
      const { refused, report } = await move({ at: my, table: "t" }, { at: pg, table, nulCharacters: policy })
      expect(refused).toEqual([])
      expect(report.adjusted.map(({ policy, column, values }) => [policy, column, values])).toEqual([
        ["nulCharacters", "t", 3],
      ])
      expect((await pg.sql(`SELECT t FROM ${table} ORDER BY id`)).flat()).toEqual([...right])
    }
  })

  test("case 24: U+0000 escaped in json rejects its row in jsonb, and stays in json", async () => {
    const pg = await postgresSystem()
    await pg.sql(`CREATE TABLE t (id int, j json); INSERT INTO t VALUES (1, '{"a": "x\\u0000y"}'), (2, '{"a": 1}');
      CREATE TABLE b (id int, j jsonb)`)
    const { refused } = await move({ at: pg, table: "t" }, { at: pg, table: "b" })
    expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[0, "j", '{"a": "x\\u0000y"}']])
    expect(await pg.sql("SELECT * FROM b")).toEqual([["2", '{"a": 1}']])
    await move({ at: pg, table: "t" }, { at: pg, table: "copy", createTable: true })
    expect(await pg.sql("SELECT * FROM copy ORDER BY id")).toEqual(await pg.sql("SELECT * FROM t ORDER BY id"))
  })

  test("case 24: U+0000 reaches mysql and sqlite unharmed", async () => {
    const [my, lite] = [await mysqlSystem(), sqliteSystem()]
    await my.sql(NULS)
    await move({ at: my, table: "t" }, { at: lite, table: "t", createTable: true })
    await move({ at: lite, table: "t" }, { at: my, table: "back", createTable: true })
    expect(await my.sql("SELECT id, HEX(t) FROM back ORDER BY id")).toEqual(
      await my.sql("SELECT id, HEX(t) FROM t ORDER BY id"),
    )
  })
})

test("case 25: an emoji for a utf8mb3 column rejects its row and is never cut", async () => {
  const [pg, my] = [await postgresSystem(), await mysqlSystem()]
  await pg.sql("CREATE TABLE t (id int, t text); INSERT INTO t VALUES (1, 'plain é'), (2, 'cut 😀 here'), (3, 'end')")
  await my.sql("CREATE TABLE t (id INT, t VARCHAR(50)) CHARACTER SET utf8mb3")
  const { refused } = await move({ at: pg, table: "t" }, { at: my, table: "t" })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[1, "t", "cut 😀 here"]])
  expect(await my.sql("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", "plain é"],
    ["3", "end"],
  ])
  const [from, to] = [
    { at: pg, table: "t" },
    { at: my, table: "t" },
  ]
  const { warnings } = await engineFor(from!, to!).plan(flowOf(from!, to!))
  expect(warnings.map(({ message }) => message).join()).toContain('"t" holds no character outside utf8mb3')
})

test("case 26: text that is too long rejects its row in every database, though the mysql server is not strict", async () => {
  const [pg, my, lite] = [await postgresSystem(), await mysqlSystem(), sqliteSystem()]
  await pg.sql(
    "CREATE TABLE s (id int, t text); INSERT INTO s VALUES (1, '12345'), (2, '123456'), (3, '😀😀😀😀😀'), (4, '12345 ')",
  )
  await my.sql("CREATE TABLE t (id INT, t VARCHAR(5))")
  await pg.sql("CREATE TABLE t (id int, t varchar(5))")
  await lite.sql("CREATE TABLE t (id INTEGER, t VARCHAR(5))")
  for (const target of [my, pg, lite]) {
    const { refused } = await move({ at: pg, table: "s" }, { at: target, table: "t" })
    expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([
      [1, "t", "123456"],
      [3, "t", "12345 "],
    ])
    expect(await target.sql("SELECT id, t FROM t ORDER BY id")).toEqual([
      ["1", "12345"],
      ["3", "😀😀😀😀😀"],
    ])
  }
})

test("case 27: latin1, gbk and double-encoded columns of mysql arrive as the server reads them", async () => {
  const [my, pg] = [await mysqlSystem(), await postgresSystem()]
  await my.sql(`CREATE TABLE t (id INT PRIMARY KEY, l VARCHAR(20) CHARACTER SET latin1, g VARCHAR(20) CHARACTER SET gbk, u VARCHAR(20) CHARACTER SET ucs2);
    INSERT INTO t VALUES (1, 'é€ÿ', '数据集成', 'žluť'), (2, CONVERT(0xC3A9 USING latin1), NULL, '')`)
  await move({ at: my, table: "t" }, { at: pg, table: "t", createTable: true })
  expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", "é€ÿ", "数据集成", "žluť"],
    ["2", "Ã©", null, ""],
  ])
  await my.sql("CREATE TABLE back LIKE t")
  await move({ at: pg, table: "t" }, { at: my, table: "back" })
  expect(await my.sql("SELECT id, HEX(l), HEX(g), HEX(u) FROM back ORDER BY id")).toEqual(
    await my.sql("SELECT id, HEX(l), HEX(g), HEX(u) FROM t ORDER BY id"),
  )
})

test("case 27: characters that a latin1 column lacks reject their row", async () => {
  const [pg, my] = [await postgresSystem(), await mysqlSystem()]
  await pg.sql("CREATE TABLE t (id int, t text); INSERT INTO t VALUES (1, 'é'), (2, '数据'), (3, 'x')")
  await my.sql("CREATE TABLE t (id INT, t VARCHAR(9)) CHARACTER SET latin1")
  const { refused } = await move({ at: pg, table: "t" }, { at: my, table: "t" })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[1, "t", "数据"]])
})

describe("case 27: postgres databases in other encodings", () => {
  const IN = (encoding: string) => postgresSystem(`ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`)

  test.each(PATHS)("case 27: postgres in LATIN1 gives and takes what it holds ($path)", async ({ settings }) => {
    const [latin, pg] = [await IN("LATIN1"), await postgresSystem()]
    await latin.sql(
      "CREATE TABLE t (id int PRIMARY KEY, t text); INSERT INTO t VALUES (1, chr(233) || chr(255)), (2, 'x')",
    )
    await move({ at: latin, table: "t" }, { at: pg, table: "t", createTable: true }, settings)
    expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
      ["1", "éÿ"],
      ["2", "x"],
    ])
    await pg.sql("INSERT INTO t VALUES (3, '数据')")
    const { refused } = await move({ at: pg, table: "t" }, { at: latin, table: "back", createTable: true }, settings)
    expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[2, "t", "数据"]])
    expect(await latin.sql("SELECT id, encode(convert_to(t, 'LATIN1'), 'hex') FROM back ORDER BY id")).toEqual([
      ["1", "e9ff"],
      ["2", "78"],
    ])
  })

  test.each(PATHS)(
    "case 27: postgres in SQL_ASCII loses only the row whose bytes are no UTF-8, shown in hex ($path)",
    async ({ settings }) => {
      const [ascii, pg, csv] = [await IN("SQL_ASCII"), await postgresSystem(), csvSystem()]
      await ascii.sql(`CREATE TABLE t (id int PRIMARY KEY, t text, v varchar(9));
      INSERT INTO t VALUES (1, 'fine', 'é'), (2, E'caf\\351', 'x'), (3, 'é', NULL)`)
      const { refused } = await move({ at: ascii, table: "t" }, { at: pg, table: "t", createTable: true }, settings)
      expect(refused.map(({ row, column }) => [row, column])).toEqual([[1, "t"]])
      expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
        ["1", "fine", "é"],
        ["3", "é", null],
      ])
      const file = await move({ at: ascii, table: "t" }, { at: csv, path: "t.csv" }, settings)
      expect(file.refused.map(({ row, column, value }) => [row, column, value])).toEqual([[1, "t", "\\x636166e9"]])
    },
  )
})

test("case 27: gbk files are read by their declared encoding, and invalid bytes reject their row", async () => {
  const [csv, pg] = [csvSystem(), await postgresSystem()]
  const gbk = Buffer.from([0xca, 0xfd, 0xbe, 0xdd])
  writeFileSync(
    join(csv.base, "g.csv"),
    Buffer.concat([Buffer.from("id,t\n1,"), gbk, Buffer.from("\n2,"), Buffer.from([0xff]), Buffer.from("\n3,x\n")]),
  )
  const { refused } = await move({ at: csv, path: "g.csv", encoding: "gbk" }, { at: pg, table: "t", createTable: true })
  expect(refused.map(({ row, column }) => [row, column])).toEqual([[1, "t"]])
  expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", "数据"],
    ["3", "x"],
  ])
})
