import { describe, expect, test } from "bun:test"
import { eq, sql } from "drizzle-orm"
import { Cause, Effect, Exit, Layer } from "effect"
import { RequestError, refuse } from "../../core/server/request-error.ts"
import { StoreDatabase } from "../../core/store/database.ts"
import { type StorePlace, storePlaces } from "./testdata/store-databases.ts"

const user = {
  id: "u1",
  name: "zelda",
  displayName: "Zelda",
  passwordHash: "x",
  role: "admin" as const,
  disabled: false,
  version: 1,
  createdAt: 1,
  updatedAt: 9_007_199_254_740_991,
}
const token = { id: "t1", user: "u1", name: "t", hash: "h", prefix: "p", scopes: ["flows.*"], createdAt: 1 }

describe.each(storePlaces)("store-database in %s", (_, makePlace) => {
  function use<A, E>(work: (database: StoreDatabase["Service"]) => Effect.Effect<A, E>): Promise<A> {
    return at(async (place) => Effect.runPromise(using(place, work)))
  }

  async function at<A>(work: (place: StorePlace) => Promise<A>): Promise<A> {
    await using place = await makePlace()
    return await work(place)
  }

  test("gives back every kind of column as it was", () =>
    use((database) =>
      Effect.gen(function* () {
        const odd = { ...user, lastLoginAt: null, displayName: `'"\\ é😀 ;--\n`, disabled: true }
        const detail = { text: "a\u0000b\ud800", list: [1, null, { x: "\u0000" }], big: 12345678901234, none: null }
        yield* database.write(async ({ insert, tables }) => {
          await insert(tables.users).values(odd)
          await insert(tables.apiTokens).values(token)
          await insert(tables.settings).values({ key: "a", value: detail, updatedAt: 1 })
        })
        const found = yield* database.read(async ({ select, tables, rows }) => ({
          users: await select().from(tables.users),
          tokens: await select().from(tables.apiTokens).where(eq(tables.apiTokens.user, "u1")),
          settings: await select().from(tables.settings),
          raw: await rows(sql`SELECT count(*) AS n, max(updated_at) AS latest, sum(version) AS sum FROM users`),
        }))
        expect(found.users).toEqual([odd])
        expect(found.tokens).toEqual([{ ...token, expiresAt: null, lastUsedAt: null, revokedAt: null }])
        expect(found.settings).toEqual([{ key: "a", value: detail, updatedAt: 1 }])
        expect(found.raw.map((row) => ({ ...(row as object) }))).toEqual([{ n: 1, latest: user.updatedAt, sum: 1 }])
      }),
    ))

  test("undoes all of a write that fails, and nothing of those beside it", () =>
    use((database) =>
      Effect.gen(function* () {
        const add = (id: string, then: () => Promise<void>) =>
          database.write(async ({ insert, tables }) => {
            await insert(tables.users).values({ ...user, id, name: id })
            await then()
          })
        const exits = yield* Effect.all(
          [
            add("a", async () => {}),
            add("b", async () => {
              throw refuse("conflict", "no")
            }),
            add("c", async () => {}),
            add("d", async () => {
              throw new TypeError("a bug")
            }),
          ].map((each) => Effect.exit(each)),
          { concurrency: "unbounded" },
        )
        expect(exits.map(Exit.isSuccess)).toEqual([true, false, true, false])
        const ids = yield* database.read(({ select, tables }) => select({ id: tables.users.id }).from(tables.users))
        expect(ids.map(({ id }) => id).sort()).toEqual(["a", "c"])
        expect(Exit.isFailure(exits[3]!) && Cause.hasDies(exits[3].cause)).toBe(true)
      }),
    ))

  test("fails with the refusal that work returns or throws, and has written nothing", () =>
    use((database) =>
      Effect.gen(function* () {
        const refusal = refuse("missing", "There is no such user", { current: 7 })
        const returned = yield* database
          .write(async ({ insert, tables }) => {
            await insert(tables.users).values(user)
            return user.version === 1 ? refusal : 5
          })
          .pipe(Effect.flip)
        const thrown = yield* database
          .write<number, RequestError>(async ({ insert, tables }) => {
            await insert(tables.users).values(user)
            throw refusal
          })
          .pipe(Effect.flip)
        const read = yield* database.read(async () => (user.version === 1 ? refusal : 5)).pipe(Effect.flip)
        expect([returned, thrown, read]).toEqual([refusal, refusal, refusal])
        expect(returned).toBeInstanceOf(RequestError)
        expect(yield* database.read(({ $count, tables }) => $count(tables.users))).toBe(0)
      }),
    ))

  test("tells a duplicate from other rows that must not be", () =>
    use((database) =>
      Effect.gen(function* () {
        const insert = (row: Partial<Record<keyof typeof user, unknown>>) =>
          database
            .write(async ({ insert, tables }) => void (await insert(tables.users).values({ ...user, ...row } as never)))
            .pipe(Effect.flip)
        yield* database.write(async ({ insert, tables }) => void (await insert(tables.users).values(user)))
        const sameName = yield* insert({ id: "u2" })
        const sameId = yield* insert({ name: "bob" })
        for (const error of [sameName, sameId])
          expect(error).toMatchObject({ _tag: "StoreError", reason: "constraint", isDuplicate: true })
        const orphan = database.write(
          async ({ insert, tables }) => void (await insert(tables.apiTokens).values({ ...token, user: "nobody" })),
        )
        const refused = [yield* insert({ id: "u3", name: "c", role: "god" }), yield* orphan.pipe(Effect.flip)]
        for (const error of refused) {
          expect(error).toMatchObject({ _tag: "StoreError", reason: "constraint" })
          expect(error).not.toHaveProperty("isDuplicate")
        }
        for (const error of [sameName, sameId, ...refused]) expect(error.message).not.toMatch(/zelda|Zelda|nobody|god/)
      }),
    ))

  test("undoes a write of which a query has failed, also where its work goes on", () =>
    use((database) =>
      Effect.gen(function* () {
        const careless = database.write(async ({ insert, tables }) => {
          await insert(tables.users).values(user)
          await insert(tables.users)
            .values(user)
            .catch(() => undefined)
          return "done"
        })
        expect(yield* Effect.flip(careless)).toMatchObject({ reason: "constraint", isDuplicate: true })
        expect(yield* database.read(({ $count, tables }) => $count(tables.users))).toBe(0)
        yield* database.write(async ({ insert, tables }) => void (await insert(tables.users).values(user)))
        expect(yield* database.read(({ $count, tables }) => $count(tables.users))).toBe(1)
      }),
    ))

  test("lets what a write has read hold until it commits, however many there are", () =>
    use((database) =>
      Effect.gen(function* () {
        yield* database.write(async ({ insert, tables }) => void (await insert(tables.users).values(user)))
        const add = (options?: { readonly lock: string }) =>
          database.write(async ({ select, update, tables }) => {
            const [found] = await select().from(tables.users).where(eq(tables.users.id, "u1"))
            await update(tables.users).set({ version: found!.version + 1 })
          }, options)
        yield* Effect.all(
          Array.from({ length: 20 }, () => add()),
          { concurrency: "unbounded" },
        )
        yield* Effect.all(
          Array.from({ length: 20 }, () => add({ lock: "users" })),
          { concurrency: "unbounded" },
        )
        const [found] = yield* database.read(({ select, tables }) => select().from(tables.users))
        expect(found?.version).toBe(41)
      }),
    ))

  test("lets one of two servers at a time into what a lock guards, which then sees what the other has done", () =>
    at(async (place) => {
      const count = Effect.gen(function* () {
        const database = yield* StoreDatabase
        yield* Effect.forEach(
          Array.from({ length: 10 }, (_, i) => i),
          () =>
            database.write(
              async ({ insert, $count, tables }) => {
                const known = await $count(tables.settings)
                await insert(tables.settings).values({ key: `k${known}`, value: known, updatedAt: 1 })
              },
              { lock: "settings" },
            ),
          { concurrency: 3 },
        )
        return yield* database.read(({ $count, tables }) => $count(tables.settings))
      })
      const counts = await Promise.all(
        [1, 2].map(() => Effect.runPromise(Effect.provide(count, Layer.fresh(place.layer)))),
      )
      expect(Math.max(...counts)).toBe(20)
    }))

  test("keeps what was written when it is opened again, and waits for writes before it closes", () =>
    at(async (place) => {
      const write = using(place, (database) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(
            database.write(async ({ insert, tables }) => void (await insert(tables.users).values(user))),
          )
          yield* Effect.yieldNow
        }),
      )
      await Effect.runPromise(write)
      const read = using(place, (database) => database.read(({ $count, tables }) => $count(tables.users)))
      expect(await Effect.runPromise(read)).toBe(1)
    }))
})

function using<A, E>(place: StorePlace, work: (database: StoreDatabase["Service"]) => Effect.Effect<A, E>) {
  return Effect.gen(function* () {
    return yield* work(yield* StoreDatabase)
  }).pipe(Effect.provide(Layer.fresh(place.layer)))
}
