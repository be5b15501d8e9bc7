import { expect, test } from "bun:test"
import { parseTypeName } from "../../plugins/_sql/type-name.ts"
import rowsInput, { type RowsConfig } from "../../plugins/rows/rows-input.ts"
import { testSession } from "../../scripts/testing/session.ts"
import type { Batch, LogicalType, Vector } from "../contract/index.ts"
import { mapColumns } from "../database/mapping.ts"
import { cast } from "./cast.ts"
import { fidelity } from "./conversion.ts"
import { valueText } from "./rows.ts"

const names = [
  "boolean",
  "int16",
  "int32",
  "int64",
  "uint64",
  "float32",
  "float64",
  "decimal",
  "decimal(5,0)",
  "decimal(10,0)",
  "decimal(12,2)",
  "decimal(20,0)",
  "decimal(24,4)",
  "decimal(38,10)",
  "string",
  "string(10)",
  "bytes",
  "bytes(4)",
  "date",
  "time",
  "time(3)",
  "timestamp",
  "timestamp(0)",
  "timestamptz",
  "timestamptz(3)",
  "interval",
  "json",
  "uuid",
]
const types = names.map((name) => [name, parseTypeName(name)] as const)
const session = testSession()

/** Generated values of a type, its edge cases among them, and some NULLs. */
async function valuesOf(name: string): Promise<Vector> {
  const config: RowsConfig = {
    rows: 400,
    seed: 3,
    splits: 1,
    nasty: true,
    columns: [{ name: "value", type: name, nullShare: 0.05 }],
  }
  const source = await rowsInput.open(config, { columns: ["value"], parallel: 1 })
  const batches: Batch[] = []
  for await (const batch of source.read(source.splits[0]!, session)) batches.push(batch)
  return batches[0]!.vectors[0]!
}

function texts(vector: Vector): (string | null)[] {
  return Array.from({ length: vector.length }, (_, row) => valueText(vector, row))
}

/** What comes back: decimals have no zero below zero, which is the same number. */
function kept(text: string | null, through: LogicalType): string | null {
  return through.kind === "decimal" && text === "-0" ? "0" : text
}

test("conversion has a type for every name in this test", () => {
  expect(types.filter(([, type]) => type === undefined)).toEqual([])
})

for (const [name, from] of types) {
  test(`conversion keeps its word for values of ${name}`, async () => {
    const vector = await valuesOf(name)
    const before = texts(vector)
    for (const [target, to] of types) {
      const { level } = fidelity(from!, to!)
      const pair = `${name} to ${target}, ${level}`
      if (level === "impossible") {
        const column = { name: "value", nullable: true }
        const table = [{ ...column, type: to!, generated: false, identity: false, hasDefault: false }]
        const options = { mapping: "name", allowLossy: true } as const
        const { issues } = mapColumns([{ ...column, type: from! }], table, options)
        expect([pair, issues[0]?.severity]).toEqual([pair, "error"])
        continue
      }
      const there = cast(vector, to!)
      expect([pair, there.vector.length, there.vector.type]).toEqual([pair, vector.length, to!])
      // What fails is NULL, and NULL stays NULL.
      for (const row of there.failed) expect([pair, valueText(there.vector, row)]).toEqual([pair, null])
      const nulls = before.filter((text) => text === null).length
      expect([pair, there.vector.nulls]).toEqual([pair, nulls + there.failed.length])
      if (level !== "exact") continue
      expect([pair, there.failed.map((row) => before[row]).slice(0, 3)]).toEqual([pair, []])
      const back = cast(there.vector, from!)
      expect([pair, back.failed.map((row) => before[row]).slice(0, 3)]).toEqual([pair, []])
      const changed = texts(back.vector)
        .map((text, i) => [kept(before[i]!, to!), text])
        .filter(([a, b]) => a !== b)
      expect([pair, changed.slice(0, 3)]).toEqual([pair, []])
    }
  })
}

test("conversion keeps the extremes of every type that it calls exact", () => {
  const extremes: Readonly<Record<string, readonly string[]>> = {
    boolean: ["true", "false"],
    int16: ["-32768", "32767"],
    int32: ["-2147483648", "2147483647"],
    int64: ["-9223372036854775808", "9223372036854775807"],
    uint64: ["0", "18446744073709551615"],
    float32: ["3.4028235e+38", "1e-45", "-0", "NaN", "Infinity", "-Infinity", "16777217"],
    float64: ["1.7976931348623157e+308", "5e-324", "-0", "NaN", "Infinity", "-Infinity", "0.1"],
    decimal: ["0.00000000000000000000000000000000000001", "-99999999999999999999999999999999999999.9", "NaN"],
    date: ["5874897-12-31", "4714-11-24 BC", "infinity", "-infinity", "0001-01-01", "9999-12-31"],
    time: ["00:00:00", "24:00:00", "23:59:59.999999"],
    timestamp: ["294276-12-31 23:59:59.999999", "4714-11-24 00:00:00 BC", "infinity", "-infinity"],
    timestamptz: ["294276-12-31 23:59:59.999999+00", "4714-11-24 00:00:00+00 BC", "infinity"],
  }
  for (const [name, values] of Object.entries(extremes)) {
    const from = parseTypeName(name) as LogicalType
    const builder = session.batches.builder([{ name: "value", type: from, nullable: false }])
    for (const value of values) {
      const bytes = new TextEncoder().encode(value)
      if (builder.columns[0]!.parse(bytes, 0, bytes.length)) builder.endRow()
      else builder.discardRow()
    }
    const vector = builder.finish().vectors[0]!
    for (const [target, to] of types) {
      if (fidelity(from, to!).level !== "exact") continue
      const there = cast(vector, to!)
      const pair = `${name} to ${target}`
      expect([pair, there.failed.map((row) => valueText(vector, row))]).toEqual([pair, []])
      expect([pair, texts(cast(there.vector, from).vector)]).toEqual([
        pair,
        texts(vector).map((text) => kept(text, to!)),
      ])
    }
  }
})
