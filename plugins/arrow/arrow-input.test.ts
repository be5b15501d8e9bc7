import { afterAll, expect, test } from "bun:test"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as arrow from "apache-arrow"
import type { Batch } from "../../core/contract/index.ts"
import { decodeConfig } from "../../core/host/config.ts"
import { type TestSession, testSession } from "../../scripts/testing/session.ts"
import { typeName } from "../_sql/type-name.ts"
import arrowInput, { type ArrowInputConfig } from "./arrow-input.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-arrow-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const flights = join(import.meta.dir, "../../node_modules/vega-datasets/data/flights-200k.arrow")

test("arrow-input reads a file of another program", async () => {
  const { columns, rows, bytes } = await read({ path: flights })
  const table = arrow.tableFromIPC(readFileSync(flights))
  expect(columns).toEqual(
    table.schema.fields.map(({ name, nullable }) => ({ name, type: expect.anything(), nullable })),
  )
  expect(rows).toHaveLength(table.numRows)
  for (const row of [0, 1, 99_999, table.numRows - 1])
    expect(rows[row]).toEqual(table.schema.fields.map(({ name }) => shortest(table.getChild(name)!.get(row))))
  expect(bytes).toBeGreaterThan(table.numRows * 4)
})

test("arrow-input widens integers and floats", async () => {
  const batch = {
    i8: vector(new arrow.Int8(), Int8Array.of(-128, 127)),
    u8: vector(new arrow.Uint8(), Uint8Array.of(0, 255)),
    u16: vector(new arrow.Uint16(), Uint16Array.of(0, 65535)),
    u32: vector(new arrow.Uint32(), Uint32Array.of(0, 4294967295)),
    u64: vector(new arrow.Uint64(), BigUint64Array.of(0n, 18446744073709551615n)),
    i64: vector(new arrow.Int64(), BigInt64Array.of(-9223372036854775808n, 9007199254740993n)),
    f16: vector(new arrow.Float16(), Uint16Array.of(0x3c01, 0xfc00)),
    f16b: vector(new arrow.Float16(), Uint16Array.of(0x0001, 0x7e00)),
    f32: vector(new arrow.Float32(), Float32Array.of(0.1, -0)),
  }
  const { types, rows } = await readTable(batch)
  expect(types).toEqual(["int16", "int16", "int32", "int64", "uint64", "int64", "float32", "float32", "float32"])
  expect(rows).toEqual([
    ["-128", "0", "0", "0", "0", "-9223372036854775808", "1.0009766", "5.9604645e-8", "0.1"],
    ["127", "255", "65535", "4294967295", "18446744073709551615", "9007199254740993", "-Infinity", "NaN", "-0"],
  ])
})

test("arrow-input decodes dictionaries, large and view types", async () => {
  const words = ["a", "", null, "a", "日本", "longer than twelve bytes"]
  const encoder = new TextEncoder()
  const batch = {
    dictionary: arrow.vectorFromArray(words, new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())),
    large: arrow.vectorFromArray(words, new arrow.LargeUtf8()),
    view: arrow.vectorFromArray(words, new arrow.Utf8View()),
    bytes: arrow.vectorFromArray(
      words.map((word) => word && encoder.encode(word)),
      new arrow.LargeBinary(),
    ),
    numbers: arrow.vectorFromArray([7, 7, null, -1, 7, 0], new arrow.Dictionary(new arrow.Int32(), new arrow.Uint32())),
  }
  const { types, rows } = await readTable(batch)
  expect(types).toEqual(["string", "string", "string", "bytes", "int32"])
  expect(rows.map((row) => row.slice(0, 3))).toEqual(words.map((word) => [word, word, word]))
  expect(rows.map((row) => row[3])).toEqual([
    "\\x61",
    "\\x",
    null,
    "\\x61",
    "\\xe697a5e69cac",
    expect.stringMatching(/^\\x6c6f/),
  ])
  expect(rows.map((row) => row[4])).toEqual(["7", "7", null, "-1", "7", "0"])
})

test("arrow-input reads a dictionary that grows from batch to batch", async () => {
  const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 1)
  const parts = [["x", "y"], ["z"]].map((words) => arrow.vectorFromArray(words, new arrow.Utf8()).data[0]!)
  const dictionaries = [new arrow.Vector(parts.slice(0, 1)), new arrow.Vector(parts)]
  const schema = new arrow.Schema([new arrow.Field("a", type, true)])
  const batches = dictionaries.map((dictionary, i) => {
    const data = arrow.makeData({ type, data: Int32Array.of(0, 1 + i), dictionary })
    return new arrow.RecordBatch(schema, arrow.makeData({ type: new arrow.Struct(schema.fields), children: [data] }))
  })
  const writer = new arrow.RecordBatchStreamWriter()
  for (const batch of batches) writer.write(batch)
  const { rows } = await readBytes(writer.finish().toUint8Array(true))
  expect(rows).toEqual([["x"], ["y"], ["x"], ["z"]])
})

