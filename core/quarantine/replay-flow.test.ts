import { expect, test } from "bun:test"
import type { Flow } from "../flow/flow-schema.ts"
import { enteringRecord, entryOf, QUARANTINE, replayFlow } from "./replay-flow.ts"

const flow: Flow = {
  version: 1,
  name: "orders",
  steps: [
    ...["in", "other", "clean", "route", "quarantine"].map((id) => ({ id, use: id, config: {} })),
    ...["out", "copy"].map((id) => ({ id, use: "table", config: { table: id } })),
  ],
  hops: [
    { from: "in", to: "clean", send: "copy" },
    { from: "in", to: "copy", send: "copy" },
    { from: "other", to: "clean" },
    { from: "clean", to: "route" },
    { from: "route", to: "out", send: "yes" },
    { from: "route", to: "quarantine", send: "no" },
  ],
  settings: { errorLimit: 1, errorPercent: 5, parallel: 8, timeZone: "UTC" } as Flow["settings"],
}

const derived = (id: string, kind: "input" | "transform" | "output") =>
  replayFlow(flow, { id, kind }, { rows: 9, adapted: (step) => ({ ...step, config: { adapted: step.id } }) })

test("replay-flow puts rows that an input has rejected in its place, and keeps what is behind it", () => {
  const { flow: replay, entry, outputs } = derived("in", "input")
  expect(entry).toEqual({ input: "in", step: "in" })
  expect(replay.steps.map(({ id, use }) => `${id}:${use}`)).toEqual([
    `in:${QUARANTINE}`,
    ...["clean:clean", "route:route", "quarantine:quarantine", "out:table", "copy:table"],
  ])
  expect(replay.steps[0]?.config).toEqual({ step: "in" })
  expect(replay.steps[4]?.config).toEqual({ adapted: "out" })
  expect(replay.hops).toEqual(flow.hops.filter(({ from }) => from !== "other"))
  expect(outputs).toEqual(["quarantine", "out", "copy"])
  expect(replay.settings).toEqual({ errorLimit: 9, parallel: 1, timeZone: "UTC" } as Flow["settings"])
  expect(entryOf(replay)).toEqual(entry)
  expect(entryOf(flow)).toBeUndefined()
})

test("replay-flow sends rows that another step has rejected into that step again, and nowhere else", () => {
  const { flow: replay, entry, outputs } = derived("clean", "transform")
  expect(entry).toEqual({ input: "quarantine-", step: "clean" })
  expect(replay.steps.map(({ id }) => id)).toEqual(["quarantine-", "clean", "route", "quarantine", "out"])
  expect(replay.hops[0]).toEqual({ from: "quarantine-", to: "clean" })
  expect(replay.hops).toHaveLength(4)
  expect(outputs).toEqual(["quarantine", "out"])
  const output = derived("copy", "output")
  expect(output.flow.steps.map(({ id }) => id)).toEqual(["quarantine-", "copy"])
  expect(output.flow.hops).toEqual([{ from: "quarantine-", to: "copy" }])
})

test("replay-flow turns what an output has told of its table into the columns that came to it", () => {
  const used = ["id", "total"].map((name) => ({ name, type: { kind: "string" }, nullable: true }) as const)
  const mapping = [
    { from: "id", to: "key" },
    { from: "total", to: "sum" },
  ]
  expect(enteringRecord({ id: "1", total: "2", extra: "3" }, used, "name")).toEqual({ id: "1", total: "2", extra: "3" })
  expect(enteringRecord({ key: "1", sum: null }, used, mapping)).toEqual({ id: "1", total: null })
  expect(enteringRecord({ x: "1", y: "2" }, used, "position")).toEqual({ id: "1", total: "2" })
  expect(enteringRecord({ ID: "1", Total: "2" }, used, "name")).toEqual({ id: "1", total: "2" })
  expect(enteringRecord({ ID: "1", Id: "2", total: "3" }, used, "name")).toEqual({ total: "3" })
  expect(enteringRecord({ x: "1" }, used, "position")).toEqual({})
})
