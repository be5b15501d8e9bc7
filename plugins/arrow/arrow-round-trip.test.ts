import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { tableFromIPC } from "apache-arrow"
import type { Batch, Columns, Split } from "../../core/contract/index.ts"
import { decodeConfig } from "../../core/host/config.ts"
import { type TestSession, testSession } from "../../scripts/testing/session.ts"
import rowsInput from "../rows/rows-input.ts"
import arrowInput, { type ArrowInputConfig } from "./arrow-input.ts"
import arrowOutput from "./arrow-output.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-arrow-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const types = [
  ...["boolean", "int16", "int32", "int64", "uint64", "float32", "float64", "decimal", "decimal(12,2)", "decimal(5,5)"],
  ...["decimal(38,10)", "decimal(60,0)", "decimal(76,76)", "decimal(80,2)", "decimal(3,-2)", "string", "string(5)"],
  ...["char(4)", "bytes", "bytes(4)", "date", "time", "time(3)", "timestamp", "timestamp(0)", "timestamptz"],
  ...["timestamptz(3)", "interval", "json", "uuid"],
]
const columns = types.flatMap((type) => [
  { name: type, type },
  { name: `${type} or NULL`, type, nullShare: 0.3 },
])

test.each([
  { seed: 1, splits: 1, path: "one.arrow", format: "file" as const },
  { seed: 2, splits: 1, path: "one.arrows", format: "stream" as const },
  { seed: 3, splits: 4, path: "deep/four.arrow", format: "file" as const },
  { seed: 4, splits: 3, path: "three.arrows.gz", format: "stream" as const },
  { seed: 5, splits: 1, path: "packed.arrow.zst", format: "file" as const },
])(
  "arrow-output writes hostile rows that arrow-input reads as they were: $path",
  async ({ seed, splits, path, format }) => {
    const session = testSession({ base: folder, settings: { batchRows: 100 } })
    const made = { rows: 1500, seed, splits, nasty: true, columns }
    const plan = await rowsInput.plan(made, {})
    const source = await rowsInput.open(made, { columns: plan.columns.map(({ name }) => name), parallel: 1 })
    const sent: string[][] = []
    const writes = source.splits.map((split) => tapped(source.read(split, session)))
    await write({ path, format }, plan.columns, writes, session)
    async function* tapped(batches: AsyncIterable<Batch>) {
      for await (const batch of batches) {
        sent.push(...lines(batch, session))
        yield batch
      }
    }

    const back = await read({ path }, session)
    expect(session.rejected).toEqual([])
    expect(back.columns).toEqual(plan.columns)
    for (const [row, line] of back.lines.entries()) expect(line).toEqual(sent[row]!)
    expect(back.lines).toHaveLength(1500)
    expect(back.batches.every(({ rows }) => rows <= 100)).toBe(true)
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes(".part"))).toEqual([])
  },
)

test("arrow-output writes a file that the library reads by its index, and by itself", async () => {
  const session = testSession({ base: folder })
  const shape: Columns = [
    { name: "id", type: { kind: "int64" }, nullable: false },
    { name: "name", type: { kind: "string" }, nullable: true },
    { name: "total", type: { kind: "decimal", precision: 12, scale: 2 }, nullable: true },
    { name: "at", type: { kind: "timestamp", zone: true }, nullable: true },
  ]
  const rows = [
    { id: 9007199254740993n, name: "é", total: "-12.50", at: "2024-02-29 12:00:00.5+00" },
    { id: 1n, name: null, total: null, at: null },
  ]
  const batch = session.batches.fromRows(shape, rows)
  for (const format of ["file", "stream"] as const) {
    await write({ path: "plain.arrow", format }, shape, [stream(batch)], session)
    const table = tableFromIPC(readFileSync(join(folder, "plain.arrow")))
    expect(table.schema.fields.map((field) => `${field.name} ${field.type} ${field.nullable}`)).toEqual([
      "id Int64 false",
      "name Utf8 true",
      "total Decimal[12e+2] true",
      "at Timestamp<MICROSECOND, UTC> true",
    ])
    expect([...table.getChild("id")!]).toEqual([9007199254740993n, 1n])
    expect([...table.getChild("name")!]).toEqual(["é", null])
    expect(table.getChild("at")!.data[0]!.values[0]).toBe(1709208000500000n)
    expect([...table.getChild("total")!.data[0]!.values.subarray(0, 4)]).toEqual([
      -1250 >>> 0,
      -1 >>> 0,
      -1 >>> 0,
      -1 >>> 0,
    ])
  }
})

