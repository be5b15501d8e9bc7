import { Cause, Effect, Schema } from "effect"
import type { Actor } from "../../core/server/access/actor.ts"
import { type RequestError, refuse } from "../../core/server/request-error.ts"
import type { StoreError } from "../../core/store/store-error.ts"
import type { AnyEndpoint, Reply, Shape } from "../api/endpoint.ts"
import { admit, type FrameServices } from "./admit.ts"
import { isJson, MIB, readBytes, readDocument } from "./body.ts"
import { listsOf, type Part, partReader } from "./decode.ts"
import type { Origin } from "./origin.ts"
import { problemOf, problemOfRequest, problemOfStore, problemResponse } from "./problem.ts"

/** Answers requests to one endpoint. It never fails: every failure is an answer. */
export type Server = (
  request: Request,
  params: Readonly<Record<string, string>>,
  origin: Origin,
) => Effect.Effect<Served, never, FrameServices>

export interface Served {
  readonly response: Response
  readonly actor?: Actor
}

/** Compiles an endpoint. The services that it needs are those of whoever runs it. */
export function serverOf(endpoint: AnyEndpoint<never>): Server {
  const readParams = readerOf(endpoint.params, "path")
  const readQuery = readerOf(endpoint.query, "query")
  const readBody = endpoint.body === undefined ? undefined : readerOf(endpoint.body, "body")
  const lists = endpoint.query === undefined ? new Set<string>() : listsOf(endpoint.query)
  const answer = answererOf(endpoint)
  return (request, params, origin) => {
    let actor: Actor | undefined
    const { pathname, searchParams } = new URL(request.url)
    return Effect.gen(function* () {
      const recognised = yield* admit(request, endpoint, origin)
      actor = recognised.actor
      if (Object.values(params).some((value) => value.includes("\0")))
        return yield* refuse("invalid", "The path has a NUL character")
      const given = { params: yield* readParams(params), query: yield* readQuery(yield* queryOf(searchParams, lists)) }
      const bytes = readBody === undefined ? new Uint8Array() : yield* readBytes(request, endpoint.mostBytes ?? MIB)
      if (bytes.length > 0 && !isJson(request.headers.get("content-type")))
        return problemResponse(
          problemOf("media-type", pathname, `The body is "${request.headers.get("content-type") ?? ""}"`, {
            hint: "Send JSON in UTF-8, with the header `content-type: application/json`",
          }),
        )
      const body = readBody === undefined ? undefined : yield* readBody(yield* readDocument(bytes))
      const reply: Reply = { headers: new Headers() }
      const { session } = recognised
      const response = yield* answer({
        ...given,
        ...(session === undefined ? {} : { session }),
        actor,
        body,
        bytes,
        request,
        reply,
        address: origin.address,
        isSecure: origin.isSecure,
      })
      for (const [name, value] of reply.headers) response.headers.append(name, value)
      return response
    }).pipe(
      Effect.catchTag("RequestError", (error) => Effect.succeed(problemResponse(problemOfRequest(error, pathname)))),
      Effect.catchTag("StoreError", (error) =>
        Effect.as(
          Effect.logError("The store has failed a request", { path: endpoint.path, message: error.message }),
          problemResponse(problemOfStore(error, pathname)),
        ),
      ),
      Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.interrupt : faultAnswer(cause, endpoint))),
      Effect.map((response) => (actor === undefined ? { response } : { response, actor })),
    )
  }
}

type Given = Parameters<Extract<AnyEndpoint<never>, { handle: unknown }>["handle"]>[0]

function answererOf(
  endpoint: AnyEndpoint<never>,
): (given: Given) => Effect.Effect<Response, RequestError | StoreError> {
  if ("respond" in endpoint) return (given) => endpoint.respond(given)
  const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(endpoint.answer))
  const status = endpoint.status ?? 200
  return (given) =>
    Effect.gen(function* () {
      const value = yield* endpoint.handle(given)
      if (status === 204) return new Response(null, { status })
      // An answer that its own schema does not know is a fault in Headrace.
      const text = JSON.stringify(yield* Effect.orDie(encode(value)))
      return new Response(text, {
        status: given.reply.status ?? status,
        headers: { "content-type": "application/json" },
      })
    })
}

/** A fault is told to the log in full, and to whoever asks by its id. */
export function faultAnswer(
  cause: Cause.Cause<unknown>,
  { method, path }: { readonly method: string; readonly path: string },
): Effect.Effect<Response> {
  const id = crypto.randomUUID()
  const problem = problemOf("fault", `urn:uuid:${id}`, "Headrace cannot do this, through a fault of its own", {
    hint: `The server's log tells more under ${id}`,
  })
  return Effect.as(Effect.logError(`Fault ${id} in ${method} ${path}`, cause), problemResponse(problem))
}

type Reading = (value: unknown) => Effect.Effect<unknown, RequestError>

function readerOf(shape: Shape | undefined, part: Part): Reading {
  const read = partReader(shape ?? Schema.Struct({}), part)
  return (value) => Effect.fromResult(read(value))
}

function queryOf(given: URLSearchParams, lists: ReadonlySet<string>): Effect.Effect<unknown, RequestError> {
  const query = new Map<string, string | string[]>()
  for (const [name, value] of given) {
    if (name.includes("\0") || value.includes("\0"))
      return Effect.fail(refuse("invalid", "The query has a NUL character"))
    const before = query.get(name)
    if (lists.has(name)) query.set(name, Array.isArray(before) ? [...before, value] : [value])
    else if (before === undefined) query.set(name, value)
    else return Effect.fail(refuse("invalid", `Parameter ${JSON.stringify(name)} of the query stands there twice`))
  }
  // Made of entries, "__proto__" is a name like any other.
  return Effect.succeed(Object.fromEntries(query))
}
