import { expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { StoreDatabase } from "../../core/store/database.ts"
import { makeQuarantine } from "../../core/store/database-quarantine.ts"
import { makeRunStore } from "../../core/store/database-run-store.ts"
import { type StorePromises, storePromises } from "../../core/store/store-promises.ts"
import { postgres } from "../../scripts/services/services.ts"
import { backUp, restore } from "./backup-restore.ts"
import { postgresDatabaseLayer } from "./postgres-database.ts"
import { sqliteDatabaseLayer } from "./sqlite-database.ts"
import { claimStore } from "./store-claim.ts"
import { aReceipt, aRejection, aReport, aRun } from "./testdata/store.ts"

class Place implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "headrace-backup-"))
  readonly #scopes: Scope.Closeable[] = []

  file(name: string): string {
    return join(this.folder, name)
  }

  async store(kind: "sqlite" | "postgres", name: string): Promise<string> {
    if (kind === "sqlite") return this.file(`${name}/state.db`)
    const server = await postgres()
    return server.urlOf(await server.createDatabase("backup"))
  }

  async open(place: string): Promise<StorePromises> {
    return storePromises(await this.database(place))
  }

  async database(place: string): Promise<StoreDatabase["Service"]> {
    const layer = place.startsWith("postgres") ? postgresDatabaseLayer({ url: place }) : sqliteDatabaseLayer(place)
    const scope = Effect.runSync(Scope.make())
    this.#scopes.push(scope)
    return Context.get(await Effect.runPromise(Layer.buildWithScope(layer, scope)), StoreDatabase)
  }

  async close(): Promise<void> {
    for (const scope of this.#scopes.splice(0)) await Effect.runPromise(Scope.close(scope, Exit.void))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const odd = "a\u0000b\ufdd0'\"é😀"
const user = {
  ...{ id: "u1", name: "ann", displayName: odd, passwordHash: "x", role: "admin" as const, disabled: true, version: 1 },
  ...{ createdAt: 1, updatedAt: 9_007_199_254_740_991, lastLoginAt: null },
}

/** Something in many tables, more than a page of it in one, with references between them. */
async function fill(store: StorePromises): Promise<void> {
  const runs = makeRunStore(store, () => 5)
  const quarantine = makeQuarantine(store, () => 5)
  await runs.register(aRun("r1", { flow: "orders" }))
  const run = { id: "r1", fence: 1 }
  await runs.keep(
    run,
    Array.from({ length: 2500 }, (_, row) => aRejection("r1", row, { value: odd })),
  )
  await runs.splitCommitted(run, aReceipt("read/1", 5))
  await runs.finish(run, { report: aReport("r1", { marks: { read: "7" } }), markSources: {} })
  await quarantine.take(
    aRun("r1-r1", { replayOf: "r1" }),
    (async function* () {
      for (let id = 1; id <= 3; id++) yield { id, record: { id: odd } }
    })(),
  )
  await store.write(async ({ insert, tables }) => {
    await insert(tables.users).values(user)
    const token = { id: "t1", user: "u1", name: "t", hash: "h", prefix: "p", scopes: ["a", odd], createdAt: 1 }
    await insert(tables.apiTokens).values(token)
    await insert(tables.settings).values({ key: "k", value: { deep: [1, null, odd] }, updatedAt: 1 })
    await insert(tables.servers).values({ id: "s", host: "h", pid: 1, process: null, startedAt: 1, seenAt: 1 })
  })
}

/** Everything that is in the store but servers. */
function contents(store: StorePromises): Promise<unknown> {
  return store.read(async ({ select, tables }) => {
    const found: Record<string, unknown[]> = {}
    for (const [name, table] of Object.entries(tables))
      if (name !== "servers") found[name] = (await select().from(table)).map((row) => JSON.stringify(row)).sort()
    return found
  })
}

const kinds = ["sqlite", "postgres"] as const

test.each(kinds.flatMap((from) => kinds.map((to) => [from, to] as const)))(
  "backup of %s is restored into %s as it was, and the store goes on from there",
  async (from, to) => {
    await using at = new Place()
    const source = await at.store(from, "source")
    const opened = await at.open(source)
    await fill(opened)
    const before = await contents(opened)
    const file = at.file("backup.db")
    // Others go on meanwhile.
    await Effect.runPromise(backUp(source, file))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const target = await at.store(to, "target")
    // What it holds is replaced.
    await fill(await at.open(target))
    await at.close()
    const aside = await Effect.runPromise(restore(target, file))
    expect(aside !== undefined && existsSync(aside)).toBe(to === "sqlite")
    const restored = await at.open(target)
    expect(await contents(restored)).toEqual(before)
    expect(await restored.read(({ $count, tables }) => $count(tables.servers))).toBe(0)
    // Numbers are not given twice.
    const runs = makeRunStore(restored, () => 6)
    await runs.register(aRun("r2"))
    await runs.keep({ id: "r2", fence: 1 }, [aRejection("r2", 0)])
    const rows = await Array.fromAsync(makeQuarantine(restored, () => 6).rows({ run: "r2" }))
    expect(rows.map(({ id }) => id)).toEqual([2501])
  },
)

test("restore refuses what is no backup, what a later version has made, and files that are not there", async () => {
  await using at = new Place()
  const target = await at.store("sqlite", "target")
  const refused = (file: string) => Effect.runPromise(Effect.flip(restore(target, file)))
  writeFileSync(at.file("text"), "this is a text, and a long one at that ".repeat(100))
  expect(await refused(at.file("text"))).toMatchObject({
    reason: "protocol",
    message: `Cannot restore "${at.file("text")}": the file is damaged, or no backup of Headrace`,
  })
  expect(await refused(at.file("none"))).toMatchObject({ reason: "missing" })
  await at.open(at.file("newer.db"))
  await at.close()
  const { DatabaseSync } = await import("node:sqlite")
  {
    using newer = new DatabaseSync(at.file("newer.db"))
    newer.exec("PRAGMA user_version = 1000")
  }
  expect(await refused(at.file("newer.db"))).toMatchObject({ reason: "unsupported" })
  expect(existsSync(target)).toBe(false)
})

test.each(kinds)("restore refuses while %s is in use, and has changed nothing", async (kind) => {
  await using at = new Place()
  const place = await at.store(kind, "used")
  const store = await at.open(place)
  await fill(store)
  const file = at.file("backup.db")
  await Effect.runPromise(backUp(place, file))
  await store.write(async ({ delete: remove, tables }) => void (await remove(tables.settings)))
  const serving = Effect.gen(function* () {
    yield* claimStore
    return yield* Effect.flip(restore(place, file))
  }).pipe(Effect.scoped, Effect.provideService(StoreDatabase, await at.database(place)))
  expect(await Effect.runPromise(serving)).toMatchObject({
    reason: "conflict",
    hint: "Stop every server and run that uses the store, then restore",
  })
  expect(await store.read(({ $count, tables }) => $count(tables.settings))).toBe(0)
  await at.close()
  await Effect.runPromise(restore(place, file))
  expect(await (await at.open(place)).read(({ $count, tables }) => $count(tables.settings))).toBe(1)
})

test("backup writes over no file unless it is told to", async () => {
  await using at = new Place()
  const place = await at.store("sqlite", "source")
  await at.open(place)
  writeFileSync(at.file("backup.db"), "precious")
  expect(await Effect.runPromise(Effect.flip(backUp(place, at.file("backup.db"))))).toMatchObject({ reason: "exists" })
  await Effect.runPromise(backUp(place, at.file("backup.db"), { overwrite: true }))
  expect(statSync(at.file("backup.db")).size).toBeGreaterThan(10_000)
  expect(await Effect.runPromise(Effect.flip(backUp(at.file("none.db"), at.file("b.db"))))).toMatchObject({
    reason: "missing",
  })
})
