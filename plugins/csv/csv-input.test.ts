import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import type { Batch } from "../../core/contract/index.ts"
import { type TestSession, type TestSessionOptions, testSession } from "../../scripts/testing/session.ts"
import { typeName } from "../_sql/type-name.ts"
import csvInput from "./csv-input.ts"
import type { CsvInputConfig } from "./csv-schema.ts"

let base = ""
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "headrace-csv-"))
})
afterAll(() => rm(base, { recursive: true, force: true }))

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(base, path)), { recursive: true })
  await writeFile(join(base, path), content)
}

function configure(options: Options): CsvInputConfig {
  const defaults = Object.entries(csvInput.config.properties).flatMap(([name, { default: value }]) =>
    value === undefined ? [] : [[name, value]],
  )
  // Every option of the configuration but the optional ones has a default.
  return { ...Object.fromEntries(defaults), ...options } as CsvInputConfig
}

type Options = Partial<CsvInputConfig> & Pick<CsvInputConfig, "path">
type Cell = string | null

interface Read {
  readonly columns: string[]
  readonly rows: Cell[][]
  readonly batches: Batch[]
  readonly session: TestSession
}

async function read(options: Options, wanted?: string[], sessionOptions: TestSessionOptions = {}): Promise<Read> {
  const session = testSession({ base, ...sessionOptions })
  const config = configure(options)
  const plan = await csvInput.plan(config, wanted ? { columns: wanted } : {}, session)
  const names = plan.columns.map((column) => column.name)
  await using source = await csvInput.open(config, { columns: names, parallel: 2 }, session)
  const [rows, batches]: [Cell[][], Batch[]] = [[], []]
  for (const split of source.splits) {
    for await (const batch of source.read(split, session)) {
      if (batch.encoding !== undefined) throw new Error("a frame")
      batches.push(batch)
      for (let row = 0; row < batch.rows; row++) {
        rows.push(batch.vectors.map((vector) => session.batches.valueText(vector, row)))
      }
    }
  }
  return { columns: plan.columns.map((column) => `${column.name} ${typeName(column.type)}`), rows, batches, session }
}

/** Reads a file with this content. */
async function readText(content: string | Uint8Array, options: Partial<CsvInputConfig> = {}, wanted?: string[]) {
  await write("t.csv", content)
  return read({ path: "t.csv", ...options }, wanted)
}

test("csv-input tells NULL from the empty text", async () => {
  const { rows } = await readText('a,b\n,""\nx,\n')
  expect(rows).toEqual([
    [null, ""],
    ["x", null],
  ])
})

test("csv-input takes other marks for NULL, in quotes only on request", async () => {
  const content = 'a,b\n\\N,NULL\n,"NULL"\n'
  expect((await readText(content, { nullValues: ["\\N", "NULL"] })).rows).toEqual([
    [null, null],
    ["", "NULL"],
  ])
  expect((await readText(content, { nullValues: ["", "\\N", "NULL"], quotedNulls: true })).rows).toEqual([
    [null, null],
    [null, null],
  ])
})

test("csv-input infers types, and keeps as text what a number would change", async () => {
  const { columns, rows } = await readText(
    [
      "i,big,d,mixed,b,day,at,tz,zip,plus,exp,none,t",
      "1,9223372036854775807,1.50,1,true,2024-02-29,2024-02-29 12:00:00.5,2024-02-29T12:00:00+08:00,01234,+1,1E5,,x",
      "-2,9223372036854775808,-0.001,2.5,false,1999-12-31,1999-12-31 23:59:59,1999-12-31T23:59:59Z,9,2,3,,2024-02-30",
    ].join("\n"),
  )
  expect(columns).toEqual([
    "i int64",
    "big decimal",
    "d decimal",
    "mixed decimal",
    "b boolean",
    "day date",
    "at timestamp",
    "tz timestamptz",
    "zip string",
    "plus string",
    "exp string",
    "none string",
    "t string",
  ])
  expect(rows[0]!.slice(0, 5)).toEqual(["1", "9223372036854775807", "1.50", "1", "true"])
  expect(rows[1]!.slice(5)).toEqual([
    "1999-12-31",
    "1999-12-31 23:59:59",
    "1999-12-31 23:59:59+00",
    "9",
    "2",
    "3",
    null,
    "2024-02-30",
  ])
})

