import { expect, test } from "bun:test"
import type { Batch, Session } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { parseTypeName, typeName } from "../_sql/type-name.ts"
import { nastyValues } from "./nasty-values.ts"
import rowsInput, { type RowsConfig } from "./rows-input.ts"

const kinds =
  "boolean int16 int32 int64 uint64 float32 float64 decimal decimal(12,2) decimal(30,10) decimal(4,-2) string string(5) char(3) bytes bytes(4) date time time(3) timestamp timestamp(0) timestamptz timestamptz(3) interval json uuid".split(
    " ",
  )
const everyType = kinds.map((type, i) => ({ name: `c${i}`, type }))

function config(options: Partial<RowsConfig>): RowsConfig {
  return { rows: 500, seed: 1, splits: 1, nasty: false, columns: everyType, ...options }
}

async function make(
  options: Partial<RowsConfig>,
  columns?: string[],
  session = testSession({ settings: { batchRows: 64 } }),
) {
  const full = config(options)
  const plan = await rowsInput.plan(full, columns ? { columns } : {})
  const source = await rowsInput.open(full, { columns: plan.columns.map(({ name }) => name), parallel: 1 })
  const rows: string[] = []
  for (const split of source.splits) {
    for await (const batch of source.read(split, session)) rows.push(...lines(batch, session))
  }
  return { rows, source, plan }
}

// A byte order mark is a character like any other.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

function lines(batch: Batch, { batches }: Session): string[] {
  const texts = batch.vectors.map((vector) => {
    const view = batches.text(vector)
    return (row: number) => {
      if (batches.isNull(vector, row)) return null
      const bytes = new Uint8Array(view.size(row))
      return decoder.decode(bytes.subarray(0, view.write(row, bytes, 0)))
    }
  })
  return Array.from({ length: batch.rows }, (_, row) => JSON.stringify(texts.map((text) => text(row))))
}

test("rows-input makes values that their own type reads back", async () => {
  const session = testSession()
  const { rows, plan } = await make({ nasty: true })
  expect(rows.length).toBe(500)
  const builder = session.batches.builder(plan.columns)
  const encoder = new TextEncoder()
  for (const row of rows) {
    for (const [i, text] of (JSON.parse(row) as string[]).entries()) {
      const bytes = encoder.encode(text)
      expect([plan.columns[i]!.type, text, builder.columns[i]!.parse(bytes, 0, bytes.length)]).toEqual([
        plan.columns[i]!.type,
        text,
        true,
      ])
    }
    builder.endRow()
  }
  expect(lines(builder.finish(), session)).toEqual(rows)
})

test.each([2, 7, 50])("rows-input makes the same rows in %d splits", async (splits) => {
  const options = { nasty: true, columns: everyType.map((column) => ({ ...column, nullShare: 0.2 })) }
  const whole = await make(options)
  const cut = await make({ ...options, splits })
  expect(cut.source.splits.length).toBe(splits)
  expect(cut.rows).toEqual(whole.rows)
})

test("rows-input makes the same column whichever others are read", async () => {
  const { rows } = await make({})
  const { rows: two } = await make({}, ["c9", "c3"])
  expect(two).toEqual(rows.map((row) => JSON.stringify([JSON.parse(row)[9], JSON.parse(row)[3]])))
})

test("rows-input makes other rows from another seed", async () => {
  const columns = [{ name: "v", type: "uuid" }]
  const one = new Set((await make({ columns })).rows)
  expect(one.size).toBe(500)
  for (const seed of [2, 2 ** 32 + 1])
    expect((await make({ columns, seed })).rows.filter((row) => one.has(row))).toEqual([])
})

test("rows-input reads a split again as it was", async () => {
  const { source } = await make({ splits: 3 })
  const again = await rowsInput.open(config({}), { columns: ["c3"], parallel: 1, splits: [source.splits[1]!] })
  const session = testSession()
  const rows: string[] = []
  for await (const batch of again.read(again.splits[0]!, session)) rows.push(...lines(batch, session))
  expect(again.splits).toEqual([source.splits[1]!])
  expect(rows).toEqual((await make({}, ["c3"])).rows.slice(166, 333))
})

test("rows-input keeps to the share of NULLs and the number of different values", async () => {
  const { rows, plan } = await make({
    rows: 4000,
    columns: [{ name: "v", type: "int64", nullShare: 0.25, distinct: 10 }],
  })
  const nulls = rows.filter((row) => row === "[null]").length
  expect(nulls).toBeWithin(850, 1150)
  expect(new Set(rows).size).toBe(11)
  expect(plan.columns[0]!.nullable).toBe(true)
})

test("rows-input mixes in every edge case that fits", async () => {
  const { rows } = await make({
    rows: 5000,
    nasty: true,
    columns: [
      { name: "v", type: "string" },
      { name: "short", type: "string(3)" },
    ],
  })
  const seen = rows.map((row) => JSON.parse(row) as string[])
  const edges = nastyValues({ kind: "string" })
  expect(edges.filter((edge) => !seen.some(([v]) => v === edge))).toEqual([])
  expect(Math.max(...seen.map(([, short]) => [...short!].length))).toBe(3)
  expect(edges.some((edge) => edge.includes("\0"))).toBe(false)
})

test("rows-input counts in every type that has a sequence", async () => {
  const types = [
    "int16",
    "int32",
    "int64",
    "uint64",
    "float64",
    "decimal(6,2)",
    "string(4)",
    "date",
    "timestamp",
    "uuid",
  ]
  const { rows } = await make({
    rows: 1000,
    columns: types.map((type) => ({ name: type, type, sequence: true })),
    splits: 3,
    nasty: true,
  })
  expect(JSON.parse(rows[999]!)).toEqual([
    "1000",
    "1000",
    "1000",
    "1000",
    "1000",
    "1000.00",
    "1000",
    "1972-09-27",
    "1970-01-01 00:16:40",
    "00000000-0000-0000-0000-0000000003e8",
  ])
  expect(new Set(rows).size).toBe(1000)
})

test("rows-input makes no split for no rows", async () => {
  expect((await make({ rows: 0, splits: 3 })).source.splits).toEqual([])
  expect((await make({ rows: 2, splits: 5 })).rows.length).toBe(2)
})

test("rows-input stops when the run is cancelled", async () => {
  const session = testSession({ settings: { batchRows: 10 } })
  session.abort()
  await expect(make({}, undefined, session)).rejects.toMatchObject({ reason: "cancelled" })
})

test.each([
  [{ name: "v", type: "bigint" }, 'Cannot read the type "bigint" of column "v"'],
  [{ name: "v", type: "boolean", sequence: true }, 'Cannot count in column "v": boolean has no sequence'],
  [{ name: "v", type: "string(2)", sequence: true }, 'Cannot count to 500 in column "v": string(2) ends at 99'],
  [{ name: "v", type: "native(postgres, point)" }, "Cannot make values of the type point of postgres"],
  [{ name: "id", type: "int64" }, 'Cannot make two columns of the name "id"'],
])("rows-input finds the mistake in %j", async (column, message) => {
  const plan = await rowsInput.plan(config({ columns: [{ name: "id", type: "int64" }, column] }), {})
  expect(plan.issues.map((issue) => issue.message)).toEqual([message])
})

test("rows-input tells its types", async () => {
  const { plan } = await make({}, ["c8"])
  expect(plan.columns.map(({ type }) => typeName(type))).toEqual([typeName(parseTypeName("decimal(12,2)")!)])
  const unknown = await rowsInput.plan(config({}), { columns: ["nope"] })
  expect(unknown.issues[0]).toMatchObject({ severity: "error", column: "nope" })
})
