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
const sample = (done: number) =>
  console.log(`${done} runs, server ${Math.round(process.memoryUsage.rss() / 1_048_576)} MB`)
console.log("without a pause", await driveRuns(driver, { rate: 0, runs, open: workers * 2, sample }))
await runtime.dispose()
rig[Symbol.dispose]()
await server.stop()
process.exit(0)
