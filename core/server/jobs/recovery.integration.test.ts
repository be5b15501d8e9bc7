import { Database } from "bun:sqlite"
import { afterAll, expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { SQL } from "bun"
import { Effect, Option, Stream } from "effect"
import { type RigOptions, ServerRig } from "../../../runtime/server/testdata/server-rig.ts"
import { flowOf } from "../../../runtime/server/workers/testdata/workshop.ts"
import { postgres } from "../../../scripts/services/services.ts"
import { StoreDatabase } from "../../store/database.ts"
import { RunStore } from "../../store/run-store.ts"
import type { FlowProperties } from "../../store/tables/flow-tables.ts"
import { system } from "../access/actor.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { Dispatcher } from "./dispatcher.ts"

const server = await postgres()
const rigs: ServerRig[] = []
afterAll(() => {
  for (const rig of rigs) rig[Symbol.dispose]()
})

const ROWS = 300_000
/** For a run that is sure to last until somebody has seen it, on however fast a machine. */
const MANY = 2_000_000

/** What is different from the usual flow. */
interface Shape {
  readonly rows?: number
  readonly splits?: number
  readonly output?: object
}

/** A server with a data source `pg` of its own, and a flow into it. */
async function world({ output = {}, ...input }: Shape, properties: Partial<FlowProperties> = {}) {
  const rig = new ServerRig()
  rigs.push(rig)
  const database = await server.createDatabase("jobs")
  const url = new URL(server.urlOf(database))
  const prod = {
    ...{ host: url.hostname, port: Number(url.port), database },
    ...{ user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
  }
  const use = <A, E>(
    work: Effect.Effect<A, E, Dispatcher | FlowLibrary | SourceRegistry | StoreDatabase | RunStore>,
    options: RigOptions = {},
  ): Promise<A> => Effect.runPromise(work.pipe(Effect.provide(rig.layer(options))))
  await use(
    Effect.gen(function* () {
      const sources = yield* SourceRegistry
      const library = yield* FlowLibrary
      yield* sources.create(system, { name: "t", type: "postgres", description: "", concurrency: null, prod })
      const document = flowOf({ rows: ROWS, ...input }, { output }).replace("sqlite-output", "postgres-output")
      yield* library.create(system, { name: "load", document, properties })
    }),
  )
  const rows = async () => {
    await using sql = new SQL(server.urlOf(database), { max: 1 })
    return (await sql`SELECT count(*)::int AS all, count(DISTINCT id)::int AS distinct FROM t`) as unknown[]
  }
  return { rig, use, rows, database }
}

const begin = Effect.gen(function* () {
  const dispatcher = yield* Dispatcher
  return yield* dispatcher.submit(system, { flow: "load", cause: { kind: "person", id: "", name: "test" } })
})

/** A run of a snapshot, whose worker is killed once three of its splits are committed. */
const killedAfterSplits = Effect.fnUntraced(function* (rig: ServerRig) {
  const store = yield* RunStore
  const dispatcher = yield* Dispatcher
  const job = yield* begin
  const some = Stream.filter(
    dispatcher.events(job.id),
    (event) => event.type === "job.progressed" && event.event.type === "split.committed",
  )
  yield* Stream.runDrain(Stream.take(some, 3))
  // Rows that are made need no snapshot; others do.
  rig.shop.execute("UPDATE inputs SET one_snapshot = 1")
  const { owner } = (yield* Effect.promise(() => store.find(job.id)))!
  process.kill(owner.pid, "SIGKILL")
  return job
})

const untilSplit = (id: string) =>
  Dispatcher.use((dispatcher) =>
    Stream.runHead(
      Stream.filter(
        dispatcher.events(id),
        (event) =>
          event.type === "job.progressed" &&
          event.event.type === "run.progressed" &&
          event.event.steps.some(({ kind, rowsOut }) => kind === "input" && rowsOut > 0),
      ),
    ).pipe(Effect.map(Option.isSome)),
  )

const receipts = (id: string) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const run = yield* Effect.promise(() => store.find(id))
    const report = run!.report!
    const outputs = report.receipts.flatMap((receipt) => receipt.outputs.map((output) => ({ receipt, output })))
    for (const { receipt, output } of outputs)
      expect(receipt.read + output.made).toBe(output.written + output.rejected + output.filtered)
    return { status: report.status, fence: report.fence, written: sum(outputs.map(({ output }) => output.written)) }
  })

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

const ended = (id: string) => Dispatcher.use((dispatcher) => dispatcher.wait(id, 60_000))

