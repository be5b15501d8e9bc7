import type {
  Columns,
  Connection,
  Database,
  Issue,
  Output,
  OutputPlan,
  Session,
  Sink,
  SinkRequest,
  TableInfo,
  TableName,
} from "../contract/index.ts"
import { closestName } from "../flow/closest-name.ts"
import { Connections, connected } from "./connections.ts"
import { converted } from "./convert.ts"
import { newTable } from "./create-table.ts"
import { missingTable } from "./database-input.ts"
import { type Mapping, mapColumns } from "./mapping.ts"
import { type DatabaseOutputOptions, outputSchema } from "./options.ts"
import { bound, qualified } from "./source-sql.ts"
import { parseTableName, shownTable } from "./table-name.ts"

/** The output that every database type has. */
export function databaseOutput(database: Database): Output<DatabaseOutputOptions> {
  return {
    kind: "output",
    id: `${database.id}-output`,
    title: `${database.title} output`,
    summary: `Writes a table of ${database.title}.`,
    ...(database.description === undefined ? {} : { description: database.description }),
    config: outputSchema(database),
    examples: [
      { title: "Append, creating the table", config: { dataSource: "warehouse", table: "orders", createTable: true } },
      {
        title: "Update by key",
        config: { dataSource: "warehouse", table: "orders", mode: "updateRows", keyColumns: ["id"] },
      },
    ],
    plan: (config, input, session) => plan(database, config, input, session),
    open: (config, request, session) => open(database, config, request, session),
  }
}

/** The target as it is, or as it will be made. */
interface Target {
  readonly info: TableInfo
  readonly mapping: Mapping
  readonly keyColumns: readonly string[]
  readonly create?: string
  readonly issues: readonly Issue[]
}

async function plan(
  database: Database,
  config: DatabaseOutputOptions,
  input: Columns,
  session: Session,
): Promise<OutputPlan> {
  await using connection = await connected(() => database.connect(config.dataSource.settings, session), session)
  const target = await find(database, connection, config, input, session)
  const { pairs, notes } = target.mapping
  const columns = pairs.map(({ to, from }) =>
    target.create === undefined ? to : { ...to, native: created(database, to.native!.type, from.native) },
  )
  for (const option of ["before", "after"] as const)
    for (const sql of config[option]) bound(sql, option, database.dialect, session)
  return {
    uses: pairs.map(({ from }) => from.name),
    encodings: connection.loadEncodings({ columns, mode: config.mode, input: pairs.map(({ from }) => from) }),
    issues: target.issues,
    notes: [`${connection.server}: ${config.mode} into ${shownTable(target.info.table)}`, ...notes],
    ...(target.create === undefined ? {} : { creates: [target.create] }),
  }
}

/** A type that is created as it was declared in the same system is that type. */
function created(database: Database, type: string, native: { system: string; type: string } | undefined) {
  return native?.system === database.id && native.type === type ? native : { system: database.id, type }
}

async function find(
  database: Database,
  connection: Connection,
  config: DatabaseOutputOptions,
  input: Columns,
  session: Session,
): Promise<Target> {
  const name = parseTableName(config.table, config.schema, session.failure)
  const existing = await connection.describeTable(name)
  if (existing === undefined && !config.createTable) {
    const missing = await missingTable(connection, shownTable(name), config, session)
    const { hint = "" } = missing
    throw session.failure("missing", missing.message, {
      hint: `${hint}${hint.endsWith("?") ? " Or" : ", or"} set createTable to true`,
    })
  }
  if (existing?.kind === "view")
    throw session.failure("unsupported", `Cannot write to "${shownTable(name)}": it is a view`)
  const made = existing === undefined ? newTable(name, renamed(input, config), config, database.dialect) : undefined
  const info = existing ?? made!.info
  const mapping = mapColumns(input, info.columns, config)
  const keyColumns = config.keyColumns ?? info.primaryKey
  const issues = [...(made?.issues ?? []), ...mapping.issues, ...keyIssues(info, mapping, keyColumns, config)]
  return { info, mapping, keyColumns, issues, ...(made === undefined ? {} : { create: made.statement }) }
}

/** A table is created with the names that an explicit mapping gives. */
function renamed(input: Columns, { mapping }: DatabaseOutputOptions): Columns {
  if (typeof mapping === "string") return input
  return mapping.flatMap(({ from, to }) => {
    const column = input.find((candidate) => candidate.name === from)
    return column === undefined ? [] : [{ ...column, name: to }]
  })
}

