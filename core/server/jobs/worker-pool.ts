import { Context, Data, type Deferred, type Effect } from "effect"
import type { FailureReason } from "../../contract/index.ts"
import type { FlowProblem } from "../../flow/problem.ts"
import type { Answers, OrderKind, Orders, Told } from "./orders.ts"

export type WorkerFailureKind =
  /** What was asked cannot be done, and nothing was touched: the flow is wrong, or the run is not in a state for it. */
  | "refused"
  /** A system did not play along, before a run began or where there is none. */
  | "failed"
  /** The worker has died of itself. */
  | "crashed"
  /** It was killed, because it took more memory than a run may. */
  | "memory"
  /** It was killed, because it did not end in time after it was told to. */
  | "killed"
  /** It ended because it was told to, and has left no report. */
  | "cancelled"
  /** No worker can be started. */
  | "unavailable"

/** A worker has not done what it was told. Its message has no secret in it. */
export class WorkerError extends Data.TaggedError("WorkerError")<{
  readonly kind: WorkerFailureKind
  readonly message: string
  readonly reason?: FailureReason
  readonly code?: string
  readonly hint?: string
  readonly problems?: readonly FlowProblem[]
}> {}

export interface PerformOptions {
  /** As soon as it is done, the worker is told to end; after `deadlineMs` more it is killed. */
  readonly cancelled?: Deferred.Deferred<void>
  readonly deadlineMs: number
  /** When it is killed instead, once somebody has said so; asked again and again. */
  readonly killAt?: () => number | undefined
  /** Called in order; what is told after the answer is lost. */
  readonly onTold?: (told: Told) => void
}

/**
 * Processes that do what they are told, one thing at a time each. An effect that waits for a free one is let in by turns;
 * interrupting `perform` ends the work as `cancelled` does.
 */
export class WorkerPool extends Context.Service<
  WorkerPool,
  {
    /** How many runs go on at the same time at most. */
    readonly slots: number
    perform<K extends OrderKind>(
      kind: K,
      order: Orders[K],
      options: PerformOptions,
    ): Effect.Effect<Answers[K], WorkerError>
    readonly load: Effect.Effect<{ readonly idle: number; readonly busy: number }>
  }
>()("core/server/jobs/WorkerPool") {}
