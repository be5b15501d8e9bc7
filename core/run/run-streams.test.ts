import { expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import {
  batchOfIds,
  counted,
  idCollector,
  probeInput,
  probeOutput,
  probePlugins,
  probeRouter,
  probeTransform,
} from "../../scripts/testing/probes.ts"
import type { Columns } from "../contract/index.ts"

/** Splits of 1000 rows in uneven batches; the id of a row is its position in the whole. */
function thousands(splits: number) {
  return probeInput({
    splits,
    async *read(split, session) {
      const first = Number(split.id) * 1000
      for (let at = 0, size = 1; at < 1000; at += size, size += 7) {
        const to = Math.min(at + size, 1000)
        yield { ...batchOfIds(session, first + at, first + to), firstRow: at }
      }
    },
  })
}

const all = (count: number) => Array.from({ length: count }, (_, i) => i)
const sorted = (ids: readonly number[]) => ids.toSorted((a, b) => a - b)

test("run copies every row to every successor", async () => {
  const one = idCollector("one")
  const two = idCollector("two")
  const report = await testEngine({}, { plugins: probePlugins(thousands(3), one.output, two.output) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "one", use: "one" },
      { id: "two", use: "two" },
    ],
    hops: [
      { from: "in", to: "one", send: "copy" },
      { from: "in", to: "two", send: "copy" },
    ],
    settings: { parallel: 2 },
  })
  expect(report.status).toBe("succeeded")
  expect(sorted(one.ids)).toEqual(all(3000))
  expect(sorted(two.ids)).toEqual(all(3000))
  for (const receipt of report.receipts) {
    expect(receipt.read).toBe(1000)
    expect(receipt.outputs).toMatchObject([
      { step: "one", received: 1000, written: 1000, rejected: 0 },
      { step: "two", received: 1000, written: 1000, rejected: 0 },
    ])
  }
})

test("run deals rows in turn, evenly in every split and none twice", async () => {
  const collectors = ["one", "two", "three"].map(idCollector)
  const report = await testEngine(
    {},
    { plugins: probePlugins(thousands(4), ...collectors.map(({ output }) => output)) },
  ).run({
    version: 1,
    steps: [{ id: "in", use: "probe-input" }, ...["one", "two", "three"].map((id) => ({ id, use: id }))],
    hops: ["one", "two", "three"].map((to) => ({ from: "in", to, send: "round-robin" })),
  })
  expect(report.status).toBe("succeeded")
  expect(sorted(collectors.flatMap(({ ids }) => ids))).toEqual(all(4000))
  for (const { outputs } of report.receipts) {
    const sizes = outputs.map(({ written }) => written)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBe(1)
  }
})

test("run does not deal the rows of many small splits to one successor", async () => {
  const one = idCollector("one")
  const two = idCollector("two")
  const input = probeInput({
    splits: 100,
    async *read(split, session) {
      yield batchOfIds(session, Number(split.id), Number(split.id) + 1)
    },
  })
  await testEngine({}, { plugins: probePlugins(input, one.output, two.output) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "one", use: "one" },
      { id: "two", use: "two" },
    ],
    hops: [
      { from: "in", to: "one", send: "round-robin" },
      { from: "in", to: "two", send: "round-robin" },
    ],
  })
  expect(sorted([...one.ids, ...two.ids])).toEqual(all(100))
  expect(Math.abs(one.ids.length - two.ids.length)).toBeLessThan(20)
})

test("run lets several inputs flow into one output", async () => {
  const { output, ids } = idCollector("collect")
  const small = probeInput({ id: "small" })
  const report = await testEngine({}, { plugins: probePlugins(thousands(2), small, output) }).run({
    version: 1,
    steps: [
      { id: "a", use: "probe-input" },
      { id: "b", use: "small" },
      { id: "out", use: "collect" },
    ],
    hops: [
      { from: "a", to: "out" },
      { from: "b", to: "out" },
    ],
  })
  expect(report.status).toBe("succeeded")
  expect(sorted(ids)).toEqual(sorted([...all(2000), ...all(10)]))
  expect(report.receipts.map(({ split }) => split)).toEqual(["a/0", "a/1", "b/0"])
  expect(report.steps.find(({ step }) => step === "out")).toMatchObject({ rowsIn: 2010, rowsOut: 2010 })
})

