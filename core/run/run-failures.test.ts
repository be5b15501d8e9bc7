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

const straight = {
  version: 1,
  steps: [
    { id: "in", use: "probe-input" },
    { id: "out", use: "probe-output" },
  ],
  hops: [{ from: "in", to: "out" }],
}

function withSettings(flow: object, settings: object) {
  return { ...flow, settings }
}

test("run names the input that fails in the middle of a split, and commits nothing", async () => {
  const calls: string[] = []
  let finallyRan = false
  const input = probeInput({
    async *read(_split, session) {
      try {
        yield batchOfIds(session, 0, 10)
        throw session.failure("connection", "Cannot read on: the server is gone", { hint: "Start it" })
      } finally {
        finallyRan = true
      }
    },
    dispose: async () => void calls.push("source disposed"),
  })
  const output = probeOutput({
    finish: async () => void calls.push("finish"),
    abort: async () => void calls.push("abort"),
    dispose: async () => void calls.push("sink disposed"),
  })
  const report = await testEngine({}, { plugins: probePlugins(input, output) }).run(straight)
  expect(report.status).toBe("failed")
  expect(report.failure).toEqual({
    message: "Cannot read on: the server is gone",
    reason: "connection",
    step: "in",
    hint: "Start it",
  })
  expect(finallyRan).toBe(true)
  expect(calls).toEqual(["abort", "sink disposed", "source disposed"])
  expect(report.receipts).toEqual([])
  expect(report.notes).toEqual(['output "out": nothing was committed'])
})

test("run names the transform that throws, also when several streams flow together behind it", async () => {
  const released: string[] = []
  const input = probeInput({
    async *read(_split, session) {
      try {
        for (let i = 0; ; i++) yield batchOfIds(session, i * 10, i * 10 + 10)
      } finally {
        released.push("input")
      }
    },
  })
  const breaking = probeTransform("break", async function* (_config, _shape, batches) {
    let rows = 0
    for await (const batch of batches) {
      rows += batch.rows
      if (rows > 50) throw new Error("Cannot go on: fifty rows are enough")
      yield batch
    }
  })
  const passing = probeTransform("pass", (_config, _shape, batches) => batches)
  const plugins = probePlugins(input, probeOutput(), breaking, passing)
  const report = await testEngine({}, { plugins }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "left", use: "break" },
      { id: "right", use: "pass" },
      { id: "out", use: "probe-output" },
    ],
    hops: [
      { from: "in", to: "left", send: "copy" },
      { from: "in", to: "right", send: "copy" },
      { from: "left", to: "out" },
      { from: "right", to: "out" },
    ],
  })
  expect(report.failure).toEqual({ message: "Cannot go on: fifty rows are enough", reason: "unknown", step: "left" })
  expect(released).toEqual(["input"])
})

test("run ends when an output fails before it reads anything, while another one waits for rows", async () => {
  const input = probeInput({
    async *read(_split, session) {
      for (let i = 0; ; i++) yield batchOfIds(session, i * 1000, i * 1000 + 1000)
    },
  })
  const failing = probeOutput({
    id: "failing",
    write: async () => {
      throw new Error("Cannot write: no")
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(input, probeOutput(), failing) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "good", use: "probe-output" },
      { id: "bad", use: "failing" },
    ],
    hops: [
      { from: "in", to: "good", send: "copy" },
      { from: "in", to: "bad", send: "copy" },
    ],
    settings: { bufferBytes: 65_536 },
  })
  expect(report.failure).toEqual({ message: "Cannot write: no", reason: "unknown", step: "bad" })
})

test("run ends when an output fails behind a merge of which one side never gets a row", async () => {
  const input = probeInput({
    async *read(_split, session) {
      for (let i = 0; i < 2000; i++) {
        session.signal.throwIfAborted()
        yield batchOfIds(session, i * 1000, i * 1000 + 1000)
      }
    },
  })
  const router = probeRouter("route", ["all", "none"], (_config, batch) => new Uint8Array(batch.rows))
  const pass = probeTransform("pass", async function* (_config, _shape, batches) {
    for await (const batch of batches) yield batch
  })
  let stopped = 0
  const output = probeOutput({
    async write(_split, rows) {
      for await (const item of rows) {
        stopped += item.rows
        if (stopped >= 100_000) throw new Error("Cannot write: full")
      }
      return { written: 0, guarantee: "at-least-once" }
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(input, output, router, pass) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "route", use: "route" },
      { id: "busy", use: "pass" },
      { id: "idle", use: "pass" },
      { id: "out", use: "probe-output" },
    ],
    hops: [
      { from: "in", to: "route" },
      { from: "route", to: "busy", send: "all" },
      { from: "route", to: "idle", send: "none" },
      { from: "busy", to: "out" },
      { from: "idle", to: "out" },
    ],
    settings: { bufferBytes: 65_536 },
  })
  expect(report.failure).toEqual({ message: "Cannot write: full", reason: "unknown", step: "out" })
  expect(report.steps[0]!.rowsOut).toBeLessThan(200_000)
})

