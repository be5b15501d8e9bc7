import type {
  Batch,
  Column,
  Columns,
  Connection,
  Database,
  Frame,
  Input,
  InputPlan,
  OpenRequest,
  Session,
  Source,
  Split,
  TableInfo,
} from "../contract/index.ts"
import { closestName } from "../flow/closest-name.ts"
import { Connections, connected } from "./connections.ts"
import { type DatabaseInputOptions, inputSchema } from "./options.ts"
import { bound, type Selection, selectSql, trimmedQuery } from "./source-sql.ts"
import { type Part, rangeParts } from "./splits.ts"
import { isTableExpression, parseTableExpression, parseTableName, shownTable } from "./table-name.ts"

/** The input that every database type has. */
export function databaseInput(database: Database): Input<DatabaseInputOptions> {
  return {
    kind: "input",
    id: `${database.id}-input`,
    title: `${database.title} input`,
    summary: `Reads tables or a query of ${database.title}.`,
    ...(database.description === undefined ? {} : { description: database.description }),
    config: inputSchema(database),
    examples: [
      { title: "One table, in parallel", config: { dataSource: "shop", table: "orders", splitColumn: "id" } },
      { title: "Many tables of one structure", config: { dataSource: "shop", table: "order_[001-100];order_x" } },
      {
        title: "A query",
        config: { dataSource: "shop", query: "SELECT id, total FROM orders WHERE day = ${bizdate}" },
      },
    ],
    plan: (config, request, session) => plan(database, config, request.columns, session),
    open: (config, request, session) => open(database, config, request, session),
  }
}

/** What is read, once the options are understood. */
interface Subject {
  readonly selections: readonly Selection[]
  readonly tables: readonly TableInfo[]
  /** All columns, in the source's order. */
  readonly columns: Columns
}

async function plan(
  database: Database,
  config: DatabaseInputOptions,
  wanted: readonly string[] | undefined,
  session: Session,
): Promise<InputPlan> {
  await using connection = await connected(() => database.connect(config.dataSource.settings, session), session)
  const subject = await understand(database, connection, config, session)
  if (subject.columns.length === 0) {
    const place = config.table === undefined ? "the query" : `table "${config.table}"`
    throw session.failure("config", `Cannot read ${place}: it has no columns`)
  }
  const columns = chosen(subject, wanted ?? config.columns, config, session)
  if (config.splitColumn !== undefined) chosen(subject, [config.splitColumn], config, session)
  const estimates = subject.tables.map((table) => table.estimatedRows)
  const known =
    config.query === undefined && config.where === undefined && estimates.every((rows) => rows !== undefined)
  return {
    columns,
    encodings: connection.readEncodings(columns),
    issues: [],
    notes: notesOf(database, connection, subject, columns, config),
    ...(known ? { estimatedRows: estimates.reduce((sum: number, rows) => sum + rows!, 0) } : {}),
  }
}

function notesOf(
  database: Database,
  connection: Connection,
  subject: Subject,
  columns: Columns,
  config: DatabaseInputOptions,
): string[] {
  const [first] = subject.selections
  const notes = [`${connection.server}: ${selectSql(first!, columns, database.dialect).replaceAll(/\s+/g, " ")}`]
  if (subject.selections.length > 1) notes.push(`${subject.selections.length} tables of the same structure`)
  if (config.splitColumn !== undefined) notes.push(`splits: even ranges of "${config.splitColumn}"`)
  else if (connection.physicalSplits !== undefined && config.query === undefined)
    notes.push("splits: page ranges of the table")
  else {
    const what = config.query === undefined ? "one for each table" : "one"
    notes.push(`splits: ${what}; set splitColumn to divide further`)
  }
  return notes
}

