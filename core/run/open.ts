import { Cause, Effect, Exit, Scope } from "effect"
import type { Session, Sink, Source } from "../contract/index.ts"
import { Events } from "../events/events.ts"
import type { Plan, PlannedStep } from "../flow/plan.ts"
import type { FlowError } from "../flow/problem.ts"
import { driftOf, NEW_COLUMNS, SCHEMA_DRIFT } from "../flow/source-drift.ts"
import { called, cancellable, within } from "../host/component-call.ts"
import type { PluginError } from "../host/failure.ts"
import { failure, pluginError } from "../host/failure.ts"
import { Journal, type OpenedInput, type Resumed } from "./journal.ts"
import type { Work } from "./split-run.ts"

export type SessionFor = (step: PlannedStep, signal: AbortSignal) => Session

/** What opening the inputs has brought. */
export interface Opened {
  readonly works: readonly Work[]
  readonly notes: readonly string[]
  /** How far each input reads. */
  readonly marks: Readonly<Record<string, string>>
}

export interface OpenOptions {
  readonly resumed: Resumed | undefined
  readonly marks: Readonly<Record<string, string>>
  /** Plans once more, when sources have new columns that the targets shall get. Absent: that is a failure. */
  readonly replan: Effect.Effect<Plan, FlowError | PluginError> | undefined
}

/**
 * Opens every input and notes how: a resumed run reads the same splits. Nothing has been written yet, so where a source
 * has new columns and the flow's policy is to add them, the flow is planned and opened once more, as what it is now.
 * `close` lets go of the inputs before the run ends: what holds a source open would hold up a swap of that very table.
 */
export const openPlanned = Effect.fnUntraced(function* (plan: Plan, sessionFor: SessionFor, options: OpenOptions) {
  const { replan } = options
  const run = yield* Effect.scope
  const scope = yield* Scope.fork(run)
  const first = yield* Effect.exit(openInputs(plan, sessionFor, options).pipe(Scope.provide(scope)))
  if (Exit.isSuccess(first)) return { plan, opened: first.value, close: Scope.close(scope, Exit.void) }
  const error = Cause.squash(first.cause)
  if (replan === undefined || pluginError(error).code !== NEW_COLUMNS) return yield* Effect.failCause(first.cause)
  yield* Scope.close(scope, first)
  const grown = yield* Effect.interruptible(replan).pipe(
    Effect.mapError((cause) => (cause._tag === "PluginError" ? cause : pluginError(failure("config", cause.message)))),
  )
  const again = yield* Scope.fork(run)
  const opened = yield* openInputs(grown, sessionFor, options).pipe(Scope.provide(again))
  return {
    plan: grown,
    close: Scope.close(again, Exit.void),
    opened: { ...opened, notes: [`planned again: ${pluginError(error).message}`, ...opened.notes] },
  }
})

const openInputs = Effect.fnUntraced(function* (
  plan: Plan,
  sessionFor: SessionFor,
  { resumed, marks }: Pick<OpenOptions, "resumed" | "marks">,
) {
  const sources: { readonly step: PlannedStep; readonly source: Source }[] = []
  for (const step of plan.steps) {
    const { component } = step
    if (component.kind !== "input") continue
    const earlier = resumed?.inputs.get(step.id)
    if (earlier !== undefined) yield* refuseOthers(step, earlier)
    // A resumed run reads up to where the first attempt meant to.
    const mark = marks[step.id]
    const request = {
      columns: step.output.map((column) => column.name),
      planned: step.output,
      parallel: plan.settings.parallel,
      ...(step.seen === undefined ? {} : { seen: step.seen }),
      ...(step.encoding === undefined ? {} : { encoding: step.encoding }),
      ...(earlier === undefined ? {} : { splits: earlier.splits }),
      ...(mark === undefined ? {} : { mark }),
    }
    const source = yield* acquire(plan, step, (signal) =>
      component.open(step.config, request, sessionFor(step, signal)),
    )
    sources.push({ step, source })
  }
  return yield* noted(plan, sources, resumed)
})

