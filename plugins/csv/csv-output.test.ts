import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import type { Batch, Column, Frame, Row } from "../../core/contract/index.ts"
import { type TestSession, testSession } from "../../scripts/testing/session.ts"
import csvInput from "./csv-input.ts"
import csvOutput, { type CsvOutputConfig } from "./csv-output.ts"
import type { CsvInputConfig } from "./csv-schema.ts"

let base = ""
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "headrace-csv-"))
})
afterAll(() => rm(base, { recursive: true, force: true }))

function defaults(properties: Readonly<Record<string, { readonly default?: unknown }>>) {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]])),
  )
}

// Every option of the configurations but the optional ones has a default.
const configure = (options: Partial<CsvOutputConfig>) =>
  ({ ...defaults(csvOutput.config.properties), path: "out.csv", ...options }) as CsvOutputConfig
const configureInput = (options: Partial<CsvInputConfig>) =>
  ({ ...defaults(csvInput.config.properties), path: "out.csv", ...options }) as CsvInputConfig

const text = (name: string): Column => ({ name, type: { kind: "string" }, nullable: true })

/** Every value's text, to the byte. */
function cells(batch: Batch, session: TestSession): (string | null)[][] {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const views = batch.vectors.map((vector) => session.batches.text(vector))
  return Array.from({ length: batch.rows }, (_, row) =>
    views.map((view, index) => {
      if (session.batches.isNull(batch.vectors[index]!, row)) return null
      const target = new Uint8Array(view.size(row))
      return decoder.decode(target.subarray(0, view.write(row, target, 0)))
    }),
  )
}

async function* each<A>(...items: A[]): AsyncGenerator<A> {
  yield* items
}

/** Writes one split and finishes. */
async function write(
  options: Partial<CsvOutputConfig>,
  columns: readonly Column[],
  rows: readonly Row[],
): Promise<TestSession & { written: number }> {
  const session = testSession({ base })
  await using sink = await csvOutput.open(configure(options), { input: columns, splits: 1, step: "out" }, session)
  const batches = rows.length === 0 ? [] : [session.batches.fromRows(columns, rows)]
  const { written } = await sink.write({ id: "0", attempt: 1, note: () => "" }, each(...batches), session)
  await sink.finish(session)
  return Object.assign(session, { written })
}

const content = (path = "out.csv") => readFile(join(base, path), "utf8")

test("csv-output quotes what needs quotes and nothing else", async () => {
  const rows = ["plain", "with space", "a,b", 'say "hi"', "line\nbreak", "cr\rhere", "", null, "北京", "\ufeffmark"]
  const { written } = await write(
    {},
    [{ name: "n", type: { kind: "int64" }, nullable: false }, text("t")],
    rows.map((t, n) => ({ n: BigInt(n), t })),
  )
  expect(written).toBe(10)
  expect(await content()).toBe(
    'n,t\n0,plain\n1,with space\n2,"a,b"\n3,"say ""hi"""\n4,"line\nbreak"\n5,"cr\rhere"\n6,""\n7,\n8,北京\n9,"\ufeffmark"\n',
  )
})

test("csv-output writes canonical text of every type", async () => {
  const columns: Column[] = [
    { name: "b", type: { kind: "boolean" }, nullable: true },
    { name: "i", type: { kind: "int64" }, nullable: true },
    { name: "d", type: { kind: "decimal" }, nullable: true },
    { name: "f", type: { kind: "float64" }, nullable: true },
    { name: "ts", type: { kind: "timestamp", zone: true }, nullable: true },
    { name: "j", type: { kind: "json" }, nullable: true },
    { name: "x", type: { kind: "bytes" }, nullable: true },
  ]
  const row: Row = {
    b: true,
    i: -9223372036854775808n,
    d: "12345678901234567890.10",
    f: 1e21,
    ts: "2024-02-29 12:00:00.5+00",
    j: '{"a":1}',
    x: Uint8Array.of(0, 255),
  }
  await write({ header: false }, columns, [row])
  expect(await content()).toBe(
    'true,-9223372036854775808,12345678901234567890.10,1e+21,2024-02-29 12:00:00.5+00,"{""a"":1}",\\x00ff\n',
  )
})

