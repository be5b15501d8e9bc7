import type { Effect, Schema } from "effect"
import type { Actor } from "../../core/server/access/actor.ts"
import type { Permission } from "../../core/server/access/permission.ts"
import type { RequestError, RequestReason } from "../../core/server/request-error.ts"
import type { StoreError } from "../../core/store/store-error.ts"

/**
 * Reads one part of a request, or writes an answer. In `params` and `query` everything arrives as text, which the frame
 * turns into the numbers and booleans that the schema names: say `Schema.Int`, not a string that is parsed. What may be
 * left out is `Schema.optionalKey`. A schema with an `identifier` becomes a component of the OpenAPI document.
 */
export type Shape = Schema.Codec<unknown, unknown>

/** Of a part that an endpoint does not have. */
export type NoShape = Schema.Codec<unknown, unknown>

/** A request whose parts were found to be right. */
export interface Asked<P, Q, B> {
  readonly actor: Actor
  /** Of whoever has signed in with a cookie. */
  readonly session?: { readonly id: string; readonly csrf: string }
  readonly params: P
  readonly query: Q
  /** An empty body counts as `{}`. */
  readonly body: B
  /** The body to the letter, for signatures. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly request: Request
  /** Where it comes from, as far as proxies are trusted. */
  readonly address: string
  /** Whether it came encrypted all the way, as far as can be known. */
  readonly isSecure: boolean
  /** To send more with the answer: `reply.headers.set("location", …)`, `reply.status = 200`. */
  readonly reply: Reply
}

export interface Reply {
  readonly headers: Headers
  /** Another one than the endpoint declares. */
  status?: 200 | 201 | 202
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"

/** What an endpoint is, for people and for the OpenAPI document. */
export interface EndpointText<M extends Method = Method, Path extends `/${string}` = `/${string}`> {
  readonly method: M
  /** Below `/api/v1`, with parameters such as `:name`. */
  readonly path: Path
  /** Groups endpoints on the page. */
  readonly tag: string
  /** One sentence. */
  readonly summary: string
  readonly description?: string
  /**
   * What the actor must be allowed; `anybody` needs no sign-in, `signed-in` no permission, and `in-person` is for somebody
   * who has signed in themselves: no token.
   */
  readonly permission: Permission | "anybody" | "signed-in" | "in-person"
  /** Why it may refuse, besides what the frame itself refuses. */
  readonly refusals?: readonly RequestReason[]
  /** Of the body, in bytes; 1 MiB where it is not said. */
  readonly mostBytes?: number
}

interface Parts<P extends Shape, Q extends Shape, B extends Shape> {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
}

/** An endpoint that answers with JSON. */
export interface Endpoint<
  M extends Method = Method,
  Path extends `/${string}` = `/${string}`,
  P extends Shape = Shape,
  Q extends Shape = Shape,
  B extends Shape = Shape,
  A extends Shape = Shape,
  R = never,
> extends EndpointText<M, Path>,
    Parts<P, Q, B> {
  readonly answer: A
  /** 204 has no answer, whatever its schema. */
  readonly status?: 200 | 201 | 202 | 204
  handle(asked: Asked<P["Type"], Q["Type"], B["Type"]>): Effect.Effect<NoInfer<A>["Type"], RequestError | StoreError, R>
}

/** An endpoint that answers with something else: a stream of events, a file. */
export interface RawEndpoint<
  M extends Method = Method,
  Path extends `/${string}` = `/${string}`,
  P extends Shape = Shape,
  Q extends Shape = Shape,
  B extends Shape = Shape,
  R = never,
> extends EndpointText<M, Path>,
    Parts<P, Q, B> {
  /** Media type of the answer, such as `text/event-stream`. */
  readonly produces: string
  respond(asked: Asked<P["Type"], Q["Type"], B["Type"]>): Effect.Effect<Response, RequestError | StoreError, R>
}

/** The services that endpoints need. */
export type ServicesOf<E> = E extends { handle(asked: never): Effect.Effect<unknown, unknown, infer R> }
  ? R
  : E extends { respond(asked: never): Effect.Effect<unknown, unknown, infer R> }
    ? R
    : never

export type AnyEndpoint<R = unknown> =
  | Endpoint<Method, `/${string}`, Shape, Shape, Shape, Shape, R>
  | RawEndpoint<Method, `/${string}`, Shape, Shape, Shape, R>

/** Declares an endpoint; the types of its parts follow from their schemas. */
export function endpoint<
  const M extends Method,
  const Path extends `/${string}`,
  A extends Shape,
  R,
  P extends Shape = NoShape,
  Q extends Shape = NoShape,
  B extends Shape = NoShape,
>(declared: Endpoint<M, Path, P, Q, B, A, R>): Endpoint<M, Path, P, Q, B, A, R> {
  return declared
}

export function rawEndpoint<
  const M extends Method,
  const Path extends `/${string}`,
  R,
  P extends Shape = NoShape,
  Q extends Shape = NoShape,
  B extends Shape = NoShape,
>(declared: RawEndpoint<M, Path, P, Q, B, R>): RawEndpoint<M, Path, P, Q, B, R> {
  return declared
}

/** What a client sends to endpoints and gets from them, by `"GET /flows/:name"`. */
export type ApiOf<List extends readonly unknown[]> = {
  readonly [E in List[number] as E extends EndpointText<infer M, infer Path> ? `${M} ${Path}` : never]: E extends Parts<
    infer P,
    infer Q,
    infer B
  >
    ? {
        readonly params: P["Encoded"]
        readonly query: Q["Encoded"]
        readonly body: B["Encoded"]
        readonly answer: E extends { readonly answer: infer A extends Shape } ? A["Encoded"] : Response
      }
    : never
}