async function understand(
  database: Database,
  connection: Connection,
  config: DatabaseInputOptions,
  session: Session,
): Promise<Subject> {
  const { dialect } = database
  const given = (columns: Columns) => database.inputColumns?.(columns, ownOptions(database, config)) ?? columns
  const conditions = config.where === undefined ? [] : [bound(config.where, "where", dialect, session)]
  if (config.query !== undefined) {
    const query = trimmedQuery(bound(config.query, "query", dialect, session))
    return { selections: [{ query, conditions }], tables: [], columns: given(await connection.describeQuery(query)) }
  }
  const tables = await findTables(connection, config, session)
  const [first] = tables
  const differing = tables.filter((table) => structureOf(table) !== structureOf(first!))
  if (differing.length > 0) {
    const names = differing.map((table) => shownTable(table.table)).join(", ")
    throw session.failure(
      "config",
      `Cannot read tables of differing structure: ${names} differ from ${shownTable(first!.table)}`,
      {
        hint: "Read them in steps of their own, or select common columns with a query",
      },
    )
  }
  return {
    selections: tables.map(({ table }) => ({ table, conditions })),
    tables,
    columns: given(first!.columns.map((column, i) => plainColumn(column, i, tables))),
  }
}

/** The options that only this type of database has. */
function ownOptions(database: Database, config: DatabaseInputOptions): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.keys(database.inputOptions ?? {}).map((name) => [name, config[name]]))
}

function plainColumn(column: TableInfo["columns"][number], i: number, tables: readonly TableInfo[]): Column {
  const { generated: _generated, identity: _identity, hasDefault: _hasDefault, ...plain } = column
  const nullable = tables.some((table) => table.columns[i]!.nullable)
  const key = tables[0]!.primaryKey.indexOf(column.name) + 1
  return { ...plain, nullable, ...(key === 0 ? {} : { key }) }
}

function structureOf(table: TableInfo): string {
  return JSON.stringify(table.columns.map(({ name, type }) => [name, type]))
}

async function findTables(
  connection: Connection,
  config: DatabaseInputOptions,
  session: Session,
): Promise<readonly TableInfo[]> {
  const text = config.table!
  const terms = isTableExpression(text)
    ? parseTableExpression(text, session.failure)
    : [{ text, names: [text], range: false }]
  const found = new Map<string, TableInfo>()
  for (const term of terms) {
    let matches = 0
    for (const name of term.names) {
      const table = parseTableName(name, config.schema, session.failure)
      const info = await connection.describeTable(table)
      if (info !== undefined) {
        found.set(JSON.stringify(info.table), info)
        matches++
      } else if (!term.range) throw await missingTable(connection, shownTable(table), config, session)
    }
    if (matches === 0) {
      throw session.failure(
        "missing",
        `Cannot find a table that matches "${term.text}" in data source "${config.dataSource.name}"`,
        {
          hint: `Check the range: it stands for ${term.names[0]} to ${term.names.at(-1)}`,
        },
      )
    }
  }
  return [...found.values()]
}

export async function missingTable(
  connection: Connection,
  table: string,
  config: { dataSource: { name: string }; schema?: string },
  session: Session,
) {
  const tables = await connection.tables(config.schema === undefined ? undefined : { schema: config.schema })
  const names = tables.flatMap((known) => [known.name, shownTable(known)])
  const near = closestName(table, names)
  return session.failure("missing", `Cannot find table "${table}" in data source "${config.dataSource.name}"`, {
    hint:
      near === undefined
        ? `Run "headrace tables ${config.dataSource.name}" to see what there is`
        : `Did you mean "${near}"?`,
  })
}

function chosen(
  subject: Subject,
  names: readonly string[] | undefined,
  config: DatabaseInputOptions,
  session: Session,
): Columns {
  if (names === undefined) return subject.columns
  return names.map((name) => {
    const column = subject.columns.find((candidate) => candidate.name === name)
    if (column !== undefined) return column
    const near = closestName(
      name,
      subject.columns.map((candidate) => candidate.name),
    )
    const place = config.table === undefined ? "the query" : `table "${config.table}"`
    throw session.failure("missing", `Cannot find column "${name}" in ${place}`, {
      hint:
        near === undefined
          ? `It has ${subject.columns.map((candidate) => candidate.name).join(", ")}`
          : `Did you mean "${near}"?`,
    })
  })
}

