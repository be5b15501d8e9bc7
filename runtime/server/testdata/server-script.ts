import process from "node:process"
import { Effect, Stream } from "effect"
import { system } from "../../../core/server/access/actor.ts"
import { Dispatcher } from "../../../core/server/jobs/dispatcher.ts"
import { RunStore } from "../../../core/store/run-store.ts"
import { ServerRig } from "./server-rig.ts"

/** A server on the folder of a test that runs the flow `load`, says when rows flow, and waits to be killed. */
const rig = new ServerRig(process.argv[2])

const program = Effect.gen(function* () {
  const dispatcher = yield* Dispatcher
  const store = yield* RunStore
  const job = yield* dispatcher.submit(system, { flow: "load", cause: { kind: "person", id: "", name: "test" } })
  const flowing = Stream.filter(
    dispatcher.events(job.id),
    (event) =>
      event.type === "job.progressed" &&
      event.event.type === "run.progressed" &&
      event.event.steps.some(({ kind, rowsOut }) => kind === "input" && rowsOut > 0),
  )
  yield* Stream.runHead(flowing)
  const run = yield* Effect.promise(() => store.find(job.id))
  process.stdout.write(`run ${job.id} worker ${run?.owner.pid}; rows flow\n`)
  yield* Effect.never
})

await Effect.runPromise(program.pipe(Effect.provide(rig.layer())))
