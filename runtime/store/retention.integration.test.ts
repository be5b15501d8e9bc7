import { describe, expect, test } from "bun:test"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { makeId } from "../../core/server/id.ts"
import { ServerSettings } from "../../core/server/settings.ts"
import { sweeping } from "../../core/server/sweeping.ts"
import { StoreDatabase } from "../../core/store/database.ts"
import { makeQuarantine } from "../../core/store/database-quarantine.ts"
import { makeRunStore } from "../../core/store/database-run-store.ts"
import { Retention, type RetentionDays } from "../../core/store/retention.ts"
import { storePromises } from "../../core/store/store-promises.ts"
import { aRejection, aReport, aRun } from "./testdata/store.ts"
import { storePlaces } from "./testdata/store-databases.ts"

const DAY = 24 * 3600 * 1000
const now = Date.parse("2026-07-01T00:00:00Z")
const days = { runs: 90, logs: 30, quarantine: 60, deliveries: 30, audit: 400 }

function aJob(age: number, more: object = {}) {
  const at = now - age * DAY
  return {
    ...{ id: makeId(at), flow: "f", flowName: "f", flowVersion: 1, environment: "prod" as const, dataSources: [] },
    ...{
      cause: { kind: "person" as const, id: "", name: "" },
      account: "",
      parameters: {},
      bizdate: "",
      scheduledAt: "",
    },
    ...{
      priority: 5,
      status: "succeeded" as const,
      start: { kind: "run" as const },
      retry: 0,
      requestedAt: at,
      dueAt: at,
    },
    endedAt: at,
    ...more,
  }
}

describe.each(storePlaces)("retention in %s", (_, makePlace) => {
  async function use<A, E>(work: Effect.Effect<A, E, StoreDatabase | Retention>): Promise<A> {
    await using place = await makePlace()
    const clock = TestClock.layer() as Layer.Layer<never>
    return await Effect.runPromise(
      Effect.gen(function* () {
        yield* TestClock.setTime(now)
        return yield* work.pipe(Effect.provide(Retention.layer), Effect.provide(place.layer))
      }).pipe(Effect.provide(clock)) as Effect.Effect<A>,
    )
  }

  /** Pauses between batches take no time. */
  const sweep = Effect.gen(function* () {
    const { sweep } = yield* Retention
    const sweeping = yield* Effect.forkChild(sweep(days))
    while (sweeping.pollUnsafe() === undefined) {
      yield* TestClock.adjust("5 millis")
      yield* Effect.promise(() => Bun.sleep(5))
    }
    return yield* Fiber.join(sweeping)
  })

  test("removes what is too old, in batches, and nothing else", () =>
    use(
      Effect.gen(function* () {
        const { read, write } = yield* StoreDatabase
        const [old, recent, running] = [aJob(91), aJob(89), aJob(91, { status: "running", endedAt: null })]
        yield* write(async ({ insertAll, insert, tables }) => {
          await insertAll(tables.jobs, [old, recent, running])
          const line = (job: string, age: number) => (line: number) => ({
            ...{ job, line, at: now - age * DAY, level: "info" as const, step: null, text: "x" },
          })
          const numbers = Array.from({ length: 450 }, (_, i) => i)
          await insertAll(tables.jobLogs, [...numbers.map(line(old.id, 91)), line(running.id, 91)(0)])
          await insertAll(tables.jobLogs, [line(running.id, 29)(1), line(recent.id, 89)(0)])
          const entry = { actorKind: "", actorId: "", actorName: "", action: "", subjectKind: "", subjectId: "" }
          for (const age of [401, 399]) {
            const at = now - age * DAY
            await insert(tables.auditLog).values({
              ...entry,
              id: makeId(at),
              at,
              subjectName: "",
              detail: {},
              address: null,
            })
          }
          const user = {
            id: "u",
            name: "u",
            displayName: "",
            passwordHash: "",
            role: "admin" as const,
            disabled: false,
          }
          await insert(tables.users).values({ ...user, version: 1, createdAt: 1, updatedAt: 1 })
          const session = { user: "u", csrf: "", createdAt: 1, seenAt: 1, address: "", agent: "" }
          for (const expiresAt of [now - 1, now + 1])
            await insert(tables.sessions).values({ ...session, hash: `${expiresAt}`, expiresAt })
        })
        yield* sweep
        const left = yield* read(async ({ select, $count, tables }) => ({
          jobs: (await select({ id: tables.jobs.id }).from(tables.jobs)).map(({ id }) => id).sort(),
          logs: (await select().from(tables.jobLogs)).map(({ job, line }) => [job, line]),
          audit: await $count(tables.auditLog),
          sessions: await select({ hash: tables.sessions.hash }).from(tables.sessions),
        }))
        expect(left).toEqual({
          jobs: [recent.id, running.id].sort(),
          logs: [[running.id, 1]],
          audit: 1,
          sessions: [{ hash: `${now + 1}` }],
        })
      }),
    ))

  test("keeps runs whose rejected rows wait, with their jobs, and forgets the rows of others first", () =>
    use(
      Effect.gen(function* () {
        const database = yield* StoreDatabase
        const store = storePromises(database)
        const at = now - 91 * DAY
        const runs = makeRunStore(store, () => at)
        const quarantine = makeQuarantine(store, () => at)
        const jobs = ["waits", "dropped"].map(() => aJob(91))
        const [waits, dropped] = jobs.map(({ id }) => id) as [string, string]
        yield* Effect.promise(async () => {
          for (const id of [waits, dropped]) {
            await runs.register(aRun(id))
            const rows = Array.from({ length: id === waits ? 1 : 450 }, (_, row) => aRejection(id, row))
            await runs.keep({ id, fence: 1 }, rows)
            await runs.finish({ id, fence: 1 }, { report: aReport(id), markSources: {} })
          }
          await quarantine.drop(dropped)
        })
        yield* database.write(({ insertAll, tables }) => insertAll(tables.jobs, jobs))
        yield* sweep
        const left = yield* database.read(async ({ select, $count, tables }) => ({
          runs: (await select({ id: tables.runs.id }).from(tables.runs)).map(({ id }) => id),
          jobs: (await select({ id: tables.jobs.id }).from(tables.jobs)).map(({ id }) => id),
          rejections: await $count(tables.rejections),
        }))
        expect(left).toEqual({ runs: [waits], jobs: [waits], rejections: 1 })
      }),
    ))
})

test("retention is looked after by the server, by its settings, soon after the start and every hour", async () => {
  const asked: RetentionDays[] = []
  const retention = Layer.succeed(Retention, {
    sweep: (days) =>
      Effect.sync(() => {
        asked.push(days)
        return {}
      }),
  })
  const layer = sweeping.pipe(
    Layer.provide(Layer.merge(retention, ServerSettings.layerTest({ "retention.logsDays": 3 }))),
  )
  const watch = Effect.gen(function* () {
    yield* Layer.build(layer)
    expect(asked).toEqual([])
    yield* TestClock.adjust("1 minute")
    expect(asked).toEqual([{ runs: 90, logs: 3, quarantine: 90, deliveries: 30, audit: 730 }])
    yield* TestClock.adjust("2 hours")
    expect(asked).toHaveLength(3)
  })
  await Effect.runPromise(Effect.scoped(watch).pipe(Effect.provide(TestClock.layer())))
})
