import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { sqliteDatabaseLayer } from "../../../runtime/store/sqlite-database.ts"
import { StoreDatabase } from "../../store/database.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { Dispatcher, type Job, type JobRequest } from "../jobs/dispatcher.ts"
import { refuse } from "../request-error.ts"
import { makeTick } from "./scheduler.ts"
import { Schedules } from "./schedules.ts"
import type { ScheduleDraft } from "./timing.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-schedules-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("scheduler fires once at the time, and moves on", () =>
  world(
    "2026-11-28T23:59:00Z",
    Effect.fnUntraced(function* ({ tick, at, submitted }) {
      const schedules = yield* Schedules
      const { id, nextAt } = yield* schedules.create(person, "orders", { ...daily, parameters: { region: "EU" } })
      expect(nextAt).toBe(Date.parse("2026-11-29T02:30:00Z"))
      yield* tick
      expect(submitted).toEqual([])
      yield* at("2026-11-29T02:30:01Z")
      yield* tick
      yield* tick
      expect(submitted).toMatchObject([
        {
          flow: "orders",
          scheduledAt: "2026-11-29T02:30:00.000Z",
          bizdate: "2026-11-28",
          parameters: { region: "EU" },
          cause: { kind: "schedule", id },
          idempotencyKey: `schedule ${id} ${Date.parse("2026-11-29T02:30:00Z")}`,
          account: "u1",
        },
      ])
      expect(yield* schedules.get(id)).toMatchObject({ nextAt: Date.parse("2026-11-30T02:30:00Z"), message: null })
    }),
  ))

test("scheduler does with missed firings what the schedule says", () =>
  world(
    "2026-11-01T00:00:00Z",
    Effect.fnUntraced(function* ({ tick, at, submitted, entries }) {
      const schedules = yield* Schedules
      for (const missed of ["skip", "once", "all"] as const)
        yield* schedules.create(person, "orders", { ...daily, name: missed, missed })
      yield* at("2026-11-04T12:00:00Z")
      yield* tick
      const fired = submitted.map(({ cause, scheduledAt }) => `${cause.name} ${scheduledAt?.slice(0, 10)}`)
      expect(fired.toSorted()).toEqual([
        "all 2026-11-01",
        "all 2026-11-02",
        "all 2026-11-03",
        "all 2026-11-04",
        "once 2026-11-04",
      ])
      const missed = yield* entries("schedule.missed")
      expect(missed).toHaveLength(2)
      expect(missed).toContainEqual({ flow: "orders", firings: 4, policy: "skip" })
      expect(missed).toContainEqual({ flow: "orders", firings: 3, policy: "once" })
    }),
  ))

