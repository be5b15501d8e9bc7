import { expect, test } from "bun:test"
import { Effect, Stream } from "effect"
import { ServerRig } from "../../../runtime/server/testdata/server-rig.ts"
import { flowOf } from "../../../runtime/server/workers/testdata/workshop.ts"
import { storePlaces } from "../../../runtime/store/testdata/store-databases.ts"
import { StoreDatabase } from "../../store/database.ts"
import { Quarantine } from "../../store/quarantine.ts"
import { Retention } from "../../store/retention.ts"
import { RunStore } from "../../store/run-store.ts"
import { system } from "../access/actor.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { Dispatcher, type JobEvent, type JobRequest } from "./dispatcher.ts"
import { attachmentOf } from "./flow-of-job.ts"

const cause = { kind: "person", id: "", name: "test" } as const
const ended = (id: string) => Dispatcher.use((jobs) => jobs.wait(id, 30_000))
const submit = (document: string, more: Partial<JobRequest> = {}) =>
  Dispatcher.use((jobs) => jobs.submit(system, { flow: { title: "by hand", document }, cause, ...more }))
const until = (id: string, isIt: (event: JobEvent) => boolean) =>
  Dispatcher.use((jobs) =>
    Stream.runDrain(Stream.take(Stream.filter(jobs.events(id), isIt), 1)).pipe(Effect.timeout("30 seconds")),
  )
const attached = (id: string, kind: "flow" | "rows") =>
  StoreDatabase.use((database) => database.read((queries) => attachmentOf(queries, id, kind)))
const documentOf = (id: string) => attached(id, "flow")

type Services = Dispatcher | SourceRegistry | StoreDatabase | RunStore | Quarantine | Retention

/** On a store of each kind. */
function everywhere(name: string, work: (rig: ServerRig) => Effect.Effect<unknown, unknown, Services>) {
  test.each(storePlaces)(`${name} (%s)`, async (_, make) => {
    await using place = await make()
    const rig = new ServerRig()
    const server = Effect.gen(function* () {
      const sources = yield* SourceRegistry
      const { settings: prod } = rig.shop.source
      yield* sources.create(system, { name: "t", type: "sqlite", description: "", concurrency: null, prod })
      yield* work(rig)
    }).pipe(Effect.provide(Retention.layer), Effect.provide(rig.layer({ database: place.layer })))
    await Effect.runPromise(server).finally(() => rig[Symbol.dispose]())
  })
}

everywhere("documents that are not saved run side by side, each kept with its run, and forgotten with it", (rig) =>
  Effect.gen(function* () {
    const documents = [flowOf({ rows: 100, splits: 4 }), flowOf({ rows: 10 }, { output: { table: "u" } })]
    const jobs = yield* Effect.forEach(documents, (document) => submit(document, { overrides: { parallel: 2 } }))
    for (const [at, { id }] of jobs.entries()) {
      expect(yield* ended(id)).toMatchObject({
        ...{ status: "succeeded", flow: "", flowName: "by hand", flowVersion: 0, overrides: { parallel: 2 } },
      })
      expect(yield* documentOf(id)).toBe(documents[at]!)
    }
    expect(rig.shop.query("SELECT count(*) FROM t UNION ALL SELECT count(*) FROM u")).toEqual([[100], [10]])
    const store = yield* RunStore
    const run = yield* Effect.promise(() => store.find(jobs[0]!.id))
    expect(run).not.toHaveProperty("flow")
    expect(run?.origin.overrides).toEqual({ parallel: 2 })
    const database = yield* StoreDatabase
    yield* database.write(({ delete: remove, tables }) => remove(tables.jobs))
    expect(yield* documentOf(jobs[0]!.id)).toBeUndefined()
  }),
)

/** Where it wrote to a table, others would wait for the lock. */
function hangingFlow(): string {
  const { steps, ...rest } = JSON.parse(flowOf({ rows: 10 }, { through: { what: "hang" } }))
  return JSON.stringify({ ...rest, steps: [...steps.slice(0, 2), { id: "write", use: "discard-output" }] })
}

const hangs = ({ id }: { readonly id: string }) =>
  until(id, (event) => event.type === "job.logged" && event.line.text === "it hangs")

