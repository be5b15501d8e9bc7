import { expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import {
  batchOfIds,
  idColumn,
  probeInput,
  probeOutput,
  probePlugins,
  probeTransform,
} from "../../scripts/testing/probes.ts"
import type { CommittedSplit, Session, Sink } from "../contract/index.ts"

const flow = (settings: object = {}, outputs: readonly string[] = ["out"], through?: string) => ({
  version: 1,
  steps: [
    { id: "in", use: "probe-input" },
    ...(through === undefined ? [] : [{ id: through, use: through }]),
    ...outputs.map((id) => ({ id, use: `probe-${id}` })),
  ],
  hops: [
    ...(through === undefined ? [] : [{ from: "in", to: through }]),
    ...outputs.map((to) => ({
      from: through ?? "in",
      to,
      ...(outputs.length > 1 ? { send: "copy" } : {}),
    })),
  ],
  settings,
})

/** An output that keeps what it commits, as a target with a ledger does, beyond the life of one run. */
function remembering(
  id: string,
  fails: (split: string, attempt: number) => "before" | "after" | undefined = () => undefined,
) {
  const committed = new Map<string, CommittedSplit>()
  const rows: number[] = []
  const write: Sink["write"] = async (split, items, session) => {
    const mine: number[] = []
    for await (const item of items) {
      if (item.encoding !== undefined) throw session.failure("protocol", "no frames")
      for (const row of session.batches.rows(item)) mine.push(Number(row.id))
    }
    await session.sealed()
    const when = fails(split.id, split.attempt)
    if (when === "before") throw session.failure("connection", "Cannot commit: the server is gone")
    if (committed.has(split.id)) throw session.failure("conflict", "Cannot commit a split twice")
    committed.set(split.id, { written: mine.length, guarantee: "exactly-once", note: split.note() })
    rows.push(...mine)
    if (when === "after") throw session.failure("connection", "Cannot hear the answer to the commit")
    return { written: mine.length, guarantee: "exactly-once" }
  }
  return { output: probeOutput({ id, write, committed: async (split) => committed.get(split) }), committed, rows }
}

const sorted = (rows: readonly number[]) => rows.toSorted((a, b) => a - b)
const upTo = (end: number) => Array.from({ length: end }, (_, i) => i)

test("run tries a split again after a failure that may pass, and counts its rows once", async () => {
  const target = remembering("probe-out", (split, attempt) => (split === "in/1" && attempt < 3 ? "before" : undefined))
  const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 3 }), target.output) })
  const report = await engine.run(flow())
  expect(report.failure).toBeUndefined()
  expect(sorted(target.rows)).toEqual(upTo(30))
  expect(report.retries).toBe(2)
  expect(report.steps.map(({ rowsIn, rowsOut }) => [rowsIn, rowsOut])).toEqual([
    [0, 30],
    [30, 30],
  ])
  expect(report.receipts.map(({ attempt }) => attempt)).toEqual([1, 3, 1])
})

test("run tries a split again alone when others were in its way", async () => {
  let active = 0
  let most = 0
  const beside: number[] = []
  const committed = new Map<string, CommittedSplit>()
  const output = probeOutput({
    id: "probe-out",
    committed: async (split) => committed.get(split),
    async write(split, rows, session) {
      active++
      try {
        most = Math.max(most, active)
        if (split.attempt > 1) beside.push(active)
        let written = 0
        for await (const item of rows) {
          written += item.rows
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
        if (split.attempt === 1 && split.id !== "in/0") throw session.failure("conflict", "Cannot write: a deadlock")
        if (split.attempt > 1) beside.push(active)
        const done = { written, guarantee: "exactly-once" } as const
        committed.set(split.id, { ...done, note: split.note() })
        return done
      } finally {
        active--
      }
    },
  })
  const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 4 }), output) })
  const report = await engine.run(flow({ parallel: 4 }))
  expect(report).toMatchObject({ status: "succeeded", retries: 3 })
  expect(most).toBeGreaterThan(1)
  expect(beside).toEqual([1, 1, 1, 1, 1, 1])
})

test("run asks the target after a commit whose answer was lost, and does not write twice", async () => {
  const target = remembering("probe-out", (_split, attempt) => (attempt === 1 ? "after" : undefined))
  const engine = testEngine({}, { plugins: probePlugins(probeInput(), target.output) })
  const report = await engine.run(flow())
  expect(report.status).toBe("succeeded")
  expect(target.rows).toEqual(upTo(10))
  expect(report.receipts).toMatchObject([
    { read: 10, outputs: [{ received: 10, written: 10, rejected: 0, guarantee: "exactly-once" }] },
  ])
  expect(report.steps.map(({ rowsOut }) => rowsOut)).toEqual([10, 10])
  expect(report.receipts[0]!.steps.map(({ rowsOut }) => rowsOut)).toEqual([10, 10])
})

