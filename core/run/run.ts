import { Cause, Clock, Effect, Exit, Fiber, type Scope, Semaphore } from "effect"
import type { Session, Sink } from "../contract/index.ts"
import { Events } from "../events/events.ts"
import { type Plan, type PlannedStep, runSettings } from "../flow/plan.ts"
import type { FlowError } from "../flow/problem.ts"
import { called, within } from "../host/component-call.ts"
import { type PluginError, pluginError } from "../host/failure.ts"
import { Machine } from "../host/services.ts"
import { makeSession } from "../host/session.ts"
import { Counters } from "./counters.ts"
import { type Earlier, findEarlier } from "./earlier.ts"
import { Journal, type Resumed } from "./journal.ts"
import { attempt, openPlanned, openSink, reaches, type SessionFor } from "./open.ts"
import type { RunFailure, RunReport, SplitReceipt } from "./report.ts"
import type { RunContext } from "./split-run.ts"
import { runWork } from "./work.ts"

export type RunServices = Machine | Journal | Events

export interface RunOptions {
  readonly signal?: AbortSignal
  /** The number of this attempt at the run, from 1; larger than that of every earlier one. */
  readonly fence?: number
  /** What an earlier attempt has left. */
  readonly resumed?: Resumed
  /** Where the last run that succeeded ended, by input. */
  readonly marks?: Readonly<Record<string, string>>
  /**
   * Plans the same flow once more (`planAgain`), when a source got new columns after the plan and the flow adds them to
   * its targets. Absent: the run fails.
   */
  readonly replan?: Effect.Effect<Plan, FlowError | PluginError>
}

/**
 * Runs a plan. Never fails: a report says how it ended. Aborting the signal, or interrupting the effect, stops every
 * statement on every server and waits for the components to clean up as long as `cancelTimeoutMs` allows; after an
 * abort the report says `cancelled`.
 */
export const runPlan = Effect.fn("runPlan")(function* (
  plan: Plan,
  options: RunOptions = {},
): Effect.fn.Return<RunReport, never, RunServices> {
  const { signal, fence = 1 } = options
  const events = yield* Events
  const journal = yield* Journal
  const startedAt = yield* Clock.currentTimeMillis
  const counters = new Counters(plan.steps, plan.settings)
  const progress: Progress = { receipts: [], notes: [], committed: new Map(), splits: 0, retries: 0, marks: {} }
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
        return yield* execute(plan, { ...options, fence }, counters, progress)
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
  const ended: RunReport = {
    runId: plan.runId,
    fence,
    ...outcome(exit),
    startedAt: new Date(startedAt).toISOString(),
    durationMs: endedAt - startedAt,
    steps: counters.steps(),
    receipts: progress.receipts,
    splits: progress.splits,
    rejected: counters.rejected,
    retries: progress.retries,
    adjusted: counters.adjusted(),
    marks: progress.marks,
    notes: progress.notes,
  }
  const report = yield* Effect.promise(() => kept(journal, ended))
  yield* events.publish({ type: "run.finished", runId: plan.runId, report })
  return report
}, Effect.uninterruptible)

/** A run whose journal cannot be closed has not succeeded: nobody could tell later. */
async function kept(journal: Journal["Service"], report: RunReport): Promise<RunReport> {
  try {
    return { ...report, notes: [...report.notes, ...(await journal.finished(report))] }
  } catch (error) {
    const { message, reason, hint } = pluginError(error)
    const notes = [...report.notes, `the run could not be recorded: ${message}`]
    if (report.status !== "succeeded") return { ...report, notes }
    return { ...report, notes, status: "failed", failure: { message, reason, ...(hint === undefined ? {} : { hint }) } }
  }
}

interface Progress {
  readonly receipts: SplitReceipt[]
  readonly notes: string[]
  /** What every output has committed, also of splits that failed elsewhere. */
  readonly committed: Map<string, Map<string, number>>
  splits: number
  retries: number
  marks: Readonly<Record<string, string>>
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
  const { message, reason, code, step, hint } = pluginError(error)
  const coded = code === undefined ? {} : { code }
  return {
    status: "failed",
    failure: {
      message,
      reason,
      ...coded,
      ...(step === undefined ? {} : { step }),
      ...(hint === undefined ? {} : { hint }),
    },
  }
}

