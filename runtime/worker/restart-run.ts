import { Effect } from "effect"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { withParking } from "../../core/host/parking.ts"
import { shownRows, unrepeatable } from "../../core/store/resumption.ts"
import { type CommittedRows, committedRows, type RunOverrides, type RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { asked } from "../store/store.ts"
import { closeRun } from "./close-run.ts"
import { committedAt } from "./left-outputs.ts"
import { planNew, runNew, type Watch } from "./run-flow.ts"
import { refused } from "./stored-run.ts"

export interface RestartOptions {
  readonly flow: Flow
  readonly overrides: RunOverrides
  /** Count as given up what cannot be removed. */
  readonly force: boolean
  /** Of the new run. */
  readonly runId?: string
}

/** Begins a run anew. The old one is given up first, so that nothing of it can come after the new one. */
export const restartRun = Effect.fnUntraced(
  function* <R>(run: RunRecord, { flow, overrides, force, runId }: RestartOptions, watch: Watch<R>) {
    yield* refuseRestart(run, flow)
    const { parameters, bizdate, scheduledAt } = run
    const request = { flow, parameters, bizdate, scheduledAt, ...(runId === undefined ? {} : { runId }) }
    const plan = yield* Effect.interruptible(planNew(request))
    if (!run.isDiscarded) {
      const { troubles } = yield* closeRun(run, flow, { force })
      if (troubles.length > 0 && !force)
        return yield* refused(
          `Cannot begin run ${run.id} anew: ${troubles.join("; ")}`,
          "Mend that and try again, or leave it behind with --force",
        )
    }
    const origin = { ...run.origin, overrides }
    return yield* watch(plan, (onEvent) => runNew(plan, { origin, parameters, onEvent }))
  },
  withParking,
  Effect.uninterruptible,
)

/**
 * Refuses to begin a run anew where rows that it has committed would be there twice. The targets are asked as well: what
 * was committed in the moment before a crash is not in the journal.
 */
const refuseRestart = Effect.fnUntraced(function* (run: RunRecord, flow: Flow) {
  const store = yield* RunStore
  const { receipts } = yield* asked(() => store.progress(run.id))
  const written = (run.report?.steps ?? []).filter(({ kind, rowsOut }) => kind === "output" && rowsOut > 0)
  const known = committedRows(receipts)
  // A split that failed at one output may be committed at another one.
  const partly = written.filter(({ step }) => !known.some((each) => each.step === step))
  yield* refuseTwice(run, [...known, ...partly.map(({ step, rowsOut }) => ({ step, rows: rowsOut, splits: 1 }))])
  if (run.steps.some(({ writes }) => writes === "appends"))
    yield* refuseTwice(run, yield* committedAt({ run, flow, fence: run.fence + 1 }))
})

function refuseTwice(run: RunRecord, committed: readonly CommittedRows[]) {
  const twice = unrepeatable(run.steps, committed).filter(({ rows }) => rows > 0)
  if (twice.length === 0) return Effect.void
  return refused(
    `Cannot begin run ${run.id} anew: it has committed ${shownRows(twice)}, which would be there twice`,
    run.isDiscarded
      ? "Remove these rows, then run the flow"
      : `Go on with it: headrace resume ${run.id}. Or remove these rows, then "headrace cancel ${run.id}" and run the flow`,
  )
}