test("scheduler fires nothing twice when the clock is put back", () =>
  world(
    "2026-11-28T02:00:00Z",
    Effect.fnUntraced(function* ({ tick, at, submitted }) {
      const schedules = yield* Schedules
      const { id } = yield* schedules.create(person, "orders", daily)
      yield* at("2026-11-28T02:30:00Z")
      yield* tick
      yield* at("2026-11-28T02:00:00Z")
      yield* tick
      yield* at("2026-11-28T02:30:00Z")
      yield* tick
      expect(submitted).toHaveLength(1)
      // Two servers that look at once submit the same key.
      yield* at("2026-11-29T02:30:00Z")
      yield* Effect.all([tick, tick], { concurrency: 2 })
      expect(new Set(submitted.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2)
      expect((yield* schedules.get(id)).nextAt).toBe(Date.parse("2026-11-30T02:30:00Z"))
    }),
  ))

test("scheduler waits for a full queue, and tells why a firing has started nothing", () =>
  world(
    "2026-11-28T02:00:00Z",
    Effect.fnUntraced(function* ({ tick, at, submitted, refuseWith, entries }) {
      const schedules = yield* Schedules
      const { id } = yield* schedules.create(person, "orders", daily)
      yield* at("2026-11-28T02:30:00Z")
      refuseWith(refuse("limited", "The queue is full"))
      yield* tick
      expect(submitted).toHaveLength(0)
      refuseWith(undefined)
      yield* at("2026-11-28T02:30:30Z")
      yield* tick
      expect(submitted).toMatchObject([{ scheduledAt: "2026-11-28T02:30:00.000Z" }])
      refuseWith(refuse("forbidden", 'No grant to write "shop"'))
      yield* at("2026-11-29T02:30:00Z")
      yield* tick
      expect(yield* schedules.get(id)).toMatchObject({
        message: 'No grant to write "shop"',
        nextAt: Date.parse("2026-11-30T02:30:00Z"),
      })
      expect(yield* entries("schedule.refused")).toMatchObject([{ message: 'No grant to write "shop"' }])
    }),
  ))

test("schedules that are paused do not fire, nor make up for it, and change with their version only", () =>
  world(
    "2026-11-28T02:00:00Z",
    Effect.fnUntraced(function* ({ tick, at, submitted }) {
      const schedules = yield* Schedules
      const made = yield* schedules.create(person, "orders", { ...daily, missed: "all" })
      yield* schedules.pause(person, made.id, true)
      yield* at("2026-12-03T02:00:00Z")
      yield* tick
      const back = yield* schedules.pause(person, made.id, false)
      yield* tick
      expect(submitted).toEqual([])
      expect(back.nextAt).toBe(Date.parse("2026-12-03T02:30:00Z"))
      const stale = yield* Effect.flip(schedules.update(person, made.id, made.version, daily))
      expect(stale).toMatchObject({ reason: "conflict", current: { version: back.version } })
      const same = yield* Effect.flip(schedules.create(person, "orders", daily))
      expect(same).toMatchObject({ reason: "conflict", hint: "Choose another name" })
      yield* schedules.remove(person, made.id, back.version)
      expect(yield* schedules.list()).toEqual([])
    }),
  ))

test("schedules refuse what can never fire, and name every fault", () =>
  world(
    "2026-11-28T02:00:00Z",
    Effect.fnUntraced(function* () {
      const schedules = yield* Schedules
      const never = { ...daily, recurrence: { kind: "cron", expression: "0 0 31 2 *" } } as const
      expect(yield* Effect.flip(schedules.create(person, "orders", never))).toMatchObject({ reason: "invalid" })
      const wrong = { ...daily, timeZone: "Mars/Olympus", effectiveFrom: "2026-12-02", effectiveTo: "2026-12-01" }
      expect(yield* Effect.flip(schedules.create(person, "orders", wrong))).toMatchObject({
        problems: [{ pointer: "/timeZone" }, { pointer: "/effectiveTo" }],
      })
    }),
  ))

interface World {
  readonly tick: Effect.Effect<void, unknown>
  readonly submitted: (JobRequest & { readonly account: string })[]
  at(time: string): Effect.Effect<void>
  refuseWith(error: ReturnType<typeof refuse> | undefined): void
  entries(action: string): Effect.Effect<readonly unknown[], unknown, StoreDatabase>
}

type Services = Schedules | StoreDatabase

function world(now: string, work: (world: World) => Effect.Effect<void, unknown, Services>): Promise<void> {
  const submitted: World["submitted"] = []
  let refusal: ReturnType<typeof refuse> | undefined
  const dispatcher = {
    submit: (actor: Actor, request: JobRequest) =>
      Effect.suspend(() => {
        if (refusal !== undefined) return Effect.fail(refusal)
        submitted.push({ ...request, account: actor.account })
        return Effect.succeed({} as Job) // the scheduler does not look at it
      }),
    events: () => Stream.empty,
  }
  const layer = Schedules.layer.pipe(
    Layer.provideMerge(Layer.succeed(Dispatcher, dispatcher as unknown as Dispatcher["Service"])), // what it calls
    Layer.provideMerge(
      Layer.succeed(FlowLibrary, { get: () => Effect.succeed({ id: "f1" }) } as unknown as FlowLibrary["Service"]),
    ),
    Layer.provideMerge(AuditLog.layer),
    Layer.provideMerge(sqliteDatabaseLayer(join(folder, `${crypto.randomUUID()}.db`))),
    Layer.provideMerge(TestClock.layer()),
  )
  const program = Effect.gen(function* () {
    yield* TestClock.setTime(Date.parse(now))
    const database = yield* StoreDatabase
    yield* database.write(async ({ insert, tables }) => void (await insert(tables.flows).values(flow)))
    const tick = yield* makeTick
    yield* work({
      tick,
      submitted,
      at: (time) => TestClock.setTime(Date.parse(time)),
      refuseWith: (error) => {
        refusal = error
      },
      entries: (action) =>
        database.read(async ({ select, tables: { auditLog } }) =>
          (await select().from(auditLog).orderBy(auditLog.id)).flatMap((entry) =>
            entry.action === action ? [entry.detail] : [],
          ),
        ),
    })
  })
  return Effect.runPromise(program.pipe(Effect.provide(layer)))
}

const person: Actor = { kind: "user", id: "u1", name: "ada", account: "u1", role: "developer" }
const daily: ScheduleDraft = {
  name: "nightly",
  recurrence: { kind: "daily", at: ["02:30"] },
  timeZone: "UTC",
  mode: "normal",
  missed: "once",
  effectiveFrom: null,
  effectiveTo: null,
  parameters: {},
  environment: "prod",
}
const flow = {
  ...{ id: "f1", name: "orders", folder: "", description: "", document: "{}", hash: "", owner: "u1", version: 1 },
  properties: { priority: 5, timeoutHours: 0, retries: 0, retryMinutes: 5, onCrash: "resume", concurrency: 1 } as const,
  ...{ createdAt: 0, updatedAt: 0, updatedBy: "u1" },
}
