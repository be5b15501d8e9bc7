import { expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import { batchOfIds, counted, probeInput, probeOutput, probePlugins } from "../../scripts/testing/probes.ts"
import type { Session } from "../contract/index.ts"

const flow = {
  version: 1,
  steps: [
    { id: "in", use: "probe-input" },
    { id: "out", use: "probe-output" },
  ],
  hops: [{ from: "in", to: "out" }],
}

const never = new Promise<never>(() => {})

/** Rejects when the call is cancelled, and cancels the run as soon as it waits. */
function waiting(session: Session, cancel: AbortController): Promise<never> {
  return new Promise((_resolve, reject) => {
    session.signal.addEventListener("abort", () => reject(session.signal.reason), { once: true })
    queueMicrotask(() => cancel.abort())
  })
}

test("a run that is cancelled before it begins touches no target", async () => {
  const calls: string[] = []
  const output = probeOutput({ open: async () => void calls.push("open") })
  const engine = testEngine({}, { plugins: probePlugins(probeInput(), output) })
  const report = await engine.run(flow, { signal: AbortSignal.abort() })
  expect(report.status).toBe("cancelled")
  expect(report.failure).toEqual({ message: "The run was cancelled", reason: "cancelled" })
  expect(calls).toEqual([])
})

test("a run that is cancelled while an input opens waits for it, and disposes what it got", async () => {
  const cancel = new AbortController()
  const calls: string[] = []
  const input = probeInput({
    open: (session) => waiting(session, cancel).finally(() => calls.push("open let go")),
    dispose: async () => void calls.push("dispose"),
  })
  const output = probeOutput({ open: async () => void calls.push("output opened") })
  const report = await testEngine({}, { plugins: probePlugins(input, output) }).run(flow, { signal: cancel.signal })
  expect(report.status).toBe("cancelled")
  expect(calls).toEqual(["open let go"])
})

test("a run that is cancelled disposes an input that opens all the same", async () => {
  const cancel = new AbortController()
  const calls: string[] = []
  const input = probeInput({
    open: (session) => waiting(session, cancel).catch(() => undefined),
    dispose: async () => void calls.push("dispose"),
  })
  const report = await testEngine({}, { plugins: probePlugins(input, probeOutput()) }).run(flow, {
    signal: cancel.signal,
  })
  expect(report.status).toBe("cancelled")
  expect(calls).toEqual(["dispose"])
})

test("a run that is cancelled disposes an input that opens after the deadline", async () => {
  const cancel = new AbortController()
  const opened = Promise.withResolvers<void>()
  const disposed = Promise.withResolvers<void>()
  const input = probeInput({
    async open() {
      cancel.abort()
      await opened.promise
    },
    dispose: async () => disposed.resolve(),
  })
  const report = await testEngine({}, { plugins: probePlugins(input, probeOutput()) }).run(
    { ...flow, settings: { cancelTimeoutMs: 10 } },
    { signal: cancel.signal },
  )
  expect(report.status).toBe("cancelled")
  opened.resolve()
  await disposed.promise
})

test("a run that is cancelled while an output opens aborts it once if it opens all the same", async () => {
  const cancel = new AbortController()
  const calls: string[] = []
  const output = probeOutput({
    open: (session) => waiting(session, cancel).catch(() => undefined),
    abort: async () => void calls.push("abort"),
    dispose: async () => void calls.push("dispose sink"),
  })
  const input = probeInput({ dispose: async () => void calls.push("dispose source") })
  const report = await testEngine({}, { plugins: probePlugins(input, output) }).run(flow, { signal: cancel.signal })
  expect(report.status).toBe("cancelled")
  expect(calls).toEqual(["abort", "dispose sink", "dispose source"])
})

test("a run that is cancelled while it reads runs every finally before it reports", async () => {
  const cancel = new AbortController()
  const calls: string[] = []
  const input = probeInput({
    splits: 3,
    async *read(_split, session) {
      try {
        yield batchOfIds(session, 0, 10)
        if (session.signal.aborted) throw session.signal.reason
        await waiting(session, cancel)
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 5))
        calls.push("read")
      }
    },
    dispose: async () => void calls.push("dispose source"),
  })
  const output = probeOutput({
    async write(split, rows, session) {
      try {
        return await counted(split, rows, session)
      } finally {
        calls.push("write")
      }
    },
    finish: async () => void calls.push("finish"),
    abort: async () => void calls.push("abort"),
    dispose: async () => void calls.push("dispose sink"),
  })
  const report = await testEngine({}, { plugins: probePlugins(input, output) }).run(
    { ...flow, settings: { parallel: 3 } },
    { signal: cancel.signal },
  )
  expect(report.status).toBe("cancelled")
  expect(calls.slice(0, -3).toSorted()).toEqual(["read", "read", "read", "write", "write", "write"])
  expect(calls.slice(-3)).toEqual(["abort", "dispose sink", "dispose source"])
  expect(report.notes).toEqual(['output "out": nothing was committed'])
})

