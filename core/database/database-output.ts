import type {
  Columns,
  Connection,
  Database,
  Issue,
  Output,
  OutputPlan,
  Session,
  TableInfo,
  WriteMode,
} from "../contract/index.ts"
import { closestName } from "../flow/closest-name.ts"
import { planning } from "./connections.ts"
import { newTable } from "./create-table.ts"
import { openSink } from "./database-sink.ts"
import { derivedOutput } from "./derived.ts"
import { missingTable } from "./input-subject.ts"
import { committedRun, discardRun } from "./left-run.ts"
import { type Mapping, mapColumns } from "./mapping.ts"
import type { DatabaseOutputOptions } from "./options.ts"
import { replaceIssues, verifyIssues } from "./replace-issues.ts"
import { type Growth, grownTable } from "./schema-drift.ts"
import { bound } from "./source-sql.ts"
import { parseTableName, shownTable } from "./table-name.ts"

/** The output that every database type has. */
export function databaseOutput(database: Database): Output<DatabaseOutputOptions> {
  return {
    ...derivedOutput(database),
    ...(database.letsGo === undefined ? {} : { letsGo: database.letsGo }),
    plan: (config, input, session) => plan(database, config, input, session),
    open: (config, request, session) => openSink(database, config, request, session),
    discard: (config, { step }, session) => discardRun({ database, config, step }, session),
    committed: (config, { step }, session) => committedRun({ database, config, step }, session),
  }
}

/** The target as it is, or as it will be made. */
export interface Target {
  readonly info: TableInfo
  readonly mapping: Mapping
  readonly keyColumns: readonly string[]
  readonly create?: string
  /** Columns that the table lacks and that the run's policy lets it have. */
  readonly growth?: Growth
  readonly issues: readonly Issue[]
}

async function plan(
  database: Database,
  config: DatabaseOutputOptions,
  input: Columns,
  session: Session,
): Promise<OutputPlan> {
  const { settings } = config.dataSource
  return await planning(database, settings, session, (at) => planOn(at, database, config, input, session))
}

async function planOn(
  connection: Connection,
  database: Database,
  config: DatabaseOutputOptions,
  input: Columns,
  session: Session,
): Promise<OutputPlan> {
  const target = await find(database, connection, config, input, session)
  const { pairs, notes } = target.mapping
  const columns = pairs.map(({ to, from }) =>
    target.create === undefined ? to : { ...to, native: created(database, to.native!.type, from.native) },
  )
  const creates = target.create === undefined ? (target.growth?.statements ?? []) : [target.create]
  for (const option of ["before", "after"] as const)
    for (const sql of config[option]) bound(sql, option, database.dialect, session)
  return {
    uses: pairs.map(({ from }) => from.name),
    encodings: encodingsOf(
      connection,
      pairs.map(({ from }, i) => ({ from, to: columns[i]! })),
      config,
    ),
    issues: [
      ...target.issues,
      ...verifyIssues(config),
      ...(await replaceIssues(database, connection, config, target.info, session)),
    ],
    notes: [`${connection.server}: ${config.mode} into ${shownTable(target.info.table)}`, ...notes],
    ...(creates.length === 0 ? {} : { creates }),
  }
}

/** Wire encodings in which these columns can be taken; sums cannot be taken of bytes. */
export function encodingsOf(
  connection: Connection,
  pairs: Mapping["pairs"],
  config: DatabaseOutputOptions,
): readonly string[] {
  if (config.verify === "checksum") return []
  const columns = pairs.map(({ to }) => to)
  return connection.loadEncodings({ columns, mode: loadMode(config), input: pairs.map(({ from }) => from) })
}

/** A type that is created as it was declared in the same system is that type. */
function created(database: Database, type: string, native: { system: string; type: string } | undefined) {
  return native?.system === database.id && native.type === type ? native : { system: database.id, type }
}

/** Looks at the target as it is now. */
export async function find(
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
  const growth =
    existing !== undefined && session.settings.schemaDrift === "addColumns"
      ? grownTable(existing, input, config, database)
      : undefined
  const info = growth?.info ?? existing ?? made!.info
  const mapping = mapColumns(input, info.columns, config)
  const keyColumns = config.keyColumns ?? info.primaryKey
  const issues = [
    ...(made?.issues ?? []),
    ...(growth?.issues ?? []),
    ...mapping.issues,
    ...keyIssues(info, mapping, keyColumns, config),
  ]
  return {
    info,
    mapping,
    keyColumns,
    issues,
    ...(made === undefined ? {} : { create: made.statement }),
    ...(growth === undefined || growth.added.length === 0 ? {} : { growth }),
  }
}

/** How rows are loaded; a table that is replaced is loaded beside it, where nothing can conflict but the rows themselves. */
export function loadMode({ mode, keyColumns }: DatabaseOutputOptions): WriteMode {
  if (mode !== "replaceTable") return mode
  return keyColumns === undefined ? "append" : "overwriteRows"
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
  if (loadMode(config) === "append") return []
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