test("arrow-output shares the memory of values instead of copying them", async () => {
  const { loadArrow } = await import("./arrow-library.ts")
  const { recordBatchOf } = await import("./arrow-write.ts")
  const { schemaOf } = await import("./arrow-output.ts")
  const arrow = await loadArrow()
  const session = testSession()
  const shape: Columns = [
    { name: "a", type: { kind: "int64" }, nullable: false },
    { name: "b", type: { kind: "string" }, nullable: false },
  ]
  const batch = session.batches.fromRows(shape, [{ a: 1n, b: "x" }])
  const records = recordBatchOf(batch, schemaOf(shape, arrow), arrow, session)
  const [a, b] = records.data.children
  const [first, second] = batch.vectors
  expect(a!.values.buffer).toBe(first!.storage === "int64" ? first!.values.buffer : undefined)
  expect(b!.values.buffer).toBe(second!.storage === "bytes" ? second!.data.buffer : undefined)
})

test("arrow-output rejects decimals that Arrow does not have, and writes the others", async () => {
  const session = testSession({ base: folder })
  const shape: Columns = [{ name: "a", type: { kind: "decimal", precision: 4, scale: 1 }, nullable: true }]
  const batch = session.batches.fromRows(
    [{ ...shape[0]!, type: { kind: "decimal" } }],
    ["1.5", "NaN", "999.9", "1000.0", null].map((a) => ({ a })),
  )
  const written = await write({ path: "nan.arrow" }, shape, [stream({ ...batch, columns: shape })], session)
  expect(written).toBe(3)
  expect(session.rejected.map(({ row, value, column }) => [row, value, column])).toEqual([
    [1, "NaN", "a"],
    [3, "1000.0", "a"],
  ])
  expect((await read({ path: "nan.arrow" }, session)).lines).toEqual([['"1.5"'], ['"999.9"'], ["null"]])
})

test("arrow-output leaves nothing of a run that failed, and keeps the file of an earlier one", async () => {
  const session = testSession({ base: folder })
  const shape: Columns = [{ name: "a", type: { kind: "int32" }, nullable: true }]
  await write({ path: "kept.arrow" }, shape, [stream(session.batches.fromRows(shape, [{ a: 1 }]))], session)
  async function* broken() {
    yield session.batches.fromRows(shape, [{ a: 2 }])
    throw new Error("the input broke")
  }
  await expect(write({ path: "kept.arrow" }, shape, [broken()], session)).rejects.toThrow("the input broke")
  expect((await read({ path: "kept.arrow" }, session)).lines).toEqual([['"1"']])
  expect(readdirSync(folder).filter((name) => name.includes(".part"))).toEqual([])
})

test("arrow-output writes a file without rows", async () => {
  const session = testSession({ base: folder })
  const shape: Columns = [{ name: "a", type: { kind: "uuid" }, nullable: true }]
  for (const splits of [[stream()], [stream(), stream()]]) {
    await write({ path: "empty.arrow" }, shape, splits, session)
    expect(await read({ path: "empty.arrow" }, session)).toEqual({ columns: shape, lines: [], batches: [] })
  }
})

async function* stream(...batches: Batch[]) {
  yield* batches
}

async function write(
  config: Record<string, unknown>,
  input: Columns,
  splits: readonly AsyncIterable<Batch>[],
  session: TestSession,
): Promise<number> {
  const decoded = decodeConfig(arrowOutput.config, config)
  if ("problems" in decoded) throw new Error(decoded.problems[0]!.message)
  const settings = decoded.config as { path: string; format: "file" | "stream" }
  expect((await arrowOutput.plan(settings, input, session)).issues).toEqual([])
  await using sink = await arrowOutput.open(settings, { input, splits: splits.length, step: "out" }, session)
  let written = 0
  try {
    for (const [i, rows] of splits.entries())
      written += (await sink.write({ id: `part-${i}`, attempt: 1, note: () => "" }, rows, session)).written
    await sink.finish(session)
  } catch (error) {
    await sink.abort(session)
    throw error
  }
  return written
}

async function read(config: Record<string, unknown>, session: TestSession) {
  const decoded = decodeConfig(arrowInput.config, config)
  if ("problems" in decoded) throw new Error(decoded.problems[0]!.message)
  const settings = decoded.config as unknown as ArrowInputConfig
  const plan = await arrowInput.plan(settings, {}, session)
  expect(plan.issues).toEqual([])
  await using source = await arrowInput.open(
    settings,
    { columns: plan.columns.map(({ name }) => name), parallel: 1 },
    session,
  )
  const batches: Batch[] = []
  for (const split of source.splits as readonly Split[])
    for await (const batch of source.read(split, session)) {
      if (batch.encoding !== undefined) throw new Error("no frame was asked for")
      batches.push(batch)
    }
  return { columns: plan.columns, lines: batches.flatMap((batch) => lines(batch, session)), batches }
}

function lines(batch: Batch, { batches }: TestSession): string[][] {
  return Array.from({ length: batch.rows }, (_, row) =>
    batch.vectors.map((vector) => JSON.stringify(batches.valueText(vector, row))),
  )
}