const execute = Effect.fnUntraced(function* (
  asked: Plan,
  options: RunOptions & { readonly fence: number },
  counters: Counters,
  progress: Progress,
): Effect.fn.Return<void, PluginError, RunServices | Scope.Scope> {
  const machine = yield* Machine
  const journal = yield* Journal
  const { fence, resumed, marks = {} } = options
  const run = { id: asked.runId, fence }
  const sessionFor: SessionFor = (step, signal): Session =>
    makeSession({
      ...machine,
      signal,
      settings: runSettings(asked.settings),
      parameters: asked.parameters,
      run,
      reject(row) {
        journal.reject({ ...row, runId: run.id, step: step.id, split: "", attempt: fence })
        counters.reject(step.id, row)
      },
      sealed: () => journal.sealed(),
      filtered: (rows) => counters.add(step.id, { filtered: rows }),
      made: (rows) => counters.add(step.id, { made: rows }),
      adjusted: (policy, column, values) => counters.adjust(step.id, policy, column, values),
    })
  // Inputs first: a source that cannot be opened must not have cost the target anything.
  const { plan, opened, close } = yield* openPlanned(asked, sessionFor, { resumed, marks, replan: options.replan })
  const { works } = opened
  progress.splits = works.length
  progress.notes.push(...opened.notes)
  progress.marks = opened.marks
  const sinks = new Map<string, Sink>()
  const context: RunContext = {
    runId: plan.runId,
    fence,
    steps: plan.steps,
    sinks,
    settings: runSettings(plan.settings),
    parameters: plan.parameters,
    ...machine,
    counters,
    journal,
    places: yield* Semaphore.make(plan.settings.parallel),
    stallTimeoutMs: plan.settings.stallTimeoutMs,
    cancelTimeoutMs: plan.settings.cancelTimeoutMs,
    committed(step, split, rows) {
      progress.committed.set(step, (progress.committed.get(step) ?? new Map()).set(split, rows))
    },
  }
  const outputs = plan.steps.filter((step) => step.component.kind === "output")
  const finished = new Set<string>()
  const shop = {
    plan,
    context,
    sessionFor,
    earlier: new Map() as Earlier,
    done: (receipt: SplitReceipt) => void progress.receipts.push(receipt),
    retried: () => void progress.retries++,
  }
  const load = Effect.gen(function* () {
    for (const step of outputs) {
      const splits = works.filter((work) => reaches(plan, work.input, step.id)).length
      yield* openSink(plan, step, splits, sessionFor, sinks)
    }
    const earlier = fence > 1 ? yield* findEarlier(shop, works, resumed) : shop.earlier
    yield* Effect.forEach(works, (work) => runWork({ ...shop, earlier }, work), {
      concurrency: plan.settings.parallel,
      discard: true,
    })
    yield* close
    yield* Effect.try({ try: () => counters.judge(), catch: (thrown) => pluginError(thrown) })
    for (const step of outputs) {
      yield* attempt(plan, step, async (signal) => {
        await sinks.get(step.id)!.finish(sessionFor(step, signal))
        finished.add(step.id)
      })
    }
  })
  const takeBack = async (cause: Cause.Cause<PluginError>) => {
    const isKept = mayPass(cause)
    const opened = outputs.filter((step) => sinks.has(step.id))
    const leave = async (step: PlannedStep): Promise<readonly string[]> => {
      const sink = sinks.get(step.id)!
      if (finished.has(step.id)) return [stays(step.id, progress)]
      const canResume = sink.committed !== undefined && progress.committed.has(step.id)
      if (isKept && canResume) return [waits(step.id, progress)]
      return [...(await undo(plan, step, sink, sessionFor)), await whatStays(plan, step, sink, sessionFor, progress)]
    }
    progress.notes.push(...(await Promise.all(opened.map(leave))).flat())
  }
  yield* Effect.interruptible(load).pipe(Effect.onError((cause) => Effect.promise(() => takeBack(cause))))
})

/** A failure of which a resumed run may know nothing any more: what is staged is then worth keeping. */
function mayPass(cause: Cause.Cause<PluginError>): boolean {
  return !Cause.hasInterruptsOnly(cause) && PASSING.has(pluginError(Cause.squash(cause)).reason)
}

const PASSING: ReadonlySet<string> = new Set(["connection", "conflict", "timeout", "resource"])

/** The run has failed: an output takes back what is not committed. Returns what could not be done. */
async function undo(plan: Plan, step: PlannedStep, sink: Sink, sessionFor: SessionFor): Promise<readonly string[]> {
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

/** A staged output has taken everything back: it is asked, because only it knows. */
async function whatStays(
  plan: Plan,
  step: PlannedStep,
  sink: Sink,
  sessionFor: SessionFor,
  progress: Progress,
): Promise<string> {
  const [split] = progress.committed.get(step.id)?.keys() ?? []
  if (split === undefined || sink.committed === undefined) return stays(step.id, progress)
  let isGone = false
  const asking = called(() => sink.committed!(split, sessionFor(step, new AbortController().signal)))
    .then((committed) => {
      isGone = committed === undefined
    })
    .catch(() => undefined)
  await within(asking, plan.settings.cancelTimeoutMs)
  return isGone
    ? `output "${step.id}": what was loaded is taken back, the target is as it was`
    : stays(step.id, progress)
}

/** What a failed run leaves at an output. */
function stays(output: string, { committed, splits: all }: Progress): string {
  const { splits, rows } = sumOf(committed.get(output))
  return splits === 0
    ? `output "${output}": nothing was committed`
    : `output "${output}": ${splits} of ${all} splits stay committed, ${rows} rows`
}

/** The same, where a resumed run can go on. */
function waits(output: string, { committed, splits: all }: Progress): string {
  const { splits, rows } = sumOf(committed.get(output))
  return `output "${output}": ${splits} of ${all} splits are committed, ${rows} rows; the run can be resumed`
}

function sumOf(committed: ReadonlyMap<string, number> = new Map()) {
  return { splits: committed.size, rows: [...committed.values()].reduce((sum, rows) => sum + rows, 0) }
}
