import { expect, test } from "bun:test"
import type { OutputReceipt, SplitReceipt } from "../../../../core/run/report.ts"
import { receiptLines, sumLine } from "./receipt-lines.ts"

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
