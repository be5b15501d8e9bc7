import { Cause, Clock, Effect, Exit, Fiber, type Scope } from "effect"
import type { Session, Sink, Source } from "../contract/index.ts"
import { Events } from "../events/events.ts"
import { type Plan, type PlannedStep, runSettings } from "../flow/plan.ts"
import { type PluginError, pluginError } from "../host/failure.ts"
import { Machine } from "../host/services.ts"
import { makeSession } from "../host/session.ts"
import { Counters } from "./counters.ts"
import { Rejections } from "./rejections.ts"
import type { RunFailure, RunReport, SplitReceipt } from "./report.ts"
import { type RunContext, runSplit, type Work } from "./split-run.ts"

export type RunServices = Machine | Rejections | Events

/**
 * Runs a plan. Never fails: a report says how it ended. Aborting `signal`, or interrupting the effect, stops every
 * statement on every server and waits for the components to clean up as long as `cancelTimeoutMs` allows; after an
 * abort the report says `cancelled`.
 */
export const runPlan = Effect.fn("runPlan")(function* (
  plan: Plan,
  signal?: AbortSignal,
): Effect.fn.Return<RunReport, never, RunServices> {
  const events = yield* Events
  const rejections = yield* Rejections
  const startedAt = yield* Clock.currentTimeMillis
  const counters = new Counters(plan.runId, plan.steps, plan.settings, (rejection) => rejections.add(rejection))
  const progress: Progress = { receipts: [], notes: [], splits: 0 }
  yield* events.publish({
    type: "run.started",
    runId: plan.runId,
    steps: plan.steps.map(({ id, component }) => ({ id, use: component.id, kind: component.kind })),
    ...estimate(plan),
  })
  const beat = Effect.suspend(() =>
    events.publish({
      type: "run.progressed",
      runId: plan.runId,
      steps: counters.steps(),
      rejected: counters.rejected,
    }),
  ).pipe(Effect.andThen(Effect.sleep("200 millis")), Effect.forever)
  const work = yield* Effect.forkChild(
    Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.forkScoped(beat)
        return yield* execute(plan, counters, progress)
      }),
    ),
  )
  const cancel = () => void Effect.runFork(Fiber.interrupt(work))
  if (signal?.aborted === true) cancel()
  signal?.addEventListener("abort", cancel, { once: true })
  yield* Effect.interruptible(Fiber.await(work)).pipe(
    Effect.onInterrupt(() => Fiber.interrupt(work)),
    Effect.exit,
  )
  const exit = yield* Fiber.await(work)
  signal?.removeEventListener("abort", cancel)
  const endedAt = yield* Clock.currentTimeMillis
  const file = yield* Effect.promise(() => rejections.flush())
  const report: RunReport = {
    runId: plan.runId,
    ...outcome(exit),
    startedAt: new Date(startedAt).toISOString(),
    durationMs: endedAt - startedAt,
    steps: counters.steps(),
    receipts: progress.receipts,
    splits: progress.splits,
    rejected: counters.rejected,
    adjusted: counters.adjusted(),
    notes: [...progress.notes, ...(file === undefined ? [] : [`rejected rows: ${file}`])],
  }
  yield* events.publish({ type: "run.finished", runId: plan.runId, report })
  return report
}, Effect.uninterruptible)

interface Progress {
  readonly receipts: SplitReceipt[]
  readonly notes: string[]
  splits: number
}

function estimate(plan: Plan): { estimatedRows?: number } {
  const inputs = plan.steps.filter((step) => step.component.kind === "input")
  if (inputs.some((step) => step.estimatedRows === undefined)) return {}
  return { estimatedRows: inputs.reduce((sum, step) => sum + step.estimatedRows!, 0) }
}

function outcome(exit: Exit.Exit<void, PluginError>): Pick<RunReport, "status"> & { failure?: RunFailure } {
  if (Exit.isSuccess(exit)) return { status: "succeeded" }
  const { cause } = exit
  if (Cause.hasInterruptsOnly(cause))
    return { status: "cancelled", failure: { message: "The run was cancelled", reason: "cancelled" } }
  const error = Cause.squash(cause)
  const { message, reason, step, hint } = pluginError(error)
  return {
    status: "failed",
    failure: { message, reason, ...(step === undefined ? {} : { step }), ...(hint === undefined ? {} : { hint }) },
  }
}

const execute = Effect.fnUntraced(function* (
  plan: Plan,
  counters: Counters,
  progress: Progress,
): Effect.fn.Return<void, PluginError, RunServices | Scope.Scope> {
  const machine = yield* Machine
  const sessionFor = (step: PlannedStep, signal: AbortSignal): Session =>
    makeSession({
      ...machine,
      signal,
      settings: runSettings(plan.settings),
      parameters: plan.parameters,
      run: { id: plan.runId, fence: 0 },
      reject: (row) => counters.reject(step.id, "", row),
      adjusted: (policy, column, values) => counters.adjust(step.id, policy, column, values),
    })
  // Inputs first: a source that cannot be opened must not have cost the target anything.
  const works = yield* openInputs(plan, sessionFor, progress)
  progress.splits = works.length
  const sinks = new Map<string, Sink>()
  const context: RunContext = {
    runId: plan.runId,
    steps: plan.steps,
    sinks,
    settings: runSettings(plan.settings),
    parameters: plan.parameters,
    ...machine,
    counters,
  }
  const load = Effect.gen(function* () {
    for (const step of plan.steps)
      if (step.component.kind === "output") {
        const splits = works.filter((work) => reaches(plan, work.input, step.id)).length
        sinks.set(step.id, yield* openSink(step, splits, sessionFor))
      }
    yield* Effect.forEach(works, (work) => runWork(plan, context, work, progress), {
      concurrency: plan.settings.parallel,
      discard: true,
    })
    yield* Effect.try({ try: () => counters.judge(), catch: (thrown) => pluginError(thrown) })
  })
  yield* Effect.interruptible(load).pipe(Effect.onError(() => undo(plan, sinks, sessionFor, progress)))
  for (const [id, sink] of sinks) {
    const step = plan.steps.find((candidate) => candidate.id === id)!
    yield* attempt(step, (signal) => sink.finish(sessionFor(step, signal)))
  }
})