everywhere("documents that are not saved do not wait for one another", () =>
  Effect.gen(function* () {
    const all = yield* Effect.forEach([1, 2], () => submit(hangingFlow()))
    yield* Effect.forEach(all, hangs, { concurrency: "unbounded" })
    const jobs = yield* Dispatcher
    for (const { id } of all) yield* jobs.cancel(system, id, { deadlineMs: 0 })
    for (const { id } of all) expect(yield* ended(id)).toMatchObject({ status: "cancelled" })
  }),
)

everywhere("a document that is not saved outlives its worker", (rig) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const { id } = yield* submit(flowOf({ rows: 2_000_000, splits: 20 }))
    yield* until(id, (event) => event.type === "job.progressed" && event.event.type === "split.committed")
    const { owner } = (yield* Effect.promise(() => store.find(id)))!
    process.kill(owner.pid, "SIGKILL")
    expect(yield* ended(id)).toMatchObject({ status: "succeeded", retry: 1, written: 2_000_000 })
    expect(rig.shop.query("SELECT count(*), count(DISTINCT id) FROM t")).toEqual([[2_000_000, 2_000_000]])
  }),
)

everywhere("edited rows are kept until their replay has ended, and no longer", (rig) =>
  Effect.gen(function* () {
    const jobs = yield* Dispatcher
    rig.shop.query("CREATE TABLE t (id INTEGER CHECK (id <> 2))")
    const { id } = yield* submit(flowOf({ rows: 3 }), { overrides: { errorLimit: 1 } })
    expect(yield* ended(id)).toMatchObject({ status: "succeeded", rejected: 1 })
    const quarantine = yield* Quarantine
    const [rejected] = yield* Effect.promise(() => Array.fromAsync(quarantine.rows({ run: id })))
    const rows = JSON.stringify({ id: rejected?.id, record: { id: "20" } })
    const replay = yield* jobs.replay(system, id, { assignments: [], rows })
    expect(yield* ended(replay.id)).toMatchObject({ status: "succeeded", written: 1 })
    expect(rig.shop.query("SELECT id FROM t ORDER BY id").flat()).toContain(20)
    expect(yield* attached(replay.id, "rows")).toBeUndefined()
    expect(yield* documentOf(replay.id)).toBeString()

    // One that waits for the run ends without having begun.
    const run = yield* submit(hangingFlow())
    yield* hangs(run)
    const waiting = yield* jobs.replay(system, run.id, { assignments: [], rows })
    expect(yield* attached(waiting.id, "rows")).toBe(rows)
    expect(yield* jobs.cancel(system, waiting.id)).toMatchObject({ status: "cancelled" })
    expect(yield* attached(waiting.id, "rows")).toBeUndefined()
    yield* jobs.cancel(system, run.id, { deadlineMs: 0 })
    expect(yield* ended(run.id)).toMatchObject({ status: "cancelled" })
  }),
)

everywhere("a run that hangs is killed by the deadline that somebody gives later", () =>
  Effect.gen(function* () {
    const patient = { ...JSON.parse(flowOf({ rows: 10 }, { through: { what: "hang" } })) }
    const { id } = yield* submit(JSON.stringify({ ...patient, settings: { cancelTimeoutMs: 600_000 } }))
    yield* until(id, (event) => event.type === "job.logged" && event.line.text === "it hangs")
    const jobs = yield* Dispatcher
    expect(yield* jobs.cancel(system, id)).toMatchObject({ status: "running", isEnding: true })
    expect(yield* jobs.cancel(system, id, { deadlineMs: 0 })).toMatchObject({ status: "running", isEnding: true })
    expect(yield* ended(id)).toMatchObject({ status: "cancelled" })
    // The next attempt has the flow's own deadline again.
    expect(yield* jobs.resume(system, id, { overrides: { errorLimit: 7 } })).toMatchObject({
      ...{ status: "queued", overrides: { errorLimit: 7 } },
    })
    const database = yield* StoreDatabase
    const [row] = yield* database.read(({ select, tables }) => select().from(tables.jobs))
    expect(row).toMatchObject({ killAt: null, cancelledBy: null })
    yield* jobs.cancel(system, id, { deadlineMs: 0 })
  }),
)
