import { Clock, Deferred, Effect, Exit, Fiber, Layer, Scope, Semaphore } from "effect"
import { type Answers, movesRows, type OrderKind, type Orders } from "../../../core/server/jobs/orders.ts"
import { type PerformOptions, WorkerError, WorkerPool } from "../../../core/server/jobs/worker-pool.ts"
import type { Quarantine } from "../../../core/store/quarantine.ts"
import type { RunStore } from "../../../core/store/run-store.ts"
import type { Order, OrderFailure } from "../../worker/channel/worker-calls.ts"
import { flowOf, maskOf, runsOf } from "./order-facts.ts"
import { startWorker, type WorkerEnd, type WorkerProcess } from "./worker-process.ts"
import type { WorkerSettings } from "./worker-settings.ts"

/** Workers as processes of this machine. They end with the layer's scope. */
export function workerPoolLayer(settings: WorkerSettings): Layer.Layer<WorkerPool, never, RunStore | Quarantine> {
  return Layer.effect(WorkerPool, makeWorkerPool(settings))
}

interface Worker {
  readonly process: WorkerProcess
  readonly scope: Scope.Closeable
  orders: number
}

const makeWorkerPool = Effect.fnUntraced(function* (settings: WorkerSettings) {
  const scope = yield* Effect.scope
  const context = yield* Effect.context<RunStore | Quarantine>()
  const idle: Worker[] = []
  let busy = 0
  const turns = { run: Semaphore.makeUnsafe(settings.slots), ask: Semaphore.makeUnsafe(settings.askers) }

  const start = Effect.gen(function* () {
    const own = yield* Scope.fork(scope)
    const process = yield* startWorker(settings).pipe(Scope.provide(own), Effect.provideContext(context))
    return { process, scope: own, orders: 0 } satisfies Worker
  })

  /** Starts what is missing of the workers that wait. */
  const fill: Effect.Effect<void> = Effect.suspend(() => {
    if (idle.length + busy >= settings.warm && idle.length > 0) return Effect.void
    if (idle.length >= settings.warm) return Effect.void
    return Effect.flatMap(start, rest)
  })

  const rest = (worker: Worker): Effect.Effect<void> =>
    Effect.gen(function* () {
      idle.push(worker)
      yield* Effect.forkIn(leaving(worker), worker.scope)
    })

  /** One that dies while it waits is replaced, but not in a hurry: it may not be able to live here. */
  const leaving = (worker: Worker) =>
    Effect.gen(function* () {
      yield* worker.process.ended
      const at = idle.indexOf(worker)
      if (at < 0) return
      idle.splice(at, 1)
      yield* Effect.forkIn(Effect.andThen(Effect.sleep("1 second"), fill), scope)
      yield* Scope.close(worker.scope, Exit.void)
    }).pipe(Effect.asVoid)

  const take = Effect.suspend(() => {
    busy++
    const found = idle.pop()
    return found === undefined ? start : Effect.succeed(found)
  })

  const giveBack = Effect.fnUntraced(function* (worker: Worker) {
    busy--
    const { process } = worker
    const isWorn = ++worker.orders >= settings.mostOrders || process.memory() > settings.restingBytes
    if (!process.isThere || isWorn) yield* Scope.close(worker.scope, Exit.void)
    else if (idle.length < Math.max(settings.warm, settings.slots)) idle.push(worker)
    else yield* Scope.close(worker.scope, Exit.void)
    yield* Effect.forkIn(fill, scope)
  })

  const carryOut = Effect.fnUntraced(function* (worker: Worker, order: Order, options: Required<PerformOptions>) {
    const { process } = worker
    const mask = maskOf(order)
    let killed: "memory" | "killed" | undefined
    let waitedMs = options.deadlineMs
    const kill = (why: "memory" | "killed") =>
      Effect.sync(() => {
        killed ??= why
        process.kill()
      })
    const cancelling = Effect.gen(function* () {
      yield* Deferred.await(options.cancelled)
      // One that hangs does not even answer.
      yield* Effect.forkScoped(process.cancel)
      const toldAt = yield* Clock.currentTimeMillis
      const usual = toldAt + options.deadlineMs
      // Somebody may lose patience, or gain it, while the time goes by.
      const left = Effect.map(Clock.currentTimeMillis, (now) => (options.killAt() ?? usual) - now)
      for (let ms = yield* left; ms > 0; ms = yield* left) yield* Effect.sleep(Math.min(ms, PATIENCE_MS))
      waitedMs = (yield* Clock.currentTimeMillis) - toldAt
      yield* kill("killed")
    })
    const measuring = Effect.gen(function* () {
      yield* Effect.sleep(MEASURE_MS)
      if (process.memory() > settings.mostBytes) yield* kill("memory")
    }).pipe(Effect.forever)
    const onTold: PerformOptions["onTold"] = (told) =>
      options.onTold(told.kind === "log" ? { ...told, text: mask(told.text) } : told)
    return yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.forkScoped(cancelling)
        yield* Effect.forkScoped(measuring)
        return yield* process.perform({ runs: runsOf(order), flow: flowOf(order), order, onTold })
      }),
    ).pipe(
      Effect.mapError((failure) =>
        failure.kind === "gone" ? endedError(failure.end, { killed, mask, settings, waitedMs }) : orderError(failure),
      ),
    )
  })

  const perform = Effect.fnUntraced(function* <K extends OrderKind>(kind: K, order: Orders[K], given: PerformOptions) {
    const whole = { kind, order } as unknown as Order // the kind and its order belong together
    const cancelled = given.cancelled ?? Deferred.makeUnsafe<void>()
    const options = { onTold: () => {}, killAt: () => undefined, ...given, cancelled }
    const work = Effect.acquireUseRelease(take, (worker) => carryOut(worker, whole, options), giveBack)
    const turn = movesRows(kind) ? turns.run : turns.ask
    return yield* turn.withPermits(1)(
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          // Whoever leaves does not leave the work alone: it ends first.
          const fiber = yield* Effect.forkIn(work, scope)
          const answer = yield* restore(Fiber.join(fiber)).pipe(
            Effect.onInterrupt(() => Effect.andThen(Deferred.succeed(cancelled, undefined), Fiber.await(fiber))),
          )
          return answer as Answers[K] // what a worker answers to this kind
        }),
      ),
    )
  })

  for (let at = 0; at < settings.warm; at++) yield* Effect.flatMap(start, rest)
  return WorkerPool.of({
    slots: settings.slots,
    perform,
    load: Effect.sync(() => ({ idle: idle.length, busy })),
  })
})

