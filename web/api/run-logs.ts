import { Effect, Schema } from "effect"
import { Dispatcher, type LogLine as Line } from "../../core/server/jobs/dispatcher.ts"
import { endpoint, rawEndpoint } from "./endpoint.ts"
import { visibleRun } from "./own-runs.ts"
import { LogLine, ofRun } from "./run-shapes.ts"

export const runLogs = [
  endpoint({
    ...{ method: "GET", path: "/runs/:id/logs", tag: "Runs", permission: "runs.read" },
    summary: "Reads the log of a run, oldest line first.",
    params: ofRun,
    query: Schema.Struct({
      after: Schema.optionalKey(Schema.Int.annotate({ description: "Number of the last line that is known." })),
      limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5000 }))),
    }),
    answer: Schema.Struct({ items: Schema.Array(LogLine), next: Schema.optionalKey(Schema.Int) }),
    refusals: ["missing"],
    handle: Effect.fnUntraced(function* ({ actor, params: { id }, query: { after = 0, limit = 500 } }) {
      yield* visibleRun(actor, id)
      const items = yield* Dispatcher.use((jobs) => jobs.logs(id, { after, limit }))
      const last = items.at(-1)
      return items.length < limit || last === undefined ? { items } : { items, next: last.line }
    }),
  }),
  rawEndpoint({
    ...{ method: "GET", path: "/runs/:id/logs/download", tag: "Runs", permission: "runs.read" },
    summary: "Downloads the log of a run as text.",
    ...{ params: ofRun, produces: "text/plain", refusals: ["missing"] },
    respond: Effect.fnUntraced(function* ({ actor, params: { id } }) {
      yield* visibleRun(actor, id)
      const { logs } = yield* Dispatcher
      const encoder = new TextEncoder()
      let after = 0
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async pull(controller) {
          const items = await Effect.runPromise(logs(id, { after, limit: PIECE_LINES }))
          for (const line of items) controller.enqueue(encoder.encode(`${textOf(line)}\n`))
          after = items.at(-1)?.line ?? after
          if (items.length < PIECE_LINES) controller.close()
        },
      })
      return new Response(body, {
        headers: {
          "content-type": "text/plain; charset=utf-8",
          "content-disposition": `attachment; filename="run-${id}.log"`,
        },
      })
    }),
  }),
] as const

function textOf({ at, level, step, text }: Line): string {
  const place = step === null ? "" : ` [${step}]`
  return `${new Date(at).toISOString()} ${level.padEnd(5)}${place} ${text}`
}

const PIECE_LINES = 1000
