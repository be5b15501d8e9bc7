import { Effect } from "effect"
import { type Actor, may, stranger } from "../../core/server/access/actor.ts"
import { Authentication, type Recognised } from "../../core/server/access/authentication.ts"
import { placeOf } from "../../core/server/access/place.ts"
import { isSameSecret } from "../../core/server/access/same-secret.ts"
import { AuditLog } from "../../core/server/audit.ts"
import { RateLimits } from "../../core/server/rate-limits.ts"
import { type RequestError, refuse } from "../../core/server/request-error.ts"
import { ServerSettings } from "../../core/server/settings.ts"
import type { StoreError } from "../../core/store/store-error.ts"
import type { EndpointText } from "../api/endpoint.ts"
import { sessionCookie } from "./cookie.ts"
import { isFromElsewhere, type Origin } from "./origin.ts"

export type FrameServices = Authentication | AuditLog | RateLimits | ServerSettings

/** Lets a request through to its endpoint, or refuses it: who asks, whether they mean it, how often, and whether they may. */
export function admit(
  request: Request,
  endpoint: EndpointText,
  origin: Origin,
): Effect.Effect<Recognised, RequestError | StoreError, FrameServices> {
  return Effect.gen(function* () {
    const isRead = request.method === "GET" || request.method === "HEAD"
    const bearer = yield* bearerOf(request)
    if (bearer === undefined && !isRead && isFromElsewhere(request, origin.publicUrls))
      return yield* refuse("forbidden", "A page of another origin has sent this", {
        hint: "Sign in on the pages of this server, or use an API token",
      })
    const recognised = yield* recognise(request, bearer, endpoint, origin)
    if (recognised === undefined) {
      yield* limitStranger(origin)
      if (endpoint.permission === "anybody") return { actor: stranger(origin.address) }
      return yield* refuse("unauthenticated", "Nobody is signed in", {
        hint: "Sign in, or send an API token as `Authorization: Bearer hrt_…`",
      })
    }
    yield* limitActor(recognised.actor)
    const { actor, session } = recognised
    if (session !== undefined && !isRead && endpoint.permission !== "anybody") {
      const shown = request.headers.get("x-csrf-token") ?? ""
      if (!isSameSecret(session.csrf, shown)) {
        yield* denied(actor, endpoint, "csrf")
        return yield* refuse("forbidden", "The header x-csrf-token is missing or not the one of this session", {
          hint: "GET /api/v1/me tells the token of the session",
        })
      }
    }
    if (!isAllowed(actor, endpoint)) {
      yield* denied(actor, endpoint, endpoint.permission)
      return yield* refuse("forbidden", `${titleOf(actor)} may not do this: it needs "${endpoint.permission}"`, {
        hint: hintOf(actor),
      })
    }
    return recognised
  })
}

function isAllowed(actor: Actor, { permission }: EndpointText): boolean {
  if (permission === "anybody") return true
  if (permission === "signed-in") return actor.kind === "user" || actor.kind === "token"
  // A token must not make another one that may more.
  if (permission === "in-person") return actor.kind === "user"
  return may(actor, permission)
}

function titleOf({ kind, name, role }: Actor): string {
  return kind === "user" ? `The role ${role} of "${name}"` : `The ${kind} "${name}"`
}

function hintOf({ kind }: Actor): string {
  if (kind === "trigger") return "A trigger starts its flow and watches the runs of it; use an API token for more"
  return kind === "token" ? "Use a token with this scope, of a user who may" : "An administrator can change the role"
}

function bearerOf(request: Request): Effect.Effect<string | undefined, RequestError> {
  const header = request.headers.get("authorization")
  if (header === null) return Effect.succeed(undefined)
  const [, token] = /^bearer +([\w.~+/=-]{1,512})$/i.exec(header) ?? []
  return token === undefined
    ? Effect.fail(refuse("unauthenticated", "The header Authorization is not of the form `Bearer <token>`"))
    : Effect.succeed(token)
}

/** A void cookie does not keep anybody from signing in again. */
function recognise(request: Request, bearer: string | undefined, { permission }: EndpointText, origin: Origin) {
  return Effect.gen(function* () {
    const cookie = bearer === undefined ? sessionCookie(request, origin.isSecure) : undefined
    if (bearer === undefined && cookie === undefined) return undefined
    const { recognise } = yield* Authentication
    return yield* Effect.catchTag(
      recognise({
        address: origin.address,
        ...(bearer === undefined ? {} : { bearer }),
        ...(cookie === undefined ? {} : { cookie }),
      }),
      "RequestError",
      (error) =>
        permission === "anybody" && bearer === undefined
          ? Effect.succeed(undefined)
          : Effect.andThen(limitStranger(origin), Effect.fail(error)),
    )
  })
}

function limitStranger({ address }: Origin) {
  return Effect.gen(function* () {
    const perMinute = yield* ServerSettings.use((settings) => settings.get("limits.strangerRequestsPerMinute"))
    yield* limit(`stranger:${placeOf(address)}`, perMinute, `this address, ${perMinute} a minute`)
  })
}

function limitActor({ kind, id }: Actor) {
  return Effect.gen(function* () {
    const perMinute = yield* ServerSettings.use((settings) => settings.get("limits.requestsPerMinute"))
    if (perMinute > 0) yield* limit(`${kind}:${id}`, perMinute, `this ${kind}, ${perMinute} a minute`)
  })
}

function limit(key: string, perMinute: number, whose: string) {
  return Effect.gen(function* () {
    const burst = Math.max(20, Math.ceil(perMinute / 6))
    const waitMs = yield* RateLimits.use((limits) => limits.take(key, { perMinute, burst }))
    if (waitMs > 0)
      return yield* refuse("limited", `Too many requests of ${whose} are the most`, { retryAfterMs: waitMs })
  })
}

/** Refused access is worth a line, but somebody who asks in a loop shall not fill the log. */
function denied(actor: Actor, { method, path, summary }: EndpointText, needed: string) {
  return Effect.gen(function* () {
    const limits = yield* RateLimits
    if ((yield* limits.take(`denied:${actor.kind}:${actor.id}`, { perMinute: 20, burst: 20 })) > 0) return
    const audit = yield* AuditLog
    yield* audit.record(actor, {
      action: "access.denied",
      subject: { kind: "endpoint", id: `${method} ${path}`, name: summary },
      detail: { needed },
    })
  })
}
