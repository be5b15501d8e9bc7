import { Effect, Layer, Metric, Stream } from "effect"
import { Dispatcher, type JobEvent } from "./jobs/dispatcher.ts"

/** What is counted of the server. Names end with their unit, as Prometheus has it. */
export const jobsEnded = Metric.counter("headrace_runs_ended_total", {
  description: "Runs that have ended, by status.",
  incremental: true,
})
export const rowsWritten = Metric.counter("headrace_rows_written_total", {
  description: "Rows that outputs have committed.",
  incremental: true,
})
export const rowsRejected = Metric.counter("headrace_rows_rejected_total", {
  description: "Rows that were rejected.",
  incremental: true,
})
export const runSeconds = Metric.histogram("headrace_run_duration_seconds", {
  description: "How long runs took.",
  boundaries: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000],
})
const queued = Metric.gauge("headrace_runs_queued", { description: "Runs that wait." })
const running = Metric.gauge("headrace_runs_running", { description: "Runs that go on." })
const workers = Metric.gauge("headrace_workers", { description: "Worker processes, by state." })

/** Counts what happens to jobs, as long as it lives. */
export const jobMetricsLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const dispatcher = yield* Dispatcher
    yield* Effect.forkScoped(Stream.runForEach(dispatcher.events(), counted), { startImmediately: true })
  }),
)

const counted = Effect.fnUntraced(function* (event: JobEvent) {
  if (event.type !== "job.ended") return
  const { status, written, rejected, startedAt, endedAt } = event.job
  yield* Metric.update(Metric.withAttributes(jobsEnded, { status }), 1)
  yield* Metric.update(rowsWritten, written ?? 0)
  yield* Metric.update(rowsRejected, rejected ?? 0)
  if (startedAt !== null && endedAt !== null) yield* Metric.update(runSeconds, (endedAt - startedAt) / 1000)
})

/** Takes what is known only when it is asked for. */
export const gauged = Effect.gen(function* () {
  const dispatcher = yield* Dispatcher
  const load = yield* dispatcher.load
  yield* Metric.update(queued, load.queued)
  yield* Metric.update(running, load.running)
  yield* Metric.update(Metric.withAttributes(workers, { state: "idle" }), load.workers.idle)
  yield* Metric.update(Metric.withAttributes(workers, { state: "busy" }), load.workers.busy)
})

const requests = Metric.counter("headrace_http_requests_total", {
  description: "Requests to the API, by method, route and status.",
  incremental: true,
})
const seconds = Metric.histogram("headrace_http_request_duration_seconds", {
  description: "How long the API took to answer.",
  boundaries: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
})

/** Counts an answer of the API. */
export function requestsAnswered(labels: Readonly<Record<string, string>>) {
  return Metric.update(Metric.withAttributes(requests, labels), 1)
}

export function requestSeconds(duration: number) {
  return Metric.update(seconds, duration)
}
