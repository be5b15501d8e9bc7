import type { RunReport } from "../../core/run/report.ts"
import { bytes, count, duration, rate, rows } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import type { Style } from "./style.ts"
import { textTable } from "./text-table.ts"

/** What a person wants to know of a run that has ended. */
export function summaryLines(report: RunReport, style: Style): readonly string[] {
  const { steps, durationMs, failure } = report
  const cells = steps.map((step) => [
    step.step,
    step.kind === "input" ? "" : count(step.rowsIn),
    count(step.rowsOut),
    step.rejected === 0 ? "" : count(step.rejected),
    bytes(step.bytes),
    rate(step.kind === "output" ? step.rowsIn : step.rowsOut, durationMs),
  ])
  const lines = [...textTable(COLUMNS, cells, { style, most: 40 }), ""]
  lines.push(
    ...receiptLines(report),
    ...report.adjusted.map(adjustedLine),
    ...report.notes.map((note) => `note: ${note}`),
  )
  if (failure !== undefined && report.status === "failed")
    lines.push(problemText({ ...failure, message: failure.message }, "error", style))
  lines.push(endLine(report, style))
  return lines
}

/** `read = written + rejected + filtered`, for each output, over the committed splits. */
export function receiptLines({ receipts, splits, steps }: RunReport): readonly string[] {
  return steps
    .filter((step) => step.kind === "output")
    .map(({ step }) => {
      const parts = receipts.flatMap((receipt) =>
        receipt.outputs.filter((output) => output.step === step).map((output) => ({ ...output, read: receipt.read })),
      )
      const sum = (of: (part: (typeof parts)[number]) => number) => parts.reduce((total, part) => total + of(part), 0)
      const read = sum((part) => part.read)
      const written = sum((part) => part.written)
      const rejected = sum((part) => part.rejected)
      const filtered = read - written - rejected
      const many = splits > 1 ? ` in ${parts.length} of ${splits} splits` : ""
      return `${step}: ${count(read)} read = ${count(written)} written + ${count(rejected)} rejected + ${count(filtered)} filtered${many}`
    })
}

function adjustedLine({ step, policy, column, values }: RunReport["adjusted"][number]): string {
  return `note: step "${step}" changed ${values === 1 ? "1 value" : `${count(values)} values`} of "${column}" by ${policy}`
}

function endLine({ status, durationMs, rejected, runId }: RunReport, style: Style): string {
  const word = {
    succeeded: style.green("succeeded"),
    failed: style.red("failed"),
    cancelled: style.yellow("cancelled"),
  }
  const some = rejected === 0 ? "" : `, ${rows(rejected)} rejected`
  return `${word[status]} in ${duration(durationMs)}${some} ${style.dim(`(run ${runId})`)}`
}

const COLUMNS = [
  { title: "step" },
  { title: "rows in", align: "right" },
  { title: "rows out", align: "right" },
  { title: "rejected", align: "right" },
  { title: "data", align: "right" },
  { title: "rate", align: "right" },
] as const