test("run says what stays committed when a later split fails, and finishes nothing", async () => {
  const calls: string[] = []
  const input = probeInput({ splits: 4 })
  const output = probeOutput({
    async write(split, rows, session) {
      if (split.id === "in/2") throw session.failure("constraint", "Cannot write: refused")
      return await counted(split, rows, session)
    },
    finish: async () => void calls.push("finish"),
    abort: async () => void calls.push("abort"),
  })
  const report = await testEngine({}, { plugins: probePlugins(input, output) }).run(straight)
  expect(report.status).toBe("failed")
  expect(report.failure?.step).toBe("out")
  expect(report.receipts.map(({ split }) => split)).toEqual(["in/0", "in/1"])
  expect(report.notes).toEqual(['output "out": 2 of 4 splits stay committed, 20 rows'])
  expect(calls).toEqual(["abort"])
})

test("run says what one output has committed of a split that fails at another", async () => {
  const written = Promise.withResolvers<void>()
  const good = probeOutput({
    id: "good",
    write: (...given) => counted(...given).finally(() => written.resolve()),
  })
  const bad = probeOutput({
    id: "bad",
    async write(split, rows, session) {
      await counted(split, rows, session)
      await written.promise
      // The run has noted it by the next turn of the event loop.
      await new Promise((resolve) => setTimeout(resolve))
      throw session.failure("resource", "Cannot commit: the disk is full")
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), good, bad) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "good", use: "good" },
      { id: "bad", use: "bad" },
    ],
    hops: [
      { from: "in", to: "good", send: "copy" },
      { from: "in", to: "bad", send: "copy" },
    ],
  })
  expect(report.failure?.step).toBe("bad")
  expect(report.notes).toEqual([
    'output "good": 1 of 1 splits stay committed, 10 rows',
    'output "bad": nothing was committed',
  ])
})

test("run stops the other splits when one fails", async () => {
  let running = 0
  const input = probeInput({
    splits: 3,
    async *read(split, session) {
      running++
      try {
        yield batchOfIds(session, 0, 10)
        if (split.id === "1") throw new Error("Cannot read: broken")
        session.signal.throwIfAborted()
        await new Promise((_resolve, reject) =>
          session.signal.addEventListener("abort", () => reject(session.signal.reason)),
        )
      } finally {
        running--
      }
    },
  })
  const engine = testEngine({}, { plugins: probePlugins(input, probeOutput()) })
  const report = await engine.run(withSettings(straight, { parallel: 3 }))
  expect(report.failure?.message).toBe("Cannot read: broken")
  expect(running).toBe(0)
})

test("run fails when a receipt does not add up", async () => {
  const output = probeOutput({
    async write(split, rows, session) {
      const receipt = await counted(split, rows, session)
      return { ...receipt, written: receipt.written - 1 }
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), output) }).run(straight)
  expect(report.failure?.message).toBe(
    'The receipt of output "out" does not add up for split in/0: 10 rows received, 9 written, 0 rejected',
  )
  expect(report.notes).toEqual(['output "out": 1 of 1 splits stay committed, 9 rows'])
})

test("run fails when an output stops reading without a word", async () => {
  const output = probeOutput({
    async write(_split, rows) {
      for await (const item of rows) return { written: item.rows, guarantee: "at-least-once" }
      return { written: 0, guarantee: "at-least-once" }
    },
  })
  const input = probeInput({
    async *read(_split, session) {
      for (let i = 0; i < 5; i++) yield batchOfIds(session, i * 10, i * 10 + 10)
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(input, output) }).run(straight)
  expect(report.failure).toEqual({
    message: 'Output "out" stopped reading before the end of split in/0',
    reason: "protocol",
    step: "out",
  })
})

test("run fails when a router sends a row to a branch that does not exist", async () => {
  const router = probeRouter("route", ["a"], (_config, batch) => new Uint8Array(batch.rows).fill(1))
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), probeOutput(), router) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "route", use: "route" },
      { id: "out", use: "probe-output" },
    ],
    hops: [
      { from: "in", to: "route" },
      { from: "route", to: "out", send: "a" },
    ],
  })
  expect(report.failure).toEqual({
    message: "Cannot route row 0: branch 1 of 1",
    reason: "protocol",
    step: "route",
  })
})