test("a run that is cancelled while it writes tells of what was committed all the same", async () => {
  const cancel = new AbortController()
  const output = probeOutput({
    async write(split, rows, session) {
      const receipt = await counted(split, rows, session)
      if (split.id === "in/1") await waiting(session, cancel).catch(() => undefined)
      return receipt
    },
  })
  const engine = testEngine({}, { plugins: probePlugins(probeInput({ splits: 3 }), output) })
  const report = await engine.run(flow, { signal: cancel.signal })
  expect(report.status).toBe("cancelled")
  expect(report.notes).toEqual(['output "out": 2 of 3 splits stay committed, 20 rows'])
  expect(report.receipts.map(({ split }) => split)).toEqual(["in/0", "in/1"])
})

test("a run that is cancelled does not take a part of a split for the whole", async () => {
  const cancel = new AbortController()
  const output = probeOutput({
    async write(_split, rows) {
      let written = 0
      for await (const item of rows) {
        written += item.rows
        cancel.abort()
        break
      }
      return { written, guarantee: "at-least-once" }
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), output) }).run(flow, {
    signal: cancel.signal,
  })
  expect(report.status).toBe("cancelled")
  expect(report.receipts).toEqual([])
})

test("a run that is cancelled while it finishes aborts what is not finished", async () => {
  const cancel = new AbortController()
  const calls: string[] = []
  const output = probeOutput({
    finish: (session) => waiting(session, cancel).finally(() => calls.push("finish let go")),
    abort: async () => void calls.push("abort"),
  })
  const report = await testEngine({}, { plugins: probePlugins(probeInput(), output) }).run(flow, {
    signal: cancel.signal,
  })
  expect(report.status).toBe("cancelled")
  expect(calls).toEqual(["finish let go", "abort"])
})

test("a run that is cancelled does not abort an output that finishes all the same", async () => {
  const cancel = new AbortController()
  const calls: string[] = []
  const output = probeOutput({
    finish: (session) => waiting(session, cancel).catch(() => undefined),
    abort: async () => void calls.push("abort"),
  })
  await testEngine({}, { plugins: probePlugins(probeInput(), output) }).run(flow, { signal: cancel.signal })
  expect(calls).toEqual([])
})

test("a run that is cancelled ends although every component ignores it", async () => {
  for (const phase of ["open input", "open output", "read", "write", "finish"]) {
    const cancel = new AbortController()
    const hang = async (at: string) => {
      if (at !== phase) return
      cancel.abort()
      await never
    }
    const input = probeInput({
      open: () => hang("open input"),
      async *read(_split, session) {
        yield batchOfIds(session, 0, 10)
        await hang("read")
      },
      dispose: () => never,
    })
    const output = probeOutput({
      open: () => hang("open output"),
      async write(split, rows, session) {
        const receipt = await counted(split, rows, session)
        await hang("write")
        return receipt
      },
      finish: () => hang("finish"),
      abort: () => never,
    })
    const engine = testEngine({}, { plugins: probePlugins(input, output) })
    const report = await engine.run({ ...flow, settings: { cancelTimeoutMs: 10 } }, { signal: cancel.signal })
    expect([phase, report.status]).toEqual([phase, "cancelled"])
  }
})

test("a run that is cancelled twice reports once", async () => {
  const [cancel, again] = [new AbortController(), new AbortController()]
  let disposed = 0
  const input = probeInput({
    async *read(_split, session) {
      yield batchOfIds(session, 0, 10)
      await waiting(session, cancel)
    },
    dispose: async () => {
      disposed++
      again.abort()
    },
  })
  const report = await testEngine({}, { plugins: probePlugins(input, probeOutput()) }).run(flow, {
    signal: AbortSignal.any([cancel.signal, again.signal]),
  })
  expect(report.status).toBe("cancelled")
  expect(disposed).toBe(1)
})
