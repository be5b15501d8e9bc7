import { Context, type Effect, type Stream } from "effect"
import type { RunEvent } from "../../events/events.ts"
import type { RunOverrides } from "../../store/run-record.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { JobCause, JobStatus } from "../../store/tables/job-tables.ts"
import type { Actor } from "../access/actor.ts"
import type { RequestError } from "../request-error.ts"

/** A document that is run without being saved. */
export interface UnsavedFlow {
  /** What its runs are called. */
  readonly title: string
  readonly document: string
}

/** A run that somebody wants. */
export interface JobRequest {
  /** Name of the flow, or a document that is nowhere else. */
  readonly flow: string | UnsavedFlow
  /** Absent: the newest. */
  readonly version?: number
  readonly environment?: "prod" | "dev"
  readonly parameters?: Readonly<Record<string, string>>
  readonly bizdate?: string
  readonly scheduledAt?: string
  readonly cause: JobCause
  readonly priority?: number
  /** Settings that take the place of the flow's own. */
  readonly overrides?: RunOverrides
  /** The same key gives the same job; with another request it is a `conflict`. */
  readonly idempotencyKey?: string
  /** Records it as done without moving a row: `succeeded` for a dry run, `skipped` for a skipped one. */
  readonly mode?: "normal" | "dry-run" | "skip"
}

/** A job as it is told to people. Times are milliseconds since 1970. */
export interface Job {
  readonly id: string
  /** Id of the flow; empty: a document that is not saved. */
  readonly flow: string
  /** Of a document that is not saved its title. */
  readonly flowName: string
  /** 0: a document that is not saved. */
  readonly flowVersion: number
  readonly environment: "prod" | "dev"
  readonly cause: JobCause
  readonly parameters: Readonly<Record<string, string>>
  /** Settings that take the place of the flow's own. */
  readonly overrides: RunOverrides
  readonly bizdate: string
  readonly scheduledAt: string
  readonly priority: number
  readonly status: JobStatus
  /** Somebody has asked for its end, and it has not come yet. */
  readonly isEnding: boolean
  readonly retry: number
  readonly requestedAt: number
  readonly dueAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly written: number | null
  readonly rejected: number | null
  readonly message: string | null
}

export interface LogLine {
  readonly line: number
  readonly at: number
  readonly level: "debug" | "info" | "warn" | "error"
  readonly step: string | null
  readonly text: string
}

/** What is told of jobs while they live. */
export type JobEvent =
  | { readonly type: "job.queued"; readonly job: Job }
  | { readonly type: "job.started"; readonly job: Job }
  | { readonly type: "job.logged"; readonly id: string; readonly line: LogLine }
  | { readonly type: "job.progressed"; readonly id: string; readonly event: RunEvent }
  /** It has succeeded, failed, was cancelled, skipped or interrupted. One that is tried again is queued instead. */
  | { readonly type: "job.ended"; readonly job: Job }

export interface ResumeOptions {
  readonly newSnapshot?: boolean
  readonly restart?: boolean
  readonly force?: boolean
  /** Settings that take the place of those that it had. */
  readonly overrides?: RunOverrides
}

export interface CancelOptions {
  /** How long its process may take before it is killed; else as the flow says. */
  readonly deadlineMs?: number
}

export interface ReplayOptions {
  /** Absent: the rows of every step. */
  readonly step?: string
  readonly assignments: readonly string[]
  /** Only these, as they are here: lines of JSON as a download gives them. */
  readonly rows?: string
}

export interface JobFilter {
  readonly flow?: string
  readonly statuses?: readonly JobStatus[]
  readonly text?: string
  readonly from?: number
  readonly to?: number
  /** Id of the last one that is known: those before it in time come next. */
  readonly after?: string
  readonly limit: number
}

type Failure = RequestError | StoreError

/** Starts, watches and ends runs. Whatever is accepted is in the store first, and survives the server. */
export class Dispatcher extends Context.Service<
  Dispatcher,
  {
    /**
     * Queues a run. Refused: unknown flow, unreadable document, wrong parameters, no grant for a data source, a full queue,
     * shutting down.
     * Resolves with the job that has the idempotency key, if there is one.
     */
    submit(actor: Actor, request: JobRequest): Effect.Effect<Job, Failure>
    find(id: string): Effect.Effect<Job, Failure>
    /** Newest first. */
    list(filter: JobFilter): Effect.Effect<{ readonly items: readonly Job[]; readonly next?: string }, Failure>
    /** Resolves with the job as soon as it has ended, or as it is after `waitMs`. */
    wait(id: string, waitMs: number): Effect.Effect<Job, Failure>
    /** A queued job ends at once; a running one by the deadline, its process is killed after it. Another one may be given later. */
    cancel(actor: Actor, id: string, options?: CancelOptions): Effect.Effect<Job, Failure>
    /**
     * Queues a failed, cancelled or interrupted job again, to go on where it has ended; with `restart`, queues another one
     * that gives it up and begins anew.
     */
    resume(actor: Actor, id: string, options: ResumeOptions): Effect.Effect<Job, Failure>
    /** Queues a job that writes rejected rows of this one's run; `assignments` as `quarantine replay --set` takes them. */
    replay(actor: Actor, id: string, options: ReplayOptions): Effect.Effect<Job, Failure>
    /** Lines behind `after`, oldest first. */
    logs(
      id: string,
      filter: { readonly after?: number; readonly limit: number },
    ): Effect.Effect<readonly LogLine[], Failure>
    /** Live, from now on: what happens to one job, or to all of them. A slow listener loses `job.progressed` first. */
    events(id?: string): Stream.Stream<JobEvent>
    /** For the start page and metrics. */
    readonly load: Effect.Effect<{
      readonly queued: number
      readonly running: number
      readonly workers: { readonly idle: number; readonly busy: number }
    }>
  }
>()("core/server/jobs/Dispatcher") {}
