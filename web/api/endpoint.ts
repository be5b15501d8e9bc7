import type { Effect, Schema } from "effect"
import type { Actor } from "../../core/server/access/actor.ts"
import type { Permission } from "../../core/server/access/permission.ts"
import type { RequestError, RequestReason } from "../../core/server/request-error.ts"
import type { StoreError } from "../../core/store/store-error.ts"

/** Reads one part of a request, or writes an answer. */
type Shape<T> = Schema.Codec<T, unknown>

/** A request whose parts were found to be right. */
export interface Asked<P, Q, B> {
  readonly actor: Actor
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly request: Request
  /** Where it comes from, as far as proxies are trusted. */
  readonly address: string
}

/** What an endpoint is, for people and for the OpenAPI document. */
export interface EndpointText {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Below `/api/v1`, with parameters such as `:name`. */
  readonly path: `/${string}`
  /** Groups endpoints on the page. */
  readonly tag: string
  /** One sentence. */
  readonly summary: string
  readonly description?: string
  /** What the actor must be allowed; `anybody` needs no sign-in, `signed-in` no permission. */
  readonly permission: Permission | "anybody" | "signed-in"
  /** Why it may refuse, besides what the frame itself refuses. */
  readonly refusals?: readonly RequestReason[]
  /** Of the body, in bytes; 1 MiB where it is not said. */
  readonly mostBytes?: number
}

/** An endpoint that answers with JSON. */
export interface Endpoint<P = unknown, Q = unknown, B = unknown, A = unknown, R = never> extends EndpointText {
  readonly params?: Shape<P>
  readonly query?: Shape<Q>
  readonly body?: Shape<B>
  readonly answer: Shape<A>
  /** 204 has no answer, whatever its schema. */
  readonly status?: 200 | 201 | 202 | 204
  handle(asked: Asked<P, Q, B>): Effect.Effect<A, RequestError | StoreError, R>
}

/** An endpoint that answers with something else: a stream of events, a file. */
export interface RawEndpoint<P = unknown, Q = unknown, B = unknown, R = never> extends EndpointText {
  readonly params?: Shape<P>
  readonly query?: Shape<Q>
  readonly body?: Shape<B>
  /** Media type of the answer, such as `text/event-stream`. */
  readonly produces: string
  respond(asked: Asked<P, Q, B>): Effect.Effect<Response, RequestError | StoreError, R>
}

/** Declares an endpoint; the types of its parts follow from their schemas. */
export function endpoint<A, R, P = unknown, Q = unknown, B = unknown>(
  declared: Endpoint<P, Q, B, A, R>,
): Endpoint<P, Q, B, A, R> {
  return declared
}

export function rawEndpoint<R, P = unknown, Q = unknown, B = unknown>(
  declared: RawEndpoint<P, Q, B, R>,
): RawEndpoint<P, Q, B, R> {
  return declared
}
