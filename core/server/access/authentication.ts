import { Context, Effect, Layer } from "effect"
import type { StoreError } from "../../store/store-error.ts"
import { type RequestError, refuse } from "../request-error.ts"
import type { Actor } from "./actor.ts"
import { ApiTokens } from "./api-tokens.ts"
import { Sessions } from "./sessions.ts"

/** What a request shows of who it is from. */
export interface Shown {
  /** Of `Authorization: Bearer …`. */
  readonly bearer?: string
  /** Of the session's cookie. */
  readonly cookie?: string
  readonly address: string
}

export interface Recognised {
  readonly actor: Actor
  /** Of whoever has signed in with a cookie; what changes something must show its `csrf` too. */
  readonly session?: { readonly id: string; readonly csrf: string }
}

/** Tells who holds a bearer token that begins with its prefix. */
export interface Authenticator {
  /** Such as `hrt_`. */
  readonly prefix: string
  /** Fails with `unauthenticated` for a token that is unknown, expired or revoked. */
  recognise(token: string, address: string): Effect.Effect<Actor, RequestError | StoreError>
}

/** Whoever answers for bearer tokens. The composition of the server lists them. */
export class Authenticators extends Context.Service<Authenticators, readonly Authenticator[]>()(
  "core/server/access/Authenticators",
) {
  /** API tokens, and nothing else. */
  static readonly layerOfTokens = Layer.effect(
    Authenticators,
    ApiTokens.use(({ authenticator }) => Effect.succeed([authenticator])),
  )
}

/** Tells who asks. */
export class Authentication extends Context.Service<
  Authentication,
  {
    /** Nothing was shown: undefined. Something void was shown: `unauthenticated`. */
    recognise(shown: Shown): Effect.Effect<Recognised | undefined, RequestError | StoreError>
  }
>()("core/server/access/Authentication") {
  static readonly layer = Layer.effect(
    Authentication,
    Effect.gen(function* () {
      const authenticators = yield* Authenticators
      const sessions = yield* Sessions
      return Authentication.of({
        recognise: ({ bearer, cookie, address }) => {
          if (bearer !== undefined) {
            const own = authenticators.find(({ prefix }) => bearer.startsWith(prefix))
            return own === undefined
              ? Effect.fail(refuse("unauthenticated", "This is no token of Headrace"))
              : Effect.map(own.recognise(bearer, address), (actor) => ({ actor }))
          }
          return cookie === undefined ? Effect.succeed(undefined) : sessions.recognise(cookie, address)
        },
      })
    }),
  )
}
