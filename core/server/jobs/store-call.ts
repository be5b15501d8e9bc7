import { Effect } from "effect"
import { pluginError } from "../../host/failure.ts"
import { StoreError } from "../../store/store-error.ts"

/** A call of the store of runs, or of the quarantine, as an effect. */
export function storeCall<A>(call: () => Promise<A>): Effect.Effect<A, StoreError> {
  return Effect.tryPromise({
    try: call,
    catch: (thrown) => {
      const { reason, message, hint, code, cause } = pluginError(thrown)
      return new StoreError({
        ...{ reason, message, cause },
        ...(hint === undefined ? {} : { hint }),
        ...(code === undefined ? {} : { code }),
      })
    },
  })
}