test("arrow-input keeps every digit of decimals", async () => {
  const small = new arrow.Decimal(2, 38, 128)
  const large = new arrow.Decimal(0, 76, 256)
  const batch = {
    small: vector(small, Uint32Array.of(-1250 >>> 0, -1 >>> 0, -1 >>> 0, -1 >>> 0, 5, 0, 0, 0)),
    large: vector(large, Uint32Array.of(...words(10n ** 76n - 1n), ...words(-(10n ** 76n - 1n)))),
    tens: vector(new arrow.Decimal(-3, 5, 128), Uint32Array.of(12, 0, 0, 0, 0, 0, 0, 0)),
  }
  const { types, rows } = await readTable(batch)
  expect(types).toEqual(["decimal(38,2)", "decimal(76,0)", "decimal(5,-3)"])
  expect(rows).toEqual([
    ["-12.50", "9".repeat(76), "12000"],
    ["0.05", `-${"9".repeat(76)}`, "0"],
  ])
})

test("arrow-input reads dates, times and durations of any unit", async () => {
  const batch = {
    day: vector(new arrow.DateDay(), Int32Array.of(19782)),
    ms: vector(new arrow.DateMillisecond(), BigInt64Array.of(1709164800000n)),
    s: vector(new arrow.TimeSecond(), Int32Array.of(3661)),
    tns: vector(new arrow.TimeNanosecond(), BigInt64Array.of(1_500_000n)),
    ts: vector(new arrow.TimestampSecond(null), BigInt64Array.of(-1n)),
    tms: vector(new arrow.TimestampMillisecond("Europe/Berlin"), BigInt64Array.of(1709208000500n)),
    ns: vector(new arrow.TimestampNanosecond(null), BigInt64Array.of(-1_000n)),
    span: vector(new arrow.DurationMillisecond(), BigInt64Array.of(-90_061_001n)),
    months: vector(new arrow.IntervalYearMonth(), Int32Array.of(14)),
    days: vector(new arrow.IntervalDayTime(), Int32Array.of(-3, 1500)),
    all: vector(new arrow.IntervalMonthDayNano(), Int32Array.of(-1, 2, 3_000, 0)),
  }
  const { types, rows } = await readTable(batch)
  expect(types).toEqual(
    "date date time(0) time timestamp(0) timestamptz(3) timestamp interval interval interval interval".split(" "),
  )
  expect(rows).toEqual([
    [
      ...["2024-02-29", "2024-02-29", "01:01:01", "00:00:00.0015", "1969-12-31 23:59:59", "2024-02-29 12:00:00.5+00"],
      ...[
        "1969-12-31 23:59:59.999999",
        "-25:01:01.001",
        "1 year 2 mons",
        "-3 days 00:00:01.5",
        "-1 mons 2 days 00:00:00.000003",
      ],
    ],
  ])
})

test("arrow-input rejects what is finer or larger than values are kept, or cuts nanoseconds when told to", async () => {
  const batch = {
    ns: vector(new arrow.TimestampNanosecond(null), BigInt64Array.of(1001n, 1000n, -1n)),
    s: vector(new arrow.TimestampSecond(null), BigInt64Array.of(0n, 9223372036854775807n, 0n)),
  }
  const { rows, session } = await readTable(batch)
  expect(rows).toEqual([])
  expect(session.rejected.map(({ row, column }) => [row, column])).toEqual([
    [0, "ns"],
    [2, "ns"],
    [1, "s"],
  ])
  expect(session.rejected[0]).toMatchObject({
    position: "t.arrow, row 0",
    reason: expect.stringContaining("1001 nano"),
  })
  const cut = await readTable({ ns: batch.ns }, { nanoseconds: "cut" })
  expect(cut.rows).toEqual([
    ["1970-01-01 00:00:00.000001"],
    ["1970-01-01 00:00:00.000001"],
    ["1969-12-31 23:59:59.999999"],
  ])
  expect([...cut.session.adjustments]).toEqual([["nanoseconds/ns", 2]])
})

