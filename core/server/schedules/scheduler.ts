import { and, eq, lte } from "drizzle-orm"
import { Clock, Duration, Effect, Layer, Schema } from "effect"
import { defaultDates } from "../../flow/parameters/index.ts"
import { StoreDatabase } from "../../store/database.ts"
import type { Tables } from "../../store/tables.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { Dispatcher } from "../jobs/dispatcher.ts"
import { firings } from "./firings.ts"
import { Recurrence } from "./recurrence.ts"
import { timingOf } from "./timing.ts"

/**
 * Fires the schedules that are due, once a second, as long as it lives. A firing is queued before the schedule moves on,
 * under a key of its own: whatever dies in between, and however many servers share the store, it starts one run.
 */
export const schedulerLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const tick = yield* makeTick
    const safely = tick.pipe(Effect.catchCause((cause) => Effect.logError("Cannot fire schedules", cause)))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(safely, Effect.sleep(TICK))))
  }),
)

/** One look at what is due. */
export const makeTick = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const dispatcher = yield* Dispatcher
  const audit = yield* AuditLog

  const due = (now: number) =>
    database.read(({ select, tables: { schedules, flows } }) =>
      select({ schedule: schedules, flow: flows.name })
        .from(schedules)
        .innerJoin(flows, eq(flows.id, schedules.flow))
        .where(lte(schedules.nextAt, now))
        .orderBy(schedules.nextAt)
        .limit(MOST_AT_ONCE),
    )

  /** Moves on, unless somebody has changed the schedule meanwhile: then it is looked at anew. */
  const moveOn = (id: string, from: number, to: { nextAt: number | null; lastAt: number; message: string | null }) =>
    database.write(
      async ({ update, tables: { schedules } }) =>
        void (await update(schedules)
          .set(to)
          .where(and(eq(schedules.id, id), eq(schedules.nextAt, from)))),
    )

  const fire = Effect.fnUntraced(function* ({ schedule, flow }: Due, now: number) {
    const { id, name, nextAt, recurrence } = schedule
    if (nextAt === null) return
    const timing = yield* timingOf({ ...schedule, recurrence: yield* decodeRecurrence(recurrence) })
    const { fresh, missed, next } = sorted(nextAt, firings(timing, nextAt), now)
    const madeUp =
      schedule.missed === "all" ? missed.slice(-MOST_MADE_UP) : schedule.missed === "once" ? missed.slice(-1) : []
    const actor: Actor = { kind: "schedule", id, name, account: schedule.owner, role: "operator" }
    let message: string | null = null
    for (const instant of [...madeUp, ...fresh]) {
      const dates = defaultDates({
        scheduledAt: new Date(instant).toISOString(),
        now,
        timeZone: schedule.timeZone,
      })
      if (dates.problems !== undefined) continue
      const submitted = yield* Effect.result(
        dispatcher.submit(actor, {
          ...{ flow, environment: schedule.environment, parameters: schedule.parameters, mode: schedule.mode },
          ...{ cause: { kind: "schedule", id, name }, idempotencyKey: `schedule ${id} ${instant}` },
          ...{ bizdate: dates.bizdate, scheduledAt: dates.scheduledAt },
        }),
      )
      if (submitted._tag === "Success") continue
      const error = submitted.failure
      // A full queue or a store that does not answer pass: the same firing is tried again.
      if (error._tag === "StoreError" || error.reason === "limited" || error.reason === "unavailable")
        return yield* Effect.logWarning(`Schedule "${name}" has to wait: ${error.message}`)
      message = error.message
      yield* audit.record(actor, {
        action: "schedule.refused",
        subject: { kind: "schedule", id, name },
        detail: { flow, scheduledAt: dates.scheduledAt, message },
      })
    }
    const lost = missed.length - madeUp.length
    if (lost > 0)
      yield* audit.record(actor, {
        action: "schedule.missed",
        subject: { kind: "schedule", id, name },
        detail: { flow, firings: lost, policy: schedule.missed },
      })
    yield* moveOn(id, nextAt, { nextAt: next, lastAt: fresh.at(-1) ?? missed.at(-1) ?? nextAt, message })
  })

  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const each of yield* due(now)) {
      yield* fire(each, now).pipe(
        Effect.catch((error) => Effect.logError(`Cannot fire schedule "${each.schedule.name}": ${error.message}`)),
      )
    }
  })
})

interface Due {
  readonly schedule: Tables["schedules"]["$inferSelect"]
  readonly flow: string
}

/** What is due by now: in time, or missed because nobody looked then; and what comes after. */
function sorted(first: number, later: Iterable<number>, now: number) {
  const fresh: number[] = []
  const missed: number[] = []
  const sort = (instant: number) => (now - instant <= IN_TIME_MS ? fresh : missed).push(instant)
  sort(first)
  for (const instant of later) {
    if (instant > now) return { fresh, missed, next: instant }
    sort(instant)
  }
  return { fresh, missed, next: null }
}

const decodeRecurrence = Schema.decodeUnknownEffect(Recurrence)
const TICK = Duration.seconds(1)
/** A firing this late is still in time. */
const IN_TIME_MS = 60_000
const MOST_AT_ONCE = 200
const MOST_MADE_UP = 100
