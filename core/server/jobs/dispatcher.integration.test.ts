import { afterAll, expect, test } from "bun:test"
import { Effect, Fiber, Stream } from "effect"
import { type RigOptions, ServerRig } from "../../../runtime/server/testdata/server-rig.ts"
import { flowOf } from "../../../runtime/server/workers/testdata/workshop.ts"
import { StoreDatabase } from "../../store/database.ts"
import { RunStore } from "../../store/run-store.ts"
import type { FlowProperties } from "../../store/tables/flow-tables.ts"
import { type Actor, system } from "../access/actor.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { person } from "../testdata/place.ts"
import { Dispatcher, type Job, type JobEvent, type JobRequest } from "./dispatcher.ts"

const rigs: ServerRig[] = []
afterAll(() => {
  for (const rig of rigs) rig[Symbol.dispose]()
})

type Services = Dispatcher | FlowLibrary | SourceRegistry | StoreDatabase | RunStore

function inServer<A, E>(use: (rig: ServerRig) => Effect.Effect<A, E, Services>, options: RigOptions = {}): Promise<A> {
  const rig = new ServerRig()
  rigs.push(rig)
  return Effect.runPromise(use(rig).pipe(Effect.provide(rig.layer(options))))
}

const prepare = Effect.fnUntraced(function* (rig: ServerRig, concurrency: number | null = null) {
  const sources = yield* SourceRegistry
  const anna = yield* person("anna")
  const { settings: prod } = rig.shop.source
  yield* sources.create(anna, { name: "t", type: "sqlite", description: "", concurrency, prod })
  return anna
})

const save = Effect.fnUntraced(function* (
  actor: Actor,
  name: string,
  document: string,
  properties: Partial<FlowProperties> = {},
) {
  const library = yield* FlowLibrary
  return yield* library.create(actor, { name, document, properties })
})

const start = (actor: Actor, flow: string, more: Partial<JobRequest> = {}) =>
  Dispatcher.use((jobs) =>
    jobs.submit(actor, { flow, cause: { kind: "person", id: actor.id, name: actor.name }, ...more }),
  )

const ended = (id: string) => Dispatcher.use((jobs) => jobs.wait(id, 30_000))

const texts = (id: string) =>
  Effect.map(
    Dispatcher.use((jobs) => jobs.logs(id, { limit: 1000 })),
    (lines) => lines.map(({ text }) => text).join("\n"),
  )

test("a trigger is told of another flow what it is told of one that there is not", () =>
  inServer((rig) =>
    Effect.gen(function* () {
      const anna = yield* prepare(rig)
      const own = yield* save(anna, "own", flowOf({ rows: 10 }))
      yield* save(anna, "secret", flowOf({ rows: 10 }))
      const trigger: Actor = { ...anna, kind: "trigger", id: "t1", name: "t1", flow: own.id }
      for (const flow of ["secret", "nothing"])
        for (const more of [{}, { version: 1 }, { version: 9 }])
          expect(yield* Effect.flip(start(trigger, flow, more))).toMatchObject({
            reason: "missing",
            message: `There is no flow "${flow}"`,
          })
      expect(yield* start(trigger, "own")).toMatchObject({ flowName: "own" })
    }),
  ))

test("a run is queued, run and recorded; its log tells what happened, and listeners hear of it", () =>
  inServer((rig) =>
    Effect.gen(function* () {
      const anna = yield* prepare(rig)
      yield* save(anna, "load", flowOf({ rows: 1000, splits: 2 }))
      const dispatcher = yield* Dispatcher
      const heard: JobEvent["type"][] = []
      const listening = yield* Effect.forkChild(
        Stream.runForEach(dispatcher.events(), ({ type }) => Effect.sync(() => void heard.push(type))),
        { startImmediately: true },
      )
      const job = yield* start(anna, "load", { parameters: {} })
      expect(job).toMatchObject({ flowName: "load", flowVersion: 1, status: "queued", priority: 5, retry: 0 })
      const done = yield* ended(job.id)
      expect(done).toMatchObject({ status: "succeeded", written: 1000, rejected: 0, message: null, isEnding: false })
      expect(rig.shop.query("SELECT count(*), count(DISTINCT id) FROM t")).toEqual([[1000, 1000]])
      const log = yield* texts(job.id)
      expect(log).toContain("planned: read (rows-input), write (sqlite-output)")
      expect(log).toContain("split read/0-500 committed: 500 rows")
      expect(log).toContain("succeeded (1000 rows written, 0 rejected")
      yield* Fiber.interrupt(listening)
      expect(heard.filter((type) => type !== "job.logged" && type !== "job.progressed")).toEqual([
        "job.queued",
        "job.started",
        "job.ended",
      ])
      const store = yield* RunStore
      expect(yield* Effect.promise(() => store.find(job.id))).toMatchObject({ flow: "load", status: "succeeded" })
    }),
  ))

