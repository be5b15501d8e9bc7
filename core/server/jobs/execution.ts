import { and, eq } from "drizzle-orm"
import { Cause, Clock, Deferred, Effect, Schedule } from "effect"
import type { Queries } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { JobStart } from "../../store/tables/job-tables.ts"
import { queueDeliveries } from "../triggers/delivery-queue.ts"
import { attempt, type Outcome } from "./attempt.ts"
import { type ActiveJob, type DispatchContext, stopJob } from "./dispatch-context.ts"
import type { Job } from "./dispatcher.ts"
import { forgetRows } from "./flow-of-job.ts"
import { insertLines, type LogRow } from "./job-logs.ts"
import { type JobRow, jobOf } from "./job-row.ts"

/** Runs a job that this server has claimed, to an end that is in the store. Never fails. */
export const execute = Effect.fnUntraced(function* (context: DispatchContext, row: JobRow) {
  const { active, hub, logs } = context
  const job: ActiveJob = {
    row,
    stop: Deferred.makeUnsafe<void>(),
    reason: undefined,
    killAt: undefined,
    isBegun: false,
  }
  active.set(row.id, job)
  if (row.cancelledBy !== null) yield* stopJob(job, "person", row.killAt)
  hub.publish({ type: "job.started", job: jobOf(row) })
  const isFirst = row.retry === 0 && row.start.kind === "run"
  const outcome = yield* logs.open(row.id, isFirst).pipe(
    Effect.andThen(attempt(context, job)),
    Effect.catchCause((cause) => Effect.succeed(faultOutcome(cause))),
  )
  const at = yield* Clock.currentTimeMillis
  const changes = changesOf(job, outcome, at)
  logs.add(row.id, at, lastLine(row, { ...row, ...changes }))
  yield* settle(context, row, { changes, lines: logs.close(row.id) }).pipe(
    untilStored(() => context.isStopping),
    // The next start of a server finds it running under a server that is gone.
    Effect.catchCause((cause) => Effect.logError("Cannot record how a run has ended", { run: row.id }, cause)),
  )
  active.delete(row.id)
  yield* context.wake
}, Effect.uninterruptible)

/**
 * Writes again what the store could not take: a full disk, or a server of databases that is gone, may be mended after hours. A
 * server that is told to stop, and whatever does not pass by itself, has so many tries.
 */
export function untilStored(isStopping: () => boolean) {
  return <A>(write: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.suspend(() => {
      let tries = 0
      const goesOn = ({ reason }: StoreError) => ++tries < STORE_TRIES || (LASTING.has(reason) && !isStopping())
      return Effect.retry(write, { while: goesOn, schedule: Schedule.spaced(STORE_WAIT_MS) })
    })
}

/** Records what an attempt has come to, unless somebody else has the job by now. */
const settle = Effect.fnUntraced(function* (
  { database, hub, server }: DispatchContext,
  row: JobRow,
  { changes, lines }: { readonly changes: Partial<JobRow>; readonly lines: readonly LogRow[] },
) {
  const job = jobOf({ ...row, ...changes })
  const isDone = yield* database.write(async (queries) => {
    const { update, tables } = queries
    const { jobs } = tables
    const mine = and(eq(jobs.id, row.id), eq(jobs.server, server), eq(jobs.status, "running"))
    const done = await update(jobs).set(changes).where(mine).returning({ id: jobs.id })
    if (done.length === 0) return false
    await insertLines(queries, lines)
    await endRun(queries, job)
    if (job.endedAt === null || job.status === "queued") return true
    await forgetRows(queries, row)
    await queueDeliveries(queries, job, job.endedAt)
    return true
  })
  if (!isDone) return
  hub.publish({ type: job.status === "queued" ? "job.queued" : "job.ended", job })
})

/** A worker that could not record how its run has ended is done with it all the same: nobody has to wait for it. */
async function endRun({ update, tables: { runs } }: Queries, { id, status, endedAt }: Job): Promise<void> {
  if (endedAt === null || (status !== "failed" && status !== "cancelled")) return
  await update(runs)
    .set({ status, endedAt })
    .where(and(eq(runs.id, id), eq(runs.status, "running")))
}

function changesOf({ row, isBegun }: ActiveJob, outcome: Outcome, at: number): Partial<JobRow> {
  const { ending } = outcome
  const numbers = { written: outcome.written ?? row.written, rejected: outcome.rejected ?? row.rejected }
  if (ending.kind === "again") {
    const retry = row.retry + (ending.isRetry ? 1 : 0)
    const start = nextStart(row, isBegun)
    return {
      ...numbers,
      status: "queued",
      server: null,
      start,
      retry,
      dueAt: at + ending.waitMs,
      message: ending.message,
    }
  }
  return { ...numbers, status: ending.status, endedAt: at, message: ending.message }
}

/** A run that was begun is gone on with; one that was not is begun as it was meant to be. */
function nextStart({ start }: JobRow, isBegun: boolean): JobStart {
  const goesOn = start.kind === "run" || start.kind === "resume" || (start.kind === "restart" && isBegun)
  return goesOn ? { kind: "resume", newSnapshot: start.kind === "resume" && start.newSnapshot, force: true } : start
}

function lastLine(before: JobRow, after: JobRow) {
  const { status, written, rejected, message, startedAt, endedAt, dueAt } = after
  if (status === "queued") {
    const when = new Date(dueAt).toISOString()
    const which = after.retry > before.retry ? `, retry ${after.retry}` : ""
    return { level: "warn" as const, text: `${message ?? "It did not end"}; it is tried again at ${when}${which}` }
  }
  const seconds = ((endedAt ?? 0) - (startedAt ?? 0)) / 1000
  const rows = `${written ?? 0} rows written, ${rejected ?? 0} rejected, in ${seconds} s`
  const why = message === null ? "" : `: ${message}`
  return { level: status === "succeeded" ? ("info" as const) : ("error" as const), text: `${status}${why} (${rows})` }
}

function faultOutcome(cause: Cause.Cause<unknown>): Outcome {
  const error = Cause.squash(cause)
  const message = `This is a fault in Headrace: ${error instanceof Error ? error.message : String(error)}`
  return { ending: { kind: "ended", status: "failed", message, isLeft: true } }
}

const STORE_TRIES = 30
const STORE_WAIT_MS = 1000
const LASTING: ReadonlySet<StoreError["reason"]> = new Set(["resource", "connection", "permission", "conflict"])
