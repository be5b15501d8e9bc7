import { Effect, Schema } from "effect"
import { Dispatcher } from "../../core/server/jobs/dispatcher.ts"
import { dropRejected, rejectedLines, rejectedRows, runToLookInto } from "../../core/server/jobs/rejected-rows.ts"
import { endpoint, rawEndpoint } from "./endpoint.ts"
import { refuseTrigger } from "./own-runs.ts"
import { ofRun, Run } from "./run-shapes.ts"

const Step = Schema.String.check(Schema.isMaxLength(128)).annotate({
  description: "Only rows that this step rejected.",
})
const Status = Schema.Literals(["waiting", "replayed", "dropped"])

const Row = Schema.Struct({
  id: Schema.Int,
  step: Schema.String,
  split: Schema.String,
  row: Schema.Int,
  position: Schema.optionalKey(Schema.String),
  column: Schema.optionalKey(Schema.String),
  value: Schema.optionalKey(Schema.NullOr(Schema.String)),
  reason: Schema.String,
  code: Schema.optionalKey(Schema.String),
  record: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),
  status: Status,
  replay: Schema.optionalKey(Schema.String),
  isFinal: Schema.Boolean,
}).annotate({ identifier: "RejectedRow" })

const filter = { step: Schema.optionalKey(Step), status: Schema.optionalKey(Status) }

/** Of edited rows. */
const ROWS_BYTES = 8 * 1024 * 1024

export const quarantine = [
  endpoint({
    ...{ method: "GET", path: "/runs/:id/rejected", tag: "Rejected rows", permission: "quarantine.read" },
    summary: "Lists rows that a run has rejected, each with the reason.",
    params: ofRun,
    query: Schema.Struct({
      ...filter,
      limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
    }),
    answer: Schema.Struct({ items: Schema.Array(Row), total: Schema.Int }),
    refusals: ["missing", "forbidden"],
    handle: Effect.fnUntraced(function* ({ actor, params, query: { limit = 100, ...rest } }) {
      yield* refuseTrigger(actor)
      const job = yield* runToLookInto(actor, params.id)
      return yield* rejectedRows(job, { ...rest, limit })
    }),
  }),
  rawEndpoint({
    ...{ method: "GET", path: "/runs/:id/rejected/download", tag: "Rejected rows", permission: "quarantine.read" },
    summary: "Downloads rows that a run has rejected, one JSON object a line.",
    ...{
      params: ofRun,
      query: Schema.Struct(filter),
      produces: "application/jsonl",
      refusals: ["missing", "forbidden"],
    },
    respond: Effect.fnUntraced(function* ({ actor, params, query }) {
      yield* refuseTrigger(actor)
      const job = yield* runToLookInto(actor, params.id)
      const lines = yield* rejectedLines(job, query)
      const body = new ReadableStream({
        async pull(controller) {
          const { value, done } = await lines.next()
          if (done === true) controller.close()
          else controller.enqueue(value)
        },
        async cancel() {
          await lines.return(undefined)
        },
      })
      return new Response(body, {
        headers: {
          "content-type": "application/jsonl; charset=utf-8",
          "content-disposition": `attachment; filename="rejected-${params.id}.jsonl"`,
        },
      })
    }),
  }),
  endpoint({
    ...{
      method: "POST",
      path: "/runs/:id/replay",
      tag: "Rejected rows",
      permission: "quarantine.write",
      mostBytes: ROWS_BYTES,
    },
    summary: "Writes rejected rows of a run, mended or as they are, by a run of its own.",
    params: ofRun,
    body: Schema.Struct({
      step: Schema.optionalKey(Step),
      set: Schema.optionalKey(
        Schema.Array(Schema.String.check(Schema.isMaxLength(2000))).annotate({
          description: "New values of columns, such as `name=trim(name)`.",
        }),
      ),
      rows: Schema.optionalKey(
        Schema.String.annotate({
          description: "Only these rows, edited: lines of the download, each with its `id` and `record`.",
        }),
      ),
    }),
    ...{ answer: Run, status: 202, refusals: ["missing", "forbidden", "conflict"] },
    handle: Effect.fnUntraced(function* ({ actor, params, body: { set = [], ...rest }, reply }) {
      yield* refuseTrigger(actor)
      yield* runToLookInto(actor, params.id)
      const job = yield* Dispatcher.use((jobs) => jobs.replay(actor, params.id, { ...rest, assignments: set }))
      reply.headers.set("location", `/api/v1/runs/${job.id}`)
      return job
    }),
  }),
  endpoint({
    ...{ method: "POST", path: "/runs/:id/drop-rejected", tag: "Rejected rows", permission: "quarantine.write" },
    summary: "Gives up rejected rows of a run that wait.",
    ...{ params: ofRun, body: Schema.Struct({ step: Schema.optionalKey(Step) }) },
    ...{ answer: Schema.Struct({ dropped: Schema.Int }), refusals: ["missing", "forbidden"] },
    handle: Effect.fnUntraced(function* ({ actor, params, body }) {
      yield* refuseTrigger(actor)
      const job = yield* runToLookInto(actor, params.id)
      return yield* dropRejected(actor, job, body.step)
    }),
  }),
] as const
