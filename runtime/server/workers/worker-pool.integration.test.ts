import { afterAll, expect, test } from "bun:test"
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Layer } from "effect"
import type { Told } from "../../../core/server/jobs/orders.ts"
import { WorkerError, WorkerPool } from "../../../core/server/jobs/worker-pool.ts"
import { RunStore } from "../../../core/store/run-store.ts"
import { flowOf, Workshop } from "./testdata/workshop.ts"
import { workerPoolLayer } from "./worker-pool.ts"
import type { WorkerSettings } from "./worker-settings.ts"

const workshops: Workshop[] = []
afterAll(() => {
  for (const each of workshops) each[Symbol.dispose]()
})

function inPool<A, E>(
  use: (shop: Workshop) => Effect.Effect<A, E, WorkerPool | RunStore>,
  settings: Partial<WorkerSettings> = {},
): Promise<A> {
  const shop = new Workshop()
  workshops.push(shop)
  const layer = workerPoolLayer(shop.settings(settings)).pipe(Layer.provideMerge(shop.store))
  return Effect.runPromise(use(shop).pipe(Effect.provide(layer)))
}

const USUAL = { deadlineMs: 5000 }

function orderOf(shop: Workshop, run: string, document: string) {
  return { run, document, name: "load", parameters: {}, sources: [shop.source], files: shop.files }
}

test("a worker runs a flow, and its server remembers the run", () =>
  inPool((shop) =>
    Effect.gen(function* () {
      const pool = yield* WorkerPool
      const store = yield* RunStore
      const told: Told[] = []
      const order = orderOf(shop, "run-1", flowOf({ rows: 1000, splits: 2 }))
      const report = yield* pool.perform("run", order, { ...USUAL, onTold: (each) => told.push(each) })
      expect(report).toMatchObject({ runId: "run-1", status: "succeeded", splits: 2, rejected: 0 })
      expect(report.receipts.reduce((sum, { read }) => sum + read, 0)).toBe(1000)
      expect(shop.query("SELECT count(*), count(DISTINCT id) FROM t")).toEqual([[1000, 1000]])
      expect(yield* Effect.promise(() => store.find("run-1"))).toMatchObject({ flow: "load", status: "succeeded" })
      const events = told.flatMap((each) => (each.kind === "event" ? [each.event.type] : []))
      expect(events.filter((type) => type === "split.committed")).toHaveLength(2)
      const wrong = yield* Effect.flip(pool.perform("run", { ...order, run: "run-2", document: "{}" }, USUAL))
      expect(wrong).toMatchObject({ kind: "refused" })
      expect(wrong.problems?.length).toBeGreaterThan(0)
    }),
  ))

test("a worker sees nothing of its server's environment, and is told nothing by its command line", () =>
  inPool(
    (shop) =>
      Effect.gen(function* () {
        const pool = yield* WorkerPool
        const store = yield* RunStore
        yield* pool.perform("run", orderOf(shop, "run-1", flowOf({ rows: 10 })), USUAL)
        const { pid } = (yield* Effect.promise(() => store.find("run-1")))!.owner
        const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8")
        expect(read("environ")).toContain("HEADRACE_HOME=")
        expect(read("environ")).not.toContain("MASTER_KEY")
        expect(read("cmdline").split("\0").slice(1)).toEqual([expect.stringContaining("main.ts"), "worker", ""])
      }),
    { environment: { ...process.env, HEADRACE_MASTER_KEY: "0123" } },
  ))