/** Rows of two shapes in one target would be neither what the run began with nor what it is now. */
function refuseOthers(step: PlannedStep, earlier: OpenedInput): Effect.Effect<void, PluginError> {
  const seen = earlier.columns.map(({ name }) => name)
  const { changed, added } = driftOf(step.output, { planned: earlier.columns, seen })
  const list = [...changed, ...added.map((name) => `column "${name}" is new`)].join("; ")
  if (list === "") return Effect.void
  const message = `Cannot resume: what input "${step.id}" gives has changed since the run began: ${list}`
  const refused = failure("config", message, { hint: "Begin anew with --restart", code: SCHEMA_DRIFT })
  return Effect.fail(pluginError(refused, step.id))
}

/** Tells of the sources and keeps what a later attempt needs of them. */
const noted = Effect.fnUntraced(function* (
  plan: Plan,
  sources: readonly { readonly step: PlannedStep; readonly source: Source }[],
  resumed: Resumed | undefined,
) {
  const events = yield* Events
  const journal = yield* Journal
  const works: Work[] = []
  const notes: string[] = []
  const reached: Record<string, string> = {}
  for (const { step, source } of sources) {
    const earlier = resumed?.inputs.get(step.id)
    const note = source.consistencyNote
    yield* events.publish({
      type: "input.opened",
      runId: plan.runId,
      step: step.id,
      splits: source.splits.length,
      oneSnapshot: source.oneSnapshot,
      ...(note === undefined ? {} : { note }),
    })
    if (!source.oneSnapshot && source.splits.length > 1)
      notes.push(`input "${step.id}": splits do not see one state of the data${note === undefined ? "" : `: ${note}`}`)
    const end = earlier === undefined ? source.mark : earlier.mark
    if (end !== undefined) reached[step.id] = end
    if (earlier === undefined) {
      const { splits, lasting = false } = source
      const oneSnapshot = source.oneSnapshot && !lasting
      const opened = { step: step.id, columns: step.output, splits, oneSnapshot }
      yield* Effect.tryPromise({
        try: () => journal.inputOpened({ ...opened, ...(end === undefined ? {} : { mark: end }) }),
        catch: (thrown) => pluginError(thrown),
      })
    }
    for (const split of source.splits) works.push({ input: step, source, split })
  }
  return { works, notes, marks: reached } satisfies Opened
})

/** Whether rows of one step come to another. */
export function reaches(plan: Plan, from: PlannedStep, to: string): boolean {
  const seen = new Set([from.id])
  // A set may grow while it is walked.
  for (const id of seen) for (const hop of plan.steps.find((step) => step.id === id)!.outgoing) seen.add(hop.to)
  return seen.has(to)
}

export const openSink = Effect.fnUntraced(function* (
  plan: Plan,
  step: PlannedStep,
  splits: number,
  sessionFor: SessionFor,
  sinks: Map<string, Sink>,
) {
  const { component, config, encoding, input } = step
  if (component.kind !== "output") return yield* Effect.die(`Step "${step.id}" is no output`)
  const request = { input, splits, step: step.id, ...(encoding === undefined ? {} : { encoding }) }
  yield* acquire(plan, step, async (signal) => {
    const sink = await component.open(config, request, sessionFor(step, signal))
    sinks.set(step.id, sink)
    return sink
  })
})

/** Opens something that is disposed when the run ends, also when it opens only after the run was cancelled. */
function acquire<A extends AsyncDisposable>(
  plan: Plan,
  step: PlannedStep,
  open: (signal: AbortSignal) => Promise<A>,
): Effect.Effect<A, PluginError, Scope.Scope> {
  const { cancelTimeoutMs } = plan.settings
  // Nothing that hangs may keep a run from ending.
  const dispose = (opened: A) =>
    Effect.promise(() =>
      within(
        called(() => opened[Symbol.asyncDispose]()),
        cancelTimeoutMs,
      ),
    )
  return Effect.gen(function* () {
    const scope = yield* Effect.scope
    let given: A | undefined
    let late = false
    const opening = async (signal: AbortSignal) => {
      given = await open(signal)
      if (late) await given[Symbol.asyncDispose]()
      return given
    }
    yield* Scope.addFinalizerExit(scope, () => {
      late = true
      return given === undefined ? Effect.void : dispose(given)
    })
    return yield* Effect.interruptible(attempt(plan, step, opening))
  })
}

/** One call of a component; an interruption waits for it as long as the run's settings allow. */
export function attempt<A>(plan: Plan, step: PlannedStep, use: (signal: AbortSignal) => Promise<A>) {
  return cancellable(use, plan.settings.cancelTimeoutMs, step.id)
}
