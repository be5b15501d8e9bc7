import { type OutputSum, outputSums } from "../../core/run/output-sum.ts"
import type { RunReport } from "../../core/run/report.ts"
import { advised } from "../worker/advice.ts"
import { bytes, count, duration, rate, rows } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import type { Style } from "./style.ts"
import { textTable } from "./text-table.ts"

/** What a person wants to know of a run that has ended; of one that did not succeed, notes say what is committed. */
export function summaryLines(report: RunReport, style: Style, sums = outputSums(report)): readonly string[] {
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
  if (report.status === "succeeded") lines.push(...sumLines(sums, report.splits))
  lines.push(...report.adjusted.map(adjustedLine))
  if (report.retries > 0)
    lines.push(
      `note: ${report.retries === 1 ? "1 try" : `${count(report.retries)} tries`} of splits failed and were repeated`,
    )
  lines.push(...report.notes.map((note) => `note: ${note}`))
  if (failure !== undefined && report.status === "failed") lines.push(problemText(advised(failure), "error", style))
  lines.push(endLine(report, style))
  return lines
}

/** `read = written + rejected + filtered` for each output, summed over the splits that are committed. */
export function outputLines(report: Pick<RunReport, "receipts" | "splits" | "steps">): readonly string[] {
  return sumLines(outputSums(report), report.splits)
}

export function sumLines(sums: readonly OutputSum[], splits: number): readonly string[] {
  return sums.map(({ step, read, made, written, rejected, filtered, committed, guarantee }) => {
    const more = made === 0 ? "" : ` + ${count(made)} made`
    const many = splits > 1 ? ` in ${count(committed)} splits` : ""
    const how = guarantee === undefined ? "" : `, ${guarantee}`
    return `${step}: ${count(read)} read${more} = ${count(written)} written + ${count(rejected)} rejected + ${count(filtered)} filtered${many}${how}`
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
