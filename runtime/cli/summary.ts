import type { PlannedStep } from "../../core/flow/plan.ts"
import type { RunReport } from "../../core/run/report.ts"
import { advised } from "./advice.ts"
import { bytes, count, duration, rate, rows } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import type { Style } from "./style.ts"
import { textTable } from "./text-table.ts"

/** What a person wants to know of a run that has ended. */
export function summaryLines(report: RunReport, upstream: Upstream, style: Style): readonly string[] {
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
    ...receiptLines(report, upstream),
    ...report.adjusted.map(adjustedLine),
    ...report.notes.map((note) => `note: ${note}`),
  )
  if (failure !== undefined && report.status === "failed") lines.push(problemText(advised(failure), "error", style))
  lines.push(endLine(report, style))
  return lines
}

/** `read = written + rejected + filtered`, for each output. A run that did not succeed says by its notes what is committed. */
export function receiptLines(report: RunReport, upstream: Upstream): readonly string[] {
  if (report.status !== "succeeded") return []
  const { receipts, splits, steps } = report
  return steps
    .filter((step) => step.kind === "output")
    .map(({ step }) => {
      const parts = receipts.flatMap(({ read, outputs }) => {
        const output = outputs.find((each) => each.step === step)
        return output === undefined ? [] : [{ read, written: output.written }]
      })
      const read = parts.reduce((sum, part) => sum + part.read, 0)
      const written = parts.reduce((sum, part) => sum + part.written, 0)
      const path = [step, ...(upstream.get(step) ?? [])]
      const rejected = steps.reduce((sum, each) => (path.includes(each.step) ? sum + each.rejected : sum), 0)
      const filtered = read - written - rejected
      const many = splits > 1 ? ` in ${count(parts.length)} splits` : ""
      return `${step}: ${count(read)} read = ${count(written)} written + ${count(rejected)} rejected + ${count(filtered)} filtered${many}`
    })
}

/** The steps from which the rows of a step come, near or far. */
export type Upstream = ReadonlyMap<string, readonly string[]>

export function upstreamOf(steps: readonly Pick<PlannedStep, "id" | "incoming">[]): Upstream {
  const upstream = new Map<string, readonly string[]>()
  // Every step comes after its predecessors.
  for (const { id, incoming } of steps)
    upstream.set(id, [...new Set(incoming.flatMap(({ from }) => [from, ...(upstream.get(from) ?? [])]))])
  return upstream
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