test("run brings the branches of a diamond together again", async () => {
  const { output, ids } = idCollector("collect")
  const pass = probeTransform("pass", (_config, _shape, batches) => batches)
  for (const send of ["copy", "round-robin"]) {
    ids.length = 0
    const report = await testEngine({}, { plugins: probePlugins(thousands(2), pass, output) }).run({
      version: 1,
      steps: [
        { id: "in", use: "probe-input" },
        { id: "left", use: "pass" },
        { id: "right", use: "pass" },
        { id: "out", use: "collect" },
      ],
      hops: [
        { from: "in", to: "left", send },
        { from: "in", to: "right", send },
        { from: "left", to: "out" },
        { from: "right", to: "out" },
      ],
    })
    expect(report.status).toBe("succeeded")
    const expected = send === "copy" ? [...all(2000), ...all(2000)] : all(2000)
    expect(sorted(ids)).toEqual(sorted(expected))
  }
})

test("run sends rows over the branches of a router, drops 255, and copies a branch with two hops", async () => {
  const collectors = ["even", "odd", "both"].map(idCollector)
  const router = probeRouter("route", ["even", "odd"], (_config, batch, session) =>
    Uint8Array.from(session.batches.rows(batch), ({ id }) => (Number(id) % 10 === 9 ? 255 : Number(id) % 2)),
  )
  const plugins = probePlugins(thousands(1), router, ...collectors.map(({ output }) => output))
  const report = await testEngine({}, { plugins }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "route", use: "route" },
      ...["even", "odd", "both"].map((id) => ({ id, use: id })),
    ],
    hops: [
      { from: "in", to: "route" },
      { from: "route", to: "even", send: "even" },
      { from: "route", to: "odd", send: "odd" },
      { from: "route", to: "both", send: "even" },
      { from: "route", to: "both", send: "odd" },
    ],
  })
  expect(report.status).toBe("succeeded")
  const kept = all(1000).filter((id) => id % 10 !== 9)
  expect(sorted(collectors[0]!.ids)).toEqual(kept.filter((id) => id % 2 === 0))
  expect(sorted(collectors[1]!.ids)).toEqual(kept.filter((id) => id % 2 === 1))
  expect(sorted(collectors[2]!.ids)).toEqual(kept)
})

test("run keeps the positions of rows through every division", async () => {
  const rejecting = probeTransform("reject", async function* (_config, _shape, batches, session) {
    for await (const batch of batches) {
      const kept: number[] = []
      for (let row = 0; row < batch.rows; row++) {
        const id = session.batches.valueText(batch.vectors[0]!, row)
        if (Number(id) % 100 !== 42) kept.push(row)
        else session.reject({ row: session.batches.position(batch, row), column: "id", value: id, reason: "unlucky" })
      }
      yield session.batches.take(batch, kept)
    }
  })
  const router = probeRouter("route", ["a", "b"], (_config, batch, session) =>
    Uint8Array.from(session.batches.rows(batch), ({ id }) => (Number(id) % 3 === 0 ? 0 : 1)),
  )
  const engine = testEngine({}, { plugins: probePlugins(thousands(2), rejecting, router, probeOutput()) })
  const report = await engine.run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "route", use: "route" },
      { id: "left", use: "reject" },
      { id: "right", use: "reject" },
      { id: "out", use: "probe-output" },
    ],
    hops: [
      { from: "in", to: "route" },
      { from: "route", to: "left", send: "a" },
      { from: "route", to: "right", send: "b" },
      { from: "left", to: "out" },
      { from: "right", to: "out" },
    ],
    settings: { errorLimit: 20 },
  })
  expect(report.status).toBe("succeeded")
  expect(report.rejected).toBe(20)
  for (const { split, row, value } of engine.rejections) {
    expect(Number(value)).toBe(Number(split.slice("in/".length)) * 1000 + row)
  }
})

test("run lets a transform end before its input does, without holding up the others", async () => {
  const first = probeTransform("first", async function* (_config, _shape, batches) {
    for await (const batch of batches) return yield batch
  })
  const none = probeTransform("none", async function* () {})
  const limited = idCollector("limited")
  const full = idCollector("full")
  const plugins = probePlugins(thousands(1), first, none, limited.output, full.output)
  const report = await testEngine({}, { plugins }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "first", use: "first" },
      { id: "none", use: "none" },
      { id: "behind", use: "first" },
      { id: "limited", use: "limited" },
      { id: "full", use: "full" },
    ],
    hops: [
      { from: "in", to: "first", send: "copy" },
      { from: "in", to: "behind", send: "copy" },
      { from: "in", to: "full", send: "copy" },
      { from: "behind", to: "none" },
      { from: "first", to: "limited" },
      { from: "none", to: "limited" },
    ],
    settings: { bufferBytes: 65_536 },
  })
  expect(report.status).toBe("succeeded")
  expect(limited.ids).toEqual([0])
  expect(full.ids).toEqual(all(1000))
})

