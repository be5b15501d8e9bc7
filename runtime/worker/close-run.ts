import { Effect } from "effect"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { pluginError } from "../../core/host/failure.ts"
import type { RunReport, StepCount } from "../../core/run/report.ts"
import { add, emptyCount } from "../../core/run/tally.ts"
import { type CommittedRows, committedRows, type RunProgress, type RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { thisProcess } from "../store/process-owner.ts"
import { asked } from "../store/store.ts"
import { committedAt, discardOutputs, type Left } from "./left-outputs.ts"
import { refused } from "./stored-run.ts"

/** What became of a run that was given up. */
export interface Closed {
  readonly report: RunReport
  /** What could not be removed, one line each. */
  readonly troubles: readonly string[]
  /** What stays at outputs that show their rows at once. */
  readonly committed: readonly CommittedRows[]
}

/**
 * Gives up a run that nobody works on: makes its earlier attempts void, removes what they left unfinished at every output,
 * and records it as cancelled. What is committed stays. With `force` it counts as given up whatever could not be removed.
 */
export const closeRun = Effect.fnUntraced(function* (
  run: RunRecord,
  flow: Flow,
  { force }: { readonly force: boolean },
) {
  const store = yield* RunStore
  const { id } = run
  if (!(yield* asked(() => store.claim({ id, fence: run.fence }, thisProcess()))))
    return yield* refused(`Cannot cancel run ${id}: somebody else has just taken it`, "Look again: headrace runs")
  const attempt = { id, fence: run.fence + 1 }
  const left = { run, flow, fence: attempt.fence }
  const troubles = yield* Effect.map(Effect.result(discardOutputs(left)), (result) =>
    result._tag === "Success" ? result.success : [pluginError(result.failure).message],
  )
  const progress = yield* asked(() => store.progress(id))
  const committed = yield* staying(left, progress)
  const lines = committed.map(
    ({ step, rows, splits }) => `output "${step}": ${splits} splits stay committed, ${rows} rows`,
  )
  // A process that could still say so has said what stays.
  const notes = run.report === undefined ? [...lines, ...troubles] : troubles
  const report = cancelledReport(run, progress, attempt.fence, notes)
  const isDiscarded = force || troubles.length === 0
  yield* asked(() => store.finish(attempt, { report, markSources: {}, isDiscarded }))
  return { report, troubles, committed } satisfies Closed
}, Effect.uninterruptible)

/** What stays of a run at outputs that show their rows at once: by the targets' word where they can be asked. */
const staying = Effect.fnUntraced(function* (left: Left, progress: RunProgress) {
  const known = new Map(committedRows(progress.receipts).map((each) => [each.step, each]))
  const told = yield* Effect.result(committedAt(left))
  if (told._tag === "Success") for (const each of told.success) known.set(each.step, each)
  const { steps } = left.run
  return steps
    .flatMap(({ id, writes }) => (writes === "stages" ? [] : (known.get(id) ?? [])))
    .filter(({ rows }) => rows > 0)
})

/** The report of a run whose process has left none, from its receipts. */
export function cancelledReport(
  run: RunRecord,
  { inputs, receipts }: RunProgress,
  fence: number,
  notes: readonly string[],
): RunReport {
  const counts = new Map(run.steps.map(({ id, kind }) => [id, emptyCount(id, kind)]))
  for (const count of receipts.flatMap(({ steps }) => steps)) {
    const known = counts.get(count.step)
    if (known !== undefined) add(known, count)
  }
  for (const { step, rows } of committedRows(receipts)) {
    const output = counts.get(step)
    if (output !== undefined) output.rowsOut = rows
  }
  const steps: readonly StepCount[] = [...counts.values()]
  const computed = {
    startedAt: new Date(run.attemptAt).toISOString(),
    durationMs: 0,
    steps,
    splits: inputs.reduce((sum, { splits }) => sum + splits.length, 0),
    rejected: steps.reduce((sum, { rejected }) => sum + rejected, 0),
    retries: 0,
    adjusted: [],
    marks: {},
  }
  return {
    ...computed,
    ...run.report,
    runId: run.id,
    fence,
    status: "cancelled",
    receipts: run.report?.receipts ?? receipts,
    notes: [...new Set([...(run.report?.notes ?? []), ...notes])],
    failure: { message: "The run was cancelled", reason: "cancelled" },
  }
}
