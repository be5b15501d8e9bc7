import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { TableColumn } from "../../core/contract/index.ts"
import { missingTable } from "../../core/database/database-input.ts"
import { parseTableName, shownTable } from "../../core/database/table-name.ts"
import { Settings } from "../settings.ts"
import { withConnection } from "../worker/connection.ts"
import { typeText } from "../worker/plan-json.ts"
import { environmentFlag, jsonFlag, refuseForServers } from "./flow-flags.ts"
import { withHost } from "./global-flags.ts"
import { duration, rows } from "./number-text.ts"
import { asJson } from "./refusal.ts"
import { chosen, columnsAt, tablesAt, testAt } from "./remote-sources.ts"
import { Screen } from "./screen.ts"
import { hereOr } from "./server-flag.ts"
import { printable, textTable } from "./text-table.ts"

const sourceArgument = Argument.String("SOURCE").pipe(
  Argument.withDescription("Name of a data source, or path of an SQLite file that ends in .db, .sqlite or .sqlite3"),
)

export const testConnectionCommand = Command.make(
  "test-connection",
  { source: sourceArgument, environment: environmentFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ source: name, environment, json }) {
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const startedAt = performance.now()
    const here = withConnection(name, async ({ source, connection }) => ({
      type: source.type,
      server: connection.server,
      durationMs: undefined,
    })).pipe(withHost(cwd), onlyProd(environment))
    const { type, server, durationMs } = yield* hereOr(here, (at) => testAt(at, name, environment)).pipe(asJson(json))
    const ms = durationMs ?? performance.now() - startedAt
    if (json)
      screen.out(JSON.stringify({ status: "succeeded", source: name, type, server, durationMs: Math.round(ms) }))
    else screen.out(`${screen.outStyle.green("ok")}: ${name} is ${server}, reached in ${duration(ms)}`)
  }),
).pipe(
  Command.withDescription("Connect to a data source and say what answers."),
  Command.withShortDescription("Test a data source"),
  Command.withExamples([{ command: "headrace test-connection shop", description: "Does the password work?" }]),
)

export const tablesCommand = Command.make(
  "tables",
  {
    source: sourceArgument,
    schema: Flag.String("schema").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Only the tables of this schema"),
      Flag.optional,
    ),
    environment: environmentFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ source, schema, environment, json }) {
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const filter = Option.isNone(schema) ? undefined : { schema: schema.value }
    const here = withConnection(source, ({ connection }) => connection.tables(filter)).pipe(
      withHost(cwd),
      onlyProd(environment),
    )
    const tables = yield* hereOr(here, (at) => tablesAt(at, source, { ...filter, ...chosen(environment) })).pipe(
      asJson(json),
    )
    if (json) screen.out(JSON.stringify(tables, null, 2))
    else for (const table of tables) screen.out(printable(shownTable(table)))
    if (tables.length === 0)
      screen.say(`There are no tables${filter === undefined ? "" : ` in schema "${filter.schema}"`}`)
  }),
).pipe(
  Command.withDescription("List the tables and views of a data source."),
  Command.withShortDescription("List tables and views"),
)

export const columnsCommand = Command.make(
  "columns",
  {
    source: sourceArgument,
    table: Argument.String("TABLE").pipe(Argument.withDescription("Name of the table, or schema.table")),
    environment: environmentFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ source, table, environment, json }) {
    const screen = yield* Screen
    const { cwd } = yield* Settings
    const here = withConnection(source, async ({ connection, session }) => {
      const name = parseTableName(table, undefined, session.failure)
      const found = await connection.describeTable(name)
      if (found === undefined)
        throw await missingTable(connection, shownTable(name), { dataSource: { name: source } }, session)
      return found
    }).pipe(withHost(cwd), onlyProd(environment))
    const info = yield* hereOr(here, (at) => columnsAt(at, { source, table, environment })).pipe(asJson(json))
    if (json) return screen.out(JSON.stringify(info, null, 2))
    const cells = info.columns.map((column) => [
      column.name,
      column.native?.type ?? "",
      typeText(column.type),
      column.nullable ? "" : "not null",
      keyOf(column.name, info.primaryKey),
      factsOf(column),
    ])
    const about = info.estimatedRows === undefined ? "" : `, about ${rows(info.estimatedRows)}`
    screen.out(
      `${screen.outStyle.bold(printable(shownTable(info.table)))} ${screen.outStyle.dim(`${info.kind}${about}`)}`,
    )
    for (const line of textTable(COLUMNS, cells, { style: screen.outStyle, most: 60 })) screen.out(line)
    for (const key of info.uniqueKeys)
      if (key.join() !== info.primaryKey.join()) screen.out(`unique (${key.join(", ")})`)
  }),
).pipe(
  Command.withDescription(
    "Describe the columns of a table: declared type, type in flows, key, what the database fills in.",
  ),
  Command.withShortDescription("Describe the columns of a table"),
)

/** On this machine there is one connection. */
function onlyProd(environment: Option.Option<"prod" | "dev">) {
  return <A, E, R>(here: Effect.Effect<A, E, R>) => Effect.andThen(refuseForServers({ environment }), here)
}

function keyOf(name: string, key: readonly string[]): string {
  const at = key.indexOf(name)
  if (at < 0) return ""
  return key.length === 1 ? "key" : `key ${at + 1}`
}

function factsOf(column: TableColumn): string {
  const facts = [
    column.generated ? "generated" : "",
    column.identity ? "identity" : "",
    column.hasDefault ? "default" : "",
    column.comment ?? "",
  ]
  return facts.filter((fact) => fact !== "").join(", ")
}

const COLUMNS = [
  { title: "column" },
  { title: "declared" },
  { title: "in flows" },
  { title: "null" },
  { title: "key" },
  { title: "more" },
] as const
