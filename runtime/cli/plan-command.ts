import { Effect } from "effect"
import { Command } from "effect/cli"
import { planJson } from "../worker/plan-json.ts"
import { planNew } from "../worker/run-flow.ts"
import { readDocument } from "./flow-document.ts"
import { flowArgument, jsonFlag, planFlags, planRequest, refuseForServers } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { planLines } from "./plan-text.ts"
import { asJson } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { theServer } from "./server-flag.ts"
import { planAt, type QuestionFlags } from "./workbench.ts"

export const planCommand = Command.make(
  "plan",
  { flow: flowArgument, ...planFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const screen = yield* Screen
    const plan = yield* planned(flags).pipe(asJson(flags.json))
    if (flags.json) screen.out(screen.mask(JSON.stringify(plan, null, 2)))
    else for (const line of planLines(plan, screen.outStyle, screen.mask)) screen.out(line)
  }),
).pipe(
  Command.withDescription(
    "Show how a flow would run: the columns on every hop, what the source evaluates, splits, encodings, tables that would be created. Changes nothing.",
  ),
  Command.withShortDescription("Show how a flow would run"),
  Command.withExamples([{ command: "headrace plan orders.json", description: "What would happen, step by step?" }]),
)

const planned = Effect.fnUntraced(function* (flags: QuestionFlags) {
  const server = yield* theServer
  if (server !== undefined) return yield* planAt(server, flags)
  yield* refuseForServers(flags)
  const { flow, base } = yield* readDocument(flags.flow)
  return planJson(yield* planNew({ flow, ...planRequest(flags) }).pipe(withHost(base)))
})