test("arrow-input gives lists, structs and maps as JSON in which numbers keep their digits", async () => {
  const list = new arrow.List(new arrow.Field("item", new arrow.Int64(), true))
  const struct = new arrow.Struct<{ a: arrow.Int32; b: arrow.DataType }>([
    new arrow.Field("a", new arrow.Int32(), true),
    new arrow.Field('b"', new arrow.DateDay(), true),
  ])
  const entries = new arrow.Struct<{ key: arrow.Utf8; value: arrow.Float64 }>([
    new arrow.Field("key", new arrow.Utf8(), false),
    new arrow.Field("value", new arrow.Float64(), true),
  ])
  const map = new arrow.Map_(new arrow.Field("entries", entries, false))
  const ints = vector(new arrow.Int64(), BigInt64Array.of(9007199254740993n, -1n)).data[0]!
  const members = [
    vector(new arrow.Int32(), Int32Array.of(1, 2)).data[0]!,
    vector(new arrow.DateDay(), Int32Array.of(0, 1)).data[0]!,
  ]
  const keys = arrow.vectorFromArray(['it"s', "n"], new arrow.Utf8()).data[0]!
  const values = vector(new arrow.Float64(), Float64Array.of(0.1, Number.NaN)).data[0]!
  const pairs = arrow.makeData({ type: entries, length: 2, children: [keys, values] })
  const batch = {
    list: new arrow.Vector([arrow.makeData({ type: list, valueOffsets: Int32Array.of(0, 2, 2), child: ints })]),
    struct: new arrow.Vector([
      arrow.makeData({ type: struct, length: 2, nullCount: 1, nullBitmap: Uint8Array.of(1), children: members }),
    ]),
    map: new arrow.Vector([arrow.makeData({ type: map, valueOffsets: Int32Array.of(0, 2, 2), child: pairs })]),
  }
  const { types, rows } = await readTable(batch)
  expect(types).toEqual(["json", "json", "json"])
  expect(rows).toEqual([
    ["[9007199254740993, -1]", '{"a": 1, "b\\"": "1970-01-01"}', '{"it\\"s": 0.1, "n": "NaN"}'],
    ["[]", null, "{}"],
  ])
})

test("arrow-input refuses types without a counterpart, unless other columns are named", async () => {
  const union = new arrow.DenseUnion(Int32Array.of(0), [new arrow.Field("a", new arrow.Int32(), true)])
  const data = arrow.makeData({
    type: union,
    typeIds: Int8Array.of(0),
    valueOffsets: Int32Array.of(0),
    children: [vector(new arrow.Int32(), Int32Array.of(1)).data[0]!],
  } as never)
  const table = { odd: new arrow.Vector([data]), plain: vector(new arrow.Int32(), Int32Array.of(5)) }
  await expect(readTable(table)).rejects.toThrow(/Cannot read column "odd" of "t.arrow": .*no counterpart/)
  expect((await readTable(table, { columns: ["plain"] })).rows).toEqual([["5"]])
})

test("arrow-input checks what a file states of its text, value by value", async () => {
  const text = arrow.vectorFromArray(["1.50", "x", "2"], new arrow.Utf8())
  const schema = new arrow.Schema([new arrow.Field("a", text.type, true, new Map([["headrace.type", "decimal"]]))])
  const struct = arrow.makeData({ type: new arrow.Struct(schema.fields), length: 3, children: [text.data[0]!] })
  const bytes = arrow.tableToIPC(new arrow.Table([new arrow.RecordBatch(schema, struct)]), "file")
  const { rows, types, session } = await readBytes(bytes)
  expect(types).toEqual(["decimal"])
  expect(rows).toEqual([["1.50"], ["2"]])
  expect(session.rejected).toMatchObject([{ row: 1, value: "x", reason: "The value does not fit decimal" }])
})

test("arrow-input rejects text that is not valid UTF-8, and NULL in a column that has none", async () => {
  const type = new arrow.Utf8()
  const data = arrow.makeData({
    type,
    valueOffsets: Int32Array.of(0, 1, 2, 4),
    data: Uint8Array.of(0x61, 0xff, 0xc3, 0xa9),
  })
  expect((await readTable({ a: new arrow.Vector([data]) })).rows).toEqual([["a"], ["é"]])
  const split = arrow.makeData({ type, valueOffsets: Int32Array.of(0, 1, 2), data: Uint8Array.of(0xc3, 0xa9) })
  expect((await readTable({ a: new arrow.Vector([split]) })).session.rejected).toHaveLength(2)
  const values = arrow.vectorFromArray([1, null], new arrow.Int32())
  const schema = new arrow.Schema([new arrow.Field("a", values.type, false)])
  const struct = arrow.makeData({ type: new arrow.Struct(schema.fields), length: 2, children: [values.data[0]!] })
  const { rows, session } = await readBytes(arrow.tableToIPC(new arrow.Table([new arrow.RecordBatch(schema, struct)])))
  expect(rows).toEqual([["1"]])
  expect(session.rejected).toMatchObject([{ row: 1, column: "a", value: null }])
})

