import { Effect } from "effect"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { readFlow } from "../../core/flow/read-flow.ts"
import { failure, pluginError } from "../../core/host/failure.ts"
import { InstalledComponents } from "../../core/host/services.ts"
import { entryColumns, entryOf } from "../../core/quarantine/replay-flow.ts"
import { Quarantine } from "../../core/store/quarantine.ts"
import type { RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { thisProcess } from "../store/process-owner.ts"
import { asked } from "../store/store.ts"
import { cancelledReport } from "./close-run.ts"
import { withQuarantine } from "./quarantine-input.ts"
import { planNew, runAttempt } from "./run-flow.ts"
import { findRun, refuseBusy, refused } from "./stored-run.ts"

/**
 * Settles a replay that has ended in whatever way. Of splits that are not known to be committed the targets are asked; those
 * that are not are committed without rows, so that no process that was believed dead can write them later.
 */
export const settleReplay = Effect.fnUntraced(function* (id: string, { force }: { readonly force: boolean }) {
  const quarantine = yield* Quarantine
  const run = yield* findRun(id)
  const flow = yield* readFlow(run.origin.document, `the flow of replay ${id}`)
  const entry = entryOf(flow)
  if (entry === undefined || run.replayOf === undefined) return yield* Effect.die(`Run ${id} is no replay`)
  if (run.status === "succeeded") return yield* asked(() => quarantine.settle({ id, fence: run.fence }, entry))
  yield* refuseBusy("settle the replay", run, force)
  const fence = yield* closed(run, flow, entry.step)
  return yield* asked(() => quarantine.settle({ id, fence }, entry))
})

/** Takes a replay from its process and closes the splits that are open; gives the number of the attempt that did. */
const closed = Effect.fnUntraced(function* (run: RunRecord, flow: Flow, step: string) {
  const store = yield* RunStore
  const quarantine = yield* Quarantine
  const components = yield* InstalledComponents
  const { id, parameters, bizdate, scheduledAt } = run
  const origin = yield* findRun(run.replayOf!)
  const recorded = origin.steps.find((each) => each.id === step)
  if (recorded === undefined) return yield* Effect.die(`Run ${origin.id} has no step "${step}"`)
  const progress = yield* asked(() => store.progress(id))
  const done = new Set(progress.receipts.map(({ split }) => split))
  const inputs = progress.inputs.map((input) => ({
    ...input,
    splits: input.splits.filter((split) => !done.has(`${input.step}/${split.id}`)),
  }))
  const isOpen = inputs.some(({ splits }) => splits.length > 0)
  const source = { quarantine, replay: id, offered: entryColumns(recorded).offered, rows: 0, isEmpty: true }
  const planning = planNew({ flow, parameters, bizdate, scheduledAt, runId: id, fence: run.fence + 1 })
  const plan = isOpen
    ? yield* planning.pipe(Effect.provideService(InstalledComponents, withQuarantine(components, source)))
    : undefined
  if (!(yield* asked(() => store.claim({ id, fence: run.fence }, thisProcess()))))
    return yield* refused(`Cannot settle replay ${id}: somebody else has just taken it`, "Try again")
  const fence = run.fence + 1
  if (plan !== undefined) {
    // Rows in quarantine do not change.
    const resumed = { inputs: new Map(inputs.map((input) => [input.step, input])), mayMix: true }
    const report = yield* runAttempt(plan, { fence, resumed, onEvent: () => {} })
    if (report.status !== "succeeded") {
      const { message = "it was cancelled", reason = "cancelled" } = report.failure ?? {}
      return yield* Effect.fail(
        pluginError(
          failure(reason, `Cannot settle replay ${id}: ${message}`, {
            hint: "Its rows are held until that is mended and a replay is tried again",
          }),
        ),
      )
    }
  }
  const after = yield* asked(() => store.progress(id))
  const { failure: cause, status } = run.report ?? {}
  const report = { ...cancelledReport(run, after, fence, []), ...(status === undefined ? {} : { status }) }
  const told = cause === undefined ? report : { ...report, failure: cause }
  yield* asked(() => store.finish({ id, fence }, { report: told, markSources: {} }))
  return fence
}, Effect.uninterruptible)