test("run finishes every output once, and aborts those that are not finished when one cannot be", async () => {
  const calls: string[] = []
  const outputOf = (id: string, broken: boolean) =>
    probeOutput({
      id,
      async finish(session) {
        calls.push(`finish ${id}`)
        if (broken) throw session.failure("conflict", "Cannot swap: locked")
      },
      abort: async () => void calls.push(`abort ${id}`),
      dispose: async () => void calls.push(`dispose ${id}`),
    })
  const plugins = probePlugins(probeInput({ splits: 3 }), outputOf("one", false), outputOf("two", true))
  const report = await testEngine({}, { plugins }).run({
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
  expect(report.failure).toEqual({ message: "Cannot swap: locked", reason: "conflict", step: "two" })
  expect(calls).toEqual(["finish one", "finish two", "abort two", "dispose two", "dispose one"])
  expect(report.notes).toEqual([
    'output "one": 3 of 3 splits stay committed, 30 rows',
    'output "two": 3 of 3 splits stay committed, 30 rows',
  ])
})

test("run opens no output when an input cannot be opened, and disposes those that were", async () => {
  const calls: string[] = []
  const good = probeInput({ id: "good-input", dispose: async () => void calls.push("dispose good") })
  const bad = probeInput({
    id: "bad-input",
    open: async (session) => {
      throw session.failure("authentication", "Cannot log in")
    },
  })
  const output = probeOutput({ open: async () => void calls.push("open output") })
  const report = await testEngine({}, { plugins: probePlugins(good, bad, output) }).run({
    version: 1,
    steps: [
      { id: "a", use: "good-input" },
      { id: "b", use: "bad-input" },
      { id: "out", use: "probe-output" },
    ],
    hops: [
      { from: "a", to: "out" },
      { from: "b", to: "out" },
    ],
  })
  expect(report.failure).toEqual({ message: "Cannot log in", reason: "authentication", step: "b" })
  expect(calls).toEqual(["dispose good"])
})

test("run aborts the outputs that were opened when another one cannot be", async () => {
  const calls: string[] = []
  const good = probeOutput({
    id: "good",
    abort: async () => void calls.push("abort"),
    dispose: async () => void calls.push("dispose"),
  })
  const bad = probeOutput({
    id: "bad",
    open: () => {
      throw new Error("Cannot open: no")
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), good, bad) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "good", use: "good" },
      { id: "bad", use: "bad" },
    ],
    hops: [
      { from: "in", to: "good", send: "copy" },
      { from: "in", to: "bad", send: "copy" },
    ],
  })
  expect(report.failure).toEqual({ message: "Cannot open: no", reason: "unknown", step: "bad" })
  expect(calls).toEqual(["abort", "dispose"])
})

test("run tells of an output that cannot be cleaned up, and keeps the first failure", async () => {
  const output = probeOutput({
    write: async () => {
      throw new Error("Cannot write: first")
    },
    abort: async () => {
      throw new Error("Cannot drop the table: second")
    },
    dispose: async () => {
      throw new Error("Cannot close: third")
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), output) }).run(straight)
  expect(report.failure?.message).toBe("Cannot write: first")
  expect(report.notes).toEqual([
    'output "out" could not be cleaned up: Cannot drop the table: second',
    'output "out": nothing was committed',
  ])
})

test("run does not wait for components that ignore a failure elsewhere longer than the cancel timeout", async () => {
  const never = new Promise<never>(() => {})
  const input = probeInput({
    async *read(_split, session) {
      yield batchOfIds(session, 0, 10)
      await never
    },
    dispose: () => never,
  })
  const failing = probeOutput({
    id: "failing",
    async write(_split, rows) {
      for await (const _ of rows) throw new Error("Cannot write: no")
      return { written: 0, guarantee: "at-least-once" }
    },
    abort: () => never,
  })
  const report = await testEngine({}, { plugins: probePlugins(input, probeOutput(), failing) }).run({
    version: 1,
    steps: [
      { id: "in", use: "probe-input" },
      { id: "good", use: "probe-output" },
      { id: "bad", use: "failing" },
    ],
    hops: [
      { from: "in", to: "good", send: "copy" },
      { from: "in", to: "bad", send: "copy" },
    ],
    settings: { cancelTimeoutMs: 30 },
  })
  expect(report.failure).toEqual({ message: "Cannot write: no", reason: "unknown", step: "bad" })
  expect(report.notes).toContain('output "bad" could not be cleaned up: it took more than 30 ms')
})

test("run reads whatever a component throws", async () => {
  const thrown: unknown[] = [
    "text",
    null,
    undefined,
    7,
    Symbol("s"),
    Object.create(null),
    { message: 5 },
    new Error(""),
  ]
  for (const value of thrown) {
    const output = probeOutput({ write: () => Promise.reject(value) })
    const report = await testEngine({}, { plugins: probePlugins(probeInput(), output) }).run(straight)
    expect(report.failure?.reason).toBe("unknown")
    expect(report.failure?.step).toBe("out")
    expect(report.failure?.message).not.toBe("")
  }
})

test("run keeps runs apart that go on at the same time", async () => {
  const { output, ids } = idCollector("collect")
  const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 5 }), output) })
  const flow = { ...straight, steps: [straight.steps[0], { id: "out", use: "collect" }] }
  const reports = await Promise.all(Array.from({ length: 4 }, () => engine.run(flow)))
  expect(reports.map(({ status, steps }) => [status, steps[1]!.rowsOut])).toEqual(
    Array.from({ length: 4 }, () => ["succeeded", 50]),
  )
  expect(ids.length).toBe(200)
  expect(new Set(reports.map(({ runId }) => runId)).size).toBe(4)
})
