import { Context, type Effect } from "effect"
import type { StoreError } from "../../store/store-error.ts"
import type { RequestError } from "../request-error.ts"
import type { Actor } from "./actor.ts"

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
) {}

/** Tells who asks. */
export class Authentication extends Context.Service<
  Authentication,
  {
    /** Nothing was shown: undefined. Something void was shown: `unauthenticated`. */
    recognise(shown: Shown): Effect.Effect<Recognised | undefined, RequestError | StoreError>
  }
>()("core/server/access/Authentication") {}
