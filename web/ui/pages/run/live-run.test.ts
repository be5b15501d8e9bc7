import { expect, test } from "bun:test"
import type { RunEvent } from "../../../../core/events/events.ts"
import type { StepCount } from "../../../../core/run/report.ts"
import { followRun, nothingYet, rates } from "./live-run.ts"

const count = (step: string, kind: StepCount["kind"], rowsOut: number): StepCount => ({
  ...{ step, kind, rowsIn: 0, rowsOut, rejected: 0, filtered: 0, made: 0, bytes: 0 },
})

function follow(events: readonly RunEvent[]) {
  return events.reduce(
    (run, event, nth) => followRun(run, { type: "job.progressed", id: "j", event }, nth * 1000),
    nothingYet,
  )
}

test("live-run counts splits, rows and rates", () => {
  const run = follow([
    { type: "run.started", runId: "j", steps: [{ id: "in", use: "csv-input", kind: "input" }], estimatedRows: 400 },
    { type: "input.opened", runId: "j", step: "in", splits: 2, oneSnapshot: true },
    { type: "split.started", runId: "j", split: "in/1", label: "1" },
    { type: "run.progressed", runId: "j", steps: [count("in", "input", 100), count("out", "output", 50)], rejected: 1 },
    {
      type: "run.progressed",
      runId: "j",
      steps: [count("in", "input", 300), count("out", "output", 250)],
      rejected: 1,
    },
    { type: "split.committed", runId: "j", split: "in/1", rows: 300 },
    { type: "split.started", runId: "j", split: "in/2", label: "2" },
  ])
  expect(run).toMatchObject({ splits: 2, committed: 1, active: ["in/2"], rejected: 1, estimatedRows: 400 })
  expect(rates(run.samples, "read")).toEqual([{ at: 4000, rate: 200 }])
  expect(rates(run.samples, "written")).toEqual([{ at: 4000, rate: 200 }])
})

test("live-run takes a count that falls for no rate, and keeps few samples of a long run", () => {
  const samples = [
    { at: 0, read: 100, written: 0 },
    { at: 1000, read: 40, written: 0 },
  ]
  expect(rates(samples, "read")).toEqual([{ at: 1000, rate: 0 }])
  const progress: RunEvent = { type: "run.progressed", runId: "j", steps: [], rejected: 0 }
  expect(follow(Array.from({ length: 5000 }, () => progress)).samples.length).toBeLessThanOrEqual(601)
})