function orderError({ kind, ...rest }: OrderFailure): WorkerError {
  return new WorkerError({ ...rest, kind: kind === "defect" ? "crashed" : kind })
}

interface EndContext {
  readonly killed: "memory" | "killed" | undefined
  readonly mask: (text: string) => string
  readonly settings: WorkerSettings
  /** Between being told to end and being killed. */
  readonly waitedMs: number
}

function endedError({ code, signal, lastLines }: WorkerEnd, context: EndContext): WorkerError {
  const { killed, mask, settings, waitedMs } = context
  if (killed === "memory") {
    const most = Math.round(settings.mostBytes / 1_048_576)
    return new WorkerError({
      kind: "memory",
      message: `The run was killed: it took more memory than the ${most} MB that a run may take`,
      hint: "Lower parallel, batchBytes or bufferBytes in the flow's settings, or raise the ceiling of the server",
    })
  }
  if (killed === "killed")
    return new WorkerError({
      kind: "killed",
      message: `The run was killed: it had not ended ${waitedMs} ms after it was told to`,
    })
  const how =
    signal === null ? (code === null ? "cannot be started" : `has ended with code ${code}`) : `has died of ${signal}`
  const last = mask(lastLines.slice(-3).join(" | "))
  return new WorkerError({
    kind: code === null && signal === null ? "unavailable" : "crashed",
    message: `The worker process ${how}${last === "" ? "" : `: ${last}`}`,
  })
}

const MEASURE_MS = 250
const PATIENCE_MS = 100