test("run gives up when the failure stays, when it will not pass, and when an output cannot tell what it has", async () => {
  const always = remembering("probe-out", () => "before")
  const engine = testEngine({}, { plugins: probePlugins(probeInput(), always.output) })
  expect(await engine.run(flow({ splitRetries: 1 }))).toMatchObject({ status: "failed", retries: 1 })
  expect(await engine.run(flow({ splitRetries: 0 }))).toMatchObject({ status: "failed", retries: 0 })
  let tries = 0
  const forgetful = probeOutput({
    write: async (_split, _rows, session) => {
      tries++
      throw session.failure("connection", "Cannot write: the server is gone")
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), forgetful) }).run({
    ...flow(),
    steps: [
      { id: "in", use: "probe-input" },
      { id: "out", use: "probe-output" },
    ],
  })
  expect(report).toMatchObject({ status: "failed", retries: 0 })
  expect(tries).toBe(1)
})

test("run writes a split again only where it is not committed, when one of two outputs has failed", async () => {
  const one = remembering("probe-one")
  const two = remembering("probe-two", (_split, attempt) => (attempt === 1 ? "before" : undefined))
  const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 2 }), one.output, two.output) })
  const report = await engine.run(flow({}, ["one", "two"]))
  expect(report.failure).toBeUndefined()
  expect(sorted(one.rows)).toEqual(upTo(20))
  expect(sorted(two.rows)).toEqual(upTo(20))
  for (const { outputs } of report.receipts)
    expect(outputs.map(({ step, received, written }) => [step, received, written])).toEqual([
      ["one", 10, 10],
      ["two", 10, 10],
    ])
})

test("run that is resumed skips what is committed and gives a receipt of the whole", async () => {
  let isBroken = true
  const target = remembering("probe-out", (split) => (isBroken && split === "in/2" ? "before" : undefined))
  const read: string[] = []
  const input = probeInput({
    splits: 4,
    async *read(split, session) {
      read.push(split.id)
      const from = Number(split.id) * 10
      yield batchOfIds(session, from, from + 10)
    },
  })
  const engine = testEngine({}, { plugins: probePlugins(input, target.output) })
  const runId = "resumed-run"
  expect((await engine.run(flow({ splitRetries: 0 }), { runId })).status).toBe("failed")
  isBroken = false
  read.length = 0
  const report = await engine.run(flow(), { runId, fence: 2 })
  expect(report.failure).toBeUndefined()
  expect(read).toEqual(["2", "3"])
  expect(sorted(target.rows)).toEqual(upTo(40))
  expect(report.fence).toBe(2)
  expect(report.receipts.map(({ split, read, outputs }) => [split, read, outputs[0]!.written])).toEqual([
    ["in/0", 10, 10],
    ["in/1", 10, 10],
    ["in/2", 10, 10],
    ["in/3", 10, 10],
  ])
  expect(report.steps.map(({ rowsIn, rowsOut }) => [rowsIn, rowsOut])).toEqual([
    [0, 40],
    [40, 40],
  ])
})

test("run that is resumed asks before it mixes two states of a source, also where only the target knows that it would", async () => {
  let isBroken = true
  const target = remembering("probe-out", (split) => (isBroken && split === "in/2" ? "before" : undefined))
  const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 4 }), target.output) })
  const runId = "mixed-run"
  expect((await engine.run(flow({ splitRetries: 0 }), { runId })).status).toBe("failed")
  isBroken = false
  const input = { step: "in", columns: idColumn, splits: [], oneSnapshot: true }
  const inputs = new Map([["in", input]])
  const asked = await engine.run(flow(), { runId, fence: 2, resumed: { inputs, mayMix: false } })
  expect(asked.failure?.message).toContain("2 of 4 splits are committed, 2 are left, which can only be read as")
  expect(asked.failure?.hint).toContain(`headrace resume ${runId} --new-snapshot`)
  expect(asked.notes).toEqual(['output "out": 2 of 4 splits are committed, 20 rows; the run can be resumed'])
  expect(sorted(target.rows)).toEqual(upTo(20))
  const apart = new Map([["in", { ...input, oneSnapshot: false }]])
  expect((await engine.run(flow(), { runId, fence: 3, resumed: { inputs: apart, mayMix: false } })).status).toBe(
    "succeeded",
  )
  expect(sorted(target.rows)).toEqual(upTo(40))
})