test("what a plugin prints becomes lines of the log, without secrets, and does not break the channel", () =>
  inPool((shop) =>
    Effect.gen(function* () {
      const pool = yield* WorkerPool
      for (const what of ["print", "leak"]) {
        const lines: string[] = []
        const onTold = (told: Told) => void (told.kind === "log" && lines.push(told.text))
        const secret = { ...shop.source, name: "vault", secrets: ["hunter2-secret"] }
        const document = flowOf({ rows: 10 }, { through: { what } })
        const order = { ...orderOf(shop, `run-${what}`, document), sources: [shop.source, secret] }
        const report = yield* pool.perform("run", order, { ...USUAL, onTold })
        expect(report.status).toBe("succeeded")
        const text = lines.join("\n")
        expect(text).not.toContain("hunter2")
        if (what === "print") expect(text).toContain("a stray line")
        else expect(text).toContain("password=***")
      }
    }),
  ))

test("a worker that ignores a cancel is killed after the deadline, and another one closes what it left", () =>
  inPool((shop) =>
    Effect.gen(function* () {
      const pool = yield* WorkerPool
      const store = yield* RunStore
      const cancelled = Deferred.makeUnsafe<void>()
      const order = orderOf(shop, "run-1", flowOf({ rows: 10 }, { through: { what: "hang" } }))
      const onTold = (told: Told) =>
        void (told.kind === "log" && told.text === "it hangs" && Deferred.doneUnsafe(cancelled, Effect.void))
      const error = yield* Effect.flip(pool.perform("run", order, { deadlineMs: 300, cancelled, onTold }))
      expect(error).toMatchObject({
        kind: "killed",
        message: expect.stringMatching(/it had not ended \d+ ms after it was told to/),
      })
      const { report } = yield* pool.perform("close", { ...order, force: true }, USUAL)
      expect(report).toMatchObject({ runId: "run-1", fence: 2, status: "cancelled" })
      expect(yield* Effect.promise(() => store.find("run-1"))).toMatchObject({ status: "cancelled", isDiscarded: true })
    }),
  ))

test("a run that is cancelled leaves its report, also when whoever waits for it leaves", () =>
  inPool((shop) =>
    Effect.gen(function* () {
      const pool = yield* WorkerPool
      const store = yield* RunStore
      const slow = (run: string) => orderOf(shop, run, flowOf({ rows: 100_000_000, splits: 2 }))
      const cancelled = Deferred.makeUnsafe<void>()
      const begun = Deferred.makeUnsafe<void>()
      const onTold = (told: Told) =>
        void (told.kind === "event" && told.event.type === "run.progressed" && Deferred.doneUnsafe(begun, Effect.void))
      const watched = { ...USUAL, cancelled, onTold }
      const [report] = yield* Effect.all(
        [
          pool.perform("run", slow("run-1"), watched),
          Effect.andThen(Deferred.await(begun), Deferred.succeed(cancelled, undefined)),
        ],
        { concurrency: 2 },
      )
      expect(report).toMatchObject({ runId: "run-1", status: "cancelled" })
      const left = Deferred.makeUnsafe<void>()
      const leaving = pool.perform("run", slow("run-2"), {
        ...USUAL,
        onTold: (told) =>
          void (
            told.kind === "event" &&
            told.event.type === "run.progressed" &&
            Deferred.doneUnsafe(left, Effect.void)
          ),
      })
      yield* Effect.raceFirst(leaving, Deferred.await(left))
      expect(yield* Effect.promise(() => store.find("run-2"))).toMatchObject({ status: "cancelled" })
      expect((yield* pool.load).busy).toBe(0)
    }),
  ))

test("a worker that dies, or takes too much memory, ends its run and no other, and says what is known", () =>
  inPool(
    (shop) =>
      Effect.gen(function* () {
        const pool = yield* WorkerPool
        const harm = (what: string) => orderOf(shop, `run-${what}`, flowOf({ rows: 10 }, { through: { what } }))
        const [died, fine] = yield* Effect.all(
          [
            Effect.flip(pool.perform("run", harm("die"), USUAL)),
            pool.perform("run", orderOf(shop, "run-fine", flowOf({ rows: 100 }, { output: { table: "u" } })), USUAL),
          ],
          { concurrency: 2 },
        )
        expect(died).toBeInstanceOf(WorkerError)
        expect(died).toMatchObject({ kind: "crashed" })
        expect(died.message).toContain("the driver is broken")
        expect(fine.status).toBe("succeeded")
        const eaten = yield* Effect.flip(pool.perform("run", harm("eat"), USUAL))
        expect(eaten).toMatchObject({ kind: "memory", message: expect.stringContaining("300 MB") })
      }),
    { mostBytes: 300 * 1_048_576 },
  ))

