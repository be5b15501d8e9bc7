import { join } from "node:path"
import process from "node:process"
import { Deferred, Effect, Logger, Queue } from "effect"
import { RpcClient, RpcServer } from "effect/rpc"
import { plugins } from "../../../plugins/registry.gen.ts"
import { install } from "../../discovery/installed.ts"
import { goWithOthers } from "../../server/priority.ts"
import { readSettings } from "../../settings.ts"
import { HostCalls } from "../channel/host-calls.ts"
import { LineReader, lineOf } from "../channel/lines.ts"
import { type Message, makePeer, type Peer } from "../channel/peer.ts"
import { type OrderFailure, WorkerCalls } from "../channel/worker-calls.ts"
import { perform } from "./perform.ts"
import { catchOutput } from "./standard-output.ts"
import { Teller } from "./teller.ts"

/**
 * A process that does what a server tells it over the standard input and output, one thing at a time. It ends when its
 * server does: first what goes on is cancelled, so that no session of a database stays behind.
 */
export async function work(): Promise<void> {
  goWithOthers()
  // A signal to the whole group of processes is for the server to act on.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {})
  await Effect.runPromise(Effect.scoped(serve).pipe(Effect.provide(Logger.layer([]))))
}

const serve = Effect.gen(function* () {
  const { home, environment } = readSettings(process.env, process.cwd(), false)
  const incoming = yield* Queue.unbounded<Message>()
  const gone = Deferred.makeUnsafe<void>()
  const { promise: left, resolve: release } = Promise.withResolvers<void>()
  let isGone = false
  const leave = () => {
    if (isGone) return
    isGone = true
    release()
    Deferred.doneUnsafe(gone, Effect.void)
    // Whatever hangs does not keep the process.
    setTimeout(() => process.exit(1), LEAVE_MS + GRACE_MS)
  }
  let teller: Teller | undefined
  const say = (text: string) => teller?.tell({ kind: "log", at: Date.now(), level: "info", text: text.trimEnd() })
  const out = catchOutput(say, leave)
  const lines = new LineReader(
    (message) => void Queue.offerUnsafe(incoming, message),
    () => {},
  )
  process.stdin.on("data", (bytes: Uint8Array) => lines.take(bytes))
  process.stdin.on("end", leave)
  process.stdin.on("error", leave)

  const installed = yield* install({
    builtIn: plugins,
    folders: [join(home, "plugins")],
    unconfined: environment.HEADRACE_UNCONFINED?.split(",").filter((name) => name !== "") ?? [],
    // The server has told about plugins when it was started.
    warn: () => {},
  })
  // Nobody takes what is written to a server that is gone, not even to say that it cannot be: what asks for an answer fails.
  const peer: Peer = yield* makePeer((message) =>
    Effect.suspend(() => (isGone ? peer.lost : Effect.promise(() => Promise.race([out.write(lineOf(message)), left])))),
  )
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(incoming), peer.receive)))
  const host = yield* RpcClient.make(HostCalls, { disableTracing: true }).pipe(
    Effect.provideService(RpcClient.Protocol, peer.client),
  )
  const telling = new Teller((items) => Effect.runPromise(host.told({ items })))
  teller = telling

  let stop: Deferred.Deferred<void> | undefined
  const cancel = Effect.sync(() => void (stop !== undefined && Deferred.doneUnsafe(stop, Effect.void)))
  const handlers = WorkerCalls.toLayer({
    perform: (order) =>
      Effect.gen(function* () {
        if (stop !== undefined) return yield* Effect.fail<OrderFailure>({ kind: "defect", message: "It works already" })
        const own = Deferred.makeUnsafe<void>()
        stop = own
        const tell = telling.tell.bind(telling)
        return yield* perform(order, { installed, host, tell, stop: own }).pipe(
          Effect.ensuring(Effect.promise(() => telling.flushed())),
          Effect.ensuring(
            Effect.sync(() => {
              stop = undefined
            }),
          ),
        )
      }),
    cancel: () => cancel,
  })
  yield* Effect.forkScoped(
    RpcServer.make(WorkerCalls, { disableTracing: true, disableFatalDefects: true }).pipe(
      Effect.provideService(RpcServer.Protocol, peer.server),
      Effect.provide(handlers),
    ),
  )
  yield* Deferred.await(gone)
  yield* peer.lost
  yield* cancel
  yield* Effect.promise(() => idle(() => stop === undefined))
})

/** Waits until nothing goes on, but not for something that hangs. */
async function idle(isIdle: () => boolean): Promise<void> {
  const end = performance.now() + LEAVE_MS
  while (!isIdle() && performance.now() < end) await new Promise((done) => setTimeout(done, POLL_MS))
}

const LEAVE_MS = 10_000
const GRACE_MS = 2000
const POLL_MS = 20