test("arrow-input says what is wrong with a file that is none, ends early or is missing", async () => {
  const whole = readFileSync(flights)
  const failures: [Uint8Array, RegExp][] = [
    [new TextEncoder().encode("id,name\n1,a\n"), /^Cannot read "t.arrow" as Arrow: /],
    [whole.subarray(0, 500_000), /^Cannot read "t.arrow" as Arrow: /],
    [new Uint8Array(0), /^Cannot read "t.arrow" as Arrow: /],
  ]
  for (const [bytes, message] of failures) {
    const failure: unknown = await readBytes(bytes).catch((error: unknown) => error)
    expect(failure).toMatchObject({ reason: "data", message: expect.stringMatching(message) })
  }
  // Cut behind the first of two batches, where a stream could end as well.
  const session = testSession({ base: folder })
  const arrowOutput = (await import("./arrow-output.ts")).default
  const columns = [{ name: "a", type: { kind: "int32" }, nullable: true }] as const
  const batch = session.batches.fromRows(columns, [{ a: 1 }])
  const sink = await arrowOutput.open(
    { path: "two.arrow", format: "file" },
    { input: columns, splits: 1, step: "out" },
    session,
  )
  await sink.write(
    { id: "1", attempt: 1, note: () => "" },
    (async function* () {
      yield batch
      yield batch
    })(),
    session,
  )
  await sink.finish(session)
  const two = readFileSync(join(folder, "two.arrow"))
  expect((await readBytes(two)).rows).toHaveLength(2)
  for (let end = two.length - 1; end > 0; end -= 8)
    await expect(readBytes(two.subarray(0, end))).rejects.toMatchObject({ reason: "data" })
  await expect(read({ path: join(folder, "none.arrow") })).rejects.toMatchObject({ reason: "missing" })
})

test("arrow-input reads several files as splits and refuses one of another type", async () => {
  const write = (name: string, table: Record<string, arrow.Vector>) =>
    writeFileSync(join(folder, name), arrow.tableToIPC(new arrow.Table(table), "file"))
  write("m-1.arrow", { a: vector(new arrow.Int32(), Int32Array.of(1)) })
  write("m-2.arrow", { a: vector(new arrow.Int32(), Int32Array.of(2)) })
  expect((await read({ path: join(folder, "m-*.arrow") })).rows).toEqual([["1"], ["2"]])
  write("m-3.arrow", { a: vector(new arrow.Float64(), Float64Array.of(3)) })
  await expect(read({ path: join(folder, "m-*.arrow") })).rejects.toThrow(
    'Cannot read column "a" of "m-3.arrow": it is Float64, in the first file Int32',
  )
  copyFileSync(join(folder, "m-1.arrow"), join(folder, "n.arrow"))
  await expect(read({ path: join(folder, "n.arrow"), columns: ["b"] })).rejects.toThrow(
    'Cannot find column "b" in "n.arrow"',
  )
})

function vector<T extends arrow.DataType>(type: T, data: T["TArray"]): arrow.Vector<T> {
  // Typed arrays and their types agree in this file; the overloads of makeData want to see each on its own.
  const make = arrow.makeData as (props: object) => arrow.Data<T>
  return new arrow.Vector([make({ type, data })])
}

/** The text of a float32, of which the library gives all digits that a float64 has. */
function shortest(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(8)))
}

function words(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(32 * i)) & 0xffffffffn))
}

function readTable(table: Record<string, arrow.Vector>, config: Record<string, unknown> = {}) {
  return readBytes(arrow.tableToIPC(new arrow.Table(table), "stream"), config)
}

function readBytes(bytes: Uint8Array, config: Record<string, unknown> = {}) {
  const path = join(folder, "t.arrow")
  writeFileSync(path, bytes)
  return read({ path, ...config })
}

async function read(config: Record<string, unknown>, session: TestSession = testSession({ base: folder })) {
  const decoded = decodeConfig(arrowInput.config, config)
  if ("problems" in decoded) throw new Error(decoded.problems[0]!.message)
  const settings = decoded.config as unknown as ArrowInputConfig
  const plan = await arrowInput.plan(settings, {}, session)
  if (plan.issues.length > 0) throw new Error(plan.issues[0]!.message)
  await using source = await arrowInput.open(
    settings,
    { columns: plan.columns.map(({ name }) => name), parallel: 1 },
    session,
  )
  const batches: Batch[] = []
  for (const split of source.splits)
    for await (const batch of source.read(split, session)) {
      if (batch.encoding !== undefined) throw new Error("no frame was asked for")
      batches.push(batch)
    }
  const rows = batches.flatMap((batch) =>
    Array.from({ length: batch.rows }, (_, row) =>
      batch.vectors.map((column) => session.batches.valueText(column, row)),
    ),
  )
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0)
  return { columns: plan.columns, types: plan.columns.map(({ type }) => typeName(type)), rows, bytes, session }
}