test("csv-input infers from as many rows as it is told, and rejects what comes later", async () => {
  const { columns, rows, session } = await readText("n,t\n1,a\n2,b\nx3,c\n4,d\n", { sampleRows: 2 })
  expect(columns).toEqual(["n int64", "t string"])
  expect(rows.map((row) => row[0])).toEqual(["1", "2", "4"])
  expect(session.rejected).toEqual([
    {
      row: 2,
      column: "n",
      value: "x3",
      reason: "The text is not a value of type int64",
      record: { n: "x3", t: "c" },
      position: "t.csv:4",
    },
  ])
  expect((await readText("n\n1\n", { inferTypes: false })).columns).toEqual(["n string"])
})

test("csv-input checks declared types and keeps the positions of the rows around a rejected one", async () => {
  const { rows, session, batches } = await readText(
    'id,amount,day\n1,1.25,2024-01-01\n2,1.255,2024-01-01\n,1,2024-01-01\n4,,"x\ny"\n5,7,2024-12-31',
    {
      columns: [
        { name: "id", type: "int32", nullable: false },
        { name: "amount", type: "decimal(5,2)" },
        { name: "day", type: "date" },
      ],
    },
  )
  expect(rows).toEqual([
    ["1", "1.25", "2024-01-01"],
    ["5", "7.00", "2024-12-31"],
  ])
  expect(session.rejected.map(({ row, column, value, position }) => [row, column, value, position])).toEqual([
    [1, "amount", "1.255", "t.csv:3"],
    [2, "id", null, "t.csv:4"],
    [3, "day", "x\ny", "t.csv:5"],
  ])
  expect([0, 1].map((row) => session.batches.position(batches[0]!, row))).toEqual([0, 4])
})

test("csv-input reads only the columns that are wanted, in their order, and checks no others", async () => {
  const { rows, columns } = await readText('a,b,c\n1,x,2\n3,"y ""z""",4\n', {}, ["c", "b"])
  expect(columns).toEqual(["c int64", "b string"])
  expect(rows).toEqual([
    ["2", "x"],
    ["4", 'y "z"'],
  ])
})

test("csv-input names columns without a header c1, c2, …, or as declared", async () => {
  expect((await readText("1,x\n2,y\n", { header: false })).columns).toEqual(["c1 int64", "c2 string"])
  const columns = [
    { name: "id", type: "int16" },
    { name: "name", type: "string(1)" },
  ]
  const { rows, session } = await readText("1,x\n2,yy\n", { header: false, columns })
  expect(rows).toEqual([["1", "x"]])
  expect(session.rejected.map((row) => row.reason)).toEqual(["The text is not a value of type string(1)"])
})

test("csv-input reads an empty line as NULL only where a row has one field", async () => {
  expect((await readText("a\n1\n\n2\n")).rows).toEqual([["1"], [null], ["2"]])
  expect((await readText("\n1\n", { header: false })).rows).toEqual([[null], ["1"]])
  expect((await readText("a,b\n\n1,2\n\r\n")).rows).toEqual([["1", "2"]])
})

test("csv-input rejects, pads or fits ragged rows", async () => {
  const content = "a,b,c\n1,2,3\n4,5\n6,7,8,9\n"
  const rejecting = await readText(content)
  expect(rejecting.rows).toEqual([["1", "2", "3"]])
  expect(rejecting.session.rejected.map(({ reason, position }) => [reason, position])).toEqual([
    ["The row has 2 fields, the file has 3 columns", "t.csv:3"],
    ["The row has 4 fields, the file has 3 columns", "t.csv:4"],
  ])
  expect(rejecting.session.rejected[1]!.record).toEqual({ a: "6", b: "7", c: "8", c4: "9" })
  const padding = await readText(content, { raggedRows: "pad" })
  expect(padding.rows).toEqual([
    ["1", "2", "3"],
    ["4", "5", null],
  ])
  const fitting = await readText(content, { raggedRows: "fit" })
  expect(fitting.rows[2]).toEqual(["6", "7", "8"])
  expect([...fitting.session.adjustments]).toEqual([
    ['raggedRows: "fit"/c', 1],
    ['raggedRows: "fit"/', 1],
  ])
})

