import { Clock, Context, Effect, Layer } from "effect"
import { RateLimits } from "../rate-limits.ts"
import { type RequestError, refuse } from "../request-error.ts"

/**
 * Slows down whoever guesses passwords. Waits grow for one name from one place, so nobody can keep somebody else out who
 * signs in from elsewhere; and one place has only so many tries, whatever the names.
 */
export class LoginThrottle extends Context.Service<
  LoginThrottle,
  {
    /**
     * Refuses with `limited`, or counts a failure: tries that go on at the same time are counted too. `place` is the
     * address, or the network where one holder has many.
     */
    begin(place: string, name: string): Effect.Effect<void, RequestError>
    /** The password was right after all. */
    succeeded(place: string, name: string): Effect.Effect<void>
  }
>()("core/server/access/LoginThrottle") {
  static readonly layer = Layer.effect(
    LoginThrottle,
    Effect.gen(function* () {
      const limits = yield* RateLimits
      const failures = new Map<string, Failures>()
      return LoginThrottle.of({
        begin: Effect.fnUntraced(function* (place, name) {
          const now = yield* Clock.currentTimeMillis
          const key = keyOf(place, name)
          const known = failures.get(key)
          const isForgotten = known === undefined || Math.abs(now - known.at) > FORGET_MS
          // A clock that was set back must not make a wait longer.
          const waitMs = isForgotten ? 0 : Math.min(known.at - now, 0) + waitAfter(known.count)
          if (waitMs > 0) return yield* tooMany(waitMs)
          const placeWaitMs = yield* limits.take(`login:${place}`, PLACE_RATE)
          if (placeWaitMs > 0) return yield* tooMany(placeWaitMs)
          failures.delete(key)
          if (failures.size >= MOST_KEYS) failures.delete(failures.keys().next().value!)
          failures.set(key, { count: isForgotten ? 1 : known.count + 1, at: now })
        }),
        succeeded: (place, name) => Effect.sync(() => void failures.delete(keyOf(place, name))),
      })
    }),
  )
}

interface Failures {
  readonly count: number
  readonly at: number
}

function tooMany(waitMs: number): RequestError {
  return refuse("limited", "Too many tries to sign in from here", {
    hint: "Wait a little, then try again",
    retryAfterMs: waitMs,
  })
}

/** Three are free; then it doubles from a second to a quarter of an hour. */
function waitAfter(count: number): number {
  return count < FREE ? 0 : Math.min(MOST_WAIT_MS, 1000 * 2 ** (count - FREE))
}

/** A name may be long, and hold anything. */
function keyOf(place: string, name: string): string {
  return `${place} ${name.slice(0, 64)}`
}

const FREE = 3
const MOST_WAIT_MS = 15 * 60_000
const FORGET_MS = 24 * 3_600_000
const PLACE_RATE = { perMinute: 10, burst: 30 }
const MOST_KEYS = 20_000
