import { Effect, Schema } from "effect"
import type { Actor } from "../../core/server/access/actor.ts"
import { Dispatcher, type Job, type JobRequest } from "../../core/server/jobs/dispatcher.ts"
import { runDetail } from "../../core/server/jobs/run-detail.ts"
import { refuse } from "../../core/server/request-error.ts"
import { Triggers } from "../../core/server/triggers/triggers.ts"
import type { JobCause } from "../../core/store/tables/job-tables.ts"
import { endpoint, type Reply } from "./endpoint.ts"
import { Environment, Id, line, Overrides, Parameters, page } from "./fields.ts"
import { DOCUMENT_BYTES, Document, FlowName } from "./flow-shapes.ts"
import { mayStart, refuseTrigger, visibleRun } from "./own-runs.ts"
import { JobStatus, ofRun, Run, RunDetail } from "./run-shapes.ts"

const Moment = Schema.String.check(Schema.isMaxLength(40))

const asked = {
  parameters: Schema.optionalKey(Parameters),
  bizdate: Schema.optionalKey(Moment.annotate({ description: "Business date, such as 2026-07-01; else yesterday." })),
  scheduledAt: Schema.optionalKey(Moment),
  environment: Schema.optionalKey(Environment),
  priority: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))),
  overrides: Schema.optionalKey(Overrides),
}

const NewRun = Schema.Struct({
  ...asked,
  version: Schema.optionalKey(Schema.Int.annotate({ description: "Of the flow; else the newest." })),
  mode: Schema.optionalKey(
    Schema.Literals(["normal", "dry-run"]).annotate({ description: "`dry-run` records a success, and moves no row." }),
  ),
}).annotate({ identifier: "RunRequest" })

const UnsavedRun = Schema.Struct({
  ...asked,
  title: line(100).annotate({ description: "What the run is called." }),
  document: Document,
}).annotate({ identifier: "UnsavedRunRequest" })

const Wait = Schema.String.check(Schema.isPattern(/^\d{1,3}s?$/, { expected: "seconds, such as 30s" })).annotate({
  description: "Answer only when the run has ended, or after so many seconds, 120 at most.",
})