test("a worker does many orders, and is replaced when it has done its share", () =>
  inPool(
    (shop) =>
      Effect.gen(function* () {
        const pool = yield* WorkerPool
        const store = yield* RunStore
        const pids: number[] = []
        for (let at = 0; at < 5; at++) {
          yield* pool.perform("run", orderOf(shop, `run-${at}`, flowOf({ rows: 10 })), USUAL)
          pids.push((yield* Effect.promise(() => store.find(`run-${at}`)))!.owner.pid)
        }
        expect(new Set(pids).size).toBe(3)
        expect(pids).not.toContain(process.pid)
      }),
    { mostOrders: 2 },
  ))

test("a worker answers what people ask while they write flows", () =>
  inPool((shop) =>
    Effect.gen(function* () {
      const pool = yield* WorkerPool
      const order = orderOf(shop, "run-1", flowOf({ rows: 10 }))
      yield* pool.perform("run", order, USUAL)
      expect(yield* pool.perform("check", order, USUAL)).toEqual({ problems: [], warnings: [] })
      const shown = yield* pool.perform("preview", { ...order, rows: 2 }, USUAL)
      expect(shown.shown).toMatchObject([{ step: "write", rows: [["1"], ["2"]] }])
      const source = { source: "t", sources: [shop.source], files: shop.files }
      const { server } = yield* pool.perform("testConnection", source, USUAL)
      expect(server).toContain("SQLite")
      expect(yield* pool.perform("tables", { ...source, text: "T" }, USUAL)).toMatchObject([{ name: "t" }])
      const { columns } = yield* pool.perform("columns", { ...source, table: { name: "t" } }, USUAL)
      expect(columns.map(({ name }) => name)).toEqual(["id"])
      const missing = yield* Effect.flip(pool.perform("columns", { ...source, table: { name: "tt" } }, USUAL))
      expect(missing).toMatchObject({ kind: "failed", reason: "missing" })
      const dates = yield* pool.perform("parameters", { ...order, bizdate: "2026-07-01" }, USUAL)
      expect(dates.bizdate).toBe("2026-07-01")
    }),
  ))

test("a worker touches no file outside of the folders that are open, whatever a link says", () =>
  inPool((shop) =>
    Effect.gen(function* () {
      const pool = yield* WorkerPool
      writeFileSync(join(shop.folder, "in.csv"), "id\n1\n")
      mkdirSync(join(shop.folder, "open"))
      symlinkSync(shop.folder, join(shop.folder, "open", "link"))
      const files = { folders: [join(shop.folder, "open")], closed: shop.folder }
      for (const path of ["../in.csv", "link/in.csv", join(shop.folder, "in.csv")]) {
        const steps = [
          { id: "read", use: "csv-input", config: { path } },
          { id: "write", use: "discard-output", config: {} },
        ]
        const document = JSON.stringify({ version: 1, steps, hops: [{ from: "read", to: "write" }] })
        const error = yield* Effect.flip(pool.perform("check", { document, parameters: {}, sources: [], files }, USUAL))
        expect(error.message).toContain("outside of the folders that are open")
      }
      for (const path of [join(shop.folder, "t.db"), "link/t.db", "../t.db"]) {
        const sources = [{ ...shop.source, settings: { path } }]
        const error = yield* Effect.flip(pool.perform("testConnection", { source: "t", sources, files }, USUAL))
        expect(error.message).toContain("outside of the folders that are open")
      }
    }),
  ))
