import type { Column, Columns, Connection, Database, Session, TableInfo } from "../contract/index.ts"
import { closestName } from "../flow/closest-name.ts"
import type { DatabaseInputOptions } from "./options.ts"
import { bound, type Selection, trimmedQuery } from "./source-sql.ts"
import { isTableExpression, parseTableExpression, parseTableName, shownTable } from "./table-name.ts"

/** What is read, once the options are understood. */
export interface Subject {
  readonly selections: readonly Selection[]
  readonly tables: readonly TableInfo[]
  /** All columns, in the source's order. */
  readonly columns: Columns
}

/** Looks at the source as it is now. */
export async function understand(
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
export function ownOptions(database: Database, config: DatabaseInputOptions): Readonly<Record<string, unknown>> {
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

/** The columns of these names, in their order; all of them without names. */
export function chosen(
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
    throw session.failure("missing", `Cannot find column "${name}" in ${placeOf(config)}`, {
      hint:
        near === undefined
          ? `It has ${subject.columns.map((candidate) => candidate.name).join(", ")}`
          : `Did you mean "${near}"?`,
    })
  })
}

/** What messages call the source. */
export function placeOf({ table }: DatabaseInputOptions): string {
  return table === undefined ? "the query" : `table "${table}"`
}
