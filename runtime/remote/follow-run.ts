import { Effect } from "effect"
import type { JobEvent } from "../../core/server/jobs/dispatcher.ts"
import type { Api } from "../../web/api/index.ts"
import { readEvents } from "./event-stream.ts"
import { type Server, ServerError, unreachable } from "./server-client.ts"

export type Run = Api["POST /flows/:name/runs"]["answer"]

/** What is told of a run; first, and after every new connection, how it stands. */
export type RunTold = JobEvent | { readonly type: "job.state"; readonly job: Run }

export interface FollowOptions {
  /** Number of the last log line that is known already. */
  readonly after?: number
  take(event: RunTold): void
}

/**
 * Tells what happens to a run until it has ended, and resolves with how. A connection that breaks is made anew, without a
 * log line lost or told twice.
 */
export const followRun = Effect.fnUntraced(function* (server: Server, id: string, { after = 0, take }: FollowOptions) {
  let last = after
  let ended: Run | undefined
  let failures = 0
  const note = (event: RunTold) => {
    failures = 0
    if (event.type === "job.logged") {
      if (event.line.line <= last) return
      last = event.line.line
    }
    take(event)
    if (event.type === "job.ended")
      ended = event.job as Run // the same, read from JSON
    else if (event.type === "job.state" && hasEnded(event.job)) ended = event.job
  }
  for (;;) {
    const heard = yield* Effect.result(listen(server, id, last, note))
    // The log comes behind the state of a run that has ended, and before the end of the stream.
    if (heard._tag === "Success" && ended !== undefined) return ended
    const error = heard._tag === "Failure" ? heard.failure : unreachable(server.url, "the connection has ended")
    if (error.status >= 400 && error.status < 500 && error.status !== 429) return yield* error
    if (++failures > MOST_FAILURES)
      return yield* new ServerError({
        status: 0,
        message: error.message,
        hint: `The run does not depend on this connection: look after it with headrace runs ${id}`,
      })
    yield* Effect.sleep(Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)))
  }
})

export function hasEnded({ status }: Pick<Run, "status">): boolean {
  return status !== "queued" && status !== "running"
}

const listen = Effect.fnUntraced(function* (server: Server, id: string, last: number, note: (event: RunTold) => void) {
  const headers = { accept: "text/event-stream", "last-event-id": String(last) }
  const { body } = yield* server.open("GET /runs/:id/events", { params: { id }, headers })
  if (body === null) return
  yield* Effect.tryPromise({
    try: async (signal) => {
      for await (const { type, data } of readEvents(body, signal))
        note({ type, ...(JSON.parse(data) as object) } as RunTold) // as web/api/run-events.ts sends it
    },
    catch: (error) => unreachable(server.url, error),
  })
})

const MOST_FAILURES = 8
const FIRST_WAIT_MS = 250
const MOST_WAIT_MS = 10_000
