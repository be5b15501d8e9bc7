import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { originOf, withSettings } from "../worker/flow-origin.ts"
import { readDocument } from "./flow-document.ts"
import {
  detachFlag,
  flowArgument,
  jsonFlag,
  overridesOf,
  planFlags,
  planRequest,
  refuseForServers,
  rejectedFlag,
  settingsFlags,
} from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { asJson } from "./refusal.ts"
import { runAt } from "./remote-run.ts"
import { dryRunFlag, runRequest } from "./run-request.ts"
import { theServer } from "./server-flag.ts"

export const runCommand = Command.make(
  "run",
  {
    flow: flowArgument,
    ...planFlags,
    dryRun: dryRunFlag,
    json: jsonFlag,
    rejected: rejectedFlag,
    ...settingsFlags,
    detach: detachFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const run = Effect.gen(function* () {
      const server = yield* theServer
      if (server !== undefined) return yield* runAt(server, flags)
      yield* refuseForServers(flags)
      const document = yield* readDocument(flags.flow)
      const origin = originOf(document, overridesOf(flags))
      const request = { flow: withSettings(document.flow, origin.overrides), ...planRequest(flags) }
      const options = { ...flags, origin, rejected: Option.getOrUndefined(flags.rejected) }
      return yield* runRequest(request, options).pipe(withHost(document.base))
    })
    yield* run.pipe(asJson(flags.json))
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
    {
      command: "headrace run orders --server https://headrace.example",
      description: "A flow of a server, by its name",
    },
    {
      command: "headrace run orders.json --server https://headrace.example",
      description: "A file, on a server, without saving it there",
    },
    { command: "make-flow | headrace run -", description: "A flow from another program" },
  ]),
)
