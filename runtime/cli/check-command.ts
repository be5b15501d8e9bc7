import { Effect } from "effect"
import { Command } from "effect/cli"
import { planNew } from "../worker/run-flow.ts"
import { readDocument } from "./flow-document.ts"
import { flowArgument, jsonFlag, planFlags, planRequest } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { problemText } from "./problem-text.ts"
import { asJson } from "./refusal.ts"
import { Screen } from "./screen.ts"

export const checkCommand = Command.make(
  "check",
  { flow: flowArgument, ...planFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const screen = yield* Screen
    const planned = Effect.gen(function* () {
      const { flow, base } = yield* readDocument(flags.flow)
      return yield* planNew({ flow, ...planRequest(flags) }).pipe(withHost(base))
    })
    const plan = yield* planned.pipe(asJson(flags.json))
    if (flags.json) return screen.out(screen.mask(JSON.stringify({ status: "ok", warnings: plan.warnings }, null, 2)))
    for (const warning of plan.warnings) screen.say(problemText(warning, "warning", screen.style))
    const { length } = plan.warnings
    const some = length === 0 ? "" : `, ${length === 1 ? "1 warning" : `${length} warnings`}`
    screen.out(`${screen.outStyle.green("ok")}: ${plan.steps.length} steps${some}`)
  }),
).pipe(
  Command.withDescription(
    "Check a flow against the systems that it names, and say everything that is wrong with it at once. Changes nothing.",
  ),
  Command.withShortDescription("Check a flow"),
  Command.withExamples([{ command: "headrace check orders.json", description: "Is the flow ready to run?" }]),
)
