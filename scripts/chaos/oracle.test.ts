import { expect, test } from "bun:test"
import type { RunReport } from "../../core/run/report.ts"
import { differenceOf } from "./oracle.ts"
import { badIds, badness, expectedRows, presentRows, sourceRow } from "./rows.ts"
import { modes, type Shape } from "./shape.ts"
import { quarantineFaults, receiptFaults } from "./verdict.ts"

const shape: Shape = {
  source: "postgres-a",
  target: "mariadb",
  mode: "append",
  splits: 1,
  rows: 1000,
  bad: "refused",
}

test("chaos counts rows as a multiset", () => {
  const [a, b] = [
    ["1", null],
    ["1", "null"],
  ]
  expect(differenceOf([a!, b!, b!], [b!, a!, b!])).toEqual({ lost: 0, doubled: 0, examples: [] })
  expect(differenceOf([a!, b!], [a!, a!, a!])).toEqual({
    lost: 1,
    doubled: 2,
    examples: ['too many ×2: ["1",null]', 'lost ×1: ["1","null"]'],
  })
})

test("chaos expects of each mode what the mode means", () => {
  const rowsOf = (mode: Shape["mode"]) => expectedRows({ ...shape, mode })
  const good = 1000 - badIds(shape).length
  const bad = badIds(shape).find((id) => id % 3 === 0)!
  expect(rowsOf("append").size).toBe(good + 20)
  expect(rowsOf("overwriteRows").get(3)).toEqual([...sourceRow(3, shape), "fresh"])
  expect(rowsOf("updateRows").get(3)).toEqual([...sourceRow(3, shape), "kept"])
  expect(rowsOf("updateRows").get(4)?.at(-1)).toBe("fresh")
  expect(rowsOf("updateRows").get(bad)).toEqual(
    presentRows({ ...shape, mode: "updateRows" }).find(([id]) => id === String(bad)),
  )
  expect(
    [...rowsOf("replaceTable").keys()].every(
      (id) => id > 0 && badness(id, { ...shape, mode: "replaceTable" }) === undefined,
    ),
  ).toBe(true)
})

test("chaos has bad rows of every kind, and none where none is wanted", () => {
  const kinds = (bad: Shape["bad"]) => new Set(badIds({ ...shape, bad }).map((id) => badness(id, { ...shape, bad })))
  expect(kinds("none").size).toBe(0)
  expect(kinds("refused")).toEqual(new Set(["taken", "check"]))
  expect(kinds("typed")).toEqual(new Set(["long", "word", "null"]))
})

test("chaos holds no value that COPY or LOAD DATA would read as something else", () => {
  for (const mode of modes)
    for (let id = 1; id < 1000; id++) expect(sourceRow(id, { ...shape, mode }).join("")).not.toMatch(/[\t\n\r\\]/)
})

test("chaos finds every way in which a receipt does not add up", () => {
  const bad = badIds(shape).length
  const output = {
    step: "write",
    received: 1000,
    written: 1000 - bad,
    rejected: bad,
    filtered: 0,
    made: 0,
    guarantee: "exactly-once" as const,
  }
  const receipt = { split: "read/0", label: "all", attempt: 1, read: 1000, steps: [], outputs: [output] }
  const report: RunReport = {
    runId: "r",
    fence: 1,
    status: "succeeded",
    startedAt: "",
    durationMs: 1,
    steps: [],
    receipts: [receipt],
    splits: 1,
    rejected: bad,
    retries: 0,
    adjusted: [],
    marks: {},
    notes: [],
  }
  expect(receiptFaults(report, shape)).toEqual([])
  expect(receiptFaults({ ...report, status: "failed" }, shape)).toHaveLength(1)
  expect(receiptFaults({ ...report, receipts: [receipt, receipt] }, shape)).toContain(
    "receipt: number of receipts is 2, not 1",
  )
  expect(receiptFaults({ ...report, rejected: 0 }, shape)).toEqual([`receipt: rows rejected is 0, not ${bad}`])
  const short = { ...receipt, outputs: [{ ...output, written: 900 }] }
  expect(receiptFaults({ ...report, receipts: [short] }, shape)).toHaveLength(2)
  const vague = { ...receipt, outputs: [{ ...output, guarantee: "at-least-once" as const }] }
  expect(receiptFaults({ ...report, receipts: [vague] }, shape)).toHaveLength(1)
})

test("chaos wants every bad row in quarantine, and each of them once", () => {
  expect(quarantineFaults([2, 1], [1, 2])).toEqual([])
  expect(quarantineFaults([1, 1, 3], [1, 2])[0]).toStartWith("quarantine: 1 rows missing, 2 too many")
})
