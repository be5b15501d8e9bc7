import { Deferred, Effect } from "effect"
import type { StoreDatabase } from "../../store/database.ts"
import type { AuditLog } from "../audit.ts"
import type { ServerSettings } from "../settings.ts"
import type { SourcePolicy } from "../sources/source-policy.ts"
import type { SourceRegistry } from "../sources/source-registry.ts"
import type { FlowCache } from "./flow-cache.ts"
import type { JobHub } from "./job-hub.ts"
import type { JobLogs } from "./job-logs.ts"
import type { JobRow } from "./job-row.ts"
import type { WorkerPool } from "./worker-pool.ts"

/** Why a run that goes on is told to end. */
export type StopReason = "person" | "timeout" | "handover"

/** A job that runs on this server. */
export interface ActiveJob {
  readonly row: JobRow
  readonly stop: Deferred.Deferred<void>
  /** The first reason counts. */
  reason: StopReason | undefined
  /** When it is killed, if somebody has said so; else by the flow's deadline. */
  killAt: number | undefined
  /** The engine has begun. */
  isBegun: boolean
}

/** Tells a run to end; one that is about to end already is not told again, but may be killed earlier or later. */
export function stopJob(job: ActiveJob, reason: StopReason, killAt: number | null = null): Effect.Effect<void> {
  return Effect.suspend(() => {
    job.reason ??= reason
    if (killAt !== null) job.killAt = killAt
    return Effect.asVoid(Deferred.succeed(job.stop, undefined))
  })
}

/** What the parts of the dispatcher share. */
export interface DispatchContext {
  readonly database: StoreDatabase["Service"]
  readonly flows: FlowCache
  readonly sources: SourceRegistry["Service"]
  readonly policy: SourcePolicy["Service"]
  readonly audit: AuditLog["Service"]
  readonly settings: ServerSettings["Service"]
  readonly pool: WorkerPool["Service"]
  readonly hub: JobHub
  readonly logs: JobLogs
  /** Id of this server. */
  readonly server: string
  readonly active: Map<string, ActiveJob>
  /** There may be something to run. */
  readonly wake: Effect.Effect<void>
  /** No more is taken on. */
  isStopping: boolean
}
