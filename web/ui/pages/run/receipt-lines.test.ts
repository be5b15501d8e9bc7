import { expect, test } from "bun:test"
import type { OutputReceipt, SplitReceipt } from "../../../../core/run/report.ts"
import { receiptLines, sumOf } from "./receipt-lines.ts"

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

test("receipt-lines promise in the sum what the weakest output does", () => {
  const lines = receiptLines(
    receipts([output({ written: 10 }), output({ step: "b", written: 10, guarantee: "at-least-once" })]),
  )
  expect(sumOf(lines)).toMatchObject({ read: 20, written: 20, addsUp: true, guarantee: "at-least-once" })
})
