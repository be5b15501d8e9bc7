import { join } from "node:path"
import { Context, Effect, Layer } from "effect"
import { type PluginError, pluginError } from "../../core/host/failure.ts"
import { Marks } from "../../core/store/marks.ts"
import { Quarantine } from "../../core/store/quarantine.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { Settings } from "../settings.ts"
import { makeMarks } from "./sqlite-marks.ts"
import { makeQuarantine } from "./sqlite-quarantine.ts"
import { makeRunStore } from "./sqlite-run-store.ts"
import { StateFile } from "./state-file.ts"

export type StoreServices = RunStore | Quarantine | Marks

/** The runs that this machine remembers, in `state.db` of Headrace's folder. */
export const storeLayer: Layer.Layer<StoreServices, PluginError, Settings> = Layer.effectContext(
  Effect.gen(function* () {
    const { home } = yield* Settings
    const file = yield* Effect.acquireRelease(
      asked(() => StateFile.open(join(home, "state.db"))),
      (opened) => Effect.sync(() => opened[Symbol.dispose]()),
    )
    return Context.make(RunStore, makeRunStore(file)).pipe(
      Context.add(Quarantine, makeQuarantine(file)),
      Context.add(Marks, makeMarks(file)),
    )
  }),
)

/** A call of the store as an effect. */
export function asked<A>(call: () => Promise<A>): Effect.Effect<A, PluginError> {
  return Effect.tryPromise({ try: call, catch: (thrown) => pluginError(thrown) })
}
