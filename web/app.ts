import { Cause, Effect, Exit, type ManagedRuntime } from "effect"
import { Hono } from "hono"
import type { Actor } from "../core/server/access/actor.ts"
import { ServerSettings } from "../core/server/settings.ts"
import type { AnyEndpoint, ServicesOf } from "./api/endpoint.ts"
import type { FrameServices } from "./frame/admit.ts"
import { protect } from "./frame/headers.ts"
import { openApiOf } from "./frame/open-api.ts"
import { openApiPage, openApiStyle } from "./frame/open-api-page.ts"
import { hostOf, isKnownHost, type Origin, originOf } from "./frame/origin.ts"
import { problemOf, problemResponse } from "./frame/problem.ts"
import { faultAnswer, type Served, serverOf } from "./frame/serve.ts"

export interface AppOptions<E extends AnyEndpoint> {
  readonly runtime: ManagedRuntime.ManagedRuntime<ServicesOf<E> | FrameServices, unknown>
  readonly endpoints: readonly E[]
  /** Address of the other end of the connection. */
  peerOf(request: Request): string
  /** Names that the server goes by besides those of the settings, such as that of the machine. */
  readonly hosts?: readonly string[]
  /** Where people reach it, besides what the settings say. */
  readonly publicUrl?: string
  /** Addresses and networks of proxies that are believed, besides those of the settings. */
  readonly trustedProxies?: readonly string[]
  /** What is not of the API: the pages. */
  pages?(request: Request): Promise<Response | undefined>
  /** Of Headrace. */
  readonly version?: string
  /** Told of every answer of the API: for the access log and for metrics. */
  observe?(answered: Answered): void
}

export interface Answered {
  readonly method: string
  /** As the endpoint declares it, never what was asked for: that may hold anything. */
  readonly route: string
  readonly status: number
  readonly durationMs: number
  readonly address: string
  readonly actor?: Actor
}

/** The server's HTTP side. It holds nothing: whatever lives longer than a request is in the runtime. */
export function makeApp<E extends AnyEndpoint>(options: AppOptions<E>): Hono {
  const app = new Hono()
  const gate = new Gate(options)
  const methods = new Map<string, string[]>()
  for (const endpoint of inOrder(options.endpoints)) {
    // The services that it needs are in the runtime, as the options say; here no one knows them any more.
    const serve = serverOf(endpoint as AnyEndpoint<never>)
    const path = `${ROOT}${endpoint.path}`
    methods.set(path, [...(methods.get(path) ?? []), endpoint.method])
    app.on(endpoint.method, path, (context) =>
      gate.pass(context.req.raw, endpoint.path, (origin) => serve(context.req.raw, context.req.param(), origin)),
    )
  }
  for (const [path, known] of methods)
    app.all(path, ({ req: { raw } }) => gate.pass(raw, path.slice(ROOT.length), () => otherMethod(raw, known)))
  describe(app, gate, options)
  app.all("/api/*", ({ req: { raw } }) => gate.pass(raw, "", () => unknownPath(raw)))
  app.all("*", ({ req: { raw } }) => gate.page(raw))
  app.onError((error, { req: { raw } }) => gate.fault(raw, error))
  return app
}

/** What the API tells of itself, made when it is asked for the first time. */
function describe<E extends AnyEndpoint>(app: Hono, gate: Gate<E>, { endpoints, version = "0" }: AppOptions<E>): void {
  const document = once(() => openApiOf(endpoints, version))
  const texts = [
    ["/api/openapi.json", "application/json", () => JSON.stringify(document())],
    ["/api", "text/html; charset=utf-8", () => openApiPage(document())],
    ["/api/page.css", "text/css; charset=utf-8", () => openApiStyle],
  ] as const
  for (const [path, type, text] of texts) {
    const body = once(text)
    app.get(path, ({ req: { raw } }) =>
      gate.page(
        raw,
        async () => new Response(body(), { headers: { "content-type": type, "cache-control": "no-cache" } }),
      ),
    )
    app.all(path, ({ req: { raw } }) => gate.pass(raw, path, () => otherMethod(raw, ["GET"])))
  }
}

/** What every request passes, whatever it is for. */
class Gate<E extends AnyEndpoint> {
  readonly #options: AppOptions<E>
  readonly #runtime: ManagedRuntime.ManagedRuntime<FrameServices, unknown>

  constructor(options: AppOptions<E>) {
    this.#options = options
    this.#runtime = options.runtime as ManagedRuntime.ManagedRuntime<FrameServices, unknown> // it has these, and more
  }

