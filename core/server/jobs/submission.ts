import { and, eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { defaultDates, type ParameterProblem, resolveParameters } from "../../flow/parameters/index.ts"
import type { Queries } from "../../store/database.ts"
import type { RunOverrides } from "../../store/run-record.ts"
import type { JobStart } from "../../store/tables/job-tables.ts"
import type { Actor } from "../access/actor.ts"
import { hashOf, makeId } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { queueDeliveries } from "../triggers/delivery-queue.ts"
import type { DispatchContext } from "./dispatch-context.ts"
import type { JobRequest } from "./dispatcher.ts"
import type { KnownFlow } from "./flow-cache.ts"
import { type Attachments, attach, isSaved } from "./flow-of-job.ts"
import { type JobRow, jobOf } from "./job-row.ts"

/** To a trigger there is no flow but its own, whatever others are called. */
const refuseOtherFlow = Effect.fnUntraced(function* (
  { flows }: DispatchContext,
  own: string,
  name: JobRequest["flow"],
) {
  if (typeof name !== "string") return yield* refuse("forbidden", "A trigger starts its own flow")
  if ((yield* flows.named(name)).id !== own) return yield* refuse("missing", `There is no flow "${name}"`)
})

/** Accepts a run: checked, authorised, and in the store when it resolves. */
export const submit = Effect.fnUntraced(function* (context: DispatchContext, actor: Actor, request: JobRequest) {
  if (context.isStopping) return yield* refuseStopping
  const { flow, overrides } = request
  if (actor.kind === "trigger" && overrides !== undefined)
    return yield* refuse("forbidden", "A trigger starts its flow with the settings that the flow has")
  if (actor.flow !== undefined) yield* refuseOtherFlow(context, actor.flow, flow)
  const known = yield* typeof flow === "string"
    ? context.flows.named(flow, request.version)
    : context.flows.unsaved(flow)
  const { properties, uses } = known
  yield* context.sources.authorize(actor.account, uses)
  const now = yield* Clock.currentTimeMillis
  const id = makeId(now)
  const dates = yield* datesOf(known, request, { id, now })
  const { mode = "normal" } = request
  const isDone = mode !== "normal"
  const keyed = request.idempotencyKey
  const row: JobRow = {
    ...blank,
    ...{ id, ...dates, requestedAt: now, dueAt: now },
    ...{ flow: known.id, flowName: known.name, flowVersion: known.version },
    environment: request.environment ?? "prod",
    dataSources: [...new Set(uses.map(({ name }) => name))],
    cause: request.cause,
    account: actor.account,
    parameters: request.parameters ?? {},
    overrides: overrides ?? null,
    priority: Math.min(9, Math.max(1, Math.round(request.priority ?? properties.priority))),
    timeoutMs: properties.timeoutHours > 0 ? Math.round(properties.timeoutHours * 3_600_000) : null,
    ...(keyed === undefined
      ? {}
      : { idempotencyKey: keyed, requestHash: yield* Effect.promise(() => hashOfRequest(request)) }),
    ...(isDone
      ? { status: mode === "skip" ? "skipped" : "succeeded", startedAt: now, endedAt: now, written: 0, rejected: 0 }
      : {}),
  }
  return yield* enqueue(context, actor, row, isSaved(known) ? {} : { flow: known.document })
})

interface Following {
  readonly earlier: JobRow
  readonly start: JobStart
  readonly cause: JobRow["cause"]
  readonly overrides?: RunOverrides
  /** Edited rows that it writes. */
  readonly rows?: string | undefined
}

/** Another job with what an earlier one had, such as its restart. */
export const submitAfter = Effect.fnUntraced(function* (
  context: DispatchContext,
  actor: Actor,
  { earlier, start, cause, overrides, rows }: Following,
) {
  if (context.isStopping) return yield* refuseStopping
  const known = yield* context.flows.ofJob(earlier)
  yield* context.sources.authorize(actor.account, known.uses)
  const now = yield* Clock.currentTimeMillis
  const { flow, flowName, flowVersion, environment, dataSources, parameters, bizdate, scheduledAt } = earlier
  const row: JobRow = {
    ...blank,
    ...{ id: makeId(now), requestedAt: now, dueAt: now, account: actor.account, cause, start },
    ...{ flow, flowName, flowVersion, environment, dataSources, parameters, bizdate, scheduledAt },
    ...{ priority: earlier.priority, timeoutMs: earlier.timeoutMs },
    overrides: { ...earlier.overrides, ...overrides },
  }
  const attachments = {
    ...(isSaved(known) ? {} : { flow: known.document }),
    ...(rows === undefined ? {} : { rows }),
  }
  return yield* enqueue(context, actor, row, attachments)
})

const enqueue = Effect.fnUntraced(function* (
  context: DispatchContext,
  actor: Actor,
  row: JobRow,
  attachments: Attachments,
) {
  const { database, hub, audit } = context
  const most = yield* context.settings.get("queue.mostQueued")
  const found = yield* database.write((queries) => inserted(queries, { row, attachments, most }), { lock: "jobs" })
  if (found.id !== row.id) return jobOf(found)
  const job = jobOf(row)
  hub.publish({ type: row.status === "queued" ? "job.queued" : "job.ended", job })
  yield* context.wake
  yield* audit.record(actor, {
    action: "run.requested",
    subject: { kind: "run", id: row.id, name: row.flowName },
    detail: {
      ...{ version: row.flowVersion, environment: row.environment, cause: row.cause.kind, start: row.start.kind },
      ...(row.overrides === null ? {} : { overrides: row.overrides }),
    },
  })
  return job
})

/** The job of the same key, if there is one; else the new one. */
async function inserted(
  queries: Queries,
  { row, attachments, most }: { readonly row: JobRow; readonly attachments: Attachments; readonly most: number },
): Promise<JobRow | RequestError> {
  const { select, insert, $count, tables } = queries
  const { jobs } = tables
  if (row.idempotencyKey !== null) {
    const [same] = await select()
      .from(jobs)
      .where(and(eq(jobs.flow, row.flow), eq(jobs.idempotencyKey, row.idempotencyKey)))
    if (same !== undefined)
      return same.requestHash === row.requestHash
        ? same
        : refuse("conflict", "Another request with the same idempotency key was made before", {
            hint: "Repeat a request with all that it had, or choose another key",
            current: jobOf(same),
          })
  }
  if (row.status === "queued") {
    const waiting = await $count(jobs, eq(jobs.status, "queued"))
    if (waiting >= most)
      return refuse("limited", `${waiting} runs wait already, which is the most`, { retryAfterMs: 5000 })
  }
  await insert(jobs).values(row)
  await attach(queries, row.id, attachments)
  if (row.status !== "queued") await queueDeliveries(queries, jobOf(row), row.requestedAt)
  return row
}

/** Fixes the dates, and refuses wrong parameters before anything waits. */
const datesOf = Effect.fnUntraced(function* (
  { flow, name }: KnownFlow,
  request: JobRequest,
  { id, now }: { readonly id: string; readonly now: number },
) {
  const { timeZone } = flow.settings
  const { bizdate, scheduledAt } = request
  const given = {
    ...(bizdate === undefined ? {} : { bizdate }),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
  }
  const dates = defaultDates({ ...given, now, timeZone })
  if (dates.problems !== undefined) return yield* wrongParameters(dates.problems)
  const fixed = { bizdate: dates.bizdate, scheduledAt: dates.scheduledAt }
  const resolved = resolveParameters({
    ...{ document: flow, given: request.parameters ?? {}, ...fixed, timeZone },
    builtins: { flow: name, run: id },
  })
  if (resolved.problems !== undefined) return yield* wrongParameters(resolved.problems)
  return fixed
})

function wrongParameters(problems: readonly ParameterProblem[]): RequestError {
  const plain = problems.map(({ message, hint }) => ({ message, ...(hint === undefined ? {} : { hint }) }))
  return refuse("invalid", plain[0]?.message ?? "The parameters are wrong", { problems: plain })
}

/** The same request has the same hash, in whatever order its parameters came. */
async function hashOfRequest(request: JobRequest): Promise<string> {
  const { idempotencyKey: _, cause: __, parameters = {}, ...rest } = request
  const sorted = Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return await hashOf(JSON.stringify([sorted, Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1))]))
}

export const refuseStopping = refuse("unavailable", "The server is about to stop", {
  hint: "Try again in a minute",
  retryAfterMs: 60_000,
})

const blank = {
  status: "queued",
  start: { kind: "run" },
  retry: 0,
  timeoutMs: null,
  cancelledBy: null,
  killAt: null,
  overrides: null,
  server: null,
  idempotencyKey: null,
  requestHash: null,
  startedAt: null,
  endedAt: null,
  written: null,
  rejected: null,
  message: null,
} as const satisfies Partial<JobRow>
