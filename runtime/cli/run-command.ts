import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { Flow } from "../../core/flow/flow-schema.ts"
import type { FlowRequest } from "../worker/run-flow.ts"
import { planNew, runNew } from "../worker/run-flow.ts"
import { exitCodes, reportCode, Stop } from "./exit-code.ts"
import { readDocument } from "./flow-document.ts"
import { flowArgument, jsonFlag, parallelFlag, planFlags, planRequest, rejectedFlag } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { planJson, planLines } from "./plan-text.ts"
import { problemText } from "./problem-text.ts"
import { Progress } from "./progress.ts"
import { Screen } from "./screen.ts"
import { summaryLines } from "./summary.ts"

const dryRunFlag = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Check and show the plan; write nothing"),
  Flag.withDefault(false),
  Flag.withoutNegation,
)

export const runCommand = Command.make(
  "run",
  {
    flow: flowArgument,
    ...planFlags,
    dryRun: dryRunFlag,
    json: jsonFlag,
    rejected: rejectedFlag,
    parallel: parallelFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const { flow, base } = yield* readDocument(flags.flow)
    const request = { flow: withParallel(flow, flags.parallel), ...planRequest(flags) }
    return yield* runRequest(request, { ...flags, rejected: Option.getOrUndefined(flags.rejected) }).pipe(
      withHost(base),
    )
  }),
).pipe(
  Command.withDescription(
    "Run a flow: check it, move its rows, print a receipt. Progress and messages go to the standard error.",
  ),
  Command.withShortDescription("Run a flow"),
  Command.withExamples([
    { command: "headrace run orders.json", description: "Run the flow in orders.json" },
    { command: "headrace run orders.json -p region=EU --bizdate 2026-07-01", description: "With parameters" },
    { command: "headrace run orders.json --dry-run", description: "Show what would happen" },
    { command: "headrace run orders.json --json > report.json", description: "With a report for programs" },
    { command: "make-flow | headrace run -", description: "A flow from another program" },
  ]),
)

export function withParallel(flow: Flow, parallel: Option.Option<number>): Flow {
  return Option.isNone(parallel) ? flow : { ...flow, settings: { ...flow.settings, parallel: parallel.value } }
}

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
  const progress = new Progress(screen, () => performance.now())
  const report = yield* runNew(plan, { rejected: flags.rejected, onEvent: (event) => progress.take(event) })
  progress.end()
  if (flags.json) screen.out(screen.mask(JSON.stringify(report, null, 2)))
  else for (const line of summaryLines(report, screen.style)) screen.say(line)
  const code = reportCode(report)
  if (code !== exitCodes.ok) return yield* new Stop({ code })
}, Effect.uninterruptible)
