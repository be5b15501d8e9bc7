import { Clock, Effect } from "effect"
import type { CommittedSplit, Output, Sink } from "../../core/contract/index.ts"
import type { RunEvent } from "../../core/events/events.ts"
import type { Flow } from "../../core/flow/flow-schema.ts"
import type { Plan } from "../../core/flow/plan.ts"
import { flowError, SNAPSHOT_LOST } from "../../core/flow/problem.ts"
import { withParking } from "../../core/host/parking.ts"
import { noteText } from "../../core/run/commit-note.ts"
import type { SplitReceipt } from "../../core/run/report.ts"
import {
  columnsDiffer,
  type LostSnapshot,
  lostSnapshots,
  RESUMABLE_MS,
  shownRows,
  sourcesDiffer,
  unrepeatable,
} from "../../core/store/resumption.ts"
import { committedRows, type RecordedStep, type RunProgress, type RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { thisProcess } from "../store/process-owner.ts"
import { asked } from "../store/store.ts"
import { refuseOvertaken } from "./earlier-runs.ts"
import { planNew, runAttempt, type Watch } from "./run-flow.ts"
import { fingerprints } from "./run-record.ts"
import { hasChanged, refuseBusy, refused } from "./stored-run.ts"

export interface ResumeOptions {
  /** Values of parameters that were given again; they have to be the same. */
  readonly parameters: Readonly<Record<string, string>>
  readonly asStored: boolean
  readonly force: boolean
}

/** Refuses what cannot be resumed, nor begun anew, by what is recorded of it alone. */
export const refuseUnfit = Effect.fnUntraced(function* (run: RunRecord, options: ResumeOptions) {
  const { id, status, origin, replayOf } = run
  const cannot = `Cannot resume run ${id}`
  if (replayOf !== undefined)
    return yield* refused(
      `${cannot}: it replays rows of run ${replayOf}`,
      `Replay them again: headrace quarantine replay ${replayOf}`,
    )
  if (status === "succeeded")
    return yield* refused(`${cannot}: it has succeeded`, "Run the flow again, if you mean another run")
  yield* refuseBusy("resume", run, options.force)
  if (hasChanged(origin) && !options.asStored) {
    return yield* refused(
      `${cannot}: the flow "${origin.path}" has changed since the run began`,
      "Go on with the flow as it was with --as-stored, or run the changed one",
    )
  }
  for (const [name, value] of Object.entries(options.parameters)) {
    const stored = run.parameters[name]
    if (value === stored) continue
    const was = stored === undefined ? "was not given" : `was "${stored}"`
    return yield* refused(
      `${cannot} with another parameter: "${name}" ${was}, now it is "${value}"`,
      "Leave out -p: a run goes on with the values that it began with",
    )
  }
})

export interface Resumption {
  readonly plan: Plan
  readonly progress: RunProgress
  /** What is left may be read from a new snapshot, although other splits were read from an older one. */
  readonly newSnapshot: boolean
}

/** Plans a run as it was planned, and refuses it where going on would not be going on. Changes nothing. */
export const planResumption = Effect.fnUntraced(function* (
  run: RunRecord,
  flow: Flow,
  { newSnapshot }: { readonly newSnapshot: boolean },
) {
  const store = yield* RunStore
  const cannot = `Cannot resume run ${run.id}`
  const restart = `Begin anew: headrace resume ${run.id} --restart`
  if (run.isDiscarded)
    return yield* refused(`${cannot}: it was cancelled, and what it had not finished was removed`, restart)
  if ((yield* Clock.currentTimeMillis) - run.startedAt > RESUMABLE_MS)
    return yield* refused(
      `${cannot}: it began more than 30 days ago, and its targets forget by then what is committed`,
      restart,
    )
  const progress = yield* asked(() => store.progress(run.id))
  yield* refuseOvertaken(run, progress)
  const lost = lostSnapshots(progress)
  for (const each of lost) yield* refuseLost(run, each, { newSnapshot, receipts: progress.receipts })
  const { parameters, bizdate, scheduledAt } = run
  const plan = yield* planNew({ flow, parameters, bizdate, scheduledAt, runId: run.id, fence: run.fence + 1 })
  const moved = sourcesDiffer(run.sources, yield* fingerprints(plan))
  if (moved !== undefined)
    return yield* refused(`${cannot}: ${moved}`, "Let the data sources be what they were when the run began")
  for (const input of progress.inputs) {
    const step = plan.steps.find(({ id, component }) => id === input.step && component.kind === "input")
    const change = columnsDiffer(input, step?.output)
    if (change !== undefined)
      return yield* refused(
        `${cannot}: what input "${input.step}" gives has changed since the run began: ${change}`,
        restart,
      )
  }
  return { plan, progress, newSnapshot } satisfies Resumption
})

interface Lost {
  readonly newSnapshot: boolean
  readonly receipts: readonly SplitReceipt[]
}

function refuseLost(run: RunRecord, lost: LostSnapshot, { newSnapshot, receipts }: Lost) {
  const { step, committed, splits, volatile } = lost
  const left = splits - committed
  if (volatile.length === 0 && newSnapshot) return Effect.void
  const cannot = `Cannot resume run ${run.id}: input "${step}" had one state of the data for all splits, and it is gone. ${committed} of ${splits} splits are committed`
  const why =
    volatile.length > 0
      ? `, and ${volatile.length} of the others, such as "${volatile[0]!.label}", are other rows in another state`
      : `; the other ${left} can only be read as the source is now. A row that has moved from one range to another since then would be missing or there twice`
  const consent = volatile.length > 0 ? [] : ["Accept that: resume it with --new-snapshot"]
  // Rows that were appended are in the way of a run that begins anew.
  const appended = unrepeatable(run.steps, committedRows(receipts))
  const anew =
    appended.length === 0
      ? `Begin anew: headrace resume ${run.id} --restart`
      : `Remove what it has committed, ${shownRows(appended)}, give it up with "headrace cancel ${run.id}", and run the flow`
  const problem = { message: cannot + why, hint: [...consent, anew].join(". Or: ") }
  return flowError([appended.length === 0 ? { ...problem, code: SNAPSHOT_LOST } : problem])
}

/** Claims a run and goes on with it. */
export const resumeRun = Effect.fnUntraced(function* (
  run: RunRecord,
  { plan, progress, newSnapshot }: Resumption,
  onEvent: (event: RunEvent) => void,
) {
  const store = yield* RunStore
  const { id, fence } = run
  if (!(yield* asked(() => store.claim({ id, fence }, thisProcess()))))
    return yield* refused(`Cannot resume run ${id}: somebody else has just taken it`, "Look again: headrace runs")
  const inputs = new Map(progress.inputs.map((input) => [input.step, input]))
  const remembering = withReceipts(plan, run.steps, progress.receipts)
  return yield* runAttempt(remembering, { fence: fence + 1, resumed: { inputs, mayMix: newSnapshot }, onEvent })
}, Effect.uninterruptible)

/** Plans what is left of a run, then goes on with it. */
export const goOn = Effect.fnUntraced(
  function* <R>(run: RunRecord, flow: Flow, options: { readonly newSnapshot: boolean }, watch: Watch<R>) {
    const resumption = yield* Effect.interruptible(planResumption(run, flow, options))
    return yield* watch(resumption.plan, (onEvent) => resumeRun(run, resumption, onEvent))
  },
  withParking,
  Effect.uninterruptible,
)

/**
 * An output without a ledger cannot tell what it has committed, but the journal can: it would append those rows again.
 * What was committed in the moment before a crash is not in the journal, so that this is no more than at least once.
 */
function withReceipts(plan: Plan, recorded: readonly RecordedStep[], receipts: readonly SplitReceipt[]): Plan {
  const appending = new Set(recorded.filter(({ writes }) => writes === "appends").map(({ id }) => id))
  let isTold = false
  const steps = plan.steps.map((step) => {
    const { component } = step
    if (component.kind !== "output" || !appending.has(step.id)) return step
    const earlier = earlierSplits(step.id, receipts)
    if (earlier.size === 0) return step
    isTold = true
    return { ...step, component: told(component, earlier) }
  })
  // Without a ledger, a split that failed may be committed all the same: it must not be tried again.
  return isTold ? { ...plan, steps, settings: { ...plan.settings, splitRetries: 0 } } : plan
}

function earlierSplits(step: string, receipts: readonly SplitReceipt[]): ReadonlyMap<string, CommittedSplit> {
  const earlier = new Map<string, CommittedSplit>()
  for (const { split, attempt, read, steps, outputs } of receipts) {
    const output = outputs.find((each) => each.step === step)
    if (output?.guarantee !== "at-least-once") continue
    const { written, guarantee } = output
    earlier.set(split, { written, guarantee, note: noteText({ attempt, read, steps, output }) })
  }
  return earlier
}

function told(output: Output, earlier: ReadonlyMap<string, CommittedSplit>): Output {
  return {
    ...output,
    async open(config, request, session): Promise<Sink> {
      const sink = await output.open(config, request, session)
      if (sink.committed !== undefined) return sink
      return {
        committed: async (split) => earlier.get(split),
        write: (...given) => sink.write(...given),
        finish: (at) => sink.finish(at),
        abort: (at) => sink.abort(at),
        [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
      }
    },
  }
}
