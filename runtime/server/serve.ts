import { Effect, type ManagedRuntime } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { isSameSecret } from "../../core/server/access/same-secret.ts"
import { gauged, requestSeconds, requestsAnswered } from "../../core/server/metrics.ts"
import { endpoints } from "../../web/api/index.ts"
import { type Answered, makeApp } from "../../web/app.ts"
import { operationsApp } from "../../web/operations.ts"
import { listen } from "./listen.ts"
import { openPages } from "./pages.ts"
import { processGauges } from "./process-gauges.ts"
import { readiness } from "./readiness.ts"
import type { ServeOptions } from "./serve-options.ts"
import type { ServerServices } from "./server-layer.ts"

/** Listens, answers, and stops when its scope ends. The runtime outlives it. */
export const serve = Effect.fnUntraced(function* (
  options: ServeOptions,
  runtime: ManagedRuntime.ManagedRuntime<ServerServices, unknown>,
) {
  const { hostname, port, publicUrl, metricsToken } = options
  const pages = yield* openPages
  const peers = new WeakMap<Request, string>()
  const peerOf = (request: Request) => peers.get(request) ?? ""
  const observe = ({ method, route, status, durationMs }: Answered) =>
    runtime.runFork(answered({ method, route, status: String(status) }, durationMs))
  const app = makeApp({
    ...{ runtime, endpoints, peerOf, observe, pages },
    ...(publicUrl === undefined ? {} : { publicUrl }),
  })
  const operations = operationsApp({
    readiness: () => runtime.runPromise(readiness),
    metrics: () => runtime.runPromise(Effect.andThen(Effect.all([gauged, processGauges]), PrometheusMetrics.format())),
    mayReadMetrics: (request) =>
      metricsToken === undefined
        ? isThisMachine(peerOf(request))
        : isSameSecret(metricsToken, request.headers.get("authorization")?.replace(/^Bearer +/i, "") ?? ""),
  })
  return yield* listen({
    hostname,
    port,
    answer(request, peer) {
      peers.set(request, peer)
      return (OPERATIONS.has(new URL(request.url).pathname) ? operations : app).fetch(request)
    },
  })
})

const answered = Effect.fnUntraced(function* (labels: Readonly<Record<string, string>>, durationMs: number) {
  yield* requestsAnswered(labels)
  yield* requestSeconds(durationMs / 1000)
})

function isThisMachine(peer: string): boolean {
  return peer === "::1" || /^(::ffff:)?127\./.test(peer)
}

const OPERATIONS = new Set(["/healthz", "/readyz", "/metrics"])
