import { expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import type { Batch, Column, Row, TableColumn } from "../contract/index.ts"
import { converted } from "./convert.ts"
import type { MappedColumn } from "./mapping.ts"

const text: Column = { name: "text", type: { kind: "string" }, nullable: true }
const id: Column = { name: "id", type: { kind: "int32" }, nullable: false }

function to(column: Column): TableColumn {
  return { ...column, generated: false, identity: false, hasDefault: false }
}

async function convert(
  batches: (session: ReturnType<typeof testSession>) => Batch[],
  pairs: MappedColumn[],
  keyColumns: string[] = [],
) {
  const session = testSession()
  async function* source() {
    yield* batches(session)
  }
  const rows: Row[] = []
  const positions: number[] = []
  for await (const item of converted(source(), { pairs, keyColumns }, session)) {
    if (item.encoding !== undefined) continue
    rows.push(...session.batches.rows(item))
    for (let row = 0; row < item.rows; row++) positions.push(session.batches.position(item, row))
  }
  return { rows, positions, rejected: session.rejected }
}

test("convert gives the table's columns in its order, under its names and types", async () => {
  const pairs = [
    { from: text, to: to({ name: "n", type: { kind: "int64" }, nullable: true }) },
    { from: id, to: to({ name: "key", type: { kind: "string" }, nullable: false }) },
  ]
  const { rows } = await convert(({ batches }) => [batches.fromRows([id, text], [{ id: 1, text: " 12 " }])], pairs)
  expect(rows).toEqual([{ n: 12n, key: "1" }])
})

test("convert rejects a row once, by the first column that does not fit, at its position in the split", async () => {
  const other: Column = { ...text, name: "other" }
  const pairs = [
    { from: text, to: to({ name: "n", type: { kind: "int32" }, nullable: true }) },
    { from: other, to: to({ name: "day", type: { kind: "date" }, nullable: true }) },
  ]
  const rows = [
    { text: "1", other: "2024-01-01" },
    { text: "x", other: "y" },
    { text: null, other: null },
    { text: "4", other: "2024-13-01" },
  ]
  const result = await convert(
    ({ batches }) => [batches.take(batches.fromRows([text, other], rows, 100), [1, 2, 3])],
    pairs,
  )
  expect(result.rows).toEqual([{ n: null, day: null }])
  expect(result.positions).toEqual([102])
  expect(result.rejected).toEqual([
    {
      row: 101,
      column: "text",
      value: "x",
      reason: 'The value does not fit int32 of column "n"',
      record: { text: "x", other: "y" },
    },
    {
      row: 103,
      column: "other",
      value: "2024-13-01",
      reason: 'The value does not fit date of column "day"',
      record: { text: "4", other: "2024-13-01" },
    },
  ])
})

test("convert rejects NULL where the table has none, and where rows are found by it", async () => {
  const source = [{ text: "a" }, { text: null }]
  const run = (nullable: boolean, keyColumns: string[]) =>
    convert(
      ({ batches }) => [batches.fromRows([text], source)],
      [{ from: text, to: to({ ...text, nullable }) }],
      keyColumns,
    )
  expect((await run(true, [])).rejected).toEqual([])
  expect((await run(false, [])).rejected.map(({ row, reason }) => [row, reason])).toEqual([
    [1, 'NULL is not allowed in column "text"'],
  ])
  expect((await run(true, ["text"])).rejected.map(({ reason }) => reason)).toEqual([
    'NULL is not allowed in key column "text"',
  ])
})

test("convert gives no batch of which every row is rejected", async () => {
  const pairs = [{ from: text, to: to({ name: "n", type: { kind: "int32" }, nullable: true }) }]
  const result = await convert(
    ({ batches }) => [batches.fromRows([text], [{ text: "x" }]), batches.fromRows([text], [{ text: "7" }], 1)],
    pairs,
  )
  expect(result.rows).toEqual([{ n: 7 }])
  expect(result.positions).toEqual([1])
})

test("convert takes a column that a row object lacks for NULL, whatever its name", async () => {
  const names = ["constructor", "toString", "__proto__"]
  const columns = names.map((name) => ({ ...text, name }))
  const { rows } = await convert(
    ({ batches }) => [batches.fromRows(columns, [{}])],
    columns.map((column) => ({ from: column, to: to(column) })),
  )
  expect(names.map((name) => Object.getOwnPropertyDescriptor(rows[0], name)?.value)).toEqual([null, null, null])
})
