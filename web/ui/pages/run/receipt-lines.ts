import type { SplitReceipt, StepCount } from "../../../../core/run/report.ts"
import type { Answer } from "../../api/client.ts"

/** What one split left at one output. */
export interface ReceiptLine {
  readonly split: string
  readonly label: string
  readonly output: string
  readonly read: number
  readonly made: number
  readonly written: number
  readonly rejected: number
  readonly filtered: number
  readonly addsUp: boolean
  readonly guarantee: string
}

export type OutputSum = NonNullable<Answer<"GET /runs/:id">["detail"]>["outputs"][number]

export function receiptLines(receipts: readonly SplitReceipt[]): readonly ReceiptLine[] {
  return receipts.flatMap(({ split, label, read, outputs }) =>
    outputs.map((output) =>
      checked({
        split,
        label: label || split,
        output: output.step,
        read,
        made: output.made,
        written: output.written,
        rejected: output.rejected,
        filtered: output.filtered,
        guarantee: output.guarantee,
      }),
    ),
  )
}

/** What came to one output in the end, over all splits. */
export function sumLine({ step, guarantee, ...counts }: OutputSum): ReceiptLine {
  return checked({ ...counts, split: "", label: "", output: step, guarantee: guarantee ?? "" })
}

/** What went through every step, where the receipts of all splits are there: of a run that has left no report. */
export function committedSteps(receipts: readonly SplitReceipt[], committed: number): readonly StepCount[] {
  const sums = new Map<string, StepCount>()
  if (receipts.length < committed) return []
  for (const count of receipts.flatMap(({ steps }) => steps)) {
    const before = sums.get(count.step)
    sums.set(count.step, before === undefined ? count : added(before, count))
  }
  return [...sums.values()]
}

function added(one: StepCount, other: StepCount): StepCount {
  const sum = (key: "rowsIn" | "rowsOut" | "rejected" | "filtered" | "made" | "bytes") => one[key] + other[key]
  return {
    ...one,
    ...{ rowsIn: sum("rowsIn"), rowsOut: sum("rowsOut"), rejected: sum("rejected") },
    ...{ filtered: sum("filtered"), made: sum("made"), bytes: sum("bytes") },
  }
}

function checked(line: Omit<ReceiptLine, "addsUp">): ReceiptLine {
  return { ...line, addsUp: line.read + line.made === line.written + line.rejected + line.filtered }
}