function keyIssues(
  info: TableInfo,
  mapping: Mapping,
  keyColumns: readonly string[],
  config: DatabaseOutputOptions,
): Issue[] {
  if (config.mode === "append") return []
  const table = shownTable(info.table)
  if (keyColumns.length === 0) {
    return [
      {
        severity: "error",
        message: `Cannot ${config.mode} in "${table}": it has no primary key`,
        hint: "Name the keyColumns",
      },
    ]
  }
  const written = new Set(mapping.pairs.map(({ to }) => to.name))
  const issues: Issue[] = []
  for (const key of keyColumns) {
    if (!info.columns.some((column) => column.name === key)) {
      const near = closestName(
        key,
        info.columns.map((column) => column.name),
      )
      const hint = near === undefined ? {} : { hint: `Did you mean "${near}"?` }
      issues.push({ severity: "error", column: key, message: `Cannot find key column "${key}" in "${table}"`, ...hint })
    } else if (!written.has(key)) {
      issues.push({
        severity: "error",
        column: key,
        message: `Cannot ${config.mode} by "${key}": no column is mapped to it`,
      })
    }
  }
  const unique = info.uniqueKeys.some(
    (key) => key.length === keyColumns.length && key.every((column) => keyColumns.includes(column)),
  )
  if (!unique) {
    issues.push({
      severity: "error",
      message: `Cannot ${config.mode} in "${table}": no primary key or unique index covers exactly ${keyColumns.join(", ")}`,
      hint: "Create one, or name the columns of an existing one in keyColumns",
    })
  }
  return issues
}

async function open(
  database: Database,
  config: DatabaseOutputOptions,
  request: SinkRequest,
  session: Session,
): Promise<Sink> {
  const connect = (at: Session) => connected(() => database.connect(config.dataSource.settings, at), at)
  const writers = new Connections(Number.POSITIVE_INFINITY, connect)
  const connection = await writers.take(session)
  const timeoutMs = config.timeoutMs ?? session.settings.statementTimeoutMs
  let made = false
  try {
    made = await prepare(database, connection, config, request.input, timeoutMs, session)
    // What was created may be declared a little differently from what was asked for; the table itself decides.
    const target = await find(database, connection, { ...config, createTable: false }, request.input, session)
    refuse(target.issues, session)
    await writers.give(connection, true)
    return sink(database, config, target, made ? target.info.table : undefined, writers, timeoutMs)
  } catch (error) {
    if (made) await drop(connection, parseTableName(config.table, config.schema, session.failure), database)
    await writers.give(connection, false)
    throw error
  }
}

/** The plan has refused what it saw; a preparation statement, or somebody else, may have changed the table since. */
function refuse(issues: readonly Issue[], session: Session): void {
  const found = issues.find(({ severity }) => severity !== "warning")
  if (found === undefined) return
  throw session.failure("config", found.message, found.hint === undefined ? {} : { hint: found.hint })
}

async function drop(connection: Connection, table: TableName, database: Database): Promise<void> {
  await connection.execute(`DROP TABLE ${qualified(table, database.dialect)}`).catch(() => undefined)
}

/** Creates the table and runs the preparation statements, which may create it as well. */
async function prepare(
  database: Database,
  connection: Connection,
  config: DatabaseOutputOptions,
  input: Columns,
  timeoutMs: number,
  session: Session,
): Promise<boolean> {
  for (const sql of config.before)
    await connection.execute(bound(sql, "before", database.dialect, session), { timeoutMs })
  if (!config.createTable) return false
  const { create } = await find(database, connection, config, input, session)
  if (create === undefined) return false
  await connection.execute(create, { timeoutMs })
  return true
}

function sink(
  database: Database,
  config: DatabaseOutputOptions,
  target: Target,
  made: TableName | undefined,
  writers: Connections,
  timeoutMs: number,
): Sink {
  const { pairs } = target.mapping
  const known = Object.keys(database.outputOptions ?? {})
  const options = Object.fromEntries(known.map((name) => [name, config[name]]))
  const load = {
    table: target.info.table,
    columns: pairs.map(({ to }) => to),
    mode: config.mode,
    keyColumns: target.keyColumns,
    options,
  }
  const conversion = { pairs, keyColumns: config.mode === "append" ? [] : target.keyColumns }
  let committed = false
  return {
    async write(_split, rows, session) {
      const connection = await writers.take(session)
      let whole = false
      try {
        await connection.begin()
        const { written } = await connection.load(load, converted(rows, conversion, session), session)
        await connection.commit()
        committed = true
        whole = true
        return { written, guarantee: "at-least-once" }
      } catch (error) {
        await connection.rollback().catch(() => undefined)
        throw error
      } finally {
        await writers.give(connection, whole)
      }
    },
    async finish(session) {
      await withConnection(writers, session, async (connection) => {
        for (const sql of config.after)
          await connection.execute(bound(sql, "after", database.dialect, session), { timeoutMs })
      })
    },
    async abort(session) {
      if (made === undefined || committed) return
      await withConnection(writers, session, (connection) =>
        connection.execute(`DROP TABLE ${qualified(made, database.dialect)}`),
      )
    },
    [Symbol.asyncDispose]: () => writers[Symbol.asyncDispose](),
  }
}

async function withConnection(
  writers: Connections,
  session: Session,
  use: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = await writers.take(session)
  let whole = false
  try {
    await use(connection)
    whole = true
  } finally {
    await writers.give(connection, whole)
  }
}
