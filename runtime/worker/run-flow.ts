import { Effect, Layer, Stream } from "effect"
import { Events, type RunEvent } from "../../core/events/events.ts"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { type Plan, type PlanRequest, planAgain, planFlow } from "../../core/flow/plan.ts"
import { failure } from "../../core/host/failure.ts"
import { type DataSources, InstalledComponents, type Machine } from "../../core/host/services.ts"
import { Journal, type Resumed } from "../../core/run/journal.ts"
import type { RunReport } from "../../core/run/report.ts"
import { runPlan } from "../../core/run/run.ts"
import { refuseBeside } from "../../core/store/resumption.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { Secrets } from "../sources/secrets.ts"
import { stateOf } from "../store/process-owner.ts"
import { makeRunJournal } from "../store/run-journal.ts"
import { asked } from "../store/store.ts"
import { refuseHidden } from "./earlier-runs.ts"
import { explainRefused, Plugins } from "./host.ts"
import { makeRunId } from "./run-id.ts"
import { isIncremental, markSources, newRun, type RunCall, recordedSteps } from "./run-record.ts"

export interface FlowRequest {
  readonly flow: Flow
  readonly parameters: Readonly<Record<string, string>>
  readonly bizdate?: string
  readonly scheduledAt?: string
  /** Of a run that there is already. */
  readonly runId?: string
  /** Of an attempt at a run that there is already. */
  readonly fence?: number
}

/** Plans a flow, under a new run id unless one is given. Changes nothing. */
export const planNew = Effect.fnUntraced(function* (request: FlowRequest) {
  const installed = yield* Plugins
  const runId = request.runId ?? (yield* makeRunId)
  const whole: PlanRequest = { ...request, runId }
  return yield* Effect.interruptible(planFlow(whole)).pipe(
    Effect.catchTag("FlowError", (error) => Effect.fail(explainRefused(error, request.flow.steps, installed))),
  )
})

export interface RunOptions extends RunCall {
  readonly onEvent: (event: RunEvent) => void
}

/** Records a run, then runs its plan. Fails only before anything was touched: afterwards the report says how it ended. */
export const runNew = Effect.fnUntraced(function* (plan: Plan, options: RunOptions) {
  const store = yield* RunStore
  const run = yield* newRun(plan, options)
  // A mark of something else is refused before the run is recorded.
  yield* asked(() => marksOf(store, plan, markSources(plan)))
  if (isIncremental(plan)) yield* refuseHidden(plan)
  const judge = isIncremental(plan)
    ? (earlier: Parameters<typeof refuseBeside>[0]) => refuseBeside(earlier, stateOf)
    : undefined
  yield* asked(() => store.register(run, judge))
  return yield* runAttempt(plan, { fence: 1, onEvent: options.onEvent })
}, Effect.uninterruptible)

/** Shows how a run goes on, and needs `R` for that. */
export type Watch<R> = <E, S>(
  plan: Plan,
  go: (onEvent: (event: RunEvent) => void) => Effect.Effect<RunReport, E, S>,
) => Effect.Effect<RunReport, E, R | S>

export interface AttemptOptions {
  readonly fence: number
  readonly resumed?: Resumed
  /** The run of which it replays rows. */
  readonly replayOf?: string
  readonly onEvent: (event: RunEvent) => void
}

/** One attempt at a run that is recorded. Never fails: the report says how it ended; see {@link runPlan}. */
export const runAttempt = Effect.fnUntraced(function* (plan: Plan, options: AttemptOptions) {
  const { fence, resumed, onEvent, replayOf: origin = plan.runId } = options
  const store = yield* RunStore
  const { mask } = yield* Secrets
  const sources = markSources(plan)
  const marks = yield* asked(() => marksOf(store, plan, sources))
  const run = { id: plan.runId, fence }
  const journal = makeRunJournal({ store, run, origin, markSources: sources, mask })
  const components = yield* InstalledComponents
  const context = yield* Effect.context<InstalledComponents | DataSources | Machine>()
  const replan = planAgain(plan).pipe(
    Effect.tap((grown) => asked(() => store.planned(run, recordedSteps(grown, components)))),
    Effect.provide(context),
  )
  const watched = Effect.gen(function* () {
    const events = yield* Events
    yield* Effect.forkScoped(
      Stream.runForEach(events.stream, (event) => Effect.sync(() => onEvent(event))),
      { startImmediately: true },
    )
    return yield* runPlan(plan, { fence, marks, replan, ...(resumed === undefined ? {} : { resumed }) })
  })
  const layer = Layer.merge(Events.layer, Layer.succeed(Journal, journal))
  return yield* Effect.scoped(watched).pipe(Effect.provide(layer))
}, Effect.uninterruptible)

/** Where the inputs of a plan go on. Fails for a mark of something else: rows would be skipped, or loaded twice. */
async function marksOf(
  store: RunStore["Service"],
  plan: Plan,
  sources: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const { flow } = plan
  if (flow.name === undefined) return {}
  const marks = (await store.marks(flow.name)).filter(({ step }) => sources[step] !== undefined)
  const other = marks.find(({ step, dataSource }) => sources[step] !== dataSource)
  if (other !== undefined && isIncremental(plan)) {
    throw failure(
      "config",
      `Cannot go on loading in step "${other.step}": it has read "${other.dataSource}" up to ${other.mark}, and would read "${sources[other.step]}" now`,
      { hint: "Give the step another id, or the flow another name, to begin anew" },
    )
  }
  return Object.fromEntries(marks.map(({ step, mark }) => [step, mark]))
}
