import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { RunStore } from "../../core/store/run-store.ts"
import type { Run } from "../remote/follow-run.ts"
import type { Server } from "../remote/server-client.ts"
import { stateOf } from "../store/process-owner.ts"
import { asked, storeLayer } from "../store/store.ts"
import { findRun } from "../worker/stored-run.ts"
import { jsonFlag } from "./flow-flags.ts"
import { asJson } from "./refusal.ts"
import { runJsonOf, runLinesOf, runTableOf } from "./remote-run-text.ts"
import { runJson, runLines, runTable } from "./run-text.ts"
import { Screen } from "./screen.ts"
import { theServer } from "./server-flag.ts"

const STATES = ["queued", "running", "interrupted", "succeeded", "failed", "cancelled", "skipped"] as const

export const runArgument = Argument.String("RUN").pipe(
  Argument.withDescription("Id of the run, as headrace runs lists it"),
)

export const runsCommand = Command.make(
  "runs",
  {
    run: Argument.String("RUN").pipe(
      Argument.withDescription("Id of a run to show; without it, the newest runs are listed"),
      Argument.optional,
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("List all runs, not just the newest 20"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    flow: Flag.String("flow").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Only the runs of the flow of this name"),
      Flag.optional,
    ),
    status: Flag.Literals("status", STATES).pipe(
      Flag.withDescription("Only runs in this state; queued and skipped ones are on servers"),
      Flag.optional,
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("List so many at most; by default 20"),
      Flag.filter(
        (value) => value >= 1,
        (value) => `${value} is below 1`,
      ),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ run, json, ...filter }) {
    const shown = Effect.gen(function* () {
      const server = yield* theServer
      if (server !== undefined)
        return yield* Option.isSome(run) ? showRunAt(server, run.value, json) : listRunsAt(server, filter, json)
      const here = Option.isSome(run) ? showRun(run.value, json) : listRuns(filter, json)
      return yield* here.pipe(Effect.provide(storeLayer))
    })
    yield* shown.pipe(asJson(json))
  }),
).pipe(
  Command.withDescription(
    "List the runs that this machine remembers, newest first, or show one: its splits, receipts and notes, why it failed.",
  ),
  Command.withShortDescription("List runs, or show one"),
  Command.withExamples([
    { command: "headrace runs --status interrupted", description: "What has to be resumed?" },
    { command: "headrace runs 20261121T072445-93e6f0e2", description: "What has this run done?" },
  ]),
)

interface ListFilter {
  readonly all: boolean
  readonly flow: Option.Option<string>
  readonly status: Option.Option<(typeof STATES)[number]>
  readonly limit: Option.Option<number>
}

const listRuns = Effect.fnUntraced(function* ({ all, flow, status, limit }: ListFilter, json: boolean) {
  const screen = yield* Screen
  const store = yield* RunStore
  const wanted = Option.getOrUndefined(status)
  const most = Option.getOrElse(limit, () => (all ? Number.POSITIVE_INFINITY : USUAL))
  const nothing = wanted === "queued" || wanted === "skipped"
  if (nothing) return json ? screen.out("[]") : screen.say("There are no such runs")
  // An interrupted run is recorded as running: only its process tells.
  const isDerived = wanted === "interrupted" || wanted === "running"
  const found = yield* asked(() =>
    store.list({
      ...(Option.isSome(flow) ? { flow: flow.value } : {}),
      ...(wanted === undefined ? {} : { statuses: [isDerived ? "running" : wanted] }),
      ...(isDerived || !Number.isFinite(most) ? {} : { limit: most }),
    }),
  )
  const runs = isDerived ? found.filter((run) => stateOf(run) === wanted).slice(0, most) : found
  if (json) return screen.out(JSON.stringify(runs.map(runJson), null, 2))
  if (runs.length === 0) return screen.say("There are no such runs")
  for (const line of runTable(runs, yield* Clock.currentTimeMillis, screen.outStyle)) screen.out(line)
  if (!isDerived && runs.length === most) screen.say(screen.style.dim(`the newest ${most}; --all lists the others`))
})

const listRunsAt = Effect.fnUntraced(function* (server: Server, filter: ListFilter, json: boolean) {
  const screen = yield* Screen
  const most = Option.getOrElse(filter.limit, () => (filter.all ? Number.POSITIVE_INFINITY : USUAL))
  const query = {
    ...(Option.isSome(filter.flow) ? { flow: filter.flow.value } : {}),
    ...(Option.isSome(filter.status) ? { status: [filter.status.value] } : {}),
  }
  const runs: Run[] = []
  let after: string | undefined
  do {
    const page = { ...query, limit: Math.min(200, most - runs.length), ...(after === undefined ? {} : { after }) }
    const { items, next } = yield* server.call("GET /runs", { query: page })
    runs.push(...items)
    after = next
  } while (after !== undefined && runs.length < most)
  if (json) return screen.out(JSON.stringify(runs.map(runJsonOf), null, 2))
  if (runs.length === 0) return screen.say("There are no such runs")
  for (const line of runTableOf(runs, yield* Clock.currentTimeMillis, screen.outStyle)) screen.out(line)
  if (after !== undefined) screen.say(screen.style.dim(`the newest ${runs.length}; --all lists the others`))
})

const showRunAt = Effect.fnUntraced(function* (server: Server, id: string, json: boolean) {
  const screen = yield* Screen
  const run = yield* server.call("GET /runs/:id", { params: { id } })
  if (json) return screen.out(JSON.stringify(run, null, 2))
  const now = yield* Clock.currentTimeMillis
  for (const line of runLinesOf(run, { now, style: screen.outStyle })) screen.out(screen.mask(line))
})

const showRun = Effect.fnUntraced(function* (id: string, json: boolean) {
  const screen = yield* Screen
  const store = yield* RunStore
  const run = yield* findRun(id)
  const progress = yield* asked(() => store.progress(id))
  if (json) {
    const { origin, owner, ...rest } = run
    const { document, ...from } = origin
    const shown = {
      ...rest,
      status: stateOf(run),
      origin: from,
      owner,
      document: JSON.parse(document) as unknown,
      progress,
    }
    return screen.out(screen.mask(JSON.stringify(shown, null, 2)))
  }
  const now = yield* Clock.currentTimeMillis
  for (const line of runLines(run, progress, { now, style: screen.outStyle })) screen.out(screen.mask(line))
})

const USUAL = 20