export const runs = [
  endpoint({
    ...{ method: "POST", path: "/flows/:name/runs", tag: "Runs", permission: "runs.start" },
    summary: "Starts a run of a flow.",
    description:
      "Answers 202 as soon as the run is in the store, with its place in `Location`; with `wait`, 200 when it has ended in time. The header `Idempotency-Key` makes it safe to ask again: the same key and request give the same run.",
    params: Schema.Struct({ name: FlowName }),
    query: Schema.Struct({ wait: Schema.optionalKey(Wait) }),
    ...{ body: NewRun, answer: Run, status: 202 },
    refusals: ["missing", "invalid", "forbidden", "conflict", "limited", "unavailable"],
    handle: Effect.fnUntraced(function* ({ actor, params, query, body, bytes, request, reply }) {
      if (actor.kind === "trigger") {
        const signature = request.headers.get("x-headrace-signature")
        yield* Triggers.use((all) => all.admit(actor, { signature, body: new TextDecoder().decode(bytes) }))
      }
      return yield* started({ actor, request, reply, query }, { flow: params.name, ...body })
    }),
  }),
  endpoint({
    ...{ method: "POST", path: "/runs", tag: "Runs", permission: "flows.write", mostBytes: DOCUMENT_BYTES },
    summary: "Runs a flow document without saving it.",
    description:
      "Needs `runs.start` as well, and answers as starting a saved flow does. Inputs that load by a mark need a saved flow.",
    query: Schema.Struct({ wait: Schema.optionalKey(Wait) }),
    ...{ body: UnsavedRun, answer: Run, status: 202 },
    refusals: ["invalid", "forbidden", "conflict", "limited", "too-large", "unavailable"],
    handle: Effect.fnUntraced(function* ({ actor, query, body: { title, document, ...rest }, request, reply }) {
      yield* mayStart(actor)
      return yield* started({ actor, request, reply, query }, { flow: { title, document }, ...rest })
    }),
  }),
  endpoint({
    ...{ method: "GET", path: "/runs", tag: "Runs", permission: "runs.read" },
    summary: "Lists runs, newest first.",
    query: Schema.Struct({
      ...page,
      flow: Schema.optionalKey(FlowName),
      status: Schema.optionalKey(Schema.Array(JobStatus).annotate({ description: "May be repeated." })),
      text: Schema.optionalKey(
        Schema.String.check(Schema.isMaxLength(100)).annotate({
          description: "Part of a flow's name, or the beginning of a run's id.",
        }),
      ),
      from: Schema.optionalKey(
        Schema.Int.annotate({ description: "Asked for at this time or later, in milliseconds." }),
      ),
      to: Schema.optionalKey(Schema.Int.annotate({ description: "Asked for at this time or before." })),
    }),
    answer: Schema.Struct({ items: Schema.Array(Run), next: Schema.optionalKey(Id) }),
    handle: Effect.fnUntraced(function* ({ actor, query: { limit = 50, status, ...filter } }) {
      yield* refuseTrigger(actor)
      const statuses = status === undefined || status.length === 0 ? {} : { statuses: status }
      return yield* Dispatcher.use((jobs) => jobs.list({ ...filter, ...statuses, limit }))
    }),
  }),
  endpoint({
    ...{ method: "GET", path: "/runs/:id", tag: "Runs", permission: "runs.read" },
    summary: "Shows a run: its steps, splits, receipts and report.",
    query: Schema.Struct({ wait: Schema.optionalKey(Wait) }),
    ...{ params: ofRun, answer: RunDetail, refusals: ["missing"] },
    handle: Effect.fnUntraced(function* ({ actor, params, query }) {
      let job = yield* visibleRun(actor, params.id)
      if (query.wait !== undefined) {
        const waitMs = Math.min(MOST_WAIT_MS, Number.parseInt(query.wait) * 1000)
        job = yield* Dispatcher.use((jobs) => jobs.wait(job.id, waitMs))
      }
      return { ...job, detail: (yield* runDetail(job)) ?? null }
    }),
  }),
  endpoint({
    ...{ method: "POST", path: "/runs/:id/cancel", tag: "Runs", permission: "runs.control" },
    summary: "Ends a run: at once while it waits, else by the flow's deadline, after which its process is killed.",
    description: "Asked again, with another deadline, it is killed by that one.",
    body: Schema.Struct({
      deadlineMs: Schema.optionalKey(
        Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 86_400_000 })).annotate({
          description: "How long its process may take before it is killed; else as the flow says.",
        }),
      ),
    }),
    ...{ params: ofRun, answer: Run, status: 202, refusals: ["missing", "conflict"] },
    handle: ({ actor, params, body }) =>
      Effect.andThen(
        visibleRun(actor, params.id),
        Dispatcher.use((jobs) => jobs.cancel(actor, params.id, body)),
      ),
  }),
  endpoint({
    ...{ method: "POST", path: "/runs/:id/resume", tag: "Runs", permission: "runs.control" },
    summary: "Goes on with a run that did not end well: only what is not committed is read and written.",
    description:
      "With `restart`, another run gives it up and begins anew; that one is the answer. With `newSnapshot`, what is left is read as the source is now.",
    params: ofRun,
    body: Schema.Struct({
      newSnapshot: Schema.optionalKey(Schema.Boolean),
      restart: Schema.optionalKey(Schema.Boolean),
      force: Schema.optionalKey(Schema.Boolean),
      overrides: Schema.optionalKey(Overrides),
    }),
    ...{ answer: Run, status: 202, refusals: ["missing", "conflict", "invalid", "forbidden"] },
    handle: Effect.fnUntraced(function* ({ actor, params, body, reply }) {
      yield* visibleRun(actor, params.id)
      const job = yield* Dispatcher.use((jobs) => jobs.resume(actor, params.id, body))
      reply.headers.set("location", `/api/v1/runs/${job.id}`)
      return job
    }),
  }),
] as const

interface Asking {
  readonly actor: Actor
  readonly request: Request
  readonly reply: Reply
  readonly query: { readonly wait?: string }
}

/** Accepts a run, and waits for its end where that is wanted. */
const started = Effect.fnUntraced(function* (
  { actor, request, reply, query }: Asking,
  wanted: Omit<JobRequest, "cause" | "idempotencyKey">,
) {
  const jobs = yield* Dispatcher
  const key = yield* keyOf(request)
  const keyed = key === undefined ? {} : { idempotencyKey: key }
  const job = yield* jobs.submit(actor, { ...wanted, cause: causeOf(actor), ...keyed })
  reply.headers.set("location", `/api/v1/runs/${job.id}`)
  if (query.wait === undefined) return job
  const after = yield* jobs.wait(job.id, Math.min(MOST_WAIT_MS, Number.parseInt(query.wait) * 1000))
  if (hasEnded(after)) reply.status = 200
  return after
})

function causeOf({ kind, id, name }: Actor): JobCause {
  return { kind: kind === "trigger" || kind === "schedule" ? kind : "person", id, name }
}

function hasEnded({ status }: Job): boolean {
  return status !== "queued" && status !== "running"
}

const keyOf = Effect.fnUntraced(function* (request: Request) {
  const key = request.headers.get("idempotency-key") ?? undefined
  if (key === undefined) return undefined
  if (!/^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(key))
    return yield* refuse("invalid", "The header Idempotency-Key is not of 1 to 200 printable characters")
  return key
})

const MOST_WAIT_MS = 120_000
