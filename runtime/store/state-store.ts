import { Effect, Layer } from "effect"
import { PluginError } from "../../core/host/failure.ts"
import { marksLayer } from "../../core/store/database-marks.ts"
import { quarantineLayer } from "../../core/store/database-quarantine.ts"
import { runStoreLayer } from "../../core/store/database-run-store.ts"
import { sqliteDatabaseLayer } from "./sqlite-database.ts"
import type { StoreServices } from "./store.ts"

/** The engine's part of a store in an SQLite file, which is made where there is none. */
export function stateStoreLayer(path: string): Layer.Layer<StoreServices, PluginError> {
  return Layer.mergeAll(runStoreLayer, quarantineLayer, marksLayer).pipe(
    Layer.provide(sqliteDatabaseLayer(path)),
    Layer.catch(({ reason, message, hint, code, cause }) =>
      Layer.effectContext(
        Effect.fail(
          new PluginError({
            ...{ reason, message, cause, retryable: false },
            ...(hint === undefined ? {} : { hint }),
            ...(code === undefined ? {} : { code }),
          }),
        ),
      ),
    ),
  )
}
