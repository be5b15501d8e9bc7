import { Context, Effect, Layer, PubSub, Stream } from "effect"
import type { FailureReason } from "../contract/index.ts"
import type { RunReport, StepCount } from "../run/report.ts"

/** What happens in a run, named `<noun>.<past-verb>`: the one source of logs, metrics and live updates. */
export type RunEvent =
  | {
      readonly type: "run.started"
      readonly runId: string
      readonly steps: readonly { id: string; use: string; kind: string }[]
      readonly estimatedRows?: number
    }
  | {
      readonly type: "input.opened"
      readonly runId: string
      readonly step: string
      readonly splits: number
      readonly oneSnapshot: boolean
      readonly note?: string
    }
  | { readonly type: "split.started"; readonly runId: string; readonly split: string; readonly label: string }
  | { readonly type: "split.committed"; readonly runId: string; readonly split: string; readonly rows: number }
  | {
      readonly type: "split.failed"
      readonly runId: string
      readonly split: string
      readonly reason: FailureReason
      readonly message: string
    }
  | {
      readonly type: "split.retried"
      readonly runId: string
      readonly split: string
      readonly waitMs: number
      readonly reason: FailureReason
      readonly message: string
    }
  | {
      readonly type: "run.progressed"
      readonly runId: string
      readonly steps: readonly StepCount[]
      readonly rejected: number
    }
  | { readonly type: "run.finished"; readonly runId: string; readonly report: RunReport }

export class Events extends Context.Service<
  Events,
  { publish(event: RunEvent): Effect.Effect<void>; readonly stream: Stream.Stream<RunEvent> }
>()("core/events/Events") {
  static readonly layer = Layer.effect(
    Events,
    Effect.gen(function* () {
      const hub = yield* PubSub.sliding<RunEvent>(1024)
      return Events.of({
        publish: (event) => PubSub.publish(hub, event).pipe(Effect.asVoid),
        stream: Stream.fromPubSub(hub),
      })
    }),
  )
}
