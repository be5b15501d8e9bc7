import { Effect } from "effect"
import type { Plan } from "../../core/flow/plan.ts"
import { refuseBeside, unrepeatable } from "../../core/store/resumption.ts"
import type { RunProgress, RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { stateOf } from "../store/process-owner.ts"
import { asked } from "../store/store.ts"
import { committedAt } from "./left-outputs.ts"
import { findRun, refused, storedFlow } from "./stored-run.ts"

/**
 * Refuses another run of a flow that goes on by a mark where an earlier one has appended rows that only the target knows
 * of: the answer to a commit may be lost, and then the run has failed after all that anybody here can tell.
 */
export const refuseHidden = Effect.fnUntraced(function* ({ flow: { name } }: Plan) {
  const store = yield* RunStore
  if (name === undefined) return
  for (const run of yield* asked(() => store.list({ flow: name, limit: MOST_RUNS }))) {
    if (run.replayOf !== undefined) continue
    if (run.status === "succeeded") return
    // Of one that goes on or was interrupted nothing need be asked.
    if (run.isDiscarded || run.status === "running") continue
    const { begun } = yield* asked(() => store.progress(run.id))
    const record = yield* findRun(run.id)
    const appends = record.steps.some(({ writes }) => writes === "appends")
    if (begun.length === 0 || !appends) continue
    const committed = yield* committedAt({ run: record, flow: yield* storedFlow(record), fence: run.fence + 1 })
    const hidden = unrepeatable(record.steps, committed).filter(({ rows }) => rows > 0)
    yield* asked(async () => refuseBeside([{ run: { ...run, steps: record.steps }, committed: hidden }], stateOf))
  }
})

/** Refuses to go on with a run behind whose back its flow has gone on: it would take the mark back. */
export const refuseOvertaken = Effect.fnUntraced(function* (run: RunRecord, { inputs }: RunProgress) {
  const store = yield* RunStore
  const { flow } = run
  const marked = inputs.filter(({ mark }) => mark !== undefined)
  if (flow === undefined || marked.length === 0) return
  for (const { step, mark, run: setter } of yield* asked(() => store.marks(flow))) {
    if (setter === run.id || !marked.some((input) => input.step === step)) continue
    const other = yield* asked(() => store.find(setter))
    // Ids begin with the time; of a mark that was set by hand, that is all there is.
    const isLater = other === undefined ? setter > run.id : other.startedAt > run.startedAt
    if (!isLater) continue
    const who = other === undefined ? "somebody has set it" : `run ${setter} has brought it there`
    return yield* refused(
      `Cannot resume run ${run.id}: flow "${flow}" has gone on since. The mark of step "${step}" is ${mark}, ${who}`,
      `What that has not read, a backfill reads. Give this run up: headrace cancel ${run.id}`,
    )
  }
})

const MOST_RUNS = 100
