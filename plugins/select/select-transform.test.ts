import { expect, test } from "bun:test"
import { fidelity } from "../../core/batch/conversion.ts"
import type { Batch, Columns, LogicalType } from "../../core/contract/index.ts"
import { type TestSession, testSession } from "../../scripts/testing/session.ts"
import { parseTypeName, typeName } from "../_sql/type-name.ts"
import { canCast } from "./can-cast.ts"
import select, { type SelectConfig } from "./select-transform.ts"

const input: Columns = [
  { name: "id", type: { kind: "int64" }, nullable: false, native: { system: "postgres", type: "int8" } },
  { name: "name", type: { kind: "string" }, nullable: true },
  { name: "total", type: { kind: "string" }, nullable: false, comment: "as printed" },
  { name: "created", type: { kind: "timestamp", zone: false }, nullable: true },
]

function plan(
  config: Omit<SelectConfig, "onCastError">,
  wanted?: readonly string[],
  onCastError: "reject" | "null" = "reject",
) {
  return select.plan({ ...config, onCastError }, { input, ...(wanted && { wanted }) })
}

const rows = [
  { id: 1n, name: "a", total: "1.5", created: "2024-01-01 00:00:00" },
  { id: 2n, name: null, total: "x", created: null },
  { id: 3n, name: "c", total: "3", created: "2024-02-29 12:00:00.123456" },
]

interface Run {
  readonly session?: TestSession
  readonly wanted?: readonly string[]
  readonly onCastError?: "reject" | "null"
}

async function run(
  config: Omit<SelectConfig, "onCastError">,
  { session = testSession(), wanted, onCastError = "reject" }: Run = {},
) {
  const { columns, requires } = plan(config, wanted, onCastError)
  const narrowed = input.filter(({ name }) => requires.includes(name))
  const batch = session.batches.fromRows(narrowed, rows, 10)
  async function* batches(): AsyncGenerator<Batch> {
    yield batch
  }
  const out: Batch[] = []
  const shape = { input: narrowed, output: columns }
  for await (const batch of select.apply({ ...config, onCastError }, shape, batches(), session)) out.push(batch)
  return {
    out,
    batch,
    rows: out.flatMap((batch) => [...session.batches.rows(batch)]),
    rejected: session.rejected,
    session,
  }
}

test("select keeps, renames and reorders without copying", async () => {
  const { out, batch, rows } = await run({ columns: ["total", { column: "id", as: "key" }] })
  expect(out[0]!.columns.map(({ name }) => name)).toEqual(["total", "key"])
  expect(out[0]!.columns[1]).toEqual({ ...input[0]!, name: "key" })
  expect(rows[0]).toEqual({ total: "1.5", key: 1n })
  expect(out[0]!.vectors[1]).toBe(batch.vectors[0]!)
  expect(out[0]!.firstRow).toBe(10)
})

test("select copies a column that is listed twice", async () => {
  const { rows } = await run({ columns: ["id", { column: "id", as: "text", type: "string" }] })
  expect(rows[2]).toEqual({ id: 3n, text: "3" })
})

test("select changes and drops columns where they stand", async () => {
  const { out, rows } = await run({
    change: [
      { column: "created", type: "timestamptz" },
      { column: "name", as: "who" },
    ],
    drop: ["total"],
  })
  expect(out[0]!.columns.map(({ name, type }) => `${name} ${typeName(type)}`)).toEqual([
    "id int64",
    "who string",
    "created timestamptz",
  ])
  expect(rows[0]).toEqual({ id: 1n, who: "a", created: "2024-01-01 00:00:00+00" })
})

test("select rejects a row whose value does not fit, with its position, column, value and record", async () => {
  const { rows, out, rejected, session } = await run({
    columns: [{ column: "total", as: "amount", type: "decimal(12,2)" }, "id"],
  })
  expect(rows).toEqual([
    { amount: "1.50", id: 1n },
    { amount: "3.00", id: 3n },
  ])
  expect(rejected).toEqual([
    {
      row: 11,
      column: "amount",
      value: "x",
      reason: 'Cannot cast "x" in column "amount" to decimal(12,2)',
      record: { id: "2", total: "x" },
    },
  ])
  expect([0, 1].map((row) => session.batches.position(out[0]!, row))).toEqual([10, 12])
})

