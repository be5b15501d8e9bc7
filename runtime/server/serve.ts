import { hostname } from "node:os"
import { Effect, type ManagedRuntime } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { isSameSecret } from "../../core/server/access/same-secret.ts"
import { gauged, requestSeconds, requestsAnswered } from "../../core/server/metrics.ts"
import packageJson from "../../package.json" with { type: "json" }
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
  const { hostname: host, port, publicUrl, metricsToken } = options
  const pages = yield* openPages
  const peers = new WeakMap<Request, string>()
  const peerOf = (request: Request) => peers.get(request) ?? ""
  const observe = (answer: Answered) => runtime.runFork(answered(answer))
  const app = makeApp({
    ...{ runtime, endpoints, peerOf, observe, pages, hosts: [hostname()], version: packageJson.version },
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
    hostname: host,
    port,
    answer(request, peer) {
      peers.set(request, peer)
      return (OPERATIONS.has(new URL(request.url).pathname) ? operations : app).fetch(request)
    },
  })
})

/** Counts an answer, and logs it where somebody was refused or something has failed. */
const answered = Effect.fnUntraced(function* ({ method, route, status, durationMs, address, actor }: Answered) {
  yield* requestsAnswered({ method, route, status: String(status) })
  yield* requestSeconds(durationMs / 1000)
  const facts = { method, route, status, ms: Math.round(durationMs), address, who: actor?.name ?? "" }
  yield* status < 400 ? Effect.logDebug("answered", facts) : Effect.logInfo("refused", facts)
})

function isThisMachine(peer: string): boolean {
  return peer === "::1" || /^(::ffff:)?127\./.test(peer)
}

const OPERATIONS = new Set(["/healthz", "/readyz", "/metrics"])
