import { describe, expect, test } from "bun:test"
import { eq } from "drizzle-orm"
import { Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { StoreDatabase } from "../../core/store/database.ts"
import { thisProcess } from "./process-owner.ts"
import { claimStore, livingServers } from "./store-claim.ts"
import { storePlaces } from "./testdata/store-databases.ts"

describe.each(storePlaces)("store-claim in %s", (dialect, makePlace) => {
  async function use<A, E>(work: Effect.Effect<A, E, StoreDatabase | Scope.Scope>): Promise<A> {
    await using place = await makePlace()
    return await Effect.runPromise(
      Effect.scoped(work).pipe(Effect.provide(place.layer), Effect.provide(TestClock.layer())),
    )
  }

  const servers = Effect.gen(function* () {
    const { read } = yield* StoreDatabase
    return yield* read(({ select, tables }) => select().from(tables.servers))
  })
  /** Time passes until it is so; what is written takes real time besides. */
  const until = <E, R>(isSo: Effect.Effect<boolean, E, R>) =>
    Effect.gen(function* () {
      while (!(yield* isSo)) {
        yield* TestClock.adjust("6 seconds")
        yield* Effect.promise(() => Bun.sleep(5))
      }
    })
  const add = (server: Partial<Awaited<Effect.Success<typeof servers>>[number]>) =>
    Effect.gen(function* () {
      const { write } = yield* StoreDatabase
      const self = thisProcess()
      const row = { id: "other", host: self.host, pid: self.pid, process: self.start ?? null, startedAt: 0, seenAt: 0 }
      yield* write(async ({ insert, tables }) => void (await insert(tables.servers).values({ ...row, ...server })))
    })

  test("holds the store until its scope ends", () =>
    use(
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { id } = yield* Scope.provide(claimStore, scope)
        expect((yield* servers).map((server) => server.id)).toEqual([id])
        expect(yield* livingServers).toHaveLength(1)
        const second = yield* Effect.exit(Effect.scoped(claimStore))
        expect(Exit.isSuccess(second)).toBe(dialect === "postgres")
        yield* Scope.close(scope, Exit.void)
        expect(yield* servers).toEqual([])
        expect(Exit.isSuccess(yield* Effect.exit(Effect.scoped(claimStore)))).toBe(true)
      }),
    ))

  test("is taken over at once from a process that has died, and from a silent machine after a while", () =>
    use(
      Effect.gen(function* () {
        yield* add({ process: "1@another-boot" })
        yield* Effect.scoped(claimStore)
        expect(yield* servers).toEqual([])
        yield* add({ host: "another-machine", seenAt: 0 })
        expect(Exit.isSuccess(yield* Effect.exit(Effect.scoped(claimStore)))).toBe(dialect === "postgres")
        yield* TestClock.adjust("31 seconds")
        yield* Effect.scoped(claimStore)
        expect(yield* servers).toEqual([])
      }),
    ))

  test("says every few seconds that the server lives, and knows when another one has taken the store over", () =>
    use(
      Effect.gen(function* () {
        const { write } = yield* StoreDatabase
        const { id, lost } = yield* claimStore
        yield* until(Effect.map(servers, ([server]) => (server?.seenAt ?? 0) > 0))
        yield* write(async ({ delete: remove, tables }) => {
          await remove(tables.servers).where(eq(tables.servers.id, id))
        })
        if (dialect === "postgres") return yield* until(Effect.map(servers, ([server]) => server?.id === id))
        const waiting = yield* Effect.forkChild(lost)
        yield* until(Effect.sync(() => waiting.pollUnsafe() !== undefined))
      }),
    ))
})

test("store-claim tells who holds the file", async () => {
  const [, makePlace] = storePlaces[0]!
  await using place = await makePlace()
  const refused = Effect.gen(function* () {
    yield* claimStore
    return yield* Effect.flip(Effect.scoped(claimStore))
  }).pipe(Effect.scoped, Effect.provide(Layer.fresh(place.layer)))
  expect(await Effect.runPromise(refused)).toMatchObject({
    reason: "conflict",
    message: expect.stringContaining(`process ${process.pid} on "${thisProcess().host}"`),
  })
})