const text: Columns = [{ name: "text", type: { kind: "string" }, nullable: false }]
const BATCH_BYTES = 20_000

/** An input that keeps account of the bytes which have left it, in batches of about 20 kB. */
function metered(batches: number) {
  const meter = { produced: 0, consumed: 0, most: 0 }
  const input = probeInput({
    columns: text,
    async *read(_split, session) {
      for (let i = 0; i < batches; i++) {
        const batch = session.batches.fromRows(text, [{ text: "x".repeat(BATCH_BYTES) }], i)
        meter.produced += batch.bytes
        meter.most = Math.max(meter.most, meter.produced - meter.consumed)
        yield batch
      }
    },
  })
  return { input, meter }
}

test("run holds no more than a batch between a fast input and a slow output", async () => {
  const { input, meter } = metered(100)
  const output = probeOutput({
    async write(_split, rows) {
      let written = 0
      for await (const item of rows) {
        await new Promise((resolve) => setImmediate(resolve))
        meter.consumed += item.bytes
        written += item.rows
      }
      return { written, guarantee: "at-least-once" }
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(input, output) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "out", use: "probe-output" },
    ],
    hops: [{ from: "in", to: "out" }],
  })
  expect(report.status).toBe("succeeded")
  expect(meter.consumed).toBe(meter.produced)
  expect(meter.most).toBeLessThan(2 * BATCH_BYTES)
})

test("run holds no more than the buffer of an edge when one of two outputs is slow", async () => {
  const { input, meter } = metered(200)
  const slow = probeOutput({
    id: "slow",
    async write(_split, rows) {
      let written = 0
      for await (const item of rows) {
        for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
        meter.consumed += item.bytes
        written += item.rows
      }
      return { written, guarantee: "at-least-once" }
    },
  })
  const fast = probeOutput({ id: "fast", write: counted })
  const report = await testEngine({}, { plugins: probePlugins(input, slow, fast) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "slow", use: "slow" },
      { id: "fast", use: "fast" },
    ],
    hops: [
      { from: "in", to: "slow", send: "copy" },
      { from: "in", to: "fast", send: "copy" },
    ],
    settings: { bufferBytes: 100_000 },
  })
  expect(report.status).toBe("succeeded")
  expect(meter.consumed).toBe(meter.produced)
  // The buffer, the item that made it full, and the one in the slow output's hands.
  expect(meter.most).toBeLessThan(100_000 + 3 * BATCH_BYTES)
  expect(meter.most).toBeGreaterThan(100_000 - BATCH_BYTES)
})

test("run copies frames that several outputs keep", async () => {
  const memory = new Uint8Array(4)
  const input = probeInput({
    plan: () => ({ encodings: ["probe"] }) as never,
    async *read() {
      for (let i = 0; i < 5; i++) {
        memory.fill(i)
        yield { encoding: "probe", rows: 1, data: memory, bytes: 4, firstRow: i }
      }
    },
  })
  const seen: Record<string, number[]> = { one: [], two: [] }
  const outputOf = (id: string) =>
    probeOutput({
      id,
      plan: () => ({ encodings: ["probe"] }),
      async write(_split, rows) {
        let written = 0
        for await (const item of rows) {
          await new Promise((resolve) => setImmediate(resolve))
          if (item.encoding !== undefined) seen[id]!.push(item.data[0]!)
          written += item.rows
        }
        return { written, guarantee: "at-least-once" }
      },
    })
  const engine = testEngine({}, { plugins: probePlugins(input, outputOf("one"), outputOf("two")) })
  const report = await engine.run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "one", use: "one" },
      { id: "two", use: "two" },
    ],
    hops: [
      { from: "in", to: "one", send: "copy" },
      { from: "in", to: "two", send: "copy" },
    ],
  })
  expect(report.status).toBe("succeeded")
  expect(seen).toEqual({ one: [0, 1, 2, 3, 4], two: [0, 1, 2, 3, 4] })
})
