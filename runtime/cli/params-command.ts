import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { defaultDates, type ParameterProblem, resolveParameters } from "../../core/flow/parameters/index.ts"
import { flowError } from "../../core/flow/problem.ts"
import { makeRunId } from "../worker/run-id.ts"
import { readDocument } from "./flow-document.ts"
import { flowArgument, jsonFlag, planFlags, planRequest } from "./flow-flags.ts"
import { asJson } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { textTable } from "./text-table.ts"

export const paramsCommand = Command.make(
  "params",
  { flow: flowArgument, ...planFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const screen = yield* Screen
    const { bizdate, scheduledAt, preview } = yield* previewOf(flags).pipe(asJson(flags.json))
    if (flags.json) return screen.out(JSON.stringify({ bizdate, scheduledAt, parameters: preview }, null, 2))
    const cells = preview.map(({ name, value, type, source }) => [name, value, type, SOURCES[source]])
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

const previewOf = Effect.fnUntraced(function* (flags: Parameters<typeof planRequest>[0] & { readonly flow: string }) {
  const { flow } = yield* readDocument(flags.flow)
  const { parameters, ...given } = planRequest(flags)
  const { timeZone } = flow.settings
  const dates = defaultDates({ ...given, now: yield* Clock.currentTimeMillis, timeZone })
  if (dates.problems !== undefined) return yield* refused(dates.problems)
  const { bizdate, scheduledAt } = dates
  const builtins = { flow: flow.name ?? "", run: yield* makeRunId }
  const resolved = resolveParameters({ document: flow, given: parameters, bizdate, scheduledAt, timeZone, builtins })
  if (resolved.problems !== undefined) return yield* refused(resolved.problems)
  return { bizdate, scheduledAt, preview: resolved.preview }
})

function refused(problems: readonly ParameterProblem[]) {
  return flowError(problems.map(({ message, hint }) => ({ message, ...(hint === undefined ? {} : { hint }) })))
}

const COLUMNS = [{ title: "parameter" }, { title: "value" }, { title: "type" }, { title: "comes from" }] as const
const SOURCES = {
  given: "the command line",
  default: "its default",
  builtin: "built in",
  empty: "nothing: empty",
  businessDate: "the business date",
  scheduledTime: "the scheduled time",
} as const
