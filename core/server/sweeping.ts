import { Effect, Layer, Schedule } from "effect"
import { Retention } from "../store/retention.ts"
import { ServerSettings } from "./settings.ts"

/** Removes what is too old by the settings, soon after the start and every hour. */
export const sweeping: Layer.Layer<never, never, Retention | ServerSettings> = Layer.effectDiscard(
  Effect.gen(function* () {
    const retention = yield* Retention
    const settings = yield* ServerSettings
    const sweep = Effect.gen(function* () {
      const set = yield* settings.all
      yield* retention.sweep({
        runs: set["retention.runsDays"],
        logs: set["retention.logsDays"],
        quarantine: set["retention.quarantineDays"],
        deliveries: set["retention.deliveriesDays"],
        audit: set["retention.auditDays"],
      })
    })
    const careful = Effect.catch(sweep, ({ message }) => Effect.logWarning("Cannot remove what is too old", message))
    yield* Effect.forkScoped(Effect.delay(Effect.repeat(careful, Schedule.spaced("1 hour")), "1 minute"))
  }),
)
