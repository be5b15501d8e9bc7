import type { SplitReceipt } from "../../../../core/run/report.ts"

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

/** A split that goes to several outputs stands in the sum once for each of them. */
export function sumOf(lines: readonly ReceiptLine[]): ReceiptLine {
  const sum = (of: "read" | "made" | "written" | "rejected" | "filtered") =>
    lines.reduce((total, line) => total + line[of], 0)
  const guarantees = new Set(lines.map(({ guarantee }) => guarantee))
  return checked({
    ...{ split: "", label: "", output: "" },
    ...{ read: sum("read"), made: sum("made"), written: sum("written") },
    ...{ rejected: sum("rejected"), filtered: sum("filtered") },
    guarantee: guarantees.has("at-least-once") ? "at-least-once" : [...guarantees].join(),
  })
}

function checked(line: Omit<ReceiptLine, "addsUp">): ReceiptLine {
  return { ...line, addsUp: line.read + line.made === line.written + line.rejected + line.filtered }
}
