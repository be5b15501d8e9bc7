import { Cause, Clock, Effect, Exit, Fiber, Scope } from "effect"
import type { Session, Sink, Source } from "../contract/index.ts"
import { Events } from "../events/events.ts"
import { type Plan, type PlannedStep, runSettings } from "../flow/plan.ts"
import { called, cancellable, within } from "../host/component-call.ts"
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
  const progress: Progress = { receipts: [], notes: [], committed: new Map(), splits: 0 }
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
  const kept = yield* Effect.promise(() => flushed(rejections))
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
    notes: [...progress.notes, ...kept],
  }
  yield* events.publish({ type: "run.finished", runId: plan.runId, report })
  return report
}, Effect.uninterruptible)

async function flushed(rejections: Rejections["Service"]): Promise<readonly string[]> {
  try {
    const place = await rejections.flush()
    return place === undefined ? [] : [`rejected rows: ${place}`]
  } catch (error) {
    return [`rejected rows could not be kept: ${pluginError(error).message}`]
  }
}

interface Progress {
  readonly receipts: SplitReceipt[]
  readonly notes: string[]
  /** What every output has committed, also of splits that failed elsewhere. */
  readonly committed: Map<string, { readonly splits: number; readonly rows: number }>
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
    cancelTimeoutMs: plan.settings.cancelTimeoutMs,
    committed(step, rows) {
      const before = progress.committed.get(step) ?? { splits: 0, rows: 0 }
      progress.committed.set(step, { splits: before.splits + 1, rows: before.rows + rows })
    },
  }
  const outputs = plan.steps.filter((step) => step.component.kind === "output")
  const finished = new Set<string>()
  const load = Effect.gen(function* () {
    for (const step of outputs) {
      const splits = works.filter((work) => reaches(plan, work.input, step.id)).length
      yield* openSink(plan, step, splits, sessionFor, sinks)
    }
    yield* Effect.forEach(works, (work) => runWork(plan, context, work, progress), {
      concurrency: plan.settings.parallel,
      discard: true,
    })
    yield* Effect.try({ try: () => counters.judge(), catch: (thrown) => pluginError(thrown) })
    for (const step of outputs) {
      yield* attempt(plan, step, async (signal) => {
        await sinks.get(step.id)!.finish(sessionFor(step, signal))
        finished.add(step.id)
      })
    }
  })
  const takeBack = async () => {
    const opened = outputs.filter((step) => sinks.has(step.id))
    const troubles = await Promise.all(
      opened.map((step) => undo(plan, step, finished.has(step.id) ? undefined : sinks.get(step.id), sessionFor)),
    )
    progress.notes.push(...troubles.flat(), ...opened.map((step) => stays(step.id, progress)))
  }
  yield* Effect.interruptible(load).pipe(Effect.onError(() => Effect.promise(takeBack)))
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
    const source: Source = yield* acquire(plan, step, (signal) =>
      component.open(step.config, request, sessionFor(step, signal)),
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
  const seen = new Set([from.id])
  // A set may grow while it is walked.
  for (const id of seen) for (const hop of plan.steps.find((step) => step.id === id)!.outgoing) seen.add(hop.to)
  return seen.has(to)
}

const openSink = Effect.fnUntraced(function* (
  plan: Plan,
  step: PlannedStep,
  splits: number,
  sessionFor: (step: PlannedStep, signal: AbortSignal) => Session,
  sinks: Map<string, Sink>,
) {
  const { component, config, encoding, input } = step
  if (component.kind !== "output") return yield* Effect.die(`Step "${step.id}" is no output`)
  const request = { input, splits, ...(encoding === undefined ? {} : { encoding }) }
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
  const { cancelTimeoutMs, connectTimeoutMs } = plan.settings
  const dispose = (opened: A, exit: Exit.Exit<unknown, unknown>) =>
    Effect.promise(() =>
      within(
        called(() => opened[Symbol.asyncDispose]()),
        // Closing after a success is not hurried, but nothing that hangs may keep a run from ending.
        Exit.isSuccess(exit) ? Math.max(cancelTimeoutMs, connectTimeoutMs) : cancelTimeoutMs,
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
    yield* Scope.addFinalizerExit(scope, (exit) => {
      late = true
      return given === undefined ? Effect.void : dispose(given, exit)
    })
    return yield* Effect.interruptible(attempt(plan, step, opening))
  })
}

/** One split; an interruption waits until its steps have let go. */
const runWork = Effect.fnUntraced(function* (plan: Plan, context: RunContext, work: Work, progress: Progress) {
  const events = yield* Events
  const split = `${work.input.id}/${work.split.id}`
  const { runId } = plan
  yield* events.publish({ type: "split.started", runId, split, label: work.split.label })
  const run = async (signal: AbortSignal) => {
    const receipt = await runSplit(context, work, signal)
    // Noted here rather than by the effect, which an interruption may end while the commit goes through.
    progress.receipts.push(receipt)
    return receipt
  }
  const receipt = yield* cancellable(run, plan.settings.cancelTimeoutMs).pipe(
    Effect.tapError(({ reason, message }) => events.publish({ type: "split.failed", runId, split, reason, message })),
  )
  yield* events.publish({
    type: "split.committed",
    runId,
    split,
    rows: receipt.outputs.reduce((sum, output) => sum + output.written, 0),
  })
})

/** One call of a component; an interruption waits for it as long as the run's settings allow. */
function attempt<A>(plan: Plan, step: PlannedStep, use: (signal: AbortSignal) => Promise<A>) {
  return cancellable(use, plan.settings.cancelTimeoutMs, step.id)
}

/** The run has failed: an output takes back what is not committed. Returns what could not be done. */
async function undo(
  plan: Plan,
  step: PlannedStep,
  sink: Sink | undefined,
  sessionFor: (step: PlannedStep, signal: AbortSignal) => Session,
): Promise<readonly string[]> {
  if (sink === undefined) return []
  const { cancelTimeoutMs } = plan.settings
  const controller = new AbortController()
  let trouble: string | undefined
  const aborting = called(() => sink.abort(sessionFor(step, controller.signal))).catch((error) => {
    trouble = pluginError(error).message
  })
  if (!(await within(aborting, cancelTimeoutMs))) {
    trouble = `it took more than ${cancelTimeoutMs} ms`
    controller.abort()
  }
  return trouble === undefined ? [] : [`output "${step.id}" could not be cleaned up: ${trouble}`]
}

/** What a failed run leaves at an output. */
function stays(output: string, { committed, splits: all }: Progress): string {
  const { splits, rows } = committed.get(output) ?? { splits: 0, rows: 0 }
  return splits === 0
    ? `output "${output}": nothing was committed`
    : `output "${output}": ${splits} of ${all} splits stay committed, ${rows} rows`
}
