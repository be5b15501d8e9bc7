import { Effect } from "effect"
import { Command } from "effect/cli"
import { flowParameters } from "../worker/flow-parameters.ts"
import { readDocument } from "./flow-document.ts"
import { flowArgument, jsonFlag, planFlags, planRequest, refuseForServers } from "./flow-flags.ts"
import { asJson } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { theServer } from "./server-flag.ts"
import { textTable } from "./text-table.ts"
import { parametersAt, type QuestionFlags } from "./workbench.ts"

export const paramsCommand = Command.make(
  "params",
  { flow: flowArgument, ...planFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const screen = yield* Screen
    const { bizdate, scheduledAt, parameters } = yield* parametersOf(flags).pipe(asJson(flags.json))
    if (flags.json) return screen.out(JSON.stringify({ bizdate, scheduledAt, parameters }, null, 2))
    const cells = parameters.map(({ name, value, type, source }) => [name, value, type, SOURCES[source]])
    screen.out(`business date ${bizdate}, scheduled at ${scheduledAt}`)
    for (const line of textTable(COLUMNS, cells, { style: screen.outStyle })) screen.out(line)
  }),
).pipe(
  Command.withDescription("Show the values that the parameters and date expressions of a flow have for a day."),
  Command.withShortDescription("Show the parameters of a flow"),
  Command.withExamples([
    { command: "headrace params orders.json --bizdate 2026-07-01", description: "What will be run for that day?" },
  ]),
)

const parametersOf = Effect.fnUntraced(function* (flags: QuestionFlags) {
  const server = yield* theServer
  if (server !== undefined) return yield* parametersAt(server, flags)
  yield* refuseForServers(flags)
  const { flow } = yield* readDocument(flags.flow)
  const { preview: parameters, ...dates } = yield* flowParameters({ flow, ...planRequest(flags) })
  return { ...dates, parameters }
})

const COLUMNS = [{ title: "parameter" }, { title: "value" }, { title: "type" }, { title: "comes from" }] as const
const SOURCES = {
  given: "the command line",
  default: "its default",
  builtin: "built in",
  empty: "nothing: empty",
  businessDate: "the business date",
  scheduledTime: "the scheduled time",
} as const
