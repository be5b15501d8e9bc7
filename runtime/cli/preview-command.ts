import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { ShownRows } from "../../core/server/jobs/orders.ts"
import { advised } from "../worker/advice.ts"
import { preview } from "../worker/preview.ts"
import { exitCodes, reportCode, Stop } from "./exit-code.ts"
import { readDocument } from "./flow-document.ts"
import { flowArgument, jsonFlag, planFlags, planRequest, refuseForServers } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { rows as rowsText } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import { asJson } from "./refusal.ts"
import { rowJson, rowTable } from "./row-text.ts"
import { Screen } from "./screen.ts"
import { theServer } from "./server-flag.ts"
import { type PreviewFlags, previewAt } from "./workbench.ts"

export const previewCommand = Command.make(
  "preview",
  {
    flow: flowArgument,
    ...planFlags,
    rows: Flag.Int("rows").pipe(
      Flag.withAlias("n"),
      Flag.withMetavar("N"),
      Flag.withDescription("Rows to show, 1 to 10000"),
      Flag.filter(
        (value) => value >= 1 && value <= 10_000,
        (value) => `${value} is not between 1 and 10000`,
      ),
      Flag.withDefault(20),
    ),
    step: Flag.String("step").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("Show what comes out of this step; by default what every output would write"),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const screen = yield* Screen
    const { code, ...result } = yield* previewed(flags).pipe(asJson(flags.json))
    print(screen, result, flags.json)
    if (code !== exitCodes.ok) return yield* new Stop({ code })
  }),
).pipe(
  Command.withDescription("Show the first rows that a flow would write, or that come out of a step. Never writes."),
  Command.withShortDescription("Show the first rows of a flow"),
  Command.withExamples([
    { command: "headrace preview orders.json", description: "What would be written?" },
    { command: "headrace preview orders.json --step clean --rows 5 --json", description: "What does a step give?" },
  ]),
)

const previewed = Effect.fnUntraced(function* (flags: PreviewFlags) {
  const server = yield* theServer
  if (server !== undefined) {
    const result = yield* previewAt(server, flags)
    return { ...result, code: result.failure === undefined ? exitCodes.ok : exitCodes.failed }
  }
  yield* refuseForServers(flags)
  const { flow, base } = yield* readDocument(flags.flow)
  const step = Option.getOrUndefined(flags.step)
  const request = { flow, ...planRequest(flags), rows: flags.rows, step }
  const { report, ...result } = yield* preview(request).pipe(withHost(base))
  if (result.isCut) return { ...result, code: exitCodes.ok }
  const failed = report.failure === undefined ? {} : { failure: advised(report.failure) }
  return { ...result, ...failed, code: reportCode(report) }
})

function print(screen: Screen["Service"], { shown, rejections, failure, isCut }: ShownRows, json: boolean): void {
  for (const { step, columns, rows } of shown) {
    if (json) {
      for (const row of rows) screen.out(rowJson(columns, row))
      continue
    }
    if (shown.length > 1) screen.out(screen.outStyle.bold(step))
    for (const line of rowTable(columns, rows, screen.outStyle)) screen.out(line)
    screen.say(screen.style.dim(`${rowsText(rows.length)}${isCut ? ", there may be more" : ""}`))
  }
  for (const { step, row, position, column, reason } of rejections) {
    const place = position ?? `row ${row}`
    const where = column === undefined ? place : `${place}, column "${column}"`
    screen.say(problemText({ message: `Step "${step}" rejected a row: ${where}: ${reason}` }, "warning", screen.style))
  }
  if (failure !== undefined) screen.say(problemText(failure, "error", screen.style))
}