test("csv-output obeys its options", async () => {
  const columns = [text("a"), text("b")]
  const rows = [
    { a: "x;y", b: null },
    { a: "NULL", b: 'q"\\' },
  ]
  await write({ delimiter: ";", lineEnding: "\r\n", nullValue: "NULL", bom: true, escape: "\\" }, columns, rows)
  expect(await content()).toBe('\ufeffa;b\r\n"x;y";NULL\r\n"NULL";"q\\"\\\\"\r\n')
  await write({ quoteAll: true, columns: [{ name: "b", as: "B b" }] }, columns, rows)
  expect(await content()).toBe('"B b"\n\n"q""\\"\n')
  await write({ delimiter: "\\t", quote: "", escape: "\\", nullValue: "\\N", header: false }, columns, [
    { a: "t\tn\n", b: null },
    { a: "\\N", b: "" },
  ])
  expect(await content()).toBe("t\\\tn\\\n\t\\N\n\\\\N\t\n")
})

test("csv-output rejects what cannot be written without quotes", async () => {
  const session = await write(
    { quote: "" },
    [text("a"), text("b")],
    [
      { a: "1", b: "fine" },
      { a: "2", b: "a,b" },
      { a: "3", b: "" },
      { a: "4", b: null },
    ],
  )
  expect(await content()).toBe("a,b\n1,fine\n4,\n")
  expect(session.written).toBe(2)
  expect(session.rejected.map(({ row, column, value, record }) => [row, column, value, record])).toEqual([
    [1, "b", "a,b", { a: "2", b: "a,b" }],
    [2, "b", "", { a: "3", b: "" }],
  ])
})

test("csv-output rejects characters that the encoding lacks", async () => {
  const rows = [
    { a: "é", b: "1" },
    { a: "2", b: "北京" },
    { a: "ÿ", b: "3" },
  ]
  const session = await write({ encoding: "latin1" }, [text("a"), text("b")], rows)
  expect(await readFile(join(base, "out.csv"), "latin1")).toBe("a,b\né,1\nÿ,3\n")
  expect(session.rejected).toMatchObject([{ row: 1, column: "b", value: "北京", reason: 'The encoding lacks "北"' }])
  await write({ encoding: "utf-16le", bom: true }, [text("a")], [{ a: "😀" }])
  expect((await readFile(join(base, "out.csv"))).toString("utf16le")).toBe("\ufeffa\n😀\n")
  const header = { encoding: "gbk", columns: [{ name: "a", as: "😀" }] } as const
  await expect(write(header, [text("a")], [])).rejects.toMatchObject({ reason: "config" })
})

test("csv-output writes just the header when there are no rows", async () => {
  await write({}, [text("a"), text("b,c")], [])
  expect(await content()).toBe('a,"b,c"\n')
  const session = testSession({ base })
  await using sink = await csvOutput.open(configure({}), { input: [text("none")], splits: 0, step: "out" }, session)
  await sink.finish(session)
  expect(await content()).toBe("none\n")
})

test.each(["gz", "zst"])("csv-output compresses to .%s, as one archive", async (extension) => {
  const session = testSession({ base })
  const config = configure({ path: `packed.csv.${extension}` })
  const columns = [text("a")]
  await using sink = await csvOutput.open(config, { input: columns, splits: 2, step: "out" }, session)
  for (const id of ["1", "2"]) {
    const batch = session.batches.fromRows(columns, [{ a: `row ${id}` }])
    await sink.write({ id, attempt: 1, note: () => "" }, each(batch), session)
  }
  await sink.finish(session)
  const bytes = await readFile(join(base, config.path))
  expect((extension === "gz" ? gunzipSync(bytes) : zstdDecompressSync(bytes)).toString()).toBe("a\nrow 1\nrow 2\n")
})

test("csv-output renames the only part of a run, and can finish twice", async () => {
  const session = testSession({ base })
  const columns = [text("a")]
  const config = configure({ path: "whole/a.csv.zst" })
  const sink = await csvOutput.open(config, { input: columns, splits: 1, step: "out" }, session)
  await sink.write(
    { id: "0", attempt: 1, note: () => "" },
    each(session.batches.fromRows(columns, [{ a: "row" }])),
    session,
  )
  expect(await readdir(join(base, "whole"))).toEqual([".a.csv.zst.headrace-test+out+1"])
  await sink.finish(session)
  await sink.finish(session)
  await sink[Symbol.asyncDispose]()
  expect(await readdir(join(base, "whole"))).toEqual(["a.csv.zst"])
  expect(zstdDecompressSync(await readFile(join(base, "whole/a.csv.zst"))).toString()).toBe("a\nrow\n")
})