test("the same idempotency key gives the same job, however often it is asked for at once", () =>
  inServer((rig) =>
    Effect.gen(function* () {
      const anna = yield* prepare(rig)
      yield* save(anna, "load", flowOf({ rows: 10 }))
      const ask = start(anna, "load", { idempotencyKey: "k", bizdate: "2026-07-01" })
      const jobs = yield* Effect.all(
        Array.from({ length: 50 }, () => ask),
        { concurrency: "unbounded" },
      )
      expect(new Set(jobs.map(({ id }) => id)).size).toBe(1)
      const other = yield* Effect.flip(start(anna, "load", { idempotencyKey: "k", bizdate: "2026-07-02" }))
      expect(other).toMatchObject({ reason: "conflict", current: { id: jobs[0]!.id } })
      yield* ended(jobs[0]!.id)
      expect((yield* ask).status).toBe("succeeded")
    }),
  ))

test("wrong parameters, unknown flows and missing grants are refused before anything waits", () =>
  inServer((rig) =>
    Effect.gen(function* () {
      const anna = yield* prepare(rig)
      const ben = yield* person("ben")
      const withParameter = { ...JSON.parse(flowOf({ rows: 10 })), parameters: { day: { type: "date" } } }
      yield* save(anna, "load", JSON.stringify(withParameter))
      expect(yield* Effect.flip(start(anna, "lod"))).toMatchObject({ reason: "missing" })
      expect(yield* Effect.flip(start(anna, "load", { parameters: { day: "no day" } }))).toMatchObject({
        reason: "invalid",
        problems: [{ message: expect.stringContaining("day") }],
      })
      expect(yield* Effect.flip(start(anna, "load", { bizdate: "2026-13-01" }))).toMatchObject({ reason: "invalid" })
      const denied = yield* Effect.flip(start(ben, "load", { parameters: { day: "2026-07-01" } }))
      expect(denied).toMatchObject({ reason: "forbidden" })
      const jobs = yield* Dispatcher.use((dispatcher) => dispatcher.list({ limit: 10 }))
      expect(jobs.items).toEqual([])
    }),
  ))

test("a dry run succeeds and a skipped one is skipped, and neither moves a row", () =>
  inServer((rig) =>
    Effect.gen(function* () {
      const anna = yield* prepare(rig)
      yield* save(anna, "load", flowOf({ rows: 10 }))
      expect(yield* start(anna, "load", { mode: "dry-run" })).toMatchObject({ status: "succeeded", written: 0 })
      expect(yield* start(anna, "load", { mode: "skip" })).toMatchObject({ status: "skipped" })
      const { load } = yield* Dispatcher
      expect(yield* load).toMatchObject({ queued: 0, running: 0 })
    }),
  ))

test("no more runs of a flow or of a data source go on than is allowed, and none waits forever", () =>
  inServer(
    (rig) =>
      Effect.gen(function* () {
        const anna = yield* prepare(rig, 2)
        const outputs = ["a", "b", "c"]
        for (const table of outputs)
          yield* save(anna, table, flowOf({ rows: 50_000 }, { output: { table } }), {
            concurrency: table === "a" ? 1 : 3,
          })
        const dispatcher = yield* Dispatcher
        const running = new Map<string, Job>()
        let most = 0
        let mostOfA = 0
        const watching = yield* Effect.forkChild(
          Stream.runForEach(dispatcher.events(), (event) =>
            Effect.sync(() => {
              if (event.type === "job.started") running.set(event.job.id, event.job)
              if (event.type === "job.ended") running.delete(event.job.id)
              most = Math.max(most, running.size)
              mostOfA = Math.max(mostOfA, [...running.values()].filter(({ flowName }) => flowName === "a").length)
            }),
          ),
          { startImmediately: true },
        )
        const jobs = yield* Effect.all(
          ["a", "a", "a", "b", "b", "c", "c"].map((flow, at) => start(anna, flow, { priority: at === 2 ? 9 : 1 })),
          { concurrency: "unbounded" },
        )
        const done = yield* Effect.all(
          jobs.map(({ id }) => ended(id)),
          { concurrency: "unbounded" },
        )
        expect(done.map(({ status, message }) => message ?? status)).toEqual(jobs.map(() => "succeeded"))
        yield* Fiber.interrupt(watching)
        expect({ most, mostOfA }).toEqual({ most: 2, mostOfA: 1 })
      }),
    { workers: { slots: 4 } },
  ))