async function open(
  database: Database,
  config: DatabaseInputOptions,
  request: OpenRequest,
  session: Session,
): Promise<Source> {
  const first = await connected(() => database.connect(config.dataSource.settings, session), session)
  let isOpen = true
  try {
    const subject = await understand(database, first, config, session)
    const columns = chosen(subject, request.columns, config, session)
    const splits = request.splits ?? (await cut(database, first, subject, config, request.parallel, session))
    if (splits.length < 2 || database.snapshot === undefined) {
      const readers = new Connections(1, (at) => connected(() => database.connect(config.dataSource.settings, at), at))
      readers.adopt(first)
      const consistency =
        splits.length < 2
          ? { oneSnapshot: true }
          : { oneSnapshot: false, consistencyNote: `${database.title} has no snapshots, splits are read in turn` }
      return source(database, config, columns, request, splits, readers, consistency)
    }
    isOpen = false
    await first.close()
    const most = Math.min(request.parallel, splits.length)
    const snapshot = await database.snapshot(config.dataSource.settings, most, session)
    const readers = new Connections(most, (at) => snapshot.connect(at))
    const note = snapshot.note === undefined ? {} : { consistencyNote: snapshot.note }
    return source(
      database,
      config,
      columns,
      request,
      splits,
      readers,
      { oneSnapshot: snapshot.consistent, ...note },
      snapshot,
    )
  } catch (error) {
    if (isOpen) await first.close().catch(() => undefined)
    throw error
  }
}

async function cut(
  database: Database,
  connection: Connection,
  subject: Subject,
  config: DatabaseInputOptions,
  parallel: number,
  session: Session,
) {
  const wanted = Math.max(1, Math.ceil((config.splits ?? parallel) / subject.selections.length))
  const splits: Split[] = []
  for (const [i, selection] of subject.selections.entries()) {
    const parts = await partsOf(database, connection, subject, selection, i, config, wanted, session)
    const prefix = subject.selections.length > 1 ? `${shownTable(selection.table!)}: ` : ""
    for (const part of parts) {
      const conditions = part.condition === undefined ? selection.conditions : [...selection.conditions, part.condition]
      splits.push({ id: String(splits.length), label: `${prefix}${part.label}`, state: { ...selection, conditions } })
    }
  }
  return splits
}

async function partsOf(
  database: Database,
  connection: Connection,
  subject: Subject,
  selection: Selection,
  index: number,
  config: DatabaseInputOptions,
  wanted: number,
  session: Session,
): Promise<readonly Part[]> {
  const all = [{ label: "all rows" }]
  if (wanted < 2) return all
  if (config.splitColumn !== undefined) {
    const [column] = chosen(subject, [config.splitColumn], config, session)
    const info = subject.tables[index]
    const estimate = info?.kind === "table" ? info.estimatedRows : undefined
    return await rangeParts(connection, database.dialect, selection, column!, wanted, estimate, session)
  }
  if (selection.table === undefined || connection.physicalSplits === undefined) return all
  const pages = await connection.physicalSplits(selection.table, wanted)
  return pages.length === 0 ? all : pages.map(({ label, where }) => ({ label, condition: where }))
}

function source(
  database: Database,
  config: DatabaseInputOptions,
  columns: Columns,
  request: OpenRequest,
  splits: readonly Split[],
  readers: Connections,
  consistency: Pick<Source, "oneSnapshot" | "consistencyNote">,
  snapshot?: AsyncDisposable,
): Source {
  const options = ownOptions(database, config)
  return {
    splits,
    ...consistency,
    async *read(split, session): AsyncGenerator<Batch | Frame> {
      const connection = await readers.take(session)
      let whole = false
      try {
        const sql = selectSql(split.state as Selection, columns, database.dialect)
        const encoding = request.encoding === undefined ? {} : { encoding: request.encoding }
        yield* connection.read({ sql, columns, options, ...encoding }, session)
        whole = true
      } finally {
        await readers.give(connection, whole)
      }
    },
    async [Symbol.asyncDispose]() {
      await readers[Symbol.asyncDispose]()
      await snapshot?.[Symbol.asyncDispose]()
    },
  }
}
