import { join } from "node:path"
import { Effect, Layer } from "effect"
import { AuditLog } from "../../../core/server/audit.ts"
import { Catalogue } from "../../../core/server/components/catalogue.ts"
import { FlowLibrary } from "../../../core/server/flows/flow-library.ts"
import { dispatcherLayer } from "../../../core/server/jobs/dispatcher-layer.ts"
import { ServerSettings, type Settings as ServerValues } from "../../../core/server/settings.ts"
import { MasterKeys, masterKeyOf } from "../../../core/server/sources/master-keys.ts"
import { Resealers } from "../../../core/server/sources/resealers.ts"
import { SourcePolicy } from "../../../core/server/sources/source-policy.ts"
import { SourceRegistry } from "../../../core/server/sources/source-registry.ts"
import { Vault } from "../../../core/server/sources/vault.ts"
import type { StoreDatabase } from "../../../core/store/database.ts"
import type { StoreError } from "../../../core/store/store-error.ts"
import { readSettings, Settings } from "../../settings.ts"
import { sqliteDatabaseLayer } from "../../store/sqlite-database.ts"
import { builtInCatalogue } from "../catalogue.ts"
import { referencesLayer } from "../references.ts"
import { serverProcessLayer } from "../server-process.ts"
import { Workshop } from "../workers/testdata/workshop.ts"
import { workerPoolLayer } from "../workers/worker-pool.ts"
import type { WorkerSettings } from "../workers/worker-settings.ts"

export interface RigOptions {
  readonly workers?: Partial<WorkerSettings>
  readonly settings?: Partial<ServerValues>
  readonly stopMs?: number
  /** Where the store is; absent: a file in the folder. */
  readonly database?: Layer.Layer<StoreDatabase, StoreError>
}

/** A server without its web side, on a store and with workers of its own. What is built again finds the same store. */
export class ServerRig implements Disposable {
  readonly shop: Workshop

  /** On a folder of its own, or on one that another server has left. */
  constructor(folder?: string) {
    this.shop = new Workshop(folder)
  }

  layer({ workers = {}, settings = {}, stopMs = 10_000, database }: RigOptions = {}) {
    const { folder, files } = this.shop
    const keys = Effect.map(Effect.promise(() => masterKeyOf(new Uint8Array(32).fill(7))), (key) =>
      MasterKeys.of({ all: Effect.succeed([key]) }),
    )
    const ground = Layer.mergeAll(
      database ?? sqliteDatabaseLayer(join(folder, "server.db")),
      Layer.provide(Vault.layer, Layer.effect(MasterKeys, keys)),
      SourcePolicy.layerTest({ files }),
      Layer.sync(Catalogue, builtInCatalogue),
      Layer.provide(referencesLayer, Layer.succeed(Settings, readSettings({ HEADRACE_HOME: folder }, folder, false))),
      Resealers.layer,
      ServerSettings.layerTest(settings),
      serverProcessLayer,
      this.shop.store,
    )
    return dispatcherLayer({ stopMs }).pipe(
      Layer.provideMerge(workerPoolLayer(this.shop.settings(workers))),
      Layer.provideMerge(FlowLibrary.layer),
      Layer.provideMerge(SourceRegistry.layer),
      Layer.provideMerge(AuditLog.layer),
      Layer.provideMerge(ground),
    )
  }

  [Symbol.dispose](): void {
    this.shop[Symbol.dispose]()
  }
}
