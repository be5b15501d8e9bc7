import { and, eq, inArray } from "drizzle-orm"
import { Clock, Effect } from "effect"
import type { Actor } from "../access/actor.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { queueDeliveries } from "../triggers/delivery-queue.ts"
import { type DispatchContext, stopJob } from "./dispatch-context.ts"
import type { CancelOptions, Job, ReplayOptions, ResumeOptions } from "./dispatcher.ts"
import { forgetRows } from "./flow-of-job.ts"
import { addLine } from "./job-logs.ts"
import { type JobRow, jobOf, rowOf, unknownJob } from "./job-row.ts"
import { refuseStopping, submitAfter } from "./submission.ts"

/** Wants a job to end. */
export const cancel = Effect.fnUntraced(function* (
  context: DispatchContext,
  actor: Actor,
  id: string,
  { deadlineMs }: CancelOptions,
) {
  const { database, active, hub } = context
  const now = yield* Clock.currentTimeMillis
  const row = yield* database.write(
    async (queries): Promise<JobRow | RequestError> => {
      const found = await rowOf(queries, id)
      if (found === undefined) return unknownJob(id)
      const killAt = deadlineMs === undefined ? found.killAt : now + deadlineMs
      const changes = cancelling({ ...found, killAt }, actor.name, now)
      if (changes === undefined) return notCancelled(found)
      const { update, tables } = queries
      await update(tables.jobs).set(changes).where(eq(tables.jobs.id, id))
      const after = { ...found, ...changes }
      if (after.status !== "cancelled") return after
      await forgetRows(queries, after)
      await queueDeliveries(queries, jobOf(after), now)
      return after
    },
    { lock: "jobs" },
  )
  const job = jobOf(row)
  if (row.status === "cancelled") hub.publish({ type: "job.ended", job })
  const running = active.get(id)
  if (running !== undefined) yield* stopJob(running, "person", row.killAt)
  yield* context.wake
  const line = { level: "warn", text: `${actor.name} has cancelled it` } as const
  // The log of a run belongs to the server that runs it.
  if (running !== undefined) context.logs.add(id, now, line)
  else if (row.status !== "running") yield* addLine(database, id, line)
  const detail = deadlineMs === undefined ? {} : { deadlineMs }
  yield* recorded(context, actor, { action: "run.cancelled", row, detail })
  return job
})

/** What a cancel makes of a job; undefined where there is nothing to cancel. */
function cancelling(row: JobRow, name: string, now: number): Partial<JobRow> | undefined {
  const { status, start, startedAt, killAt } = row
  const cancelledBy = row.cancelledBy ?? name
  if (status === "running") return { cancelledBy, killAt }
  const isBegun = start.kind === "resume" || (start.kind === "restart" && startedAt !== null)
  if (status === "interrupted" || (status === "queued" && isBegun))
    // It may have left something: a worker looks after that.
    return { status: "queued", cancelledBy, dueAt: now, start: { kind: "close", status: "cancelled", message: "" } }
  if (status !== "queued") return undefined
  return start.kind === "close" ? { cancelledBy } : { status: "cancelled", cancelledBy, endedAt: now }
}

function notCancelled(row: JobRow): RequestError {
  const current = jobOf(row)
  return refuse("conflict", `Run ${row.id} cannot be cancelled: it has ended already (${row.status})`, { current })
}

/** Queues a job again, or another one in its place. */
export const resume = Effect.fnUntraced(function* (
  context: DispatchContext,
  actor: Actor,
  id: string,
  { newSnapshot = false, restart = false, force = false, overrides = {} }: ResumeOptions,
) {
  const { database } = context
  if (context.isStopping) return yield* refuseStopping
  const found = yield* database.read((queries) => rowOf(queries, id))
  if (found === undefined) return yield* unknownJob(id)
  yield* refuseUnlessEnded(found)
  if (restart && newSnapshot)
    return yield* refuse("invalid", "Only one can be asked for: a new snapshot, or to begin anew")
  if (restart) {
    const cause = { kind: "retry", id, name: found.flowName } as const
    return yield* submitAfter(context, actor, {
      earlier: found,
      start: { kind: "restart", of: id, force },
      cause,
      overrides,
    })
  }
  const { uses } = yield* context.flows.ofJob(found)
  yield* context.sources.authorize(actor.account, uses)
  const now = yield* Clock.currentTimeMillis
  const changes: Partial<JobRow> = {
    status: "queued",
    // The server knows that nobody else works on it.
    start: { kind: "resume", newSnapshot, force: false },
    ...{
      account: actor.account,
      overrides: { ...found.overrides, ...overrides },
      cancelledBy: null,
      killAt: null,
      dueAt: now,
      startedAt: null,
      endedAt: null,
      message: null,
      retry: 0,
    },
  }
  const row = yield* database.write(
    async (queries): Promise<JobRow | RequestError> => {
      const { update, tables } = queries
      const { jobs } = tables
      const isEnded = and(eq(jobs.id, id), inArray(jobs.status, [...RESUMABLE]))
      const [done] = await update(jobs).set(changes).where(isEnded).returning({ id: jobs.id })
      const now = await rowOf(queries, id)
      if (now === undefined) return unknownJob(id)
      return done === undefined ? notResumed(now) : now
    },
    { lock: "jobs" },
  )
  const job = jobOf(row)
  context.hub.publish({ type: "job.queued", job })
  yield* context.wake
  yield* recorded(context, actor, { action: "run.resumed", row, detail: { newSnapshot, overrides } })
  return job
})

function refuseUnlessEnded(row: JobRow) {
  return RESUMABLE.has(row.status) && row.start.kind !== "replay" ? Effect.void : Effect.fail(notResumed(row))
}

function notResumed(row: JobRow): RequestError {
  const current = jobOf(row)
  if (row.start.kind === "replay")
    return refuse("conflict", `Run ${row.id} is a replay: replay the rows again`, { current })
  return refuse("conflict", `Run ${row.id} cannot go on: it is ${row.status}`, { current })
}

/** Queues a job that writes rejected rows of another one. */
export const replay = Effect.fnUntraced(function* (
  context: DispatchContext,
  actor: Actor,
  id: string,
  { step, assignments, rows }: ReplayOptions,
) {
  const found = yield* context.database.read((queries) => rowOf(queries, id))
  if (found === undefined) return yield* unknownJob(id)
  const origin = found.start.kind === "replay" ? found.start.of : id
  if (origin !== id) return yield* refuse("conflict", `Run ${id} is a replay itself: replay run ${origin}`)
  const start = {
    ...({ kind: "replay", of: id, assignments } as const),
    ...(step === undefined ? {} : { step }),
    ...(rows === undefined ? {} : { isOfRows: true }),
  }
  const cause = { kind: "replay", id, name: found.flowName } as const
  return (yield* submitAfter(context, actor, { earlier: found, start, cause, rows })) satisfies Job
})

function recorded(
  { audit }: DispatchContext,
  actor: Actor,
  { action, row, detail = {} }: { action: string; row: JobRow; detail?: Readonly<Record<string, unknown>> },
) {
  return audit.record(actor, { action, subject: { kind: "run", id: row.id, name: row.flowName }, detail })
}

const RESUMABLE: ReadonlySet<JobRow["status"]> = new Set(["failed", "cancelled", "interrupted"])
