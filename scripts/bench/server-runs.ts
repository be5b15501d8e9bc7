import { readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { Effect, ManagedRuntime } from "effect"
import { system } from "../../core/server/access/actor.ts"
import { FlowLibrary } from "../../core/server/flows/flow-library.ts"
import { Dispatcher } from "../../core/server/jobs/dispatcher.ts"
import { SourceRegistry } from "../../core/server/sources/source-registry.ts"
import { ServerRig } from "../../runtime/server/testdata/server-rig.ts"
import { flowOf } from "../../runtime/server/workers/testdata/workshop.ts"
import { startPostgres } from "../services/postgres.ts"
import { driveRuns } from "./server-load.ts"

/**
 * Small runs through a dispatcher with warm workers, without HTTP: how long the first of them take one by one, how many a
 * second go on end, and how much memory server and workers hold meanwhile.
 *
 *     bun scripts/bench/server-runs.ts [runs] [workers]
 */
/** Of the kernel, as Linux counts them. */
const TICK_MS = 10
const [runs = 500, workers = 2] = process.argv.slice(2).map(Number)
const server = await startPostgres()
const rig = new ServerRig()
const runtime = ManagedRuntime.make(rig.layer({ workers: { slots: workers, warm: workers } }))
const database = await server.createDatabase("bench")
const prod = { host: server.host, port: server.port, database, user: server.user, password: server.password }

await runtime.runPromise(
  Effect.gen(function* () {
    const sources = yield* SourceRegistry
    const library = yield* FlowLibrary
    yield* sources.create(system, { name: "t", type: "postgres", description: "", concurrency: null, prod })
    for (let each = 0; each < workers; each++) {
      const document = flowOf({ rows: 1000 }, { output: { table: `t${each}` } }).replace(
        "sqlite-output",
        "postgres-output",
      )
      yield* library.create(system, { name: `load-${each}`, document, properties: { concurrency: 100 } })
    }
  }),
)

let asked = 0
const ask = () =>
  runtime.runPromise(
    Effect.gen(function* () {
      const dispatcher = yield* Dispatcher
      const flow = `load-${asked++ % workers}`
      const job = yield* dispatcher.submit(system, { flow, cause: { kind: "person", id: "", name: "bench" } })
      return yield* dispatcher.wait(job.id, 60_000)
    }),
  )
const driver = { run: async () => (await ask()).status }

await driveRuns(driver, { rate: 0, runs: 20, open: workers })
const alone = await driveRuns(driver, { rate: 0, runs: 40, open: 1 })
console.log("one by one", alone)
/** Processor time of this process and of its workers, in milliseconds: what others on the machine do does not change it. */
function used(): { readonly server: number; readonly workers: number } {
  const { user, system: kernel } = process.cpuUsage()
  const workers = readdirSync("/proc").flatMap((pid) => (/^\d+$/.test(pid) ? [ticksOf(pid)] : []))
  return { server: (user + kernel) / 1000, workers: workers.reduce((sum, ticks) => sum + ticks, 0) * TICK_MS }
}

/** Of a worker of this process; 0 of anything else. */
function ticksOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const isWorker = readFileSync(`/proc/${pid}/cmdline`, "utf8").endsWith("\0worker\0")
    return fields[1] === String(process.pid) && isWorker ? Number(fields[11]) + Number(fields[12]) : 0
  } catch {
    return 0
  }
}

const sample = (done: number) =>
  console.log(`${done} runs, server ${Math.round(process.memoryUsage.rss() / 1_048_576)} MB`)
const before = used()
console.log("without a pause", await driveRuns(driver, { rate: 0, runs, open: workers * 2, sample }))
const after = used()
console.log("processor time of a run, in ms", {
  server: (after.server - before.server) / runs,
  workers: (after.workers - before.workers) / runs,
})
await runtime.dispose()
rig[Symbol.dispose]()
await server.stop()
process.exit(0)
