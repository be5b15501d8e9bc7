import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Quarantine } from "../../core/store/quarantine.ts"
import { asked, storeLayer } from "../store/store.ts"
import { exportRows } from "../worker/export-rows.ts"
import { lineOf } from "../worker/rejected-rows.ts"
import { findRun } from "../worker/stored-run.ts"
import { confirmed, yesFlag } from "./confirm.ts"
import { jsonFlag } from "./flow-flags.ts"
import { count, rows as rowsText } from "./number-text.ts"
import { keptRowTable, waitingTable } from "./quarantine-text.ts"
import { asJson } from "./refusal.ts"
import { dropAt, exportAt, showAt } from "./remote-quarantine.ts"
import { waitingAt } from "./remote-rejected.ts"
import { replayCommand } from "./replay-command.ts"
import { runArgument } from "./runs-command.ts"
import { Screen } from "./screen.ts"
import { theServer } from "./server-flag.ts"

export const stepFlag = Flag.String("step").pipe(
  Flag.withMetavar("ID"),
  Flag.withDescription("Only the rows that this step has rejected"),
  Flag.optional,
)

const listCommand = Command.make(
  "list",
  { json: jsonFlag },
  Effect.fnUntraced(function* ({ json }) {
    const listed = Effect.gen(function* () {
      const screen = yield* Screen
      const server = yield* theServer
      const waiting = server === undefined ? yield* waitingHere : yield* waitingAt(server)
      if (json) return screen.out(JSON.stringify(waiting, null, 2))
      if (waiting.length === 0) return screen.say("No rejected rows wait")
      for (const line of waitingTable(waiting, screen.outStyle)) screen.out(line)
    })
    yield* listed.pipe(asJson(json))
  }),
).pipe(
  Command.withDescription("List the runs of which rejected rows wait, by step and reason."),
  Command.withShortDescription("List what waits"),
)

const waitingHere = Quarantine.use((quarantine) => asked(() => quarantine.waiting())).pipe(Effect.provide(storeLayer))

const showCommand = Command.make(
  "show",
  {
    run: runArgument,
    step: stepFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Rows to show at most"),
      Flag.filter(
        (value) => value >= 1,
        (value) => `${value} is below 1`,
      ),
      Flag.withDefault(20),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ run: id, step, limit, json }) {
    const shown = Effect.gen(function* () {
      const screen = yield* Screen
      const quarantine = yield* Quarantine
      const { id: run } = yield* findRun(id)
      const filter = { run, status: "waiting" as const, ...(Option.isSome(step) ? { step: step.value } : {}) }
      const found = yield* asked(() => Array.fromAsync(quarantine.rows({ ...filter, limit })))
      if (json) {
        for (const row of found) screen.out(JSON.stringify(lineOf(row)))
        return
      }
      if (found.length === 0) return screen.say("No rejected rows wait")
      for (const line of keptRowTable(found, screen.outStyle)) screen.out(line)
      const all = yield* asked(() => quarantine.count(filter))
      if (all > found.length)
        screen.say(
          screen.style.dim(`${count(found.length)} of ${rowsText(all)}; --limit shows more, --json the whole rows`),
        )
    })
    const server = yield* theServer
    const asking =
      server === undefined ? shown.pipe(Effect.provide(storeLayer)) : showAt(server, { run: id, step, limit, json })
    yield* asking.pipe(asJson(json))
  }),
).pipe(
  Command.withDescription("Show the rejected rows of a run that wait, with the reason; --json shows the whole rows."),
  Command.withShortDescription("Show the rows of a run"),
)

const exportCommand = Command.make(
  "export",
  {
    run: runArgument,
    file: Argument.String("FILE").pipe(
      Argument.withDescription("File to write, .jsonl or .csv; the first can be edited and replayed"),
    ),
    step: stepFlag,
  },
  Effect.fnUntraced(function* ({ run: id, file, step }) {
    const exported = Effect.gen(function* () {
      const { id: run } = yield* findRun(id)
      return yield* exportRows({ run, file, step: Option.getOrUndefined(step) })
    })
    const screen = yield* Screen
    const server = yield* theServer
    const written = yield* server === undefined
      ? exported.pipe(Effect.provide(storeLayer))
      : exportAt(server, { run: id, step, file })
    screen.say(written === 0 ? "No rejected rows wait: no file was written" : `wrote ${rowsText(written)} to ${file}`)
  }),
).pipe(
  Command.withDescription("Write the rejected rows of a run that wait to a file that only you can read."),
  Command.withShortDescription("Write the rows of a run to a file"),
)

const dropCommand = Command.make(
  "drop",
  {
    run: runArgument,
    step: stepFlag,
    yes: yesFlag,
  },
  Effect.fnUntraced(function* ({ run: id, step, yes }) {
    const dropped = Effect.gen(function* () {
      const screen = yield* Screen
      const quarantine = yield* Quarantine
      const { id: run } = yield* findRun(id)
      const only = Option.getOrUndefined(step)
      const waiting = yield* asked(() =>
        quarantine.count({ run, status: "waiting", ...(only === undefined ? {} : { step: only }) }),
      )
      if (waiting === 0) return screen.say("No rejected rows wait")
      if (
        !yes &&
        !(yield* confirmed("drop the rows", `Drop ${rowsText(waiting)} of run ${run}? They are never written then.`))
      )
        return screen.say("nothing was dropped")
      const gone = yield* asked(() => quarantine.drop(run, only))
      const held = gone < waiting ? `; a replay holds ${rowsText(waiting - gone)}` : ""
      screen.say(`dropped ${rowsText(gone)}${held}`)
    })
    const server = yield* theServer
    yield* server === undefined ? dropped.pipe(Effect.provide(storeLayer)) : dropAt(server, { run: id, step, yes })
  }),
).pipe(
  Command.withDescription("Give up the rejected rows of a run that wait: nobody will write them."),
  Command.withShortDescription("Give up the rows of a run"),
)

export const quarantineCommand = Command.make("quarantine").pipe(
  Command.withDescription(
    "Look after rejected rows: they wait, with the reason, until they are mended and written, or dropped.",
  ),
  Command.withShortDescription("Show, mend, write or drop rejected rows"),
  Command.withSubcommands([listCommand, showCommand, exportCommand, replayCommand, dropCommand]),
  Command.withExamples([
    { command: "headrace quarantine list", description: "Which rows wait, and why?" },
    {
      command: `headrace quarantine replay 20261121T072445-93e6f0e2 --set "total = replace(total, ',', '.')"`,
      description: "Mend a column and write the rows",
    },
  ]),
)
