import process from "node:process"
import { Deferred, Effect, Fiber, identity, Layer, Logger } from "effect"
import { DataSources, InstalledComponents, Machine } from "../../../core/host/services.ts"
import { movesRows, type Told } from "../../../core/server/jobs/orders.ts"
import { Quarantine } from "../../../core/store/quarantine.ts"
import { RunStore } from "../../../core/store/run-store.ts"
import type { Installed } from "../../discovery/installed.ts"
import { makeFiles } from "../../files/files.ts"
import { openPaths } from "../../files/open-paths.ts"
import { makeGivenSources } from "../../sources/given-sources.ts"
import { makeSecrets, maskedJson, Secrets } from "../../sources/secrets.ts"
import type { Order, OrderFailure } from "../channel/worker-calls.ts"
import { explain, Plugins } from "../host.ts"
import { carriedOut } from "./carry-out.ts"
import { orderFailure } from "./order-failure.ts"
import { makeOrderLog } from "./order-log.ts"
import { type Host, makeQuarantineClient, makeRunStoreClient } from "./store-client.ts"

export interface PerformContext {
  readonly installed: Installed
  readonly host: Host
  readonly tell: (told: Told) => void
  /** Ends the work. */
  readonly stop: Deferred.Deferred<void>
}

/** Carries out one order. What was learnt for it, secrets above all, is forgotten with it. */
export const perform = Effect.fnUntraced(function* (order: Order, context: PerformContext) {
  const { installed, host, tell, stop } = context
  const secrets = makeSecrets()
  const { components } = installed
  const { sources, files } = order.order
  const [base = process.cwd()] = files.folders
  const isOpen = openPaths(files)
  const log = makeOrderLog((level, text) => tell({ kind: "log", at: Date.now(), level, text: secrets.mask(text) }))
  const layer = Layer.mergeAll(
    Layer.succeed(Secrets, secrets),
    Layer.succeed(Plugins, installed),
    Layer.succeed(InstalledComponents, components),
    Layer.succeed(Machine, { files: makeFiles({ base, allow: isOpen }), log }),
    Layer.succeed(
      DataSources,
      makeGivenSources({ sources, components, secrets, base, isOpen, refused: explain(installed) }),
    ),
    Layer.succeed(RunStore, makeRunStoreClient(host)),
    Layer.succeed(Quarantine, makeQuarantineClient(host)),
    Logger.layer([]),
  )
  let answer: { readonly value: unknown } | undefined
  const work = carriedOut(order, {
    base,
    onEvent: (event) => tell({ kind: "event", event: maskedJson(event, secrets.mask) }),
  }).pipe(
    Effect.tap((value) =>
      Effect.sync(() => {
        answer = { value: maskedJson(value, secrets.mask) }
      }),
    ),
    // Whatever moves rows says itself where it can be interrupted, and ends with a report.
    movesRows(order.kind) ? Effect.uninterruptible : identity,
    Effect.provide(layer),
    Effect.catchCause((cause) => Effect.fail(orderFailure(cause, secrets.mask))),
  )
  const fiber = yield* Effect.forkChild(work, { startImmediately: true })
  yield* Effect.raceFirst(Fiber.await(fiber), Deferred.await(stop))
  const isStopped = yield* Deferred.isDone(stop)
  if (isStopped) yield* Fiber.interrupt(fiber)
  // A run that is cancelled still leaves its report.
  if (answer !== undefined) return answer.value
  if (isStopped) return yield* Effect.fail<OrderFailure>({ kind: "cancelled", message: "It was cancelled" })
  return yield* Fiber.join(fiber)
})