test("csv-input rejects text behind a closing quote, whether its column is wanted or not", async () => {
  const { rows, session } = await readText('a,b\n"x"y,1\nz,2\n', {}, ["b"])
  expect(rows).toEqual([["2"]])
  expect(session.rejected).toMatchObject([{ column: "a", value: '"x"y', reason: "Text follows the closing quote" }])
})

test("csv-input rejects a row with bytes that are not valid, and shows them", async () => {
  const bad = Buffer.concat([Buffer.from("a,b\n1,caf"), Buffer.from([0xe9]), Buffer.from("\n2,北京\n")])
  const { rows, session } = await readText(bad)
  expect(rows).toEqual([["2", "北京"]])
  expect(session.rejected).toMatchObject([
    { row: 0, column: "b", value: "caf\\xe9", reason: "The bytes e9 are not valid utf-8", position: "t.csv:2" },
  ])
  const gbk = Buffer.concat([Buffer.from("a,b\n"), Buffer.from("312cffb1b10a322cb1b1bea90a", "hex")])
  const read = await readText(gbk, { encoding: "gbk" })
  expect(read.rows).toEqual([["2", "北京"]])
  expect(read.session.rejected).toMatchObject([{ value: "\\xff北", reason: "The bytes ff are not valid gbk" }])
})

test("csv-input reads other encodings and skips a byte order mark", async () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("a,b\r\né,😀\r\n", "utf16le")])
  expect(await readText(utf16, { encoding: "auto" })).toMatchObject({
    columns: ["a string", "b string"],
    rows: [["é", "😀"]],
  })
  expect((await readText("\ufeffa\n1\n")).columns).toEqual(["a int64"])
  expect((await readText(Buffer.from("a\n\xe9\x80\n", "latin1"), { encoding: "latin1" })).rows).toEqual([["é\u0080"]])
  await expect(readText(utf16)).rejects.toMatchObject({ reason: "data", hint: "Set encoding to utf-16le or auto" })
})

test("csv-input reads several files by column name, each as a split", async () => {
  await write("many/a.csv", "id,name\n1,x\n")
  await write("many/b/a.csv.gz", gzipSync("name,id\ny,2\n"))
  const session = testSession({ base })
  const config = configure({ path: ["many/**/*.csv", "many/b/*", "many/a.csv"] })
  const source = await csvInput.open(config, { columns: ["id", "name"], parallel: 1 }, session)
  expect(source.splits.map((split) => split.id)).toEqual(["a.csv", "b/a.csv.gz"])
  expect((await read({ path: "many/**/*.csv*" })).rows).toEqual([
    ["1", "x"],
    ["2", "y"],
  ])
})

test("csv-input names the file whose columns do not fit", async () => {
  await write("fit/1.csv", "id,name\n1,x\n")
  await write("fit/2.csv", "id,nmae\n2,y\n")
  const columns = [
    { name: "id", type: "int64" },
    { name: "name", type: "string" },
  ]
  await expect(read({ path: "fit/*.csv", columns })).rejects.toMatchObject({
    reason: "missing",
    message: 'Cannot find "name" in "2.csv": it has "id", "nmae"',
  })
  await expect(read({ path: "fit/1.csv", columns: [columns[0]!] })).rejects.toMatchObject({
    message: 'Cannot place "name" of "1.csv": the columns are "id"',
  })
  expect((await read({ path: "fit/*.csv", columns, columnMismatch: "allow" })).rows).toEqual([
    ["1", "x"],
    ["2", null],
  ])
})

test("csv-input reads the splits of an interrupted run again, unless a file has changed", async () => {
  await write("again/1.csv", "a\n1\n")
  await write("again/2.csv", "a\n2\n")
  const config = configure({ path: "again/*.csv" })
  const session = testSession({ base })
  const first = await csvInput.open(config, { columns: ["a"], parallel: 1 }, session)
  await write("again/3.csv", "b\n3\n")
  const splits = JSON.parse(JSON.stringify(first.splits.slice(1)))
  const second = await csvInput.open(config, { columns: ["a"], parallel: 1, splits }, session)
  expect(second.splits).toEqual(first.splits.slice(1))
  await write("again/2.csv", "a\n2\n22\n")
  await expect(second.read(second.splits[0]!, session)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    reason: "data",
    message: `Cannot read "${base}/again/2.csv" as one state: it had 4 bytes and has 7`,
  })
})

