import { expect, test } from "bun:test"
import type { OutputReceipt, SplitReceipt } from "../../../../core/run/report.ts"
import { committedSteps, receiptLines, sumLine } from "./receipt-lines.ts"

const output = (counts: Partial<OutputReceipt>): OutputReceipt => ({
  ...{ step: "out", received: 0, written: 0, rejected: 0, filtered: 0, made: 0, guarantee: "exactly-once" },
  ...counts,
})
const receipts = (outputs: readonly OutputReceipt[]): readonly SplitReceipt[] => [
  { split: "in/1", label: "rows 0 to 10", attempt: 1, read: 10, steps: [], outputs },
]

test("receipt-lines check that every row is accounted for", () => {
  const lines = receiptLines(receipts([output({ written: 7, rejected: 1, filtered: 4, made: 2 })]))
  expect(lines).toMatchObject([{ split: "in/1", output: "out", addsUp: true }])
  expect(receiptLines(receipts([output({ written: 9 })]))).toMatchObject([{ addsUp: false }])
})

test("receipt-lines check the sum of an output as they check its splits", () => {
  const sum = { step: "out", read: 10, made: 0, written: 9, rejected: 1, filtered: 0, committed: 1 }
  expect(sumLine({ ...sum, guarantee: "at-least-once" })).toMatchObject({
    output: "out",
    addsUp: true,
    guarantee: "at-least-once",
  })
  expect(sumLine({ ...sum, written: 8 })).toMatchObject({ addsUp: false })
})

test("receipt-lines add up what went through the steps of a run that left no report", () => {
  const none = { rejected: 0, filtered: 0, made: 0 }
  const split = (id: string, rows: number): SplitReceipt => ({
    ...{ split: id, label: id, attempt: 1, read: rows, outputs: [] },
    steps: [
      { step: "in", kind: "input", rowsIn: 0, rowsOut: rows, bytes: 8 * rows, ...none },
      { step: "out", kind: "output", rowsIn: rows, rowsOut: rows - 1, bytes: 8 * rows, ...none, rejected: 1 },
    ],
  })
  const two = [split("in/0", 10), split("in/1", 5)]
  expect(committedSteps(two, 2)).toEqual([
    { step: "in", kind: "input", rowsIn: 0, rowsOut: 15, bytes: 120, ...none },
    { step: "out", kind: "output", rowsIn: 15, rowsOut: 13, bytes: 120, ...none, rejected: 2 },
  ])
  // Some are not there: no sum is better than a wrong one.
  expect(committedSteps(two, 900)).toEqual([])
})
