import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { FlowProblem } from "../../core/flow/problem.ts"
import { checkFlow } from "../../core/flow/read-flow.ts"
import type { Server } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import { createTables, missingTables } from "../worker/create-tables.ts"
import type { PlanJson } from "../worker/plan-json.ts"
import { planNew } from "../worker/run-flow.ts"
import { type CopyEnds, copyDocument, endsAt, endsHere, sourceEnd, targetEnd } from "./copy-ends.ts"
import { exitCodes, Stop } from "./exit-code.ts"
import { environmentFlag, refuseForServers } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { problemText } from "./problem-text.ts"
import { usage } from "./refusal.ts"
import { chosen } from "./remote-sources.ts"
import { Screen } from "./screen.ts"
import { hereOr } from "./server-flag.ts"

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
    environment: environmentFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const { cwd } = yield* Settings
    const here = Effect.gen(function* () {
      yield* refuseForServers(flags)
      const flow = yield* checkFlow(yield* copying(yield* endsHere(flags), flags.target))
      const plan = yield* planNew({ flow, parameters: {} })
      const statements = missingTables(plan).flatMap((each) => each.statements)
      yield* told({ ...flags, statements, warnings: plan.warnings }, createTables(plan))
    }).pipe(withHost(cwd))
    const there = Effect.fnUntraced(function* (server: Server) {
      const document = JSON.stringify(yield* copying(yield* endsAt(server, flags), flags.target))
      const body = { document, ...{ environment: "prod" as const, ...chosen(flags.environment) } }
      // Workers answer with what planJson makes.
      const { steps, warnings } = (yield* server.call("POST /plan", { body })) as PlanJson
      const statements = steps.flatMap((step) => step.creates)
      yield* told({ ...flags, statements, warnings }, server.call("POST /create-tables", { body }))
    })
    yield* hereOr(here, there)
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

/** The flow that would make the table, and copy into it. */
const copying = Effect.fnUntraced(function* (ends: CopyEnds, target: string) {
  if (ends.to.kind !== "table") return yield* usage(`Cannot create a table in "${target}": it is a file`)
  return yield* copyDocument(ends, CREATE)
})

interface Told {
  readonly target: string
  readonly apply: boolean
  readonly statements: readonly string[]
  readonly warnings: readonly FlowProblem[]
}

/** Shows what makes the table, and makes it where that is wanted. */
const told = Effect.fnUntraced(function* <E, R>(
  { target, apply, statements, warnings }: Told,
  creating: Effect.Effect<unknown, E, R>,
) {
  const screen = yield* Screen
  if (statements.length === 0) {
    screen.say(problemText({ message: `Table "${target}" exists, it stays as it is` }, "error", screen.style))
    return yield* new Stop({ code: exitCodes.exists })
  }
  for (const warning of warnings) screen.say(problemText(warning, "warning", screen.style))
  for (const statement of statements) screen.out(`${statement};`)
  if (!apply) return
  yield* creating
  screen.say(`${screen.style.green("created")} ${target}`)
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
