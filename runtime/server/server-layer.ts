import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { ApiTokens } from "../../core/server/access/api-tokens.ts"
import { Authentication, Authenticators } from "../../core/server/access/authentication.ts"
import { LoginThrottle } from "../../core/server/access/login-throttle.ts"
import { Sessions } from "../../core/server/access/sessions.ts"
import { SignIn } from "../../core/server/access/sign-in.ts"
import { Users } from "../../core/server/access/users.ts"
import { AuditLog } from "../../core/server/audit.ts"
import { AuditTrail } from "../../core/server/audit-trail.ts"
import { FlowLibrary } from "../../core/server/flows/flow-library.ts"
import { FlowMarks } from "../../core/server/flows/flow-marks.ts"
import { dispatcherLayer } from "../../core/server/jobs/dispatcher-layer.ts"
import { workbenchLayer } from "../../core/server/jobs/workbench-layer.ts"
import { jobMetricsLayer } from "../../core/server/metrics.ts"
import { RateLimits } from "../../core/server/rate-limits.ts"
import { schedulerLayer } from "../../core/server/schedules/scheduler.ts"
import { Schedules } from "../../core/server/schedules/schedules.ts"
import { ServerSettings } from "../../core/server/settings.ts"
import { Resealers } from "../../core/server/sources/resealers.ts"
import { SourcePolicy } from "../../core/server/sources/source-policy.ts"
import { SourceRegistry } from "../../core/server/sources/source-registry.ts"
import { Vault } from "../../core/server/sources/vault.ts"
import { sweeping } from "../../core/server/sweeping.ts"
import { delivererLayer } from "../../core/server/triggers/deliverer.ts"
import { TOKEN, Triggers } from "../../core/server/triggers/triggers.ts"
import { Webhooks } from "../../core/server/triggers/webhooks.ts"
import { marksLayer } from "../../core/store/database-marks.ts"
import { quarantineLayer } from "../../core/store/database-quarantine.ts"
import { runStoreLayer } from "../../core/store/database-run-store.ts"
import { Retention } from "../../core/store/retention.ts"
import type { Settings } from "../settings.ts"
import { postgresDatabaseLayer } from "../store/postgres-database.ts"
import { sqliteDatabaseLayer } from "../store/sqlite-database.ts"
import { storeCall } from "../store/store-call.ts"
import { claimStore, StoreClaim } from "../store/store-claim.ts"
import { storeErrorOf } from "../store/store-failure.ts"
import { catalogueLayer } from "./catalogue.ts"
import { masterKeysLayer } from "./master-keys.ts"
import { ownCommand } from "./own-command.ts"
import { passwordHashingLayer } from "./password.ts"
import { referencesLayer } from "./references.ts"
import { resealing } from "./resealing.ts"
import { isPostgres, type ServeOptions } from "./serve-options.ts"
import { serverProcessLayer } from "./server-process.ts"
import { webhookSenderLayer } from "./webhook-sender.ts"
import { workerPoolLayer } from "./workers/worker-pool.ts"
import { usualWorkers } from "./workers/worker-settings.ts"

/** Everything that a server is made of, but for its listening. */
export function serverLayer(options: ServeOptions, settings: Settings["Service"]) {
  const { store } = options
  const database = isPostgres(store) ? postgresDatabaseLayer({ url: store }) : sqliteDatabaseLayer(store)
  return background.pipe(
    Layer.provideMerge(people),
    Layer.provideMerge(workbenchLayer),
    Layer.provideMerge(dispatcherLayer({ stopMs: options.stopSeconds * 1000 })),
    Layer.provideMerge(workers(options, settings)),
    Layer.provideMerge(Layer.mergeAll(Schedules.layer, Triggers.layer, Webhooks.layer)),
    Layer.provideMerge(FlowMarks.layer),
    Layer.provideMerge(FlowLibrary.layer),
    Layer.provideMerge(SourceRegistry.layer),
    Layer.provideMerge(SourcePolicy.layer(settings.home)),
    Layer.provideMerge(ground),
    // A file has one server; it is refused before anything begins.
    Layer.provideMerge(isPostgres(store) ? shared : Layer.effect(StoreClaim, claimStore)),
    Layer.provideMerge(database),
  )
}

export type ServerServices = Layer.Success<ReturnType<typeof serverLayer>>

/** Servers that share a store tell each other that they live by what their dispatchers write. */
const shared = Layer.succeed(StoreClaim, { id: "", lost: Effect.never, fault: Effect.undefined })

/** What everything else stands on. */
const ground = Vault.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(masterKeysLayer, catalogueLayer, referencesLayer)),
  Layer.provideMerge(Layer.mergeAll(ServerSettings.layer, RateLimits.layer, Resealers.layer)),
  Layer.provideMerge(Layer.mergeAll(AuditLog.layer, passwordHashingLayer, webhookSenderLayer)),
)

/** Runs and rejected rows are in the store that everything else is in. */
const engineStore = Layer.mergeAll(runStoreLayer, quarantineLayer, marksLayer)

function workers(options: ServeOptions, { home, environment }: Settings["Service"]) {
  // Where relative paths of flows start from, and where everybody may read and write files.
  const base = join(home, "files")
  const folder = storeCall<unknown, never>(
    async () => mkdirSync(base, { recursive: true, mode: 0o700 }),
    (error) => storeErrorOf("make a folder", base, error),
  )
  const pool = Layer.unwrap(
    Effect.as(
      folder,
      workerPoolLayer({
        ...{ ...usualWorkers, base, home, environment, command: ownCommand() },
        ...{ slots: options.mostRuns, warm: options.warmWorkers, mostBytes: options.workerMegabytes * 1_048_576 },
      }),
    ),
  )
  return Layer.mergeAll(pool, serverProcessLayer).pipe(Layer.provideMerge(engineStore))
}

/** API tokens and the tokens of triggers. */
const authenticators = Layer.effect(
  Authenticators,
  Effect.gen(function* () {
    const tokens = yield* ApiTokens
    const triggers = yield* Triggers
    return Authenticators.of([tokens.authenticator, { prefix: `${TOKEN}_`, recognise: triggers.recognise }])
  }),
)

const people = Layer.mergeAll(Users.layer, SignIn.layer, Authentication.layer, AuditTrail.layer).pipe(
  Layer.provideMerge(authenticators),
  Layer.provideMerge(Layer.mergeAll(Sessions.layer, ApiTokens.layer)),
  Layer.provideMerge(LoginThrottle.layer),
)

/** What goes on without anybody asking. */
const background = Layer.mergeAll(schedulerLayer, delivererLayer, jobMetricsLayer, resealing, sweeping).pipe(
  Layer.provide(Retention.layer),
)
