import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { isByHand, Marks } from "../../core/store/marks.ts"
import type { Server } from "../remote/server-client.ts"
import { asked, storeLayer } from "../store/store.ts"
import { dropMarks, marksToDrop, newestRunOf, setMark } from "../worker/flow-marks.ts"
import { confirmed, yesFlag } from "./confirm.ts"
import { environmentFlag, jsonFlag, refuseForServers } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { asJson, usage } from "./refusal.ts"
import { chosen } from "./remote-sources.ts"
import { Screen } from "./screen.ts"
import { hereOr } from "./server-flag.ts"
import { textTable } from "./text-table.ts"

const flowArgument = Argument.String("FLOW").pipe(Argument.withDescription("Name of the flow, as its document says it"))
const stepArgument = Argument.String("STEP").pipe(Argument.withDescription("Id of the step that loads by the mark"))

interface Listed {
  readonly flow: string
  readonly step: string
  readonly reads: string
  readonly mark: string
  readonly at: number
  readonly by: string
}

const show = Effect.fnUntraced(function* (marks: readonly Listed[]) {
  const screen = yield* Screen
  if (marks.length === 0) return screen.say("There are no such marks")
  const cells = marks.map(({ flow, step, reads, mark, at, by }) => [
    ...[flow, step, reads, mark],
    ...[new Date(at).toISOString().slice(0, 19).replace("T", " "), by],
  ])
  const titles = ["flow", "step", "reads", "mark", "set", "by"].map((title) => ({ title }))
  for (const line of textTable(titles, cells, { style: screen.outStyle })) screen.out(line)
})

/** One flow's: a server tells of marks flow by flow. */
const listAt = Effect.fnUntraced(function* (server: Server, name: string) {
  return (yield* server.call("GET /flows/:name/marks", { params: { name } })).items
})

/** Those of the environment that is meant: production, unless it is named. */
const marksAt = Effect.fnUntraced(function* (server: Server, name: string, { environment }: OfEnvironment) {
  const wanted = Option.getOrElse(environment, () => "prod")
  return (yield* listAt(server, name)).filter((mark) => mark.environment === wanted)
})

interface OfEnvironment {
  readonly environment: Option.Option<"prod" | "dev">
}

const listCommand = Command.make(
  "list",
  { flow: flowArgument.pipe(Argument.optional), json: jsonFlag },
  Effect.fnUntraced(function* ({ flow, json }) {
    const { out } = yield* Screen
    const here = Effect.gen(function* () {
      const marks = yield* Marks
      const found = yield* asked(() => marks.list(Option.getOrUndefined(flow)))
      if (json) return out(JSON.stringify(found, null, 2))
      yield* show(
        found.map(({ dataSource, run, ...mark }) => ({
          ...{ ...mark, reads: dataSource, by: isByHand({ run }) ? BY_HAND_TEXT : run },
        })),
      )
    })
    const there = Effect.fnUntraced(function* (server: Server) {
      if (Option.isNone(flow)) return yield* usage("Name a flow: a server tells of marks flow by flow")
      const found = yield* listAt(server, flow.value)
      if (json) return out(JSON.stringify(found, null, 2))
      yield* show(
        found.map(({ run, environment, ...mark }) => ({
          ...{ ...mark, by: run ?? BY_HAND_TEXT },
          flow: environment === "prod" ? flow.value : `${flow.value} (${environment})`,
        })),
      )
    })
    yield* hereOr(here.pipe(Effect.provide(storeLayer)), there).pipe(asJson(json))
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
    environment: environmentFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ flow, step, value, environment, json }) {
    const screen = yield* Screen
    const here = Effect.gen(function* () {
      yield* refuseForServers({ environment })
      const run = yield* newestRunOf(flow)
      const { mark, before, appends } = yield* setMark(run, step, value).pipe(withHost(run.origin.base))
      if (json) return screen.out(JSON.stringify({ flow, step, mark, before }))
      const was = before === undefined ? "there was none" : `it was ${before}`
      screen.say(`the mark of step "${step}" of flow "${flow}" is ${mark}, ${was}`)
      for (const output of appends)
        screen.say(`note: output "${output}" appends: rows that the next run reads again would be there twice`)
    })
    const there = Effect.fnUntraced(function* (server: Server) {
      const before = (yield* marksAt(server, flow, { environment })).find((each) => each.step === step)?.mark
      const asked = { params: { name: flow, step }, query: chosen(environment), body: { mark: value } }
      const { mark } = yield* server.call("PUT /flows/:name/marks/:step", asked)
      if (json) return screen.out(JSON.stringify({ flow, step, mark, before }))
      screen.say(`the mark of step "${step}" of flow "${flow}" is ${mark}, it was ${before}`)
    })
    yield* hereOr(here.pipe(Effect.provide(storeLayer)), there).pipe(asJson(json))
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
    environment: environmentFlag,
    yes: yesFlag,
  },
  Effect.fnUntraced(function* ({ flow, step, environment, yes }) {
    const screen = yield* Screen
    const only = Option.getOrUndefined(step)
    const mayDrop = Effect.fnUntraced(function* (list: string) {
      if (yes || (yield* confirmed("drop the marks", `Drop ${list}? The next run of "${flow}" reads everything.`)))
        return true
      screen.say("nothing was dropped")
      return false
    })
    const here = Effect.gen(function* () {
      yield* refuseForServers({ environment })
      const list = textOf(yield* marksToDrop(flow, only))
      if (!(yield* mayDrop(list))) return
      yield* dropMarks(flow, only)
      screen.say(`dropped ${list}`)
    })
    const there = Effect.fnUntraced(function* (server: Server) {
      const all = yield* marksAt(server, flow, { environment })
      const found = all.filter((each) => only === undefined || each.step === only)
      if (found.length === 0)
        return yield* usage(`Flow "${flow}" has no mark${only === undefined ? "" : ` at step "${only}"`}`)
      if (!(yield* mayDrop(textOf(found)))) return
      const query = chosen(environment)
      for (const each of found)
        yield* server.call("DELETE /flows/:name/marks/:step", { params: { name: flow, step: each.step }, query })
      screen.say(`dropped ${textOf(found)}`)
    })
    yield* hereOr(here.pipe(Effect.provide(storeLayer)), there)
  }),
).pipe(
  Command.withDescription(
    "Forget the marks of a flow, or that of one step: the next run reads everything. Refused while a run of the flow goes on or waits to be resumed.",
  ),
  Command.withShortDescription("Forget marks"),
)

function textOf(marks: readonly { readonly step: string; readonly mark: string }[]): string {
  return marks.map(({ step, mark }) => `${step} at ${mark}`).join(", ")
}

const BY_HAND_TEXT = "by hand"

export const marksCommand = Command.make("marks").pipe(
  Command.withDescription("Look after the marks of incremental loads: how far a flow has read an input."),
  Command.withShortDescription("Show, set or forget how far incremental loads have come"),
  Command.withSubcommands([listCommand, setCommand, dropCommand]),
  Command.withExamples([
    { command: "headrace marks list", description: "How far have my flows come?" },
    { command: 'headrace marks set "orders to the warehouse" orders 2026-07-01', description: "Read July again" },
  ]),
)
