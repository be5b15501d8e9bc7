import { Context, Data, Effect } from "effect"
import type { FlowProblem } from "../../core/flow/problem.ts"
import type { Api } from "../../web/api/index.ts"

/** What a server has said, or why it has said nothing. */
export class ServerError extends Data.TaggedError("ServerError")<{
  readonly message: string
  /** 0: it did not answer. */
  readonly status: number
  readonly hint?: string
  readonly problems?: readonly FlowProblem[]
  readonly current?: unknown
}> {}

type Route = keyof Api & string
type Given<K extends Route> = {
  readonly params?: Api[K]["params"]
  readonly query?: Api[K]["query"]
  readonly body?: Api[K]["body"]
  readonly headers?: Readonly<Record<string, string>>
}

/** A server that the command line speaks to. */
export class Server extends Context.Service<
  Server,
  {
    readonly url: string
    /** Calls an endpoint and gives its answer. */
    call<K extends Route>(route: K, given?: Given<K>): Effect.Effect<Api[K]["answer"], ServerError>
    /** The answer as it comes: a stream of events, a file. */
    open<K extends Route>(route: K, given?: Given<K>): Effect.Effect<Response, ServerError>
  }
>()("runtime/remote/Server") {}

export interface ServerClientOptions {
  readonly url: string
  /** Nobody is signed in without it. */
  readonly token?: string
}

export function makeServerClient({ url, token }: ServerClientOptions): Server["Service"] {
  const open = (route: string, given: Given<Route> = {}) =>
    Effect.tryPromise({
      try: async (signal) => {
        const { method, address } = addressOf(url, route, given)
        const headers = {
          accept: "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(given.body === undefined ? {} : { "content-type": "application/json" }),
          ...given.headers,
        }
        const body = given.body === undefined ? {} : { body: JSON.stringify(given.body) }
        // An answer that leads elsewhere must not take the token along.
        const response = await fetch(address, { method, headers, signal, redirect: "manual", ...body })
        if (!response.ok) throw await refusalOf(response, url)
        return response
      },
      catch: (error) => (error instanceof ServerError ? error : unreachable(url, error)),
    })
  return {
    url,
    open,
    call: (route, given) =>
      Effect.flatMap(open(route, given), (response) =>
        Effect.tryPromise({
          // 204 has no answer. What a server sends is what its endpoint declares.
          try: async () => (response.status === 204 ? undefined : await response.json()) as never,
          catch: (error) => unreachable(url, error),
        }),
      ),
  }
}

function addressOf(url: string, route: string, given: { readonly params?: unknown; readonly query?: unknown }) {
  const [method = "GET", path = ""] = route.split(" ")
  const params = (given.params ?? {}) as Record<string, string>
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries((given.query ?? {}) as Record<string, unknown>))
    if (value !== undefined) query.set(name, String(value))
  return { method, address: `${url}/api/v1${filled}${query.size === 0 ? "" : `?${query}`}` }
}

async function refusalOf(response: Response, url: string): Promise<ServerError> {
  const { status } = response
  if (status >= 300 && status < 400)
    return new ServerError({
      status,
      message: `"${url}" answers with another address: ${response.headers.get("location") ?? "none"}`,
      hint: "Use that address, if it is the one you mean",
    })
  const problem = await response.json().catch(() => undefined)
  if (typeof problem !== "object" || problem === null || !("detail" in problem))
    return new ServerError({ status, message: `"${url}" answers ${status}, and not as a Headrace server does` })
  const { detail, hint, problems, current } = problem as {
    detail: string
    hint?: string
    problems?: readonly FlowProblem[]
    current?: unknown
  }
  const login = status === 401 ? `Sign in: headrace login --server ${url}` : undefined
  const advice = login ?? hint
  return new ServerError({
    ...{ status, message: detail },
    ...(advice === undefined ? {} : { hint: advice }),
    ...(problems === undefined ? {} : { problems }),
    ...(current === undefined ? {} : { current }),
  })
}

function unreachable(url: string, error: unknown): ServerError {
  const message = error instanceof Error ? error.message : String(error)
  return new ServerError({ status: 0, message: `Cannot reach "${url}": ${message}`, hint: "Is the server running?" })
}