/** Starts a server as a process of its own, lets it begin a run, and kills it while rows flow. Gives the run's id. */
async function killedServer(rig: ServerRig): Promise<string> {
  const script = join(import.meta.dir, "../../../runtime/server/testdata/server-script.ts")
  const child = spawn(process.execPath, [script, rig.shop.folder], { stdio: ["ignore", "pipe", "inherit"] })
  let said = ""
  for await (const piece of child.stdout) {
    said += String(piece)
    if (said.includes("rows flow")) break
  }
  child.kill("SIGKILL")
  const [, id, worker] = /run (\S+) worker (\d+)/.exec(said)!
  // Its worker notices, cancels what goes on at the databases, and leaves.
  while (isThere(Number(worker))) await Bun.sleep(20)
  return id!
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test("a worker that is killed in the middle of a run is followed by another one that goes on", async () => {
  const { use, rows } = await world({ rows: MANY })
  await use(
    Effect.gen(function* () {
      const store = yield* RunStore
      const job = yield* begin
      expect(yield* untilSplit(job.id)).toBe(true)
      const { owner } = (yield* Effect.promise(() => store.find(job.id)))!
      process.kill(owner.pid, "SIGKILL")
      expect(yield* ended(job.id)).toMatchObject({ status: "succeeded", retry: 1, written: MANY })
      expect(yield* receipts(job.id)).toEqual({ status: "succeeded", fence: 2, written: MANY })
      const log = yield* Dispatcher.use((dispatcher) => dispatcher.logs(job.id, { limit: 100 }))
      expect(log.map(({ text }) => text).join()).toContain("has died of SIGKILL; it is tried again")
    }),
  )
  expect(await rows()).toEqual([{ all: MANY, distinct: MANY }])
})

test("after a kill -9 of the server, its worker leaves and the next start ends the run, with receipts that add up", async () => {
  const { rig, use, rows } = await world({ rows: MANY })
  const id = await killedServer(rig)
  await use(
    Effect.gen(function* () {
      expect(yield* ended(id)).toMatchObject({ status: "succeeded", written: MANY, retry: 0 })
      expect(yield* receipts(id)).toEqual({ status: "succeeded", fence: 2, written: MANY })
    }),
  )
  expect(await rows()).toEqual([{ all: MANY, distinct: MANY }])
})

test("a run that was begun anew in the place of another one goes on after a crash of its server", async () => {
  const { rig, use, rows } = await world({ rows: MANY })
  const id = await killedServer(rig)
  // The server that the script starts begins a run as it is; the one that it stands for is given up by then.
  const start = { kind: "restart", of: "given-up", force: false } as const
  using store = new Database(join(rig.shop.folder, "server.db"))
  store.run("UPDATE jobs SET start = ? WHERE id = ?", [JSON.stringify(start), id])
  await use(
    Effect.gen(function* () {
      expect(yield* ended(id)).toMatchObject({ status: "succeeded", written: MANY, message: null })
      expect(yield* receipts(id)).toEqual({ status: "succeeded", fence: 2, written: MANY })
    }),
  )
  expect(await rows()).toEqual([{ all: MANY, distinct: MANY }])
})

test("a run that somebody had cancelled when its server died is closed by the next one, which has nothing to add", async () => {
  const { rig, use } = await world({ rows: MANY })
  const id = await killedServer(rig)
  using store = new Database(join(rig.shop.folder, "server.db"))
  store.run("UPDATE jobs SET cancelled_by = 'ada', kill_at = 1 WHERE id = ?", [id])
  await use(
    Effect.gen(function* () {
      expect(yield* ended(id)).toMatchObject({ status: "cancelled", message: null })
      const store = yield* RunStore
      expect(yield* Effect.promise(() => store.find(id))).toMatchObject({ status: "cancelled", isDiscarded: true })
    }),
  )
})

test("a run that was begun anew, and waits after a crash of its server, is closed when somebody cancels it", async () => {
  const { rig, use } = await world({ rows: MANY })
  const id = await killedServer(rig)
  const start = { kind: "restart", of: "given-up", force: false } as const
  using store = new Database(join(rig.shop.folder, "server.db"))
  const waiting = "UPDATE jobs SET status = 'queued', server = NULL, due_at = 1e15, start = ? WHERE id = ?"
  store.run(waiting, [JSON.stringify(start), id])
  await use(
    Effect.gen(function* () {
      yield* Dispatcher.use((dispatcher) => dispatcher.cancel(system, id))
      expect(yield* ended(id)).toMatchObject({ status: "cancelled", message: null })
      const store = yield* RunStore
      expect(yield* Effect.promise(() => store.find(id))).toMatchObject({ status: "cancelled", isDiscarded: true })
    }),
  )
})

test("a run that had succeeded when its server died, but was not written down as such, has succeeded", async () => {
  const { use, rows } = await world({})
  const id = await use(
    Effect.gen(function* () {
      const { id } = yield* begin
      expect(yield* ended(id)).toMatchObject({ status: "succeeded", written: ROWS })
      return id
    }),
  )
  await use(
    Effect.gen(function* () {
      const { write } = yield* StoreDatabase
      // What a server leaves that is killed between the end of a run and its note.
      const left = { status: "running", server: "gone", endedAt: null, written: null } as const
      yield* write(async ({ update, tables: { jobs } }) => void (await update(jobs).set(left)))
    }),
  )
  await use(
    Effect.gen(function* () {
      expect(yield* ended(id)).toMatchObject({ status: "succeeded", written: ROWS, rejected: 0, message: null })
      expect(yield* receipts(id)).toEqual({ status: "succeeded", fence: 1, written: ROWS })
    }),
  )
  expect(await rows()).toEqual([{ all: ROWS, distinct: ROWS }])
})

test("a run of a flow that is not to be resumed is closed and has failed after a crash of its server", async () => {
  const { rig, use } = await world({ rows: MANY }, { onCrash: "fail" })
  const id = await killedServer(rig)
  await use(
    Effect.gen(function* () {
      expect(yield* ended(id)).toMatchObject({
        status: "failed",
        message: expect.stringContaining("its server has died"),
      })
      const store = yield* RunStore
      expect(yield* Effect.promise(() => store.find(id))).toMatchObject({ status: "cancelled", isDiscarded: true })
    }),
  )
})

test("a run whose snapshot is lost is begun anew where its rows are found by their key", async () => {
  const output = { mode: "overwriteRows", keyColumns: ["id"] }
  const { rig, use, rows } = await world({ splits: 60, output }, { retries: 0 })
  await use(
    Effect.gen(function* () {
      const job = yield* killedAfterSplits(rig)
      const { status, message } = yield* ended(job.id)
      expect(`${status}: ${message}`).toMatch(/^failed: .*it is begun anew as run /)
      const [, id] = /anew as run (\S+)/.exec(message!)!
      expect(yield* ended(id!)).toMatchObject({
        status: "succeeded",
        cause: { kind: "retry", id: job.id },
        written: ROWS,
      })
    }),
  )
  expect(await rows()).toEqual([{ all: ROWS, distinct: ROWS }])
})

test("a run whose snapshot is lost after it has appended rows waits for somebody who decides", async () => {
  const { rig, use, rows } = await world({ rows: MANY, splits: 400 })
  await use(
    Effect.gen(function* () {
      const dispatcher = yield* Dispatcher
      const job = yield* killedAfterSplits(rig)
      const { status, message } = yield* ended(job.id)
      expect(`${status}: ${message}`).toMatch(
        /^failed: .*Accept that: resume it with --new-snapshot\. Or: Remove what it has committed, \d+ rows at output/,
      )
      // Nothing was begun in vain.
      expect((yield* dispatcher.list({ limit: 10 })).items).toHaveLength(1)
      yield* dispatcher.resume(system, job.id, { newSnapshot: true })
      expect(yield* ended(job.id)).toMatchObject({ status: "succeeded", written: MANY })
      expect(yield* receipts(job.id)).toMatchObject({ status: "succeeded", written: MANY })
    }),
  )
  expect(await rows()).toEqual([{ all: MANY, distinct: MANY }])
})

test("a server that is stopped hands its runs over to the next one", async () => {
  const { use, rows } = await world({ rows: MANY })
  const id = await use(
    Effect.gen(function* () {
      const job = yield* begin
      yield* untilSplit(job.id)
      return job.id
    }),
    { stopMs: 0 },
  )
  await use(
    Effect.gen(function* () {
      expect(yield* ended(id)).toMatchObject({ status: "succeeded", retry: 0, written: MANY })
      expect(yield* receipts(id)).toEqual({ status: "succeeded", fence: 2, written: MANY })
      const dispatcher = yield* Dispatcher
      expect((yield* dispatcher.logs(id, { limit: 100 })).map(({ text }) => text).join()).toContain(
        "The server was stopped",
      )
    }),
  )
  expect(await rows()).toEqual([{ all: MANY, distinct: MANY }])
})
