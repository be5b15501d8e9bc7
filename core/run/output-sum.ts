import type { OutputReceipt, RunReport } from "./report.ts"

/** What came of the rows at an output, over the splits that are committed: `read + made = written + rejected + filtered`. */
export interface OutputSum extends Pick<OutputReceipt, "step" | "made" | "written" | "rejected" | "filtered"> {
  readonly read: number
  /** Splits. */
  readonly committed: number
  /** The weakest of them; absent where nothing is committed. */
  readonly guarantee?: OutputReceipt["guarantee"]
}

export function outputSums({ receipts, steps }: Pick<RunReport, "receipts" | "steps">): readonly OutputSum[] {
  return outputSumsOf(
    receipts,
    steps.flatMap(({ step, kind }) => (kind === "output" ? [step] : [])),
  )
}

/** The same, where the names of the outputs are known. */
export function outputSumsOf(receipts: RunReport["receipts"], outputs: readonly string[]): readonly OutputSum[] {
  const sums = new Map(
    outputs.map((step) => [step, { step, read: 0, made: 0, written: 0, rejected: 0, filtered: 0, committed: 0 }]),
  )
  const weak = new Set<string>()
  for (const { read, outputs: received } of receipts)
    for (const { step, made, written, rejected, filtered, guarantee } of received) {
      const sum = sums.get(step)
      if (sum === undefined) continue
      sum.committed++
      sum.read += read
      sum.made += made
      sum.written += written
      sum.rejected += rejected
      sum.filtered += filtered
      if (guarantee === "at-least-once") weak.add(step)
    }
  return [...sums.values()].map((sum) => {
    if (sum.committed === 0) return sum
    return { ...sum, guarantee: weak.has(sum.step) ? "at-least-once" : "exactly-once" }
  })
}
