import { join } from "node:path"
import { Effect, Layer } from "effect"
import { type PluginError, pluginError } from "../../core/host/failure.ts"
import type { Marks } from "../../core/store/marks.ts"
import type { Quarantine } from "../../core/store/quarantine.ts"
import type { RunStore } from "../../core/store/run-store.ts"
import { Settings } from "../settings.ts"

export type StoreServices = RunStore | Quarantine | Marks

/** The runs that this machine remembers, in `state.db` of Headrace's folder. */
export const storeLayer: Layer.Layer<StoreServices, PluginError, Settings> = Layer.unwrap(
  Effect.gen(function* () {
    const { home } = yield* Settings
    // Loaded only by commands that need it.
    const { stateStoreLayer } = yield* Effect.promise(() => import("./state-store.ts"))
    return stateStoreLayer(join(home, "state.db"))
  }),
)

/** A call of the store as an effect. */
export function asked<A>(call: () => Promise<A>): Effect.Effect<A, PluginError> {
  return Effect.tryPromise({ try: call, catch: (thrown) => pluginError(thrown) })
}
