import { Effect, Fiber, type Scope, Stream } from "effect"
import { Dispatcher, type Job, type JobEvent, type LogLine } from "../../core/server/jobs/dispatcher.ts"
import { rawEndpoint } from "./endpoint.ts"
import { refuseTrigger, visibleRun } from "./own-runs.ts"
import { ofRun } from "./run-shapes.ts"

const text = { tag: "Runs", permission: "runs.read", produces: "text/event-stream" } as const

export const runEvents = [
  rawEndpoint({
    ...{ method: "GET", path: "/runs/:id/events", ...text, params: ofRun, refusals: ["missing"] },
    summary: "Tells what happens to a run, as server-sent events, until it has ended.",
    description:
      "First the run as it is, then its log from the line after `Last-Event-ID`, then what happens. Events are `job.queued`, `job.started`, `job.logged`, `job.progressed` and `job.ended`.",
    respond: Effect.fnUntraced(function* ({ actor, params: { id }, request }) {
      yield* visibleRun(actor, id)
      const dispatcher = yield* Dispatcher
      const known = Number.parseInt(request.headers.get("last-event-id") ?? "0")
      return yield* answered(request, (send) =>
        followed(dispatcher, { id, after: Number.isFinite(known) ? known : 0 }, send),
      )
    }),
  }),
  rawEndpoint({
    ...{ method: "GET", path: "/events", ...text },
    summary: "Tells what happens to all runs, as server-sent events; not their log lines.",
    respond: Effect.fnUntraced(function* ({ actor, request }) {
      yield* refuseTrigger(actor)
      const dispatcher = yield* Dispatcher
      const told = Stream.filter(dispatcher.events(), ({ type }) => type !== "job.logged")
      return yield* answered(request, (send) => Stream.runForEach(told, (event) => send(event)))
    }),
  }),
] as const

type Send = (event: JobEvent | { readonly type: "job.state"; readonly job: Job }) => Effect.Effect<void>

interface Follow {
  readonly id: string
  readonly after: number
}

/** Everything of one run, without a gap between what was kept and what happens. */
const followed = Effect.fnUntraced(function* (dispatcher: Dispatcher["Service"], { id, after }: Follow, send: Send) {
  let last = after
  const line = (each: LogLine) => {
    if (each.line <= last) return Effect.void
    last = each.line
    return send({ type: "job.logged", id, line: each })
  }
  const kept = Effect.gen(function* () {
    for (;;) {
      const lines = yield* dispatcher.logs(id, { after: last, limit: PIECE_LINES })
      for (const each of lines) yield* line(each)
      if (lines.length < PIECE_LINES) return
    }
  })
  // Listening begins before the log is read, so that nothing falls between.
  const live = dispatcher.events(id)
  const told: JobEvent[] = []
  let isKept = false
  const pass = (event: JobEvent) => (event.type === "job.logged" ? line(event.line) : send(event))
  const listening = yield* Effect.forkScoped(
    Stream.runForEachWhile(live, (event) =>
      Effect.gen(function* () {
        if (isKept) yield* pass(event)
        else told.push(event)
        return event.type !== "job.ended"
      }),
    ),
    { startImmediately: true },
  )
  const job = yield* dispatcher.find(id)
  yield* send({ type: "job.state", job })
  yield* kept
  isKept = true
  for (const event of told) yield* pass(event)
  if (told.some(({ type }) => type === "job.ended") || !(job.status === "queued" || job.status === "running")) return
  // What runs on another server is not heard of here: its end is looked up.
  const looking = Effect.gen(function* () {
    for (;;) {
      yield* Effect.sleep(LOOK_MS)
      const now = yield* dispatcher.find(id)
      yield* kept
      if (now.status === "queued" || now.status === "running") continue
      return yield* send({ type: "job.ended", job: now })
    }
  })
  yield* Effect.raceFirst(Fiber.join(listening), looking)
})

/** Events are sent as they come; a heartbeat keeps proxies from closing the connection. */
function answered(
  request: Request,
  work: (send: Send) => Effect.Effect<void, unknown, Scope.Scope>,
): Effect.Effect<Response> {
  return Effect.sync(() => {
    const encoder = new TextEncoder()
    let fiber: Fiber.Fiber<void, unknown> | undefined
    const stop = () => void (fiber !== undefined && Effect.runFork(Fiber.interrupt(fiber)))
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start(controller) {
          const write = (chunk: string) => {
            // A reader that does not keep up is sent away: it comes back with the number of its last line.
            if ((controller.desiredSize ?? 0) < -MOST_BEHIND) throw new Error("The reader does not keep up")
            controller.enqueue(encoder.encode(chunk))
          }
          const send: Send = (event) => Effect.sync(() => write(frameOf(event)))
          const beat = Effect.forever(
            Effect.andThen(
              Effect.sleep(BEAT_MS),
              Effect.sync(() => write(": beat\n\n")),
            ),
          )
          write("retry: 2000\n\n")
          const telling = Effect.scoped(Effect.raceFirst(work(send), beat)).pipe(
            Effect.catchCause(() => Effect.void),
            Effect.ensuring(Effect.sync(() => closed(controller))),
          )
          fiber = Effect.runFork(telling)
        },
        cancel: stop,
      },
      { highWaterMark: 64 },
    )
    request.signal.addEventListener("abort", stop, { once: true })
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
    })
  })
}

function frameOf(event: Parameters<Send>[0]): string {
  const { type, ...data } = event
  // The number of the last line is where a reader goes on that comes back.
  const id = event.type === "job.logged" ? `id: ${event.line.line}\n` : ""
  return `${id}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

function closed(controller: ReadableStreamDefaultController): void {
  try {
    controller.close()
  } catch {
    // The reader has gone already.
  }
}

const PIECE_LINES = 1000
const BEAT_MS = 15_000
const LOOK_MS = 3000
const MOST_BEHIND = 5000