test("run forgets the rejected rows of a try that failed", async () => {
  const target = remembering("probe-out", (_split, attempt) => (attempt === 1 ? "before" : undefined))
  const input = probeInput({
    async *read(_split, session) {
      session.reject({ row: 0, reason: "bad" })
      yield batchOfIds(session, 1, 10)
    },
  })
  const engine = testEngine({}, { plugins: probePlugins(input, target.output) })
  const report = await engine.run(flow({ errorLimit: 1 }))
  expect(report.failure).toBeUndefined()
  expect(report.rejected).toBe(1)
  expect(report.receipts).toMatchObject([
    { read: 10, outputs: [{ received: 9, written: 9, rejected: 1, filtered: 0 }] },
  ])
})

test("run fails when a transform drops rows without a word, and accounts for those it owns up to", async () => {
  const dropping = (isHonest: boolean) =>
    probeTransform("drop", async function* (_config, _shape, batches, session: Session) {
      for await (const batch of batches) {
        if (isHonest) session.filtered(1)
        yield session.batches.take(
          batch,
          Array.from({ length: batch.rows - 1 }, (_, i) => i + 1),
        )
      }
    })
  const target = remembering("probe-out")
  const silent = testEngine({}, { plugins: probePlugins(probeInput(), target.output, dropping(false)) })
  const failed = await silent.run(flow({}, ["out"], "drop"))
  expect(failed.failure?.message).toContain(
    'The rows of step "drop" do not add up for split in/0: 10 in and 0 made, 9 out',
  )
  expect(target.rows).toEqual([])
  const honest = testEngine({}, { plugins: probePlugins(probeInput(), target.output, dropping(true)) })
  const report = await honest.run(flow({}, ["out"], "drop"))
  expect(report.receipts).toMatchObject([{ read: 10, outputs: [{ written: 9, rejected: 0, filtered: 1 }] }])
})

test.each(["in", "out", "slow"] as const)("run notices that step %s stalls, and says so", async (step) => {
  const never = () => new Promise<never>(() => {})
  const input = probeInput({
    async *read(_split, session) {
      yield batchOfIds(session, 0, 10)
      if (step === "in") await never()
      yield batchOfIds(session, 10, 20)
    },
  })
  const slow = probeTransform("slow", async function* (_config, _shape, batches) {
    for await (const batch of batches) {
      yield batch
      if (step === "slow") await never()
    }
  })
  const output = probeOutput({
    id: "probe-out",
    async write(_split, rows) {
      let written = 0
      for await (const item of rows) {
        written += item.rows
        if (step === "out") await never()
      }
      return { written, guarantee: "at-least-once" }
    },
  })
  const engine = testEngine({}, { plugins: probePlugins(input, slow, output) })
  // Longer than a busy machine may hold up a step that does go on.
  const settings = { stallTimeoutMs: 1000, cancelTimeoutMs: 100 }
  const report = await engine.run(flow({}, ["out"], "slow"), { settings })
  expect(report).toMatchObject({ status: "failed", failure: { reason: "timeout", step } })
  expect(report.failure?.message).toContain(`Step "${step}" stalled`)
})

test.each([
  ["connection", [], 'output "out": 1 of 2 splits are committed, 10 rows; the run can be resumed'],
  ["data", ["abort"], 'output "out": what was loaded is taken back, the target is as it was'],
] as const)(
  "run that fails over %s leaves what is staged to a resumed run, or takes it back",
  async (reason, calls, note) => {
    const seen: string[] = []
    const committed = new Map<string, CommittedSplit>()
    const output = probeOutput({
      id: "probe-out",
      async write(split, rows, session) {
        let written = 0
        for await (const item of rows) written += item.rows
        if (split.id === "in/1") throw session.failure(reason, "Cannot go on")
        committed.set(split.id, { written, guarantee: "exactly-once", note: split.note() })
        return { written, guarantee: "exactly-once" }
      },
      committed: async (split) => committed.get(split),
      abort: async () => {
        seen.push("abort")
        committed.clear()
      },
    })
    const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 2 }), output) })
    const report = await engine.run(flow({ splitRetries: 0 }))
    expect(report.status).toBe("failed")
    expect(seen).toEqual([...calls])
    expect(report.notes).toEqual([note])
  },
)
