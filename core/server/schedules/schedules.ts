import { and, asc, eq } from "drizzle-orm"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { makeId } from "../id.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { nextFirings } from "./firings.ts"
import { Recurrence } from "./recurrence.ts"
import { type ScheduleDraft, type TimingDraft, timingOf } from "./timing.ts"

export interface ShownSchedule extends ScheduleDraft {
  readonly id: string
  /** Name of its flow. */
  readonly flow: string
  readonly paused: boolean
  readonly nextAt: number | null
  readonly lastAt: number | null
  /** Why the last firing started no run; null: it did. */
  readonly message: string | null
  readonly owner: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

type Failure = RequestError | StoreError

/** When flows run by themselves. */
export class Schedules extends Context.Service<
  Schedules,
  {
    /** Of one flow, or of all of them. */
    list(flow?: string): Effect.Effect<readonly ShownSchedule[], Failure>
    get(id: string): Effect.Effect<ShownSchedule, Failure>
    create(actor: Actor, flow: string, draft: ScheduleDraft): Effect.Effect<ShownSchedule, Failure>
    update(actor: Actor, id: string, version: number, draft: ScheduleDraft): Effect.Effect<ShownSchedule, Failure>
    /** A paused schedule does not fire, and what it misses meanwhile is not made up for. */
    pause(actor: Actor, id: string, paused: boolean): Effect.Effect<ShownSchedule, Failure>
    remove(actor: Actor, id: string, version: number): Effect.Effect<void, Failure>
    /** The instants at which it would fire from now on. */
    preview(draft: TimingDraft, count: number): Effect.Effect<readonly number[], RequestError>
  }
>()("core/server/schedules/Schedules") {
  static readonly layer = Layer.effect(
    Schedules,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const library = yield* FlowLibrary
      const audit = yield* AuditLog

      const list = Effect.fnUntraced(function* (flow?: string) {
        const id = flow === undefined ? undefined : (yield* library.get(flow)).id
        const rows = yield* database.read((queries) => selected(queries, { flow: id }))
        return rows.map(shown)
      })

      const get = Effect.fnUntraced(function* (id: string) {
        const [row] = yield* database.read((queries) => selected(queries, { id }))
        if (row === undefined) return yield* refuse("missing", `There is no schedule "${id}"`)
        return shown(row)
      })

      const recorded = Effect.fnUntraced(function* (actor: Actor, action: string, { id, name, flow }: ShownSchedule) {
        yield* audit.record(actor, { action, subject: { kind: "schedule", id, name }, detail: { flow } })
      })

      const create = Effect.fnUntraced(function* (actor: Actor, flowName: string, draft: ScheduleDraft) {
        const flow = yield* library.get(flowName)
        const now = yield* Clock.currentTimeMillis
        const nextAt = yield* firstFiring(draft, now)
        const id = makeId(now)
        const row = {
          ...columnsOf(draft),
          ...{
            id,
            flow: flow.id,
            paused: false,
            nextAt,
            lastAt: null,
            message: null,
            owner: actor.account,
            version: 1,
          },
          ...{ createdAt: now, updatedAt: now },
        }
        yield* database
          .write(async ({ insert, tables }) => void (await insert(tables.schedules).values(row)))
          .pipe(Effect.mapError(sameName(draft.name, flowName)))
        const made = yield* get(id)
        yield* recorded(actor, "schedule.created", made)
        return made
      })

      const update = Effect.fnUntraced(function* (actor: Actor, id: string, version: number, draft: ScheduleDraft) {
        const before = yield* get(id)
        const now = yield* Clock.currentTimeMillis
        const nextAt = before.paused ? null : yield* firstFiring(draft, now)
        const set = { ...columnsOf(draft), nextAt, message: null, version: version + 1, updatedAt: now }
        const changed = yield* database
          .write(({ update, tables: { schedules } }) =>
            update(schedules)
              .set(set)
              .where(and(eq(schedules.id, id), eq(schedules.version, version)))
              .returning({ id: schedules.id }),
          )
          .pipe(Effect.mapError(sameName(draft.name, before.flow)))
        const after = yield* get(id)
        if (changed.length === 0) return yield* stale(after)
        yield* recorded(actor, "schedule.changed", after)
        return after
      })

      const pause = Effect.fnUntraced(function* (actor: Actor, id: string, paused: boolean) {
        const before = yield* get(id)
        if (before.paused === paused) return before
        const now = yield* Clock.currentTimeMillis
        const nextAt = paused ? null : yield* firstFiring(before, now)
        yield* database.write(
          async ({ update, tables: { schedules } }) =>
            void (await update(schedules)
              .set({ paused, nextAt, updatedAt: now, version: before.version + 1 })
              .where(eq(schedules.id, id))),
        )
        const after = yield* get(id)
        yield* recorded(actor, paused ? "schedule.paused" : "schedule.resumed", after)
        return after
      })

      const remove = Effect.fnUntraced(function* (actor: Actor, id: string, version: number) {
        const before = yield* get(id)
        const removed = yield* database.write(({ delete: remove, tables: { schedules } }) =>
          remove(schedules)
            .where(and(eq(schedules.id, id), eq(schedules.version, version)))
            .returning({ id: schedules.id }),
        )
        if (removed.length === 0) return yield* stale(before)
        yield* recorded(actor, "schedule.removed", before)
      })

      const preview = Effect.fnUntraced(function* (draft: TimingDraft, count: number) {
        const timing = yield* timingOf(draft)
        return nextFirings(timing, yield* Clock.currentTimeMillis, count)
      })

      return Schedules.of({ list, get, create, update, pause, remove, preview })
    }),
  )
}

/** Null where it is over already, or would never fire: that is refused. */
const firstFiring = Effect.fnUntraced(function* (draft: TimingDraft, now: number) {
  const [first] = nextFirings(yield* timingOf(draft), now, 1)
  if (first === undefined)
    return yield* refuse("invalid", "This schedule would never fire", {
      hint: "Choose days that come, and a last day that is not over",
      problems: [{ pointer: "/recurrence", message: "It has no firing after now" }],
    })
  return first
})

function selected({ select, tables: { schedules, flows } }: Queries, by: { id?: string; flow?: string | undefined }) {
  const one = by.id === undefined ? undefined : eq(schedules.id, by.id)
  return select({ schedule: schedules, flow: flows.name })
    .from(schedules)
    .innerJoin(flows, eq(flows.id, schedules.flow))
    .where(and(one, by.flow === undefined ? undefined : eq(schedules.flow, by.flow)))
    .orderBy(asc(flows.name), asc(schedules.name))
}

function shown({ schedule, flow }: Awaited<ReturnType<typeof selected>>[number]): ShownSchedule {
  return { ...schedule, flow, recurrence: decodeRecurrence(schedule.recurrence) }
}

function columnsOf(draft: ScheduleDraft) {
  const { name, recurrence, timeZone, mode, missed, effectiveFrom, effectiveTo, parameters, environment } = draft
  return { name, recurrence, timeZone, mode, missed, effectiveFrom, effectiveTo, parameters, environment }
}

function stale(current: ShownSchedule): RequestError {
  return refuse("conflict", `Schedule "${current.name}" was changed by somebody else`, { current })
}

function sameName(name: string, flow: string) {
  return (error: StoreError): Failure =>
    error.reason === "constraint"
      ? refuse("conflict", `Flow "${flow}" has a schedule "${name}" already`, { hint: "Choose another name" })
      : error
}

/** What was checked before it was kept. */
const decodeRecurrence = Schema.decodeUnknownSync(Recurrence)
