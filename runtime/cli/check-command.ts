import { Effect } from "effect"
import { Command } from "effect/cli"
import { flowError } from "../../core/flow/problem.ts"
import { planNew } from "../worker/run-flow.ts"
import { readDocument } from "./flow-document.ts"
import { flowArgument, jsonFlag, planFlags, planRequest, refuseForServers } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { problemText } from "./problem-text.ts"
import { asJson } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { theServer } from "./server-flag.ts"
import { checkAt, type QuestionFlags } from "./workbench.ts"

export const checkCommand = Command.make(
  "check",
  { flow: flowArgument, ...planFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const screen = yield* Screen
    const { steps, warnings } = yield* checked(flags).pipe(asJson(flags.json))
    if (flags.json) return screen.out(screen.mask(JSON.stringify({ status: "ok", warnings }, null, 2)))
    for (const warning of warnings) screen.say(problemText(warning, "warning", screen.style))
    const { length } = warnings
    const some = length === 0 ? "" : `, ${length === 1 ? "1 warning" : `${length} warnings`}`
    screen.out(`${screen.outStyle.green("ok")}: ${steps} steps${some}`)
  }),
).pipe(
  Command.withDescription(
    "Check a flow against the systems that it names, and say everything that is wrong with it at once. Changes nothing.",
  ),
  Command.withShortDescription("Check a flow"),
  Command.withExamples([{ command: "headrace check orders.json", description: "Is the flow ready to run?" }]),
)

const checked = Effect.fnUntraced(function* (flags: QuestionFlags) {
  const server = yield* theServer
  if (server === undefined) {
    yield* refuseForServers(flags)
    const { flow, base } = yield* readDocument(flags.flow)
    const { steps, warnings } = yield* planNew({ flow, ...planRequest(flags) }).pipe(withHost(base))
    return { steps: steps.length, warnings }
  }
  const { problems, warnings, steps } = yield* checkAt(server, flags)
  return problems.length === 0 ? { steps, warnings } : yield* flowError(problems)
})
