import process from "node:process"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { FlowError } from "../../core/flow/problem.ts"
import type { ServerError } from "../remote/server-client.ts"
import { unifiedDiff } from "../remote/unified-diff.ts"
import { confirmed, yesFlag } from "./confirm.ts"
import { exitCodes, Stop } from "./exit-code.ts"
import { jsonFlag } from "./flow-flags.ts"
import { allFlows, allNames, pull } from "./flows-pull.ts"
import { compared, flowOf, push } from "./flows-push.ts"
import { diffLine, flowTable } from "./flows-text.ts"
import { placed, problemText } from "./problem-text.ts"
import { asJson, serverCode, serverProblems, usage } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { aServer } from "./server-flag.ts"

const optional = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)
const option = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false), Flag.withoutNegation)

const listCommand = Command.make(
  "list",
  {
    folder: optional("folder", "FOLDER", "Only the flows of this folder, with the folders in it"),
    text: optional("text", "TEXT", "Only flows with this in their name or description"),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ folder, text, json }) {
    const screen = yield* Screen
    const filter = {
      ...(Option.isSome(folder) ? { folder: folder.value } : {}),
      ...(Option.isSome(text) ? { text: text.value } : {}),
    }
    const flows = yield* Effect.flatMap(aServer, (server) => allFlows(server, filter)).pipe(asJson(json))
    if (json) return screen.out(JSON.stringify(flows, null, 2))
    if (flows.length === 0) return screen.say("There are no such flows")
    for (const line of flowTable(flows, screen.outStyle)) screen.out(line)
  }),
).pipe(Command.withDescription("List the flows of the server."), Command.withShortDescription("List flows"))

const pushCommand = Command.make(
  "push",
  {
    files: Argument.String("FILE").pipe(
      Argument.withDescription("Document of a flow, in a file that is called as the flow"),
      Argument.atLeast(1),
    ),
    force: option("force", "Save it although the server has a version that the file does not follow"),
    folder: optional("folder", "FOLDER", "Folder of the server to put the flow into"),
    remark: optional("remark", "TEXT", "What the list of versions says of it"),
  },
  Effect.fnUntraced(function* ({ files, force, folder, remark }) {
    const server = yield* aServer
    const options = { force, folder: Option.getOrUndefined(folder), remark: Option.getOrUndefined(remark) }
    yield* forEachOf(files, (file) => push(server, file, options))
  }),
).pipe(
  Command.withDescription(
    "Save files as flows of the server, to the letter. A flow that somebody has changed there since the file was pulled is not touched, and what was changed is shown.",
  ),
  Command.withShortDescription("Save files as flows"),
)

const pullCommand = Command.make(
  "pull",
  {
    names: Argument.String("NAME").pipe(Argument.withDescription("Name of a flow"), Argument.atLeast(0)),
    all: option("all", "All flows of the server"),
    dir: Flag.String("dir").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Folder to write to; by default the current one"),
      Flag.withDefault("."),
    ),
    force: option("force", "Replace files although they have changes that are not on the server"),
  },
  Effect.fnUntraced(function* ({ names, all, dir, force }) {
    if (all === names.length > 0) return yield* usage("Name the flows to pull, or say --all")
    const server = yield* aServer
    const wanted = all ? yield* allNames(server) : names
    yield* forEachOf(wanted, (name) => pull(server, name, { folder: dir, force }))
  }),
).pipe(
  Command.withDescription(
    "Write flows of the server to files of their names, to the letter. A file with changes that are not on the server is not touched.",
  ),
  Command.withShortDescription("Write flows to files"),
)

const diffCommand = Command.make(
  "diff",
  { file: Argument.String("FILE").pipe(Argument.withDescription("File that is called as the flow")) },
  Effect.fnUntraced(function* ({ file }) {
    const screen = yield* Screen
    const server = yield* aServer
    const { name, text, current } = yield* compared(server, file)
    if (current === undefined)
      return yield* usage(`There is no flow "${name}" on the server`, `"headrace flows push ${file}" makes it`)
    const there = { name: `${name}, version ${current.version}`, text: current.document }
    const lines = unifiedDiff(there, { name: file, text })
    const shown = { style: screen.outStyle, isShown: process.stdout.isTTY === true }
    for (const line of lines) screen.out(diffLine(line, shown))
    if (lines.length > 0) return yield* new Stop({ code: exitCodes.failed })
  }),
).pipe(
  Command.withDescription("Show what a file would change on the server; ends with 1 where it would change something."),
  Command.withShortDescription("Compare a file with the flow of its name"),
)

const deleteCommand = Command.make(
  "delete",
  {
    names: Argument.String("NAME").pipe(Argument.withDescription("Name of a flow"), Argument.atLeast(1)),
    yes: yesFlag,
  },
  Effect.fnUntraced(function* ({ names, yes }) {
    const screen = yield* Screen
    const server = yield* aServer
    yield* forEachOf(
      names,
      Effect.fnUntraced(function* (name) {
        const flow = yield* flowOf(server, name)
        if (flow === undefined) return yield* usage(`There is no flow "${name}" on the server`)
        const question = `Remove flow "${name}" with its versions, schedules and triggers?`
        if (!yes && !(yield* confirmed("remove the flow", question))) return screen.say("nothing was removed")
        yield* server.call("DELETE /flows/:name", { params: { name }, query: { version: flow.version } })
        screen.say(`removed "${name}"`)
      }),
    )
  }),
).pipe(
  Command.withDescription(
    "Remove flows from the server, with their versions, schedules and triggers. Their runs stay.",
  ),
  Command.withShortDescription("Remove flows"),
)

export const flowsCommand = Command.make("flows").pipe(
  Command.withDescription("Look after the flows of a server: bring files there, and back."),
  Command.withShortDescription("Look after the flows of a server"),
  Command.withSubcommands([listCommand, pushCommand, pullCommand, diffCommand, deleteCommand]),
  Command.withExamples([
    { command: "headrace flows pull --all --dir flows", description: "All flows as files" },
    { command: "headrace flows diff flows/orders.json", description: "What would be changed?" },
    { command: 'headrace flows push flows/orders.json --remark "only paid orders"', description: "Save it" },
  ]),
)

/** One after the other. What is wrong with one does not keep the others; a server that does not answer does. */
const forEachOf = Effect.fnUntraced(function* <E, R>(
  items: readonly string[],
  work: (item: string) => Effect.Effect<void, E | FlowError | ServerError, R>,
) {
  const screen = yield* Screen
  let isRefused = false
  for (const item of items)
    yield* Effect.catchIf(work(item), isOfOne, (error) =>
      Effect.sync(() => {
        isRefused = true
        const problems = error._tag === "FlowError" ? error.problems : serverProblems(error)
        for (const problem of problems) screen.say(problemText(placed(problem), "error", screen.style))
      }),
    )
  if (isRefused) return yield* new Stop({ code: exitCodes.usage })
})

function isOfOne(error: unknown): error is FlowError | ServerError {
  const failed = error as FlowError | ServerError | { readonly _tag: "other" }
  if (failed._tag === "FlowError") return true
  return failed._tag === "ServerError" && failed.status !== 401 && serverCode(failed) === exitCodes.usage
}
