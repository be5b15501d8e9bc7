import { type SplitReceipt, shownTry } from "../../core/run/report.ts"
import type { RunProgress, RunRecord, RunSummary } from "../../core/store/run-record.ts"
import { type RunState, stateOf } from "../store/process-owner.ts"
import { advised } from "../worker/advice.ts"
import { cancelledReport } from "../worker/close-run.ts"
import { count, duration } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import type { Style } from "./style.ts"
import { outputLines } from "./summary.ts"
import { printable, textTable } from "./text-table.ts"

/** A run as the list for programs says it. */
export function runJson(run: RunSummary) {
  const { id, flow, fence, startedAt, attemptAt, endedAt, written, rejected, replayOf } = run
  return {
    id,
    flow,
    status: stateOf(run),
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === undefined ? undefined : new Date(endedAt).toISOString(),
    durationMs: endedAt === undefined ? undefined : endedAt - attemptAt,
    written,
    rejected,
    attempts: fence,
    replayOf,
  }
}

/** Runs as a table. */
export function runTable(runs: readonly RunSummary[], now: number, style: Style): readonly string[] {
  const cells = runs.map((run) => [
    run.id,
    run.flow ?? "",
    stateOf(run),
    moment(run.startedAt),
    lasted(run, stateOf(run), now),
    count(run.written),
    run.rejected === 0 ? "" : count(run.rejected),
    String(run.fence),
  ])
  return textTable(RUN_COLUMNS, cells, { style, most: 40 })
}

/** Everything that is known of one run. */
export function runLines(
  run: RunRecord,
  { inputs, receipts, begun }: RunProgress,
  { now, style }: { readonly now: number; readonly style: Style },
): readonly string[] {
  const state = stateOf(run)
  const lines = [`${style.bold(run.id)} ${painted(state, style)}`, ...factLines(run, state, now), ""]
  const done = new Set(receipts.map(({ split }) => split))
  const labels = new Map(inputs.flatMap(({ step, splits }) => splits.map(({ id, label }) => [`${step}/${id}`, label])))
  const open = [...labels.keys()].filter((split) => !done.has(split))
  lines.push(...receiptLines(receipts, receipts.length, style))
  if (inputs.length > 0) lines.push(`${count(done.size)} of ${count(labels.size)} splits are committed`)
  for (const split of open.slice(0, MOST_OPEN)) {
    const tried = begun.find((each) => each.split === split)
    const word = tried === undefined ? "not begun" : `begun, try ${shownTry(tried.attempt)}`
    lines.push(`  ${split} (${labels.get(split)}): ${word}`)
  }
  if (open.length > MOST_OPEN) lines.push(`  … and ${count(open.length - MOST_OPEN)} more`)
  const { report } = run
  const told = report ?? cancelledReport(run, { inputs, receipts, begun }, run.fence, [])
  lines.push(...outputLines({ ...told, receipts }))
  if (report !== undefined) {
    lines.push(...report.notes.map((note) => `note: ${note}`))
    if (report.failure !== undefined && report.status === "failed")
      lines.push(problemText(advised(report.failure), "error", style))
  }
  if (state === "interrupted")
    lines.push(`Its process has died: headrace resume ${run.id} goes on, headrace cancel ${run.id} gives it up`)
  return lines
}

/** The receipts of splits as a table, with their number if not all are shown. */
export function receiptLines(receipts: readonly SplitReceipt[], all: number, style: Style): readonly string[] {
  if (receipts.length === 0) return []
  const shown = receipts.slice(0, MOST_SPLITS)
  const cells = shown.flatMap(({ split, label, attempt, read, outputs }) =>
    outputs.map((output) => [
      split,
      label,
      output.step,
      shownTry(attempt),
      ...[read + output.made, output.written, output.rejected, output.filtered].map(count),
      output.guarantee,
    ]),
  )
  const more = all > shown.length ? [`… and ${count(all - shown.length)} more splits, see --json`] : []
  return [...textTable(RECEIPT_COLUMNS, cells, { style, most: 40 }), ...more, ""]
}

function factLines(run: RunRecord, state: RunState, now: number): readonly string[] {
  const { flow, origin, parameters, owner, fence, startedAt, bizdate, replayOf, sources } = run
  const facts = [
    ["flow", [flow, origin.path].filter((part) => part !== undefined).join(" in ") || "without a name"],
    ["started", moment(startedAt)],
    ["duration", lasted(run, state, now)],
    ["attempts", String(fence)],
    ["business date", bizdate],
    [
      "parameters",
      Object.entries(parameters)
        .map(([name, value]) => `${name}=${value}`)
        .join(", "),
    ],
    [
      "data sources",
      sources.map(({ name, type, place }) => `${name} (${[type, ...Object.values(place)].join(" ")})`).join(", "),
    ],
    ["process", state === "running" ? `${owner.pid} on ${owner.host}` : ""],
    ["replays rows of", replayOf ?? ""],
  ] as const
  return shownFacts(facts)
}

export function shownFacts(facts: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return facts.filter(([, value]) => value !== "").map(([name, value]) => `${name.padEnd(15)} ${printable(value)}`)
}

/** How long the last attempt took; of one that was interrupted nobody knows. */
function lasted(
  { attemptAt, endedAt }: Pick<RunSummary, "attemptAt" | "endedAt">,
  state: RunState,
  now: number,
): string {
  if (endedAt !== undefined) return duration(endedAt - attemptAt)
  return state === "running" ? duration(now - attemptAt) : ""
}

/** In the zone of whoever looks. */
export function moment(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 19).replace("T", " ")
}

export function painted(state: string, style: Style): string {
  if (state === "succeeded") return style.green(state)
  return state === "failed" || state === "interrupted" ? style.red(state) : style.yellow(state)
}

const MOST_SPLITS = 50
const MOST_OPEN = 20
export const RUN_COLUMNS = [
  { title: "run" },
  { title: "flow" },
  { title: "status" },
  { title: "started" },
  { title: "duration", align: "right" },
  { title: "written", align: "right" },
  { title: "rejected", align: "right" },
  { title: "attempts", align: "right" },
] as const
const RECEIPT_COLUMNS = [
  { title: "split" },
  { title: "what it is" },
  { title: "output" },
  { title: "try", align: "right" },
  { title: "read", align: "right" },
  { title: "written", align: "right" },
  { title: "rejected", align: "right" },
  { title: "filtered", align: "right" },
  { title: "guarantee" },
] as const