test("select names the first column when several casts of a row fail, and rejects the row once", async () => {
  const { rejected } = await run({
    columns: [
      { column: "name", type: "int32" },
      { column: "total", type: "int32" },
    ],
  })
  expect(rejected.map(({ row, column }) => [row, column])).toEqual([
    [10, "name"],
    [11, "total"],
    [12, "name"],
  ])
})

test("select writes NULL and counts it where the policy says so", async () => {
  const { rows, rejected, session, out } = await run(
    { columns: [{ column: "total", type: "decimal(12,2)" }] },
    { onCastError: "null" },
  )
  expect(rows).toEqual([{ total: "1.50" }, { total: null }, { total: "3.00" }])
  expect(rejected).toEqual([])
  expect(session.adjustments.get("onCastError/total")).toBe(1)
  expect(out[0]!.columns[0]!.nullable).toBe(true)
})

test("select yields no empty batch", async () => {
  const { out, rejected } = await run({ columns: [{ column: "total", type: "uuid" }] })
  expect(out).toEqual([])
  expect(rejected.length).toBe(rows.length)
})

test("select asks only for the columns behind what is wanted, and does not cast the rest", async () => {
  const config = { columns: ["id", { column: "total", as: "amount", type: "int16" }, { column: "id", as: "again" }] }
  expect(plan(config).requires).toEqual(["id", "total"])
  expect(plan(config, ["again"])).toMatchObject({ requires: ["id"], columns: [{ name: "again" }] })
  const { rows, rejected } = await run(config, { wanted: ["again"] })
  expect(rows).toEqual([{ again: 1n }, { again: 2n }, { again: 3n }])
  expect(rejected).toEqual([])
})

test("select forgets the declared type of a column that it casts, and only then", () => {
  const { columns } = plan({
    columns: [
      { column: "id", type: "INT64" },
      { column: "id", as: "small", type: "int32" },
    ],
  })
  expect(columns[0]!.native).toEqual({ system: "postgres", type: "int8" })
  expect(columns[1]).toEqual({ name: "small", type: { kind: "int32" }, nullable: false })
})

test.each([
  [{ columns: ["ID_"] }, "ID_", 'Cannot find column "ID_" in the input', 'Did you mean "id"?'],
  [
    { drop: ["password"] },
    "password",
    'Cannot find column "password" in the input',
    'It has "id", "name", "total", "created"',
  ],
  [
    { change: [{ column: "crated", as: "x" }] },
    "crated",
    'Cannot find column "crated" in the input',
    'Did you mean "created"?',
  ],
  [
    { columns: ["id", { column: "name", as: "id" }] },
    "id",
    'Cannot give the name "id" to more than one column of the output',
    'Rename one of them with "as"',
  ],
  [
    { columns: [{ column: "created", type: "uuid" }] },
    "created",
    'Cannot cast column "created" from timestamp to uuid: there is no such conversion',
    undefined,
  ],
  [
    { columns: [{ column: "id", type: "bigint" }] },
    "id",
    'Cannot read the type "bigint" of column "id"',
    expect.stringContaining("int64"),
  ],
  [{ change: ["id"], drop: ["id"] }, "id", 'Cannot change column "id": it is named more than once', undefined],
  [
    { columns: ["id"], drop: ["name"] },
    undefined,
    'Cannot combine "columns" with "change" or "drop": "columns" is the whole output already',
    undefined,
  ],
  [{}, undefined, 'Cannot select nothing: give "columns", or "change" and "drop"', undefined],
])("select finds the mistake in %j", (config, column, message, hint) => {
  const expected = {
    severity: "error",
    ...(column !== undefined && { column }),
    message,
    ...(hint !== undefined && { hint }),
  }
  expect(plan(config).issues).toEqual([expected as never])
})

test("select knows the same conversions as the batch machinery", () => {
  const names =
    "boolean int16 int32 int64 uint64 float32 float64 decimal string bytes date time timestamp timestamptz interval json uuid"
  const types = [
    ...names.split(" ").map((name) => parseTypeName(name)!),
    { kind: "native", system: "x", name: "y" } as LogicalType,
  ]
  for (const from of types) {
    for (const to of types) {
      const impossible = fidelity(from, to).level === "impossible"
      expect(`${typeName(from)} ${typeName(to)} ${canCast(from, to)}`).toBe(
        `${typeName(from)} ${typeName(to)} ${!impossible}`,
      )
    }
  }
})
