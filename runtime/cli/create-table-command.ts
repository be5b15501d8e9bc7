import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { checkFlow } from "../../core/flow/read-flow.ts"
import { Settings } from "../settings.ts"
import { type Connected, withConnection } from "../worker/connection.ts"
import { planNew } from "../worker/run-flow.ts"
import { copyDocument, sourceEnd, targetEnd, typedEndpoint } from "./copy-command.ts"
import { exitCodes, Stop } from "./exit-code.ts"
import { withHost } from "./global-flags.ts"
import { problemText } from "./problem-text.ts"
import { usage } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { onlyHere } from "./server-flag.ts"

export const createTableCommand = Command.make(
  "create-table",
  {
    source: sourceEnd,
    target: targetEnd,
    apply: Flag.Boolean("apply").pipe(
      Flag.withDescription("Run the statement as well"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
  },
  Effect.fnUntraced(function* (flags) {
    yield* onlyHere("headrace create-table", "Let the output of a flow make the table")
    const { cwd } = yield* Settings
    yield* createTable(flags).pipe(withHost(cwd))
  }),
).pipe(
  Command.withDescription(
    "Print the statement that makes a table for the columns of another table or file; --apply runs it. A table that exists stays as it is.",
  ),
  Command.withShortDescription("Make a table for the columns of another"),
  Command.withExamples([
    { command: "headrace create-table shop.orders warehouse.orders", description: "Show CREATE TABLE" },
    { command: "headrace create-table orders.csv shop.db:orders --apply", description: "Create it" },
  ]),
)

const createTable = Effect.fnUntraced(function* (flags: { source: string; target: string; apply: boolean }) {
  const screen = yield* Screen
  const target = yield* typedEndpoint(flags.target)
  if (target.kind !== "table") return yield* usage(`Cannot create a table in "${flags.target}": it is a file`)
  const flow = yield* checkFlow(yield* copyDocument(flags.source, flags.target, CREATE))
  const { steps, warnings } = yield* planNew({ flow, parameters: {} })
  const statements = steps.flatMap((step) => step.creates)
  if (statements.length === 0) {
    screen.say(problemText({ message: `Table "${flags.target}" exists, it stays as it is` }, "error", screen.style))
    return yield* new Stop({ code: exitCodes.exists })
  }
  for (const warning of warnings) screen.say(problemText(warning, "warning", screen.style))
  for (const statement of statements) screen.out(`${statement};`)
  if (!flags.apply) return
  const execute = async ({ connection }: Connected) => {
    for (const statement of statements) await connection.execute(statement)
  }
  yield* withConnection(target.dataSource, execute, { creates: true })
  screen.say(`${screen.style.green("created")} ${flags.target}`)
})

const CREATE = {
  mode: "append",
  create: true,
  allowLossy: true,
  where: undefined,
  columns: undefined,
  key: undefined,
  splitColumn: undefined,
  parallel: undefined,
  errorLimit: undefined,
} as const
