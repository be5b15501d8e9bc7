import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { FlowError, flowError } from "../../core/flow/problem.ts"
import { checkFlow } from "../../core/flow/read-flow.ts"
import { DataSources } from "../../core/host/services.ts"
import { Settings } from "../settings.ts"
import { originOf } from "../worker/flow-origin.ts"
import { type CopyOptions, copyFlow, type TypedEndpoint } from "./copy-flow.ts"
import { readEndpoint } from "./endpoint.ts"
import { jsonFlag, rejectedFlag, settingsFlags } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { asJson, usage } from "./refusal.ts"
import { dryRunFlag, runRequest } from "./run-request.ts"
import { Screen } from "./screen.ts"
import { onlyHere } from "./server-flag.ts"

const ENDS =
  'SOURCE and TARGET are the name of a data source, a dot and a table (shop.orders, shop.public.orders); or a file that ends in .csv or .tsv, maybe with .gz or .zst; or an SQLite file that ends in .db, .sqlite or .sqlite3, a colon and a table (shop.db:orders). What ends like a file is one: quote a table that is called so (shop."csv").'

export const sourceEnd = Argument.String("SOURCE").pipe(
  Argument.withDescription("What to read: shop.orders, orders.csv, shop.db:orders"),
)
export const targetEnd = Argument.String("TARGET").pipe(
  Argument.withDescription("What to write: warehouse.orders, orders.csv.gz, shop.db:orders"),
)

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
  { source: sourceEnd, target: targetEnd, ...copyFlags, dryRun: dryRunFlag, json: jsonFlag, rejected: rejectedFlag },
  Effect.fnUntraced(function* (flags) {
    if (!flags.printFlow) yield* onlyHere("headrace copy", "Make a flow with --print-flow, and push it")
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const copied = Effect.gen(function* () {
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
      const document = yield* copyDocument(flags.source, flags.target, options)
      if (flags.printFlow) return screen.out(JSON.stringify(document, null, 2))
      const flow = yield* checkFlow(document)
      const origin = originOf({ document: JSON.stringify(document), base: cwd }, {})
      const rejected = Option.getOrUndefined(flags.rejected)
      return yield* runRequest({ flow, parameters: {} }, { ...flags, origin, rejected })
    })
    yield* copied.pipe(Effect.mapError(inWordsOfCopy), withHost(cwd), asJson(flags.json))
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
    { command: "headrace copy shop.orders orders.csv --print-flow > orders.json", description: "Begin a flow with it" },
  ]),
)

/** Whoever copies has no flow to write options into. */
function inWordsOfCopy<E>(error: E): E | FlowError {
  if (!(error instanceof FlowError)) return error
  return flowError(
    error.problems.map((problem) =>
      problem.hint?.startsWith("Accept it with allowLossy")
        ? { ...problem, hint: "Accept it with --allow-lossy" }
        : problem,
    ),
  )
}

/** The flow document for two ends as written. */
export const copyDocument = Effect.fnUntraced(function* (source: string, target: string, options: CopyOptions) {
  const from = yield* typedEndpoint(source)
  const to = yield* typedEndpoint(target)
  const made = copyFlow(from, to, options)
  if ("faults" in made) return yield* flowError(made.faults.map((message) => ({ message })))
  return made.document
})

export const typedEndpoint = Effect.fnUntraced(function* (text: string) {
  const dataSources = yield* DataSources
  const endpoint = readEndpoint(text, dataSources.names)
  if ("message" in endpoint) return yield* usage(endpoint.message, endpoint.hint)
  if (endpoint.kind === "csv") return endpoint satisfies TypedEndpoint
  const { type } = yield* dataSources.get(endpoint.dataSource)
  return { ...endpoint, type } satisfies TypedEndpoint
})

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