async function writeSplits(config: CsvOutputConfig, ids: readonly string[], splits = ids.length) {
  const session = testSession({ base })
  const columns = [text("a")]
  const sink = await csvOutput.open(config, { input: columns, splits, step: "out" }, session)
  const writes = ids.map((id, index) =>
    sink
      .write({ id, attempt: 1, note: () => "" }, each(session.batches.fromRows(columns, [{ a: id }])), session)
      .then(() => index),
  )
  await Promise.all(writes)
  return { sink, session }
}

test("csv-output joins splits in their order, whoever comes first, and an earlier process's too", async () => {
  const config = configure({ path: "joined/o[1]{a,b}.csv" })
  const order = ["pages 2-3", "pages 10-11", "pages 0-1"]
  await writeSplits(config, order, 4)
  expect(await readdir(join(base, "joined"))).toEqual([".o[1]{a,b}.csv.headrace-test+out+1"])
  const { sink, session } = await writeSplits(config, ["pages 0-1", "x/y ".repeat(100)], 4)
  await sink.finish(session)
  await sink.finish(session)
  await sink[Symbol.asyncDispose]()
  expect(await readdir(join(base, "joined"))).toEqual(["o[1]{a,b}.csv"])
  expect(await content("joined/o[1]{a,b}.csv")).toBe(`a\npages 0-1\npages 2-3\npages 10-11\n${"x/y ".repeat(100)}\n`)
})

test("csv-output leaves the old file and nothing else when the run fails", async () => {
  await writeFile(join(base, "kept.csv"), "old")
  const config = configure({ path: "kept.csv" })
  const { sink, session } = await writeSplits(config, ["1"], 2)
  await expect(sink.finish(session)).rejects.toMatchObject({
    reason: "data",
    message: 'Cannot write "kept.csv": 1 of 2 splits are there',
  })
  const failing = (async function* () {
    yield session.batches.fromRows([text("a")], [{ a: "half" }])
    throw new Error("source broke")
  })()
  await expect(sink.write({ id: "2", attempt: 1, note: () => "" }, failing, session)).rejects.toThrow("source broke")
  expect((await readdir(base)).filter((name) => name.includes("kept"))).toHaveLength(2)
  await sink.abort(session)
  await sink[Symbol.asyncDispose]()
  expect((await readdir(base)).filter((name) => name.includes("kept"))).toEqual(["kept.csv"])
  expect(await content("kept.csv")).toBe("old")
})

test("csv-output writes a numbered file for each split on request, and removes those of a larger run", async () => {
  const config = configure({ path: "parts/p.v1.csv", partitioned: true })
  for (const ids of [["a", "b", "c"], ["d"], []]) {
    const { sink, session } = await writeSplits(config, ids)
    await sink.finish(session)
    await sink[Symbol.asyncDispose]()
    expect((await readdir(join(base, "parts"))).sort()).toEqual(ids.map((_, index) => `p.v1-0000${index + 1}.csv`))
    if (ids.length === 3) expect(await content("parts/p.v1-00002.csv")).toBe("a\nb\n")
  }
})

test("csv-output takes ready records unread in the standard dialect only", async () => {
  const session = testSession({ base })
  const plan = (options: Partial<CsvOutputConfig>) => csvOutput.plan(configure(options), [text("a")], session)
  expect((await plan({ header: false, escape: '"' })).encodings).toEqual(["csv"])
  for (const options of [{ delimiter: ";" }, { nullValue: "x" }, { encoding: "gbk" }, { quoteAll: true }] as const) {
    expect((await plan(options)).encodings).toEqual([])
  }
  const data = Buffer.from('1\n"x,y"\n')
  const frame: Frame = { encoding: "csv", rows: 2, data, bytes: data.length, firstRow: 0 }
  await using sink = await csvOutput.open(
    configure({}),
    { input: [text("a")], encoding: "csv", splits: 1, step: "out" },
    session,
  )
  const receipt = await sink.write({ id: "0", attempt: 1, note: () => "" }, each<Batch | Frame>(frame, frame), session)
  expect(receipt).toEqual({ written: 4, guarantee: "exactly-once" })
  await sink.finish(session)
  expect(await content()).toBe('a\n1\n"x,y"\n1\n"x,y"\n')
})

