import { Effect, Layer } from "effect"
import { AuditLog } from "../../core/server/audit.ts"
import { FlowLibrary } from "../../core/server/flows/flow-library.ts"
import { RateLimits } from "../../core/server/rate-limits.ts"
import { ServerSettings } from "../../core/server/settings.ts"
import { Resealers } from "../../core/server/sources/resealers.ts"
import { SourcePolicy } from "../../core/server/sources/source-policy.ts"
import { SourceRegistry } from "../../core/server/sources/source-registry.ts"
import { Vault } from "../../core/server/sources/vault.ts"
import { Triggers } from "../../core/server/triggers/triggers.ts"
import { Webhooks } from "../../core/server/triggers/webhooks.ts"
import type { Settings } from "../settings.ts"
import { postgresDatabaseLayer } from "../store/postgres-database.ts"
import { sqliteDatabaseLayer } from "../store/sqlite-database.ts"
import { catalogueLayer } from "./catalogue.ts"
import { masterKeysLayer } from "./master-keys.ts"
import { referencesLayer } from "./references.ts"
import { isPostgres } from "./serve-options.ts"

/** Secrets that stand outside of data sources are found too when the master key changes. */
export const resealing = Layer.effectDiscard(
  Effect.gen(function* () {
    const { add } = yield* Resealers
    add("triggers", (yield* Triggers).reseal())
    add("webhooks", (yield* Webhooks).reseal())
  }),
)

/** As much of a server as its secrets need: nothing listens, and nothing runs. */
export function resealingLayer(store: string, { home }: Settings["Service"]) {
  const database = isPostgres(store) ? postgresDatabaseLayer({ url: store }) : sqliteDatabaseLayer(store)
  return resealing.pipe(
    Layer.provideMerge(Layer.mergeAll(Triggers.layer, Webhooks.layer)),
    Layer.provideMerge(FlowLibrary.layer),
    Layer.provideMerge(SourceRegistry.layer),
    Layer.provideMerge(SourcePolicy.layer(home)),
    Layer.provideMerge(Layer.mergeAll(Vault.layer, catalogueLayer, referencesLayer)),
    Layer.provideMerge(Layer.mergeAll(masterKeysLayer, ServerSettings.layer, RateLimits.layer, Resealers.layer)),
    Layer.provideMerge(AuditLog.layer),
    Layer.provideMerge(database),
  )
}
