import { Data, Effect } from "effect"
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
  /** JSON that is sent to the letter, in the place of a body. */
  readonly bytes?: Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
}

/** A server that the command line speaks to. */
export interface Server {
  readonly url: string
  /** Calls an endpoint and gives its answer. */
  call<K extends Route>(route: K, given?: Given<K>): Effect.Effect<Api[K]["answer"], ServerError>
  /** The answer as it comes: a stream of events, a file. */
  open<K extends Route>(route: K, given?: Given<K>): Effect.Effect<Response, ServerError>
}

export interface ServerClientOptions {
  readonly url: string
  /** Nobody is signed in without it. */
  readonly token?: string
}

export function makeServerClient({ url, token }: ServerClientOptions): Server {
  const open = (route: string, given: Given<Route> = {}) =>
    Effect.tryPromise({
      try: async (signal) => {
        const { method, address } = addressOf(url, route, given)
        const sent = given.bytes ?? (given.body === undefined ? undefined : JSON.stringify(given.body))
        const headers = {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(sent === undefined ? {} : { "content-type": "application/json" }),
          ...given.headers,
        }
        const body = sent === undefined ? {} : { body: sent }
        // An answer that leads elsewhere must not take the token along.
        const response = await fetch(address, { method, headers, signal, redirect: "manual", ...body })
        if (!response.ok) throw await refusalOf(response, { url, isLogin: route === "POST /session" })
        return response
      },
      catch: (error) => (error instanceof ServerError ? error : unreachable(url, error)),
    })
  return {
    url,
    open,
    // What a server sends is what its endpoint declares.
    call: (route, given) => Effect.flatMap(open(route, given), (response) => answerOf(response, url)) as never,
  }
}

/** The answer as JSON; 204 has none. */
export function answerOf(response: Response, url: string): Effect.Effect<unknown, ServerError> {
  return Effect.tryPromise({
    try: async () => (response.status === 204 ? undefined : ((await response.json()) as unknown)),
    catch: (error) => (error instanceof SyntaxError ? stranger(url, response.status) : unreachable(url, error)),
  })
}

export function unreachable(url: string, error: unknown): ServerError {
  const message = error instanceof Error ? error.message : String(error)
  return new ServerError({ status: 0, message: `Cannot reach "${url}": ${message}`, hint: "Is the server running?" })
}

function addressOf(url: string, route: string, given: { readonly params?: unknown; readonly query?: unknown }) {
  const [method = "GET", path = ""] = route.split(" ")
  const params = (given.params ?? {}) as Record<string, string> // as endpoints declare them
  const filled = path.replace(/:(\w+)/g, (_, name: string) => segment(params[name] ?? ""))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries((given.query ?? {}) as Record<string, unknown>))
    for (const each of [value].flat()) if (each !== undefined) query.append(name, String(each))
  return { method, address: `${url}/api/v1${filled}${query.size === 0 ? "" : `?${query}`}` }
}

/** One part of a path. Dots would lead out of the folder even when they are escaped: nothing is called so. */
function segment(text: string): string {
  if (/^\.{0,2}$/.test(text)) throw new ServerError({ status: 404, message: `Nothing is called "${text}"` })
  return encodeURIComponent(text.toWellFormed())
}

interface Asked {
  readonly url: string
  readonly isLogin: boolean
}

async function refusalOf(response: Response, { url, isLogin }: Asked): Promise<ServerError> {
  const { status } = response
  if (status >= 300 && status < 400)
    return new ServerError({
      status,
      message: `"${url}" answers with another address: ${response.headers.get("location") ?? "none"}`,
      hint: "Use that address, if it is the one you mean",
    })
  const problem: unknown = await response.json().catch(() => undefined)
  if (typeof problem !== "object" || problem === null || !("detail" in problem)) return stranger(url, status)
  const { detail, hint, problems, current } = problem as {
    detail: string
    hint?: string
    problems?: readonly FlowProblem[]
    current?: unknown
  } // as web/frame/problem.ts declares it
  const advice = status === 401 && !isLogin ? `Sign in: headrace login --server ${url}` : hint
  return new ServerError({
    ...{ status, message: String(detail) },
    ...(advice === undefined ? {} : { hint: advice }),
    ...(problems === undefined ? {} : { problems }),
    ...(current === undefined ? {} : { current }),
  })
}

function stranger(url: string, status: number): ServerError {
  return new ServerError({
    status: status < 400 ? 0 : status,
    message: `"${url}" answers ${status}, and not as a Headrace server does`,
    hint: "Check the address; the one of the pages is meant, without a path behind it",
  })
}