test("a run is cancelled while it waits, while it runs, and when it hangs", () =>
  inServer(
    (rig) =>
      Effect.gen(function* () {
        const anna = yield* prepare(rig)
        const dispatcher = yield* Dispatcher
        yield* save(anna, "slow", flowOf({ rows: 100_000_000 }))
        const first = yield* start(anna, "slow")
        const second = yield* start(anna, "slow")
        yield* firstProgress(first.id)
        expect(yield* dispatcher.cancel(anna, second.id)).toMatchObject({ status: "cancelled", isEnding: false })
        expect(yield* dispatcher.cancel(anna, first.id)).toMatchObject({ status: "running", isEnding: true })
        expect(yield* ended(first.id)).toMatchObject({ status: "cancelled" })
        expect(yield* Effect.flip(dispatcher.cancel(anna, first.id))).toMatchObject({ reason: "conflict" })
        expect(yield* Effect.flip(dispatcher.cancel(anna, "nobody"))).toMatchObject({ reason: "missing" })
      }),
    { workers: { slots: 1 } },
  ))

const firstProgress = (id: string) =>
  Dispatcher.use((jobs) =>
    Stream.runHead(Stream.filter(jobs.events(id), ({ type }) => type === "job.progressed")).pipe(
      Effect.timeout("20 seconds"),
    ),
  )

test("a run that takes too long is stopped, and one that fails for a while is tried again as the flow says", () =>
  inServer((rig) =>
    Effect.gen(function* () {
      const anna = yield* prepare(rig)
      const sources = yield* SourceRegistry
      yield* save(anna, "slow", flowOf({ rows: 100_000_000 }), { timeoutHours: 1 })
      const database = yield* StoreDatabase
      const library = yield* FlowLibrary
      const slow = yield* library.get("slow")
      yield* database.write(async ({ update, tables: { flows } }) => {
        await update(flows).set({ properties: { ...slow.properties, timeoutHours: 0.0003 } })
      })
      const late = yield* start(anna, "slow")
      expect(yield* ended(late.id)).toMatchObject({ status: "failed", message: expect.stringContaining("took longer") })
      const prod = { host: "127.0.0.1", port: 1, user: "u", password: "hunter2-secret", database: "d" }
      yield* sources.create(anna, { name: "away", type: "postgres", description: "", concurrency: null, prod })
      const away = flowOf({ rows: 10 })
        .replace("sqlite-output", "postgres-output")
        .replace('"t","table"', '"away","table"')
      yield* save(anna, "away", away, { retries: 2, retryMinutes: 1 })
      const job = yield* start(anna, "away")
      const dispatcher = yield* Dispatcher
      const again = yield* Stream.runHead(
        Stream.filter(dispatcher.events(job.id), (event) => event.type === "job.queued"),
      ).pipe(Effect.timeout("30 seconds"))
      expect(again).toMatchObject({ value: { job: { status: "queued", retry: 1, message: expect.any(String) } } })
      expect(yield* texts(job.id)).not.toContain("hunter2")
      yield* dispatcher.cancel(anna, job.id)
    }),
  ))

test("a driver that crashes ends its own run, which is resumed once; then it has failed, and says why", () =>
  inServer((rig) =>
    Effect.gen(function* () {
      yield* prepare(rig)
      // The server knows only plugins by their manifests: whoever writes the flow is the system.
      const database = yield* StoreDatabase
      const library = yield* FlowLibrary
      const document = flowOf({ rows: 10 }, { through: { what: "die" } })
      yield* save(system, "load", flowOf({ rows: 10 }))
      const flow = yield* library.get("load")
      yield* database.write(async ({ update, tables: { flows } }) => void (await update(flows).set({ document })))
      const job = yield* start(system, flow.name)
      expect(yield* ended(job.id)).toMatchObject({
        status: "failed",
        retry: 1,
        message: expect.stringContaining("has died of SIGSEGV"),
      })
      expect(yield* texts(job.id)).toContain("the driver is broken")
      const store = yield* RunStore
      expect(yield* Effect.promise(() => store.find(job.id))).toMatchObject({ status: "cancelled", isDiscarded: true })
    }),
  ))
