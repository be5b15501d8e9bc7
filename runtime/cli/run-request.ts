import { Effect } from "effect"
import { Flag } from "effect/cli"
import { type FlowRequest, planNew, runNew } from "../worker/run-flow.ts"
import { exitCodes, reportCode, Stop } from "./exit-code.ts"
import { planJson, planLines } from "./plan-text.ts"
import { problemText } from "./problem-text.ts"
import { Progress } from "./progress.ts"
import { Screen } from "./screen.ts"
import { summaryLines, upstreamOf } from "./summary.ts"

export const dryRunFlag = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Check and show the plan; write nothing"),
  Flag.withDefault(false),
  Flag.withoutNegation,
)

export interface RunFlags {
  readonly dryRun: boolean
  readonly json: boolean
  readonly rejected: string | undefined
}

/** Plans and runs, with progress and a summary; ends with the exit code that belongs to the report. */
export const runRequest = Effect.fnUntraced(function* (request: FlowRequest, flags: RunFlags) {
  const screen = yield* Screen
  const plan = yield* planNew(request)
  for (const warning of plan.warnings) screen.say(problemText(warning, "warning", screen.style))
  if (flags.dryRun) {
    if (flags.json) screen.out(JSON.stringify(planJson(plan), null, 2))
    else for (const line of planLines(plan, screen.outStyle, screen.mask)) screen.out(line)
    return
  }
  for (const step of plan.steps) if (step.creates.length > 0) screen.say(`Step "${step.id}" creates its table`)
  const progress = new Progress(screen, () => performance.now())
  const report = yield* runNew(plan, { rejected: flags.rejected, onEvent: (event) => progress.take(event) })
  progress.end()
  if (flags.json) screen.out(screen.mask(JSON.stringify(report, null, 2)))
  else for (const line of summaryLines(report, upstreamOf(plan.steps), screen.style)) screen.say(line)
  const code = reportCode(report)
  if (code !== exitCodes.ok) return yield* new Stop({ code })
}, Effect.uninterruptible)
