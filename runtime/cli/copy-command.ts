import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { FlowError, flowError } from "../../core/flow/problem.ts"
import { checkFlow } from "../../core/flow/read-flow.ts"
import { type Server, ServerError } from "../remote/server-client.ts"
import { Settings } from "../settings.ts"
import { originOf } from "../worker/flow-origin.ts"
import { copyDocument, ENDS, endsAt, endsHere, sourceEnd, targetEnd } from "./copy-ends.ts"
import type { CopyOptions } from "./copy-flow.ts"
import { detachFlag, environmentFlag, jsonFlag, refuseForServers, rejectedFlag, settingsFlags } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { asJson } from "./refusal.ts"
import { fitted, runDocumentAt } from "./remote-run.ts"
import { dryRunFlag, runRequest } from "./run-request.ts"
import { Screen } from "./screen.ts"
import { hereOr } from "./server-flag.ts"

const copyFlags = {
  mode: Flag.Literals("mode", ["append", "overwriteRows", "updateRows"]).pipe(
    Flag.withDescription(
      "What a row does whose key exists: is rejected (the default), replaces the old row, updates it",
    ),
    Flag.withDefault("append" as const),
  ),
  create: Flag.Boolean("create").pipe(
    Flag.withDescription("Create the target table when it is missing (the default; --no-create forbids it)"),
    Flag.withDefault(true),
  ),
  where: optionalText("where", "SQL", "Condition that the source database evaluates"),
  columns: listFlag("columns", "Columns to copy, in this order; by default all"),
  key: listFlag("key", "Columns that identify a row; by default the primary key"),
  splitColumn: optionalText("split-column", "COLUMN", "Column by which rows are divided to be read in parallel"),
  ...settingsFlags,
  allowLossy: Flag.Boolean("allow-lossy").pipe(
    Flag.withDescription("Consent to conversions that round or drop something"),
    Flag.withDefault(false),
    Flag.withoutNegation,
  ),
  printFlow: Flag.Boolean("print-flow").pipe(
    Flag.withDescription("Print the flow document and copy nothing"),
    Flag.withDefault(false),
    Flag.withoutNegation,
  ),
}

export const copyCommand = Command.make(
  "copy",
  {
    ...{ source: sourceEnd, target: targetEnd, ...copyFlags, dryRun: dryRunFlag, json: jsonFlag },
    ...{ rejected: rejectedFlag, environment: environmentFlag, detach: detachFlag },
  },
  Effect.fnUntraced(function* (flags) {
    const { cwd } = yield* Settings
    const options: CopyOptions = {
      mode: flags.mode,
      create: flags.create,
      allowLossy: flags.allowLossy,
      where: Option.getOrUndefined(flags.where),
      columns: Option.getOrUndefined(flags.columns),
      key: Option.getOrUndefined(flags.key),
      splitColumn: Option.getOrUndefined(flags.splitColumn),
      parallel: Option.getOrUndefined(flags.parallel),
      errorLimit: Option.getOrUndefined(flags.errorLimit),
    }
    const screen = yield* Screen
    const print = (document: object) => screen.out(JSON.stringify(document, null, 2))
    const here = Effect.gen(function* () {
      yield* refuseForServers(flags)
      const document = yield* copyDocument(yield* endsHere(flags), options)
      if (flags.printFlow) return print(document)
      const flow = yield* checkFlow(document)
      const origin = originOf({ document: JSON.stringify(document), base: cwd }, {})
      const rejected = Option.getOrUndefined(flags.rejected)
      return yield* runRequest({ flow, parameters: {} }, { ...flags, origin, rejected })
    }).pipe(withHost(cwd))
    const there = Effect.fnUntraced(function* (server: Server) {
      const document = yield* copyDocument(yield* endsAt(server, flags), options)
      if (flags.printFlow) return print(document)
      const unsaved = { title: fitted(`${flags.source} to ${flags.target}`), document: JSON.stringify(document) }
      return yield* runDocumentAt(server, unsaved, { ...flags, ...asItIs })
    })
    yield* hereOr(here, there).pipe(Effect.mapError(inWordsOfCopy), asJson(flags.json))
  }),
).pipe(
  Command.withDescription(`Copy a table or a file, without a flow document. ${ENDS}`),
  Command.withShortDescription("Copy a table or a file"),
  Command.withExamples([
    { command: "headrace copy orders.csv shop.db:orders", description: "A file into an SQLite table, which is made" },
    { command: "headrace copy shop.orders warehouse.public.orders", description: "From one database to another" },
    { command: "headrace copy shop.orders orders.csv.gz --where 'total > 100'", description: "Some rows into a file" },
    { command: "headrace copy shop.orders warehouse.orders --mode updateRows --key id", description: "Update by key" },
    {
      command: "headrace copy shop.orders warehouse.orders --parallel 4 --split-column id",
      description: "In parallel",
    },
    {
      command: "headrace copy shop.orders warehouse.orders --server https://headrace.example",
      description: "With the data sources of a server, by one of its workers",
    },
    { command: "headrace copy shop.orders orders.csv --print-flow > orders.json", description: "Begin a flow with it" },
  ]),
)

/** Whoever copies has no flow to write options into. */
function inWordsOfCopy<E>(error: E): E | FlowError | ServerError {
  if (error instanceof FlowError) return flowError(error.problems.map(inWords))
  if (!(error instanceof ServerError) || error.problems === undefined) return error
  const { message } = error // which no spread takes along
  return new ServerError({ ...error, ...inWords({ ...error }), message, problems: error.problems.map(inWords) })
}

function inWords<P extends { readonly hint?: string }>(problem: P): P {
  const isLossy = problem.hint?.startsWith("Accept it with allowLossy")
  return isLossy ? { ...problem, hint: "Accept it with --allow-lossy" } : problem
}

/** The document of a copy has its settings in it, and no parameters. */
const asItIs = {
  ...{ parameters: {}, bizdate: Option.none(), scheduledAt: Option.none() },
  ...{ parallel: Option.none(), errorLimit: Option.none() },
}

function optionalText(name: string, metavar: string, description: string) {
  return Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)
}

function listFlag(name: string, description: string) {
  return Flag.String(name).pipe(
    Flag.withMetavar("A,B"),
    Flag.withDescription(description),
    Flag.map((text) => text.split(",").map((part) => part.trim())),
    Flag.filter(
      (names) => names.every((each) => each !== ""),
      () => "there is an empty name in the list",
    ),
    Flag.optional,
  )
}
