import { Effect } from "effect"
import { Flag } from "effect/cli"
import type { Plan } from "../../core/flow/plan.ts"
import { withParking } from "../../core/host/parking.ts"
import type { RunReport } from "../../core/run/report.ts"
import type { FlowOrigin } from "../../core/store/run-record.ts"
import { storeLayer } from "../store/store.ts"
import { planJson } from "../worker/plan-json.ts"
import { appendRejected } from "../worker/rejected-rows.ts"
import { type FlowRequest, planNew, runNew } from "../worker/run-flow.ts"
import { exitCodes, reportCode, Stop } from "./exit-code.ts"
import { planLines } from "./plan-text.ts"
import { problemText } from "./problem-text.ts"
import { Progress } from "./progress.ts"
import { Screen } from "./screen.ts"
import { summaryLines } from "./summary.ts"

export const dryRunFlag = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Check and show the plan; write nothing"),
  Flag.withDefault(false),
  Flag.withoutNegation,
)

export interface RunFlags {
  readonly origin: FlowOrigin
  readonly dryRun: boolean
  readonly json: boolean
  readonly rejected: string | undefined
}

/** Plans and runs, with progress and a summary; ends with the exit code that belongs to the report. */
export const runRequest = Effect.fnUntraced(
  function* (request: FlowRequest, flags: RunFlags) {
    const screen = yield* Screen
    const plan = yield* Effect.interruptible(planNew(request))
    sayWarnings(screen, plan)
    if (flags.dryRun) {
      if (flags.json) screen.out(JSON.stringify(planJson(plan), null, 2))
      else for (const line of planLines(planJson(plan), screen.outStyle, screen.mask)) screen.out(line)
      return
    }
    const { origin } = flags
    const { parameters } = request
    const run = watching(plan, (onEvent) => runNew(plan, { origin, parameters, onEvent }))
    yield* reported(run, flags).pipe(Effect.provide(storeLayer))
  },
  withParking,
  Effect.uninterruptible,
)

export function sayWarnings(screen: Screen["Service"], plan: Plan): void {
  for (const warning of plan.warnings) screen.say(problemText(warning, "warning", screen.style))
}

/** Shows the progress of a run. */
export const watching = Effect.fnUntraced(function* <E, R>(
  plan: Plan,
  run: (onEvent: (event: Parameters<Progress["take"]>[0]) => void) => Effect.Effect<RunReport, E, R>,
) {
  const screen = yield* Screen
  for (const step of plan.steps) if (step.creates.length > 0) screen.say(`Step "${step.id}" creates its table`)
  const progress = new Progress(screen, () => performance.now())
  return yield* run((event) => progress.take(event)).pipe(Effect.ensuring(Effect.sync(() => progress.end())))
})

/** Prints what came of a run, and writes its rejected rows to the file that was asked for. */
export const reported = Effect.fnUntraced(function* <E, R>(
  run: Effect.Effect<RunReport, E, R>,
  { json, rejected }: Pick<RunFlags, "json" | "rejected">,
) {
  const screen = yield* Screen
  const report = yield* run
  const written = rejected === undefined ? undefined : yield* Effect.result(appendRejected(report.runId, rejected))
  const place = written?._tag === "Success" ? written.success : undefined
  const whole = place === undefined ? report : { ...report, notes: [...report.notes, `rejected rows: ${place}`] }
  if (json) screen.out(screen.mask(JSON.stringify(whole, null, 2)))
  else for (const line of summaryLines(whole, screen.style)) screen.say(line)
  const code = reportCode(report)
  if (written?._tag === "Failure") screen.say(problemText(written.failure, "error", screen.style))
  if (code !== exitCodes.ok) return yield* new Stop({ code })
  if (written?._tag === "Failure") return yield* new Stop({ code: exitCodes.failed })
}, Effect.uninterruptible)
