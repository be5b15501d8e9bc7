import type { OutputReceipt, RunReport } from "../../core/run/report.ts"
import { advised } from "../worker/advice.ts"
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
  lines.push(...receiptLines(report), ...report.adjusted.map(adjustedLine))
  if (report.retries > 0)
    lines.push(
      `note: ${report.retries === 1 ? "1 try" : `${count(report.retries)} tries`} of splits failed and were repeated`,
    )
  lines.push(...report.notes.map((note) => `note: ${note}`))
  if (failure !== undefined && report.status === "failed") lines.push(problemText(advised(failure), "error", style))
  lines.push(endLine(report, style))
  return lines
}

/** What a run that succeeded says of each output. One that did not says by its notes what is committed. */
export function receiptLines(report: RunReport): readonly string[] {
  return report.status === "succeeded" ? outputLines(report) : []
}

/** `read = written + rejected + filtered` for each output, summed over the splits that are committed. */
export function outputLines({
  receipts,
  splits,
  steps,
}: Pick<RunReport, "receipts" | "splits" | "steps">): readonly string[] {
  return steps
    .filter(({ kind }) => kind === "output")
    .map(({ step }) => {
      const sum = { read: 0, made: 0, written: 0, rejected: 0, filtered: 0 }
      let committed = 0
      let guarantee: OutputReceipt["guarantee"] = "exactly-once"
      for (const { read, outputs } of receipts) {
        const output = outputs.find((each) => each.step === step)
        if (output === undefined) continue
        committed++
        sum.read += read
        sum.made += output.made
        sum.written += output.written
        sum.rejected += output.rejected
        sum.filtered += output.filtered
        if (output.guarantee === "at-least-once") guarantee = output.guarantee
      }
      const made = sum.made === 0 ? "" : ` + ${count(sum.made)} made`
      const many = splits > 1 ? ` in ${count(committed)} splits` : ""
      const how = committed === 0 ? "" : `, ${guarantee}`
      return `${step}: ${count(sum.read)} read${made} = ${count(sum.written)} written + ${count(sum.rejected)} rejected + ${count(sum.filtered)} filtered${many}${how}`
    })
}

function adjustedLine({ step, policy, column, values }: RunReport["adjusted"][number]): string {
  return `note: step "${step}" changed ${values === 1 ? "1 value" : `${count(values)} values`} of "${column}" by ${policy}`
}

function endLine({ status, durationMs, rejected, runId, fence }: RunReport, style: Style): string {
  const word = {
    succeeded: style.green("succeeded"),
    failed: style.red("failed"),
    cancelled: style.yellow("cancelled"),
  }
  const some = rejected === 0 ? "" : `, ${rows(rejected)} rejected`
  const attempt = fence === 1 ? "" : `, attempt ${fence}`
  return `${word[status]} in ${duration(durationMs)}${some} ${style.dim(`(run ${runId}${attempt})`)}`
}

const COLUMNS = [
  { title: "step" },
  { title: "rows in", align: "right" },
  { title: "rows out", align: "right" },
  { title: "rejected", align: "right" },
  { title: "data", align: "right" },
  { title: "rate", align: "right" },
] as const
