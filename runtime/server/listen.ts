import { Effect } from "effect"
import { refuse } from "../../core/server/request-error.ts"

export interface Listening {
  /** Where it listens, as people write it. */
  readonly url: string
  readonly hostname: string
}

export interface ListenOptions {
  readonly hostname: string
  readonly port: number
  /** `peer` is the address of the other end of the connection. */
  answer(request: Request, peer: string): Response | Promise<Response>
}

/** Listens until its scope ends; answers that are on their way are given before. */
export const listen = Effect.fnUntraced(function* ({ hostname, port, answer }: ListenOptions) {
  const server = yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        Bun.serve({
          hostname,
          port,
          // Streams of events may be silent for long; they end by themselves.
          idleTimeout: 255,
          // Bodies are measured by the endpoints while they are read.
          maxRequestBodySize: MOST_BYTES,
          fetch: (request, server) => answer(request, server.requestIP(request)?.address ?? ""),
          error: () => new Response("The server has failed\n", { status: 500 }),
        }),
      catch: (error) => cannotListen(hostname, port, error),
    }),
    (listening) => Effect.promise(() => Promise.race([listening.stop(), Bun.sleep(DRAIN_MS)])),
  )
  const name = hostname.includes(":") ? `[${hostname}]` : hostname
  return { hostname, url: `http://${name}:${server.port}` } satisfies Listening
})

function cannotListen(hostname: string, port: number, error: unknown) {
  const code = (error as { code?: string }).code
  const where = `${hostname}, port ${port}`
  if (code === "EADDRINUSE")
    return refuse("unavailable", `Cannot listen at ${where}: another program does`, {
      hint: "Choose another port: --port N, or 0 for a free one",
    })
  const why = REASONS[code ?? ""] ?? (error instanceof Error ? error.message : String(error))
  return refuse("unavailable", `Cannot listen at ${where}: ${why}`, { hint: "Choose another --host or --port" })
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOENT: "this machine has no such address",
  ENOTFOUND: "this machine has no such address",
}
const MOST_BYTES = 64 * 1024 * 1024
const DRAIN_MS = 2000
