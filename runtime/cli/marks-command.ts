import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { Marks } from "../../core/store/marks.ts"
import { asked, storeLayer } from "../store/store.ts"
import { BY_HAND, dropMarks, marksToDrop, newestRunOf, setMark } from "../worker/flow-marks.ts"
import { confirmed, yesFlag } from "./confirm.ts"
import { jsonFlag } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { asJson } from "./refusal.ts"
import { Screen } from "./screen.ts"
import { onlyHere } from "./server-flag.ts"
import { textTable } from "./text-table.ts"

const flowArgument = Argument.String("FLOW").pipe(Argument.withDescription("Name of the flow, as its document says it"))
const stepArgument = Argument.String("STEP").pipe(Argument.withDescription("Id of the step that loads by the mark"))

const onThisMachine = onlyHere("headrace marks", "Marks of flows on a server are in its store")

const listCommand = Command.make(
  "list",
  { flow: flowArgument.pipe(Argument.optional), json: jsonFlag },
  Effect.fnUntraced(function* ({ flow, json }) {
    yield* onThisMachine
    const listed = Effect.gen(function* () {
      const screen = yield* Screen
      const marks = yield* Marks
      const found = yield* asked(() => marks.list(Option.getOrUndefined(flow)))
      if (json) return screen.out(JSON.stringify(found, null, 2))
      if (found.length === 0) return screen.say("There are no such marks")
      const cells = found.map(({ flow: name, step, dataSource, mark, run, at }) => [
        ...[name, step, dataSource, mark],
        new Date(at).toISOString().slice(0, 19).replace("T", " "),
        run.endsWith(BY_HAND) ? "by hand" : run,
      ])
      const titles = ["flow", "step", "reads", "mark", "set", "by"].map((title) => ({ title }))
      for (const line of textTable(titles, cells, { style: screen.outStyle })) screen.out(line)
    })
    yield* listed.pipe(Effect.provide(storeLayer), asJson(json))
  }),
).pipe(
  Command.withDescription("List how far flows have read inputs that load by a growing column."),
  Command.withShortDescription("List marks"),
)

const setCommand = Command.make(
  "set",
  {
    flow: flowArgument,
    step: stepArgument,
    value: Argument.String("VALUE").pipe(
      Argument.withDescription("The next run reads what is larger; a value of the column"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ flow, step, value, json }) {
    yield* onThisMachine
    const set = Effect.gen(function* () {
      const screen = yield* Screen
      const run = yield* newestRunOf(flow)
      const { mark, before, appends } = yield* setMark(run, step, value).pipe(withHost(run.origin.base))
      if (json) return screen.out(JSON.stringify({ flow, step, mark, before }))
      const was = before === undefined ? "there was none" : `it was ${before}`
      screen.say(`the mark of step "${step}" of flow "${flow}" is ${mark}, ${was}`)
      for (const output of appends)
        screen.say(`note: output "${output}" appends: rows that the next run reads again would be there twice`)
    })
    yield* set.pipe(Effect.provide(storeLayer), asJson(json))
  }),
).pipe(
  Command.withDescription(
    "Set the mark of a step: its next run reads what is larger. Refused while a run of the flow goes on or waits to be resumed.",
  ),
  Command.withShortDescription("Set the mark of a step"),
)

const dropCommand = Command.make(
  "drop",
  {
    flow: flowArgument,
    step: stepArgument.pipe(Argument.optional),
    yes: yesFlag,
  },
  Effect.fnUntraced(function* ({ flow, step, yes }) {
    yield* onThisMachine
    const dropped = Effect.gen(function* () {
      const screen = yield* Screen
      const only = Option.getOrUndefined(step)
      const found = yield* marksToDrop(flow, only)
      const list = found.map((each) => `${each.step} at ${each.mark}`).join(", ")
      if (!yes && !(yield* confirmed("drop the marks", `Drop ${list}? The next run of "${flow}" reads everything.`)))
        return screen.say("nothing was dropped")
      yield* dropMarks(flow, only)
      screen.say(`dropped ${list}`)
    })
    yield* dropped.pipe(Effect.provide(storeLayer))
  }),
).pipe(
  Command.withDescription(
    "Forget the marks of a flow, or that of one step: the next run reads everything. Refused while a run of the flow goes on or waits to be resumed.",
  ),
  Command.withShortDescription("Forget marks"),
)

export const marksCommand = Command.make("marks").pipe(
  Command.withDescription("Look after the marks of incremental loads: how far a flow has read an input."),
  Command.withShortDescription("Show, set or forget how far incremental loads have come"),
  Command.withSubcommands([listCommand, setCommand, dropCommand]),
  Command.withExamples([
    { command: "headrace marks list", description: "How far have my flows come?" },
    { command: 'headrace marks set "orders to the warehouse" orders 2026-07-01', description: "Read July again" },
  ]),
)
