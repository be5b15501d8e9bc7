import { join, resolve } from "node:path"
import { Effect, Layer, Stream } from "effect"
import { Events, type RunEvent } from "../../core/events/events.ts"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { type Plan, type PlanRequest, planFlow } from "../../core/flow/plan.ts"
import type { PluginError } from "../../core/host/failure.ts"
import { Journal } from "../../core/run/journal.ts"
import type { RunReport } from "../../core/run/report.ts"
import { runPlan } from "../../core/run/run.ts"
import { Settings } from "../settings.ts"
import { explainRefused, Plugins } from "./host.ts"
import { makeRejectedFile } from "./rejected-file.ts"
import { makeRunId } from "./run-id.ts"

export interface FlowRequest {
  readonly flow: Flow
  readonly parameters: Readonly<Record<string, string>>
  readonly bizdate?: string
  readonly scheduledAt?: string
}

/** Plans a flow under a new run id. Changes nothing. */
export const planNew = Effect.fnUntraced(function* (request: FlowRequest) {
  const installed = yield* Plugins
  const runId = yield* makeRunId
  const whole: PlanRequest = { ...request, runId }
  return yield* planFlow(whole).pipe(
    Effect.catchTag("FlowError", (error) => Effect.fail(explainRefused(error, request.flow.steps, installed))),
  )
})

export interface RunOptions {
  /** File for rejected rows; by default one of its own below the home folder. */
  readonly rejected: string | undefined
  readonly onEvent: (event: RunEvent) => void
}

/** Runs a plan and keeps its rejected rows. Never fails: the report says how it ended; see {@link runPlan}. */
export const runNew = Effect.fnUntraced(function* (plan: Plan, options: RunOptions) {
  const { home, cwd } = yield* Settings
  const path =
    options.rejected === undefined ? join(home, "rejected", `${plan.runId}.jsonl`) : resolve(cwd, options.rejected)
  const file = makeRejectedFile(path)
  const watched = Effect.gen(function* () {
    const events = yield* Events
    yield* Effect.forkScoped(
      Stream.runForEach(events.stream, (event) => Effect.sync(() => options.onEvent(event))),
      { startImmediately: true },
    )
    return yield* runPlan(plan)
  })
  const layer = Layer.merge(Events.layer, Layer.succeed(Journal, file.journal))
  const report = yield* Effect.scoped(watched).pipe(Effect.provide(layer))
  return withFault(report, file.fault())
}, Effect.uninterruptible)

/** Rows that could not be kept make a failure of a run that went well otherwise. */
function withFault(report: RunReport, fault: PluginError | undefined): RunReport {
  if (fault === undefined || report.status !== "succeeded") return report
  const { message, reason, hint } = fault
  return { ...report, status: "failed", failure: { message, reason, ...(hint === undefined ? {} : { hint }) } }
}
