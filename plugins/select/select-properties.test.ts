import { expect, test } from "bun:test"
import type { Batch, Frame } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import rowsInput from "../rows/rows-input.ts"
import select, { type SelectConfig } from "./select-transform.ts"

const types =
  "boolean int16 int32 int64 uint64 float32 float64 decimal(12,2) string string(5) bytes date time timestamp timestamptz json uuid".split(
    " ",
  )
const rows = { rows: 400, splits: 1, nasty: true, columns: types.map((type) => ({ name: type, type, nullShare: 0.1 })) }

async function run(config: SelectConfig, seed: number, wanted?: readonly string[]) {
  const session = testSession({ settings: { batchRows: 64 } })
  const all = { ...rows, seed }
  const { columns: input } = await rowsInput.plan(all, {})
  const plan = select.plan(config, { input, ...(wanted && { wanted }) })
  const narrowed = await rowsInput.plan(all, { columns: plan.requires })
  const source = await rowsInput.open(all, { columns: plan.requires, parallel: 1 })
  const shape = { input: narrowed.columns, output: plan.columns }
  const batches: Batch[] = []
  for await (const batch of select.apply(config, shape, source.read(source.splits[0]!, session), session)) {
    batches.push(batch)
  }
  return { plan, batches, session }
}

function only(batch: Batch | Frame): Batch {
  if (batch.encoding !== undefined) throw new Error("no frame was asked for")
  return batch
}

/** Every row under its position, as text. */
async function source(seed: number, columns: readonly string[]): Promise<Record<string, string | null>[]> {
  const session = testSession()
  const opened = await rowsInput.open({ ...rows, seed }, { columns, parallel: 1 })
  const records: Record<string, string | null>[] = []
  for await (const batch of opened.read(opened.splits[0]!, session)) {
    for (let row = 0; row < batch.rows; row++) records.push(session.batches.record(only(batch), row))
  }
  return records
}

test.each(types)("select loses no row when it casts %s to any type: each is written or rejected", async (type) => {
  for (const [seed, target] of types.entries()) {
    const config: SelectConfig = { columns: [{ column: type, as: "to", type: target }, type], onCastError: "reject" }
    const { plan, batches, session } = await run(config, seed)
    if (plan.issues.length > 0) continue
    const before = await source(seed, [type])
    const positions = batches.flatMap((batch) =>
      Array.from({ length: batch.rows }, (_, row) => session.batches.position(batch, row)),
    )
    const rejected = session.rejected.map(({ row }) => row)
    expect([...positions, ...rejected].sort((a, b) => a - b)).toEqual(before.map((_, row) => row))
    const texts = batches.flatMap((batch) =>
      Array.from({ length: batch.rows }, (_, row) => session.batches.record(batch, row)),
    )
    expect(texts.map((record) => record[type])).toEqual(positions.map((row) => before[row]![type]!))
    // A cast makes a NULL of NULL and of nothing else.
    expect(texts.every((record) => (record.to === null) === (record[type] === null))).toBe(true)
    for (const { row, value, record } of session.rejected)
      expect([value, record]).toEqual([before[row]![type]!, before[row]!])
  }
})

test("select gives the same columns, whichever others are wanted", async () => {
  const config: SelectConfig = {
    change: [
      { column: "int64", as: "text", type: "string" },
      { column: "uuid", as: "key" },
    ],
    drop: ["bytes"],
    onCastError: "reject",
  }
  const whole = await run(config, 7)
  const part = await run(config, 7, ["key", "text"])
  expect(part.plan.requires).toEqual(["int64", "uuid"])
  const records = (result: typeof whole) =>
    result.batches.flatMap((batch) => [...result.session.batches.rows(batch)].map(({ key, text }) => ({ key, text })))
  expect(records(part)).toEqual(records(whole))
})
