import { Context, Effect, Layer } from "effect"
import type { StoreError } from "../../store/store-error.ts"
import type { RequestError } from "../request-error.ts"

type Failure = RequestError | StoreError

/** Whoever keeps sealed secrets in the store adds how they are sealed anew, so that a change of the master key finds all. */
export class Resealers extends Context.Service<
  Resealers,
  {
    /** `what` is for people, such as `data sources`. */
    add(what: string, reseal: Effect.Effect<number, Failure>): void
    /** Seals everything under the newest key; tells how many secrets were under an older one. */
    readonly all: Effect.Effect<readonly { readonly what: string; readonly count: number }[], Failure>
  }
>()("core/server/sources/Resealers") {
  static readonly layer = Layer.sync(Resealers, () => {
    const known = new Map<string, Effect.Effect<number, Failure>>()
    return Resealers.of({
      add: (what, reseal) => void known.set(what, reseal),
      all: Effect.suspend(() =>
        Effect.forEach(known, ([what, reseal]) => Effect.map(reseal, (count) => ({ what, count }))),
      ),
    })
  })
}