  async pass(
    request: Request,
    route: string,
    work: (origin: Origin) => Effect.Effect<Served, never, FrameServices>,
  ): Promise<Response> {
    const start = performance.now()
    const { origin, isKnown } = await this.#arrive(request)
    const served = isKnown ? await this.#run(request, work(origin)) : unknownHost(request)
    this.#options.observe?.({
      method: request.method,
      route,
      status: served.response.status,
      durationMs: performance.now() - start,
      address: origin.address,
      ...(served.actor === undefined ? {} : { actor: served.actor }),
    })
    const response = protect(served.response, "api", origin.isSecure)
    // Nobody reads what follows the headers, so what would make it has to end.
    if (request.method === "HEAD") void response.body?.cancel()
    return response
  }

  async page(request: Request, make = this.#options.pages): Promise<Response> {
    const { origin, isKnown } = await this.#arrive(request)
    if (!isKnown) return protect(unknownHost(request).response, "api", origin.isSecure)
    const page = await make?.(request)
    if (page !== undefined) return protect(page, "page", origin.isSecure)
    return protect(missing(request), "api", origin.isSecure)
  }

  /** What even the frame did not see coming. */
  async fault(request: Request, error: unknown): Promise<Response> {
    const route = { method: request.method, path: pathOf(request) }
    return protect(await this.#runtime.runPromise(faultAnswer(Cause.die(error), route)), "api", false)
  }

  async #arrive(request: Request): Promise<{ origin: Origin; isKnown: boolean }> {
    const settings = await this.#runtime.runPromise(ServerSettings.use(({ all }) => all))
    const { hosts = [], trustedProxies = [], publicUrl, peerOf } = this.#options
    const publicUrls = [publicUrl ?? "", settings["server.publicUrl"]].flatMap((url) =>
      url === "" ? [] : [new URL(url).origin],
    )
    return {
      origin: originOf(request, {
        peer: peerOf(request),
        proxies: [...trustedProxies, ...settings["server.trustedProxies"]],
        publicUrls,
      }),
      isKnown: isKnownHost(hostOf(request), [
        ...hosts,
        ...settings["server.hosts"],
        ...publicUrls.map((url) => new URL(url).hostname),
      ]),
    }
  }

  /** A read ends when nobody waits for it any more; what changes something is brought to its end. */
  async #run(request: Request, work: Effect.Effect<Served, never, FrameServices>): Promise<Served> {
    const isRead = request.method === "GET" || request.method === "HEAD"
    const exit = await this.#runtime.runPromiseExit(work, isRead ? { signal: request.signal } : {})
    if (Exit.isSuccess(exit)) return exit.value
    return { response: new Response(null, { status: CLIENT_GONE }) }
  }
}

/** Fixed parts of a path go before parameters, so that the order of declarations is no matter. */
function inOrder<E extends AnyEndpoint>(endpoints: readonly E[]): readonly E[] {
  const rank = ({ path }: E) => path.replace(/:\w+/g, "\uffff")
  return endpoints.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
}

function otherMethod(request: Request, known: readonly string[]): Effect.Effect<Served> {
  const allow = [...new Set([...known, ...(known.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].join(", ")
  if (request.method === "OPTIONS")
    return Effect.succeed({ response: new Response(null, { status: 204, headers: { allow } }) })
  const problem = problemOf("method", pathOf(request), `This path does not know ${request.method}`, {
    hint: `It knows ${allow}`,
  })
  return Effect.succeed({ response: problemResponse(problem, { allow }) })
}

function unknownPath(request: Request): Effect.Effect<Served> {
  return Effect.succeed({ response: missing(request) })
}

function missing(request: Request): Response {
  return problemResponse(
    problemOf("missing", pathOf(request), "There is nothing at this path", {
      hint: "/api/openapi.json lists what there is",
    }),
  )
}

function unknownHost(request: Request): Served {
  const problem = problemOf("host", pathOf(request), "This server does not go by the host name that was asked for", {
    hint: 'An administrator can add it to the setting "server.hosts"; the IP address works always',
  })
  return { response: problemResponse(problem) }
}

function once<A>(make: () => A): () => A {
  let made: { readonly value: A } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function pathOf(request: Request): string {
  return new URL(request.url).pathname
}

const ROOT = "/api/v1"
/** Nobody is there to see it; the log of a proxy knows the number. */
const CLIENT_GONE = 499
