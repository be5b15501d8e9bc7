import { expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import { idCollector, idColumn, probeInput, probePlugins, probeTransform } from "../../scripts/testing/probes.ts"
import type { Batch, Transform } from "../contract/index.ts"

const BATCHES = 20
const ROWS = 100

/** An input that gives batches back as soon as it may; notes how many pieces of memory it took. */
function recycling() {
  const memory = new Set<ArrayBufferLike>()
  const input = probeInput({
    async *read(_split, session) {
      const builder = session.batches.builder(idColumn)
      for (let at = 0; at < BATCHES; at++) {
        for (let row = 0; row < ROWS; row++) {
          builder.columns[0]!.int(at * ROWS + row)
          builder.endRow()
        }
        const batch = builder.finish()
        const [vector] = batch.vectors
        if (vector?.storage === "int32") memory.add(vector.values.buffer)
        yield batch
        builder.recycle(batch)
      }
    },
  })
  return { input, memory }
}

const passing: Transform["apply"] = async function* (_config, _shape, batches) {
  yield* batches
}

/** Gives every batch later, so that it holds on to some. */
const late: Transform["apply"] = async function* (_config, _shape, batches) {
  const held: Batch[] = []
  for await (const batch of batches) {
    held.push(batch)
    if (held.length > 3) yield held.shift()!
  }
  yield* held
}

const all = Array.from({ length: BATCHES * ROWS }, (_, id) => id)

/** Runs a flow through a transform to some outputs that let go, or do not. */
async function flow({ apply = passing, transform = true, output = true, outputs = 1 }) {
  const { input, memory } = recycling()
  const collectors = Array.from({ length: outputs }, (_, i) => idCollector(`out-${i}`))
  const between: Transform = { ...probeTransform("between", apply), letsGo: transform }
  const sinks = collectors.map((each) => ({ ...each.output, letsGo: output }))
  const report = await testEngine({}, { plugins: probePlugins(input, between, ...sinks) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "between", use: "between" },
      ...sinks.map(({ id }) => ({ id, use: id })),
    ],
    hops: [
      { from: "in", to: "between" },
      ...sinks.map(({ id }) => ({ from: "between", to: id, ...(outputs > 1 ? { send: "copy" } : {}) })),
    ],
  })
  expect(report.failure).toBeUndefined()
  return { memory: memory.size, ids: collectors.map(({ ids }) => ids) }
}

test("run lets memory go round where every step lets go of batches", async () => {
  const { memory, ids } = await flow({})
  expect(ids).toEqual([all])
  expect(memory).toBe(2)
})

test.each([
  ["a transform keeps batches", { apply: late, transform: false }],
  ["an output keeps batches", { output: false }],
  ["rows go several ways", { outputs: 2 }],
])("run leaves batches alone where %s", async (_, options) => {
  const { memory, ids } = await flow(options)
  for (const each of ids) expect(each).toEqual(all)
  expect(memory).toBe(BATCHES)
})

test("run would be wrong if a step that keeps batches said that it does not", async () => {
  const { ids } = await flow({ apply: late })
  expect(ids).not.toEqual([all])
})