test("csv-input stops at an unclosed quote with file and line", async () => {
  await expect(readText('a,b\n1,2\n3,"x\n4,5\n')).rejects.toMatchObject({
    reason: "data",
    message: 'Cannot read "t.csv", line 3: the quote that opens here is not closed',
  })
  const endless = `a,b\n1,"${"x\n".repeat(400_000)}`
  await expect(readText(endless, { maxFieldBytes: 100_000 })).rejects.toThrow("line 2: the quote that opens here")
})

test("csv-input passes the limit of rejected rows on", async () => {
  await write("limit.csv", "n\n1\nx\ny\n2\n")
  const options = { path: "limit.csv", columns: [{ name: "n", type: "int64" }] }
  await expect(read(options, undefined, { rejectLimit: 1 })).rejects.toMatchObject({ reason: "data" })
})

test("csv-input makes batches of the size that the run wants, and stops when it is aborted", async () => {
  await write("rows.csv", `n\n${Array.from({ length: 200_000 }, (_, row) => row).join("\n")}\n`)
  const { batches } = await read({ path: "rows.csv" }, undefined, { settings: { batchRows: 1000 } })
  expect(batches.map((batch) => batch.rows)).toEqual(Array.from({ length: 200 }, () => 1000))
  expect(batches.map((batch) => batch.firstRow)).toEqual(Array.from({ length: 200 }, (_, index) => index * 1000))
  const session = testSession({ base })
  const source = await csvInput.open(configure({ path: "rows.csv" }), { columns: ["n"], parallel: 1 }, session)
  const consume = async () => {
    for await (const _ of source.read(source.splits[0]!, session)) session.abort()
  }
  await expect(consume()).rejects.toMatchObject({ reason: "cancelled" })
})

test.each([
  [{ path: "none.csv" }, "missing", 'Cannot read "none.csv": no file matches'],
  [{ path: ["t*.csv", "no/*.csv"] }, "missing", 'Cannot read "no/*.csv": no file matches'],
  [{ path: "folder" }, "config", "it is a folder"],
  [{ path: "twice.csv" }, "data", 'it names "b", "a" more than once'],
  [{ path: "nul.csv" }, "data", '"a\\0b" is not a readable name'],
  [{ path: "void.csv" }, "data", 'Cannot read columns from "void.csv": it is empty'],
  [{ path: "t.csv", delimiter: '"' }, "config", 'Cannot use """ as quote: the delimiter """ holds it'],
  [{ path: "t.csv", delimiter: "\\n\n" }, "config", "it holds a line break"],
  [{ path: "t.csv", quote: "«" }, "config", 'Cannot use "«" as quote: it is not one ASCII character'],
  [{ path: "t.csv", columns: [{ name: "a", type: "int" }] }, "config", 'Cannot read column "a" as "int"'],
  [
    {
      path: "t.csv",
      columns: [
        { name: "a", type: "date" },
        { name: "a", type: "date" },
      ],
    },
    "config",
    'column "a" twice',
  ],
] as const)("csv-input refuses %p", async (options, reason, message) => {
  await write("t.csv", "a,b\n1,2\n")
  await write("folder/x.csv", "")
  await write("twice.csv", "a,b,c,b,a\n")
  await write("nul.csv", "a\0b,c\n1,2\n")
  await write("void.csv", "")
  const error = await read(options as Options).catch((thrown) => thrown)
  expect(error.message).toContain(message)
  expect(error.reason).toBe(reason)
})

test("csv-input says which columns there are when one is missing", async () => {
  await expect(readText("a,b\n1,2\n", {}, ["a", "x"])).rejects.toMatchObject({
    reason: "missing",
    message: 'Cannot find column "x" in "t.csv": it has "a", "b"',
  })
})

test("csv-input plans its examples' options and estimates the rows", async () => {
  await write("est.csv", `a,b\n${"1234,abcd\n".repeat(5000)}`)
  const plan = await csvInput.plan(configure({ path: "est.csv", sampleRows: 100 }), {}, testSession({ base }))
  expect(plan.notes).toEqual(["1 file, 50004 bytes; a split for each", "types inferred from 100 rows"])
  expect(plan.estimatedRows).toBe(5000)
})
