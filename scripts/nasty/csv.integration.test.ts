import { expect, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { attempt, csvSystem, LENIENT, move, mysqlSystem, postgresSystem } from "./systems.ts"

function files(content: Readonly<Record<string, string | Uint8Array>>) {
  const csv = csvSystem()
  for (const [name, data] of Object.entries(content)) writeFileSync(join(csv.base, name), data)
  return csv
}

test("case 39: line breaks, quotes and delimiters in quotes, BOM, CR, CRLF and a last line without end make records, not lines", async () => {
  const text = `\ufeffid,t\r\n1,"a\r\nb"\r\n2,"say ""hi"", he said"\n3,"\n\n"\r4," lead, trail "\r\n5,last`
  const [csv, pg] = [files({ "t.csv": text }), await postgresSystem()]
  const { read, refused } = await move({ at: csv, path: "t.csv" }, { at: pg, table: "t", createTable: true })
  expect([read, refused]).toEqual([5, []])
  expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", "a\r\nb"],
    ["2", 'say "hi", he said'],
    ["3", "\n\n"],
    ["4", " lead, trail "],
    ["5", "last"],
  ])
})

test("case 39: ragged rows are rejected with their line, padded, or fitted as the input says", async () => {
  const [csv, pg] = [files({ "t.csv": 'a,b,c\n1,2,3\n4,"x\ny"\n5,6,7,8\n9,10,11\n' }), await postgresSystem()]
  const { refused } = await move(
    { at: csv, path: "t.csv", inferTypes: false },
    { at: pg, table: "strict", createTable: true },
  )
  expect(refused.map(({ row }) => row)).toEqual([1, 2])
  expect(await pg.sql("SELECT a FROM strict ORDER BY a::int")).toEqual([["1"], ["9"]])
  const fitted = await move(
    { at: csv, path: "t.csv", inferTypes: false, raggedRows: "fit" },
    { at: pg, table: "fitted", createTable: true },
  )
  expect(fitted.refused).toEqual([])
  expect(fitted.report.adjusted.reduce((sum, { values }) => sum + values, 0)).toBe(2)
  expect(await pg.sql("SELECT * FROM fitted ORDER BY a::int")).toEqual([
    ["1", "2", "3"],
    ["4", "x\ny", null],
    ["5", "6", "7"],
    ["9", "10", "11"],
  ])
})

test("case 39: a quote that is never closed ends the run at a limit, with the line where it opened", async () => {
  const open = `id,t\n1,fine\n2,"never closed\n${"x,y\n".repeat(100_000)}`
  const [csv, pg] = [files({ "t.csv": open }), await postgresSystem()]
  await pg.sql("CREATE TABLE t (id int, t text)")
  const { report } = await attempt(
    {
      at: csv,
      path: "t.csv",
      columns: [
        { name: "id", type: "int32" },
        { name: "t", type: "string" },
      ],
      maxFieldBytes: 65_536,
    },
    { at: pg, table: "t" },
  )
  expect([report.status, report.failure?.reason]).toEqual(["failed", "data"])
  expect(report.failure?.message).toMatch(/t\.csv.*\b3\b/s)
  expect(await pg.sql("SELECT * FROM t")).toEqual([])
})

test("case 39: a field of 100 MB arrives where the limits allow it", async () => {
  const big = "0123456789".repeat(10 * 1024 * 1024)
  const [csv, pg] = [
    files({ "t.csv.gz": gzipSync(`id,t\n1,small\n2,"${big}"\n3,end\n`, { level: 1 }) }),
    await postgresSystem(),
  ]
  const limits = { maxFieldBytes: 200_000_000, maxRowBytes: 200_000_000 }
  const columns = [
    { name: "id", type: "int32" },
    { name: "t", type: "string" },
  ]
  await move({ at: csv, path: "t.csv.gz", columns, ...limits }, { at: pg, table: "t", createTable: true })
  expect(await pg.sql("SELECT id, length(t), right(t, 3) FROM t ORDER BY id")).toEqual([
    ["1", "5", "all"],
    ["2", String(big.length), "789"],
    ["3", "3", "end"],
  ])
})