test("csv-output finds wrong columns while planning", async () => {
  const session = testSession({ base })
  const config = configure({ columns: [{ name: "a" }, { name: "bb" }, { name: "b", as: "a" }] })
  const plan = await csvOutput.plan(config, [text("a"), text("b")], session)
  expect(plan.uses).toEqual(["a", "bb", "b"])
  expect(plan.issues.map((issue) => issue.message)).toEqual([
    'Cannot write column "bb": the input has "a", "b"',
    'Cannot write two columns named "a"',
  ])
})

test.each([
  [{ quote: ";", delimiter: ";" }, "config"],
  [{ nullValue: "a,b" }, "config"],
  [{ bom: true, encoding: "gbk" }, "config"],
  [{ quoteAll: true, quote: "" }, "config"],
  [{ encoding: "latin1", delimiter: "→" }, "config"],
  [{ path: "/" }, "config"],
] as const)("csv-output refuses %p", async (options, reason) => {
  await expect(csvOutput.plan(configure(options), [text("a")], testSession({ base }))).rejects.toMatchObject({ reason })
})

test("csv-output writes what csv-input reads back the same, in every dialect", async () => {
  let state = 9
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
  const pieces = [
    "a",
    "é",
    "北",
    " ",
    ",",
    ";",
    "\t",
    '"',
    "'",
    "\\",
    "\n",
    "\r",
    "\r\n",
    "NULL",
    "\\N",
    "|",
    "||",
    "#",
    "\ufeff",
    "",
  ]
  const dialects: Partial<CsvOutputConfig>[] = [
    {},
    { header: false, lineEnding: "\r\n" },
    { delimiter: "||", quoteAll: true, nullValue: "NULL" },
    { delimiter: "\\t", escape: "\\", nullValue: "\\N", path: "out.csv.gz" },
    { delimiter: ";", quote: "'", encoding: "utf-16be", bom: true },
    { encoding: "gb18030", nullValue: "a" },
    { delimiter: "\\t", quote: "", escape: "\\", nullValue: "\\N" },
  ]
  const columns: Column[] = [
    text("t"),
    { name: "n", type: { kind: "decimal" }, nullable: true },
    { name: "j", type: { kind: "string" }, nullable: true },
  ]
  for (let round = 0; round < 70; round++) {
    const dialect = dialects[round % dialects.length]!
    const wanted = round % 3 === 0 ? columns.slice(0, 1) : columns
    const rows = Array.from({ length: random(40) }, (): Record<string, string | null> => {
      const value = () => Array.from({ length: random(6) }, () => pieces[random(pieces.length)]).join("")
      const row = {
        t: random(5) === 0 ? null : value(),
        n: random(5) === 0 ? null : `${random(1e6)}.${random(90) + 10}`,
        j: value(),
      }
      return Object.fromEntries(wanted.map(({ name }) => [name, row[name as keyof typeof row]]))
    })
    const session = await write(dialect, wanted, rows)
    const rejected = new Set(session.rejected.map((row) => row.row))
    // Only where nothing can be quoted is anything refused.
    if (dialect.quote !== "") expect(session.rejected).toEqual([])
    const { delimiter, quote, header, encoding, path } = configure(dialect)
    const config = configureInput({
      ...{ delimiter, quote, header, encoding, path, nullValues: [dialect.nullValue ?? ""] },
      ...(dialect.escape !== undefined && { escape: dialect.escape }),
      columns: wanted.map(({ name, type }) => ({ name, type: type.kind })),
    })
    const source = await csvInput.open(config, { columns: wanted.map(({ name }) => name), parallel: 1 }, session)
    const read: (string | null)[][] = []
    for await (const batch of source.read(source.splits[0]!, session)) {
      if (batch.encoding === undefined) read.push(...cells(batch, session))
    }
    const expected = rows.filter((_, index) => !rejected.has(index)).map((row) => wanted.map(({ name }) => row[name]))
    expect(read).toEqual(expected as (string | null)[][])
  }
})