const openInputs = Effect.fnUntraced(function* (
  plan: Plan,
  sessionFor: (step: PlannedStep, signal: AbortSignal) => Session,
  progress: Progress,
) {
  const events = yield* Events
  const works: Work[] = []
  for (const step of plan.steps) {
    const { component } = step
    if (component.kind !== "input") continue
    const request = {
      columns: step.output.map((column) => column.name),
      parallel: plan.settings.parallel,
      ...(step.encoding === undefined ? {} : { encoding: step.encoding }),
    }
    const life = new AbortController()
    const source: Source = yield* Effect.acquireRelease(
      Effect.interruptible(
        attempt(step, (signal) => component.open(step.config, request, sessionFor(step, linked(signal, life)))),
      ),
      (opened) => quietly(() => opened[Symbol.asyncDispose]()),
    )
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
      progress.notes.push(
        `input "${step.id}": splits do not see one state of the data${note === undefined ? "" : `: ${note}`}`,
      )
    for (const split of source.splits) works.push({ input: step, source, split })
  }
  return works
})

/** Whether rows of one step come to another. */
function reaches(plan: Plan, from: PlannedStep, to: string): boolean {
  return from.outgoing.some((hop) => hop.to === to || reaches(plan, plan.steps.find((step) => step.id === hop.to)!, to))
}

const openSink = Effect.fnUntraced(function* (
  step: PlannedStep,
  splits: number,
  sessionFor: (step: PlannedStep, signal: AbortSignal) => Session,
) {
  const { component, config, encoding, input } = step
  if (component.kind !== "output") return yield* Effect.die(`Step "${step.id}" is no output`)
  const life = new AbortController()
  const request = { input, splits, ...(encoding === undefined ? {} : { encoding }) }
  return yield* Effect.acquireRelease(
    Effect.interruptible(
      attempt(step, (signal) => component.open(config, request, sessionFor(step, linked(signal, life)))),
    ),
    (sink) => quietly(() => sink[Symbol.asyncDispose]()),
  )
})

/** A signal for something that outlives the call that opens it: aborted only while the opening is interrupted. */
function linked(signal: AbortSignal, life: AbortController): AbortSignal {
  signal.addEventListener("abort", () => life.abort(signal.reason), { once: true })
  return life.signal
}

/** One split; an interruption waits until its steps have let go. */
const runWork = Effect.fnUntraced(function* (plan: Plan, context: RunContext, work: Work, progress: Progress) {
  const events = yield* Events
  const split = `${work.input.id}/${work.split.id}`
  const { runId } = plan
  yield* events.publish({ type: "split.started", runId, split, label: work.split.label })
  const receipt = yield* cancellable((signal) => runSplit(context, work, signal), plan.settings.cancelTimeoutMs).pipe(
    Effect.tapError(({ reason, message }) => events.publish({ type: "split.failed", runId, split, reason, message })),
  )
  progress.receipts.push(receipt)
  yield* events.publish({
    type: "split.committed",
    runId,
    split,
    rows: receipt.outputs.reduce((sum, output) => sum + output.written, 0),
  })
})

/** Runs a promise whose work stops by signal; an interruption waits for it to settle, up to a deadline. */
function cancellable<A>(run: (signal: AbortSignal) => Promise<A>, deadlineMs: number): Effect.Effect<A, PluginError> {
  return Effect.suspend(() => {
    const controller = new AbortController()
    const promise = run(controller.signal)
    const settled = promise.then(
      () => undefined,
      () => undefined,
    )
    return Effect.tryPromise({ try: () => promise, catch: (thrown) => pluginError(thrown) }).pipe(
      Effect.onInterrupt(() => {
        controller.abort(new DOMException("The run was cancelled", "AbortError"))
        return Effect.promise(() => settled).pipe(Effect.timeoutOption(deadlineMs))
      }),
    )
  })
}

function attempt<A>(step: PlannedStep, use: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, PluginError> {
  return Effect.tryPromise({ try: use, catch: (thrown) => pluginError(thrown, step.id) })
}

function quietly(use: () => PromiseLike<void>): Effect.Effect<void> {
  return Effect.tryPromise(async () => await use()).pipe(Effect.ignore)
}

/** The run has failed: outputs take back what is not committed, and the report says what is. */
const undo = Effect.fnUntraced(function* (
  plan: Plan,
  sinks: ReadonlyMap<string, Sink>,
  sessionFor: (step: PlannedStep, signal: AbortSignal) => Session,
  progress: Progress,
) {
  for (const [id, sink] of sinks) {
    const step = plan.steps.find((candidate) => candidate.id === id)!
    yield* attempt(step, (signal) => sink.abort(sessionFor(step, signal))).pipe(
      Effect.catch((error) =>
        Effect.sync(() => void progress.notes.push(`output "${id}" could not be cleaned up: ${error.message}`)),
      ),
    )
    const written = progress.receipts.flatMap((receipt) => receipt.outputs.filter((output) => output.step === id))
    const rows = written.reduce((sum, output) => sum + output.written, 0)
    progress.notes.push(
      written.length === 0
        ? `output "${id}": nothing was committed`
        : `output "${id}": ${written.length} of ${progress.splits} splits stay committed, ${rows} rows`,
    )
  }
})