test("case 39: gbk and utf-16 files arrive, and postgres writes gbk that lacks nothing or rejects the row", async () => {
  const csv = files({
    "u.csv": Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('id,t\r\n1,"数据,\r\n😀"\r\n', "utf16le")]),
  })
  const pg = await postgresSystem()
  await move({ at: csv, path: "u.csv", encoding: "auto" }, { at: pg, table: "t", createTable: true })
  expect(await pg.sql("SELECT t FROM t")).toEqual([["数据,\r\n😀"]])
  await pg.sql("INSERT INTO t VALUES (2, '数据')")
  const { refused } = await move(
    { at: pg, query: "SELECT * FROM t ORDER BY id" },
    { at: csv, path: "out.csv", encoding: "gbk" },
  )
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[0, "t", "数据,\r\n😀"]])
  expect(readFileSync(join(csv.base, "out.csv")).toString("hex")).toBe(
    `${Buffer.from("id,t\n2,").toString("hex")}cafdbedd0a`,
  )
})

test("case 23: nothing and empty quotes differ, in text and in numbers, both ways", async () => {
  const [csv, pg] = [files({ "t.csv": 'id,t,n\n1,,\n2,"",5\n3,NULL,"6"\n4,\\N,""\n' }), await postgresSystem()]
  await pg.sql("CREATE TABLE t (id int, t text, n int)")
  const columns = [
    { name: "id", type: "int32" },
    { name: "t", type: "string" },
    { name: "n", type: "int32" },
  ]
  const { refused } = await move({ at: csv, path: "t.csv", columns }, { at: pg, table: "t" })
  expect(refused.map(({ row, column, value }) => [row, column, value])).toEqual([[3, "n", ""]])
  expect(await pg.sql("SELECT * FROM t ORDER BY id")).toEqual([
    ["1", null, null],
    ["2", "", "5"],
    ["3", "NULL", "6"],
  ])
  await move({ at: pg, query: "SELECT * FROM t ORDER BY id" }, { at: csv, path: "out.csv" })
  expect(readFileSync(join(csv.base, "out.csv"), "utf8")).toBe('id,t,n\n1,,\n2,"",5\n3,NULL,6\n')
})

test("case 32: one bad value in 25 000 records costs one record, and says file and line", async () => {
  const lines = Array.from({ length: 25_000 }, (_, i) => (i === 16_999 ? `${i + 1},"12\n.5x"` : `${i + 1},${i}.5`))
  const [csv, my] = [files({ "t.csv": `id,n\n${lines.join("\n")}\n` }), await mysqlSystem()]
  await my.sql("CREATE TABLE t (id INT PRIMARY KEY, n DECIMAL(10,2))")
  const columns = [
    { name: "id", type: "int32" },
    { name: "n", type: "decimal(10,2)" },
  ]
  const { refused, written } = await move({ at: csv, path: "t.csv", columns }, { at: my, table: "t" }, LENIENT)
  expect([written, refused.map(({ row, column, value }) => [row, column, value])]).toEqual([
    24_999,
    [[16_999, "n", "12\n.5x"]],
  ])
  expect(await my.sql("SELECT COUNT(*), SUM(n) FROM t")).toEqual([["24999", "312483000.50"]])
})

test("case 33: a file that fails half-way leaves no file behind", async () => {
  const [pg, csv] = [await postgresSystem(), csvSystem()]
  await pg.sql("CREATE VIEW v AS SELECT i, 1 / (20000 - i) AS n FROM generate_series(1, 25000) AS i")
  const { report } = await attempt({ at: pg, table: "v" }, { at: csv, path: "out.csv" })
  expect([report.status, report.failure?.reason]).toEqual(["failed", "data"])
  expect(report.failure?.message).toContain("division by zero")
  expect([...new Bun.Glob("**/*").scanSync({ cwd: csv.base, dot: true })]).toEqual([])
})
