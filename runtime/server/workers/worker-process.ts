import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { Deferred, Effect, Queue, type Scope } from "effect"
import { RpcClient, RpcServer } from "effect/rpc"
import type { Told } from "../../../core/server/jobs/orders.ts"
import type { Quarantine } from "../../../core/store/quarantine.ts"
import type { RunStore } from "../../../core/store/run-store.ts"
import { processOwner } from "../../store/process-owner.ts"
import { HostCalls } from "../../worker/channel/host-calls.ts"
import { LineReader, lineOf } from "../../worker/channel/lines.ts"
import { type Message, makePeer } from "../../worker/channel/peer.ts"
import { type Order, type OrderFailure, WorkerCalls } from "../../worker/channel/worker-calls.ts"
import { type Desk, hostHandlers } from "./host-handlers.ts"
import { environmentOf, type WorkerSettings } from "./worker-settings.ts"

/** How a worker has ended, and the last that it has said. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly lastLines: readonly string[]
}

export interface WorkerTask {
  readonly runs: readonly string[]
  readonly flow: string | undefined
  readonly order: Order
  readonly onTold: (told: Told) => void
}

/** A process that carries out orders, one after the other. */
export interface WorkerProcess {
  readonly pid: number
  /** Fails with `gone` when the process ends before it has answered. */
  perform(task: WorkerTask): Effect.Effect<unknown, OrderFailure | { readonly kind: "gone"; readonly end: WorkerEnd }>
  readonly cancel: Effect.Effect<void>
  kill(): void
  readonly ended: Effect.Effect<WorkerEnd>
  readonly isThere: boolean
  /** Memory that it holds, in bytes; 0 where nobody can tell. */
  memory(): number
}

/** Starts a worker, and kills it when the scope is closed. */
export const startWorker = Effect.fnUntraced(function* (
  settings: WorkerSettings,
): Effect.fn.Return<WorkerProcess, never, Scope.Scope | RunStore | Quarantine> {
  const [program, ...words] = settings.command
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(program, [...words, "worker"], {
        cwd: settings.base,
        env: environmentOf(settings),
        stdio: ["pipe", "pipe", "pipe"],
      }),
    ),
    (started) => Effect.sync(() => started.kill("SIGKILL")),
  )
  const ended = Deferred.makeUnsafe<WorkerEnd>()
  const lastLines: string[] = []
  const desk: Desk = { ...idle(), owner: processOwner(child.pid ?? 0) }
  const printed = (line: string) => {
    lastLines.push(line)
    if (lastLines.length > LAST_LINES) lastLines.shift()
    desk.onTold?.({ kind: "log", at: Date.now(), level: "warn", text: line })
  }
  const incoming = yield* Queue.unbounded<Message>()
  const lines = new LineReader((message) => void Queue.offerUnsafe(incoming, message), printed)
  const errors = new LineReader(() => {}, printed)
  child.stdout.on("data", (bytes: Uint8Array) => lines.take(bytes))
  child.stderr.on("data", (bytes: Uint8Array) => errors.take(bytes))
  // What is written to a process that is gone is lost with it.
  child.stdin.on("error", () => {})
  const end = (code: number | null, signal: string | null) =>
    void Deferred.doneUnsafe(ended, Effect.succeed({ code, signal, lastLines: [...lastLines] }))
  child.on("close", end)
  child.on("error", (error) => {
    printed(error.message)
    end(null, null)
  })

  const peer = yield* makePeer((message) => sent(child, lineOf(message)))
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(incoming), peer.receive)))
  yield* Effect.forkScoped(
    RpcServer.make(HostCalls, { disableTracing: true, disableFatalDefects: true }).pipe(
      Effect.provideService(RpcServer.Protocol, peer.server),
      Effect.provide(hostHandlers(desk)),
    ),
  )
  const client = yield* RpcClient.make(WorkerCalls, { disableTracing: true }).pipe(
    Effect.provideService(RpcClient.Protocol, peer.client),
  )
  const gone = Effect.flatMap(Deferred.await(ended), (how) => Effect.fail({ kind: "gone" as const, end: how }))
  return {
    pid: child.pid ?? 0,
    perform: Effect.fnUntraced(function* ({ order, ...at }) {
      Object.assign(desk, idle(), at)
      lastLines.length = 0
      const answer = client.perform(order).pipe(Effect.catchTag("RpcClientError", () => gone))
      return yield* Effect.raceFirst(answer, gone).pipe(Effect.ensuring(Effect.sync(() => Object.assign(desk, idle()))))
    }),
    cancel: client.cancel().pipe(Effect.catchCause(() => Effect.void)),
    kill: () => void child.kill("SIGKILL"),
    ended: Deferred.await(ended),
    get isThere() {
      return child.exitCode === null && child.signalCode === null && child.pid !== undefined
    },
    memory: () => memoryOf(child.pid),
  }
})

/** Resolves when the pipe has room again. */
function sent({ stdin }: ChildProcess, line: string): Effect.Effect<void> {
  return Effect.callback((resume) => {
    if (stdin === null || !stdin.writable) return resume(Effect.void)
    stdin.write(line, () => resume(Effect.void))
  })
}

function memoryOf(pid: number | undefined): number {
  if (pid === undefined) return 0
  try {
    const pages = readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]
    return Number(pages) * PAGE_BYTES
  } catch {
    return 0
  }
}

const idle = () => ({ runs: [], flow: undefined, onTold: undefined, gathered: [], shown: 0 })
const PAGE_BYTES = 4096
const LAST_LINES = 20
