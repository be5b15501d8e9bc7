import { Effect, type Result, Semaphore } from "effect"
import type { CommittedSplit, FailureReason } from "../contract/index.ts"
import { Events } from "../events/events.ts"
import type { Plan } from "../flow/plan.ts"
import { cancellable } from "../host/component-call.ts"
import { type PluginError, pluginError } from "../host/failure.ts"
import type { Earlier } from "./earlier.ts"
import { Journal } from "./journal.ts"
import { reaches, type SessionFor } from "./open.ts"
import { firstTry, type SplitReceipt } from "./report.ts"
import { earlierReceipt, type RunContext, runSplit, splitId, type Work } from "./split-run.ts"
import { Tally } from "./tally.ts"

/** What the splits of a run share in being run, tried again, and counted. */
export interface Workshop {
  readonly plan: Plan
  readonly context: RunContext
  readonly sessionFor: SessionFor
  /** What earlier attempts at the run have committed. */
  readonly earlier: Earlier
  /** Takes what a split has left, even when the run is interrupted the moment after. */
  done(receipt: SplitReceipt): void
  retried(): void
}

/**
 * Brings one split to its commit at every output: asks what is committed already, and tries again after a failure that
 * may pass, with growing pauses. Splits that are written at the same time may lock each other out: one that was in a
 * conflict comes back when no other is at work. An interruption waits until its steps have let go.
 */
export const runWork = Effect.fnUntraced(function* (shop: Workshop, work: Work) {
  const events = yield* Events
  const journal = yield* Journal
  const { plan, context } = shop
  const { runId, settings } = plan
  const split = splitId(work)
  const outputs = outputsOf(shop, work)
  const canRepeat = outputs.every((step) => context.sinks.get(step.id)!.committed !== undefined)
  const deadline = settings.cancelTimeoutMs
  const first = firstTry(context.fence)
  let isAlone = false
  for (let tried = 0; ; tried++) {
    const number = first + tried
    const committed: ReadonlyMap<string, CommittedSplit> =
      tried > 0 ? yield* committedOf(shop, outputs, split) : (shop.earlier.get(split) ?? new Map())
    if (outputs.length > 0 && committed.size === outputs.length) {
      const receipt = earlierReceipt(work, committed)
      for (const count of receipt.steps) context.counters.add(count.step, count)
      return yield* settled(shop, receipt)
    }
    const tally = new Tally(context.counters, plan.steps)
    const run = async (signal: AbortSignal) => {
      const receipt = await runSplit(context, work, { number, tally, committed }, signal)
      // Noted here rather than by the effect, which an interruption may end while the commit goes through.
      shop.done(receipt)
      await journal.splitCommitted(receipt)
      return receipt
    }
    const started = Effect.gen(function* () {
      yield* safely(() => journal.splitStarted(split, number, [...committed.keys()]))
      yield* events.publish({ type: "split.started", runId, split, label: work.split.label })
      return yield* Effect.result(cancellable(run, deadline))
    })
    const places: number = isAlone ? settings.parallel : 1
    const result: Result.Result<SplitReceipt, PluginError> = yield* Semaphore.withPermits(
      context.places,
      places,
      started,
    )
    if (result._tag === "Success") return yield* published(shop, result.success)
    const { reason, message, retryable }: PluginError = result.failure
    yield* events.publish({ type: "split.failed", runId, split, reason, message })
    if (!retryable || !canRepeat || tried >= mostRetries(reason, settings)) return yield* result.failure
    isAlone ||= reason === "conflict"
    // Whoever else was in the way, of this run or of another, must not come back at the same moment.
    const waitMs = Math.round(Math.min(500 * 2 ** Math.min(tried, 6), 30_000) * (0.5 + Math.random()))
    tally.retract()
    shop.retried()
    context.log.warn(`Split ${split} failed and is tried again`, { attempt: number, waitMs, cause: message })
    yield* events.publish({ type: "split.retried", runId, split, waitMs, reason, message })
    yield* Effect.interruptible(Effect.sleep(waitMs))
  }
})

/** Locks of others are given back sooner or later. */
function mostRetries(reason: FailureReason, { splitRetries }: Plan["settings"]): number {
  return reason === "conflict" && splitRetries > 0 ? Math.max(splitRetries, CONFLICT_RETRIES) : splitRetries
}

const CONFLICT_RETRIES = 10

/** The outputs that rows of a split come to. */
export function outputsOf({ plan }: Pick<Workshop, "plan">, { input }: Pick<Work, "input">): Plan["steps"] {
  return plan.steps.filter((step) => step.component.kind === "output" && reaches(plan, input, step.id))
}

/** The output's word on what it has of a split. Asked of the target itself, because only its commit counts. */
export const committedOf = Effect.fnUntraced(function* (
  { plan, context, sessionFor }: Workshop,
  outputs: Plan["steps"],
  split: string,
): Effect.fn.Return<ReadonlyMap<string, CommittedSplit>, PluginError> {
  const found = new Map<string, CommittedSplit>()
  for (const step of outputs) {
    const sink = context.sinks.get(step.id)!
    if (sink.committed === undefined) continue
    const ask = async (signal: AbortSignal) => await sink.committed!(split, sessionFor(step, signal))
    const committed = yield* cancellable(ask, plan.settings.cancelTimeoutMs, step.id)
    if (committed !== undefined) found.set(step.id, committed)
  }
  return found
})

const settled = Effect.fnUntraced(function* (shop: Workshop, receipt: SplitReceipt) {
  const journal = yield* Journal
  shop.done(receipt)
  yield* safely(() => journal.splitCommitted(receipt))
  return yield* published(shop, receipt)
})

const published = Effect.fnUntraced(function* ({ plan }: Workshop, receipt: SplitReceipt) {
  const events = yield* Events
  const rows = receipt.outputs.reduce((sum, output) => sum + output.written, 0)
  yield* events.publish({ type: "split.committed", runId: plan.runId, split: receipt.split, rows })
})

function safely(use: () => Promise<void>): Effect.Effect<void, PluginError> {
  return Effect.tryPromise({ try: use, catch: (thrown) => pluginError(thrown) })
}
