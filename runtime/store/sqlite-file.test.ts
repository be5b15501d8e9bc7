import { expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { sql } from "drizzle-orm"
import { Effect, Layer } from "effect"
import { storePromises } from "../../core/store/store-promises.ts"
import { makeSqliteDatabase, sqliteDatabaseLayer } from "./sqlite-database.ts"
import { openFile, type SqliteFileOptions } from "./sqlite-file.ts"

/** A place for a file, and what was opened there. */
class Place implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "headrace-file-"))
  readonly path = join(this.folder, "home", "state.db")
  readonly #opened: ReturnType<typeof openFile>[] = []

  open(options: SqliteFileOptions = {}) {
    const file = openFile(this.path, options)
    this.#opened.push(file)
    return file
  }

  close(): void {
    for (const file of this.#opened.splice(0)) file.close()
  }

  /** What opening it as a service fails with. */
  failure(path = this.path) {
    return Effect.runPromise(Effect.flip(Effect.scoped(Layer.build(sqliteDatabaseLayer(path)))))
  }

  all(text: string, path = this.path): unknown[] {
    using database = new DatabaseSync(path)
    return database
      .prepare(text)
      .all()
      .map((row) => ({ ...row }))
  }

  [Symbol.dispose](): void {
    this.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

test("sqlite-file is made for its owner only, with its folder", () => {
  using at = new Place()
  at.open()
  expect(statSync(at.path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(at.path)).mode & 0o777).toBe(0o700)
  expect(statSync(`${at.path}-wal`).mode & 0o777).toBe(0o600)
  at.close()
  expect(at.all("PRAGMA journal_mode")).toEqual([{ journal_mode: "wal" }])
  chmodSync(at.path, 0o644)
  at.open()
  expect(statSync(at.path).mode & 0o777).toBe(0o600)
})

test("sqlite-file brings an older file to its version and leaves a copy of it as it was", () => {
  using at = new Place()
  const first = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"
  at.open({ migrations: [first] })
  at.close()
  at.open({ migrations: [first, "ALTER TABLE a ADD y INTEGER DEFAULT 2"] })
  at.close()
  expect(at.all("SELECT * FROM a")).toEqual([{ x: 1, y: 2 }])
  expect(readdirSync(dirname(at.path)).sort()).toEqual(["state.db", "state.db.v1"])
  expect(statSync(`${at.path}.v1`).mode & 0o777).toBe(0o600)
  expect(at.all("SELECT * FROM a", `${at.path}.v1`)).toEqual([{ x: 1 }])
})

test("sqlite-file keeps the old version when a step of the way to the new one fails", () => {
  using at = new Place()
  const first = "CREATE TABLE a (x INTEGER)"
  at.open({ migrations: [first] })
  at.close()
  const steps = [first, "CREATE TABLE b (x INTEGER)", "CREATE TABLE a (x INTEGER)"]
  expect(() => at.open({ migrations: steps })).toThrow("already exists")
  at.open({ migrations: [first] })
  expect(at.all("SELECT name FROM sqlite_schema")).toEqual([{ name: "a" }])
})

test("sqlite-file refuses a file of a newer version and does not touch it", async () => {
  using at = new Place()
  at.open({ migrations: Array.from({ length: 99 }, (_, i) => `CREATE TABLE t${i} (x)`) })
  at.close()
  expect(await at.failure()).toMatchObject({
    reason: "unsupported",
    message: expect.stringContaining("the file is of version 99, this Headrace knows"),
    hint: "Use the newer Headrace that wrote it, or let HEADRACE_HOME name another folder",
  })
  expect(existsSync(`${at.path}.v99`)).toBe(false)
})

test("sqlite-file says that a file is none of ours, or that its folder is a file", async () => {
  using at = new Place()
  mkdirSync(dirname(at.path))
  writeFileSync(at.path, "this is a text, and a long one at that ".repeat(100))
  expect(await at.failure()).toMatchObject({
    reason: "protocol",
    message: `Cannot open the store in "${at.path}": the file is damaged, or no store of Headrace`,
  })
  expect(await at.failure(`${at.path}/state.db`)).toMatchObject({
    reason: "config",
    hint: "Let HEADRACE_HOME name a folder that you may write to",
  })
})

test("sqlite-file waits for another writer without stopping the program, and names it when that takes too long", async () => {
  using at = new Place()
  const other = at.open()
  const store = storePromises(makeSqliteDatabase(at.open({ busyTimeoutMs: 50 })))
  const add = (key: string) =>
    store.write(
      async ({ insert, tables }) => void (await insert(tables.settings).values({ key, value: 1, updatedAt: 1 })),
    )
  await other.begin()
  await expect(add("a")).rejects.toMatchObject({
    reason: "conflict",
    message: `Cannot write the store in "${at.path}": another process has held it for too long`,
  })
  const patient = storePromises(makeSqliteDatabase(at.open()))
  const waiting = patient.write(async ({ rows }) => rows(sql`SELECT 7 AS n`))
  await new Promise((resolve) => setTimeout(resolve, 5))
  other.exec("COMMIT")
  expect(await waiting).toMatchObject([{ n: 7 }])
  await add("b")
  expect(at.all("SELECT key FROM settings")).toEqual([{ key: "b" }])
})

test("sqlite-file flushes every write but lazy ones, and goes back to that after them", async () => {
  using at = new Place()
  const store = storePromises(makeSqliteDatabase(at.open()))
  const mode = (isLazy: boolean) =>
    store.write(async ({ rows }) => (await rows<{ synchronous: number }>(sql`PRAGMA synchronous`))[0]?.synchronous, {
      isLazy,
    })
  expect(await mode(false)).toBe(2)
  expect(await mode(true)).toBe(1)
  const failing = store.write(async ({ rows }) => void (await rows(sql`INSERT INTO nowhere VALUES (1)`)), {
    isLazy: true,
  })
  await expect(failing).rejects.toThrow("no such table")
  expect(await mode(false)).toBe(2)
  // One that must be on the disk takes those beside it along.
  expect(await Promise.all([mode(true), mode(false), mode(true)])).toEqual([1, 2, 2])
})

test("sqlite-file takes nothing more when the file at its path is another one: it would be lost", async () => {
  using at = new Place()
  const database = makeSqliteDatabase(at.open())
  const write = (id: string) =>
    database.write(async ({ insert, tables: { servers } }) => {
      await insert(servers).values({ id, host: "here", pid: 1, process: null, startedAt: 0, seenAt: 0 })
    })
  await Effect.runPromise(write("first"))
  renameSync(at.path, `${at.path}.away`)
  const gone = await Effect.runPromise(Effect.flip(write("second")))
  expect(gone).toMatchObject({ reason: "missing", message: expect.stringContaining("moved, removed or replaced") })
  writeFileSync(at.path, "")
  expect(await Effect.runPromise(Effect.flip(write("third")))).toMatchObject({ reason: "missing" })
  renameSync(`${at.path}.away`, at.path)
  await Effect.runPromise(write("fourth"))
  at.close()
  expect(at.all("SELECT id FROM servers ORDER BY id")).toEqual([{ id: "first" }, { id: "fourth" }])
})
