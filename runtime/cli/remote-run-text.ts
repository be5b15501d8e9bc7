import type { RunReport, SplitReceipt } from "../../core/run/report.ts"
import type { Api } from "../../web/api/index.ts"
import type { Run } from "../remote/follow-run.ts"
import { advised } from "../worker/advice.ts"
import { count, duration } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import { moment, painted, RUN_COLUMNS, receiptLines, shownFacts } from "./run-text.ts"
import type { Style } from "./style.ts"
import { sumLines } from "./summary.ts"
import { textTable } from "./text-table.ts"

export type RunDetail = Api["GET /runs/:id"]["answer"]

/** A run of a server as the list for programs says it. */
export function runJsonOf(run: Run) {
  const { id, flowName, flowVersion, status, environment, cause, startedAt, endedAt, written, rejected, retry } = run
  const isDone = startedAt !== null && endedAt !== null
  return {
    ...{ id, flow: flowName, version: flowVersion, status, environment, cause },
    requestedAt: new Date(run.requestedAt).toISOString(),
    startedAt: startedAt === null ? undefined : new Date(startedAt).toISOString(),
    endedAt: endedAt === null ? undefined : new Date(endedAt).toISOString(),
    durationMs: isDone ? endedAt - startedAt : undefined,
    ...{ written: written ?? 0, rejected: rejected ?? 0, attempts: retry + 1 },
  }
}

export function runTableOf(runs: readonly Run[], now: number, style: Style): readonly string[] {
  const cells = runs.map((run) => [
    ...[run.id, run.flowName, run.status, moment(run.startedAt ?? run.requestedAt), lasted(run, now)],
    ...[count(run.written ?? 0), run.rejected ? count(run.rejected) : "", String(run.retry + 1)],
  ])
  return textTable(RUN_COLUMNS, cells, { style, most: 40 })
}

/** Everything that is known of one run. */
export function runLinesOf(run: RunDetail, { now, style }: { readonly now: number; readonly style: Style }) {
  const { id, status, cause, parameters, detail, message } = run
  const lines = [
    `${style.bold(id)} ${painted(status, style)}`,
    ...shownFacts([
      ["flow", `${run.flowName}, ${run.flowVersion > 0 ? `version ${run.flowVersion}` : "not saved"}`],
      ["asked for", `${moment(run.requestedAt)} by ${cause.kind} ${cause.name}`],
      ["started", run.startedAt === null ? "" : moment(run.startedAt)],
      ["duration", lasted(run, now)],
      ["attempts", String(detail?.attempts ?? run.retry + 1)],
      ["environment", run.environment === "prod" ? "" : run.environment],
      ["business date", run.bizdate],
      [
        "parameters",
        Object.entries(parameters)
          .map(([name, value]) => `${name}=${value}`)
          .join(", "),
      ],
    ]),
    "",
  ]
  if (detail !== null) {
    const { splits, outputs } = detail
    lines.push(...receiptLines(detail.receipts as readonly SplitReceipt[], splits.committed, style))
    if (splits.all > 0) lines.push(`${count(splits.committed)} of ${count(splits.all)} splits are committed`)
    lines.push(...sumLines(outputs, splits.all))
  }
  const report = reportOf(run)
  if (report !== undefined) lines.push(...report.notes.map((note) => `note: ${note}`))
  if (report?.failure !== undefined && report.status === "failed")
    lines.push(problemText(advised(report.failure), "error", style))
  else if (message !== null) lines.push(problemText({ message }, "error", style))
  if (status === "interrupted")
    lines.push(`Its process has died: headrace resume ${id} goes on, headrace cancel ${id} gives it up`)
  return lines
}

/** As the engine left it; undefined where it has not come so far. Of its receipts the server tells the first ones only. */
export function reportOf({ detail }: RunDetail): RunReport | undefined {
  if (detail?.report === undefined) return undefined
  // The server keeps and sends what the engine has made.
  return { ...(detail.report as Omit<RunReport, "receipts">), receipts: detail.receipts as RunReport["receipts"] }
}

function lasted({ startedAt, endedAt, status }: Run, now: number): string {
  if (startedAt === null) return ""
  if (endedAt !== null) return duration(endedAt - startedAt)
  return status === "running" ? duration(Math.max(0, now - startedAt)) : ""
}
