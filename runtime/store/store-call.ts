import { Effect } from "effect"
import type { Refusal } from "../../core/store/database.ts"
import type { StoreError } from "../../core/store/store-error.ts"

/** What a call of the store ends with: its value, or a refusal of its work, which may be returned or thrown. */
export type Answer<A, E> = Effect.Effect<Exclude<A, Refusal>, StoreError | Extract<A, Refusal> | E>

/**
 * A call of the store as an effect. A refusal goes through as it is; `explain` knows what a database or its driver says,
 * and gives nothing for the rest, which is a defect.
 */
export function storeCall<A, E>(
  call: () => Promise<A>,
  explain: (error: unknown) => StoreError | undefined,
): Answer<A, E> {
  return Effect.tryPromise({ try: async () => accepted(await call()), catch: (thrown) => thrown }).pipe(
    Effect.catch((thrown): Effect.Effect<never, StoreError | Extract<A, Refusal> | E> => {
      if (isRefusal(thrown)) return Effect.fail(thrown as Extract<A, Refusal> | E) // the caller says its type
      const error = explain(thrown)
      return error === undefined ? Effect.die(thrown) : Effect.fail(error)
    }),
  )
}

/** A value that is no refusal; a refusal is thrown. */
export function accepted<A>(value: A): Exclude<A, Refusal> {
  if (isRefusal(value)) throw value
  return value as Exclude<A, Refusal> // it is none
}

function isRefusal(value: unknown): value is Refusal {
  return value instanceof Error && "_tag" in value
}
