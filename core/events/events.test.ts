import { expect, test } from "bun:test"
import { Effect, Layer, Stream } from "effect"
import { makeFiles } from "../../runtime/files/files.ts"
import { batchOfIds, probeInput, probeOutput, probePlugins } from "../../scripts/testing/probes.ts"
import { planFlow } from "../flow/plan.ts"
import { checkFlow } from "../flow/read-flow.ts"
import { makeComponents } from "../host/components.ts"
import { DataSources, InstalledComponents, Machine } from "../host/services.ts"
import { Journal } from "../run/journal.ts"
import { runPlan } from "../run/run.ts"
import { Events, type RunEvent } from "./events.ts"

test("events tell a run from its beginning to its end, and nothing after it", async () => {
  const input = probeInput({
    splits: 3,
    async *read(split, session) {
      yield batchOfIds(session, 0, 10)
      if (split.id === "2") throw session.failure("data", "Cannot read: broken")
    },
  })
  const quiet = () => {}
  const layer = Layer.mergeAll(
    Events.layer,
    Layer.succeed(InstalledComponents, makeComponents(probePlugins(input, probeOutput()))),
    Layer.succeed(Machine, {
      files: makeFiles({ base: process.cwd() }),
      log: { debug: quiet, info: quiet, warn: quiet },
    }),
    Layer.succeed(Journal, {
      inputOpened: async () => {},
      splitStarted: async () => {},
      reject: quiet,
      room: async () => {},
      sealed: async () => {},
      splitCommitted: async () => {},
      finished: async () => ["rejected rows: rejected.jsonl"],
    }),
    Layer.succeed(DataSources, { names: [], get: () => Effect.die("no data source is used") }),
  )
  const seen: RunEvent[] = []
  const program = Effect.gen(function* () {
    const events = yield* Events
    yield* Effect.forkScoped(
      Stream.runForEach(events.stream, (event) => Effect.sync(() => void seen.push(event))),
      { startImmediately: true },
    )
    const flow = yield* checkFlow({
      version: 1,
      steps: [
        { id: "in", use: "probe-input" },
        { id: "out", use: "probe-output" },
      ],
      hops: [{ from: "in", to: "out" }],
    })
    const report = yield* runPlan(yield* planFlow({ flow, runId: "r1" }))
    // Longer than the beat of progress.
    yield* Effect.sleep("250 millis")
    return report
  })
  const report = await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(layer)))
  expect(report.notes).toContain("rejected rows: rejected.jsonl")
  expect(seen.at(-1)).toEqual({ type: "run.finished", runId: "r1", report })
  expect(seen.filter(({ type }) => type !== "run.progressed").map(({ type }) => type)).toEqual([
    "run.started",
    "input.opened",
    "split.started",
    "split.committed",
    "split.started",
    "split.committed",
    "split.started",
    "split.failed",
    "run.finished",
  ])
  expect(seen.find(({ type }) => type === "split.failed")).toEqual({
    type: "split.failed",
    runId: "r1",
    split: "in/2",
    reason: "data",
    message: "Cannot read: broken",
  })
  expect(seen.some(({ type }) => type === "run.progressed")).toBe(true)
})
