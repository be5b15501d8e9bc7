import type {
  Columns,
  Connection,
  Database,
  Input,
  InputPlan,
  OpenRequest,
  PhysicalSplit,
  Session,
  Snapshot,
  Source,
  Split,
} from "../contract/index.ts"
import { alone, Connections, connected, connectionOf, planning } from "./connections.ts"
import { derivedInput } from "./derived.ts"
import { endOf, type Increment, incrementNotes, readIncrement, startConditions, warnOfNulls } from "./incremental.ts"
import { readingSource } from "./input-source.ts"
import { chosen, ownOptions, placeOf, type Subject, understand } from "./input-subject.ts"
import type { DatabaseInputOptions } from "./options.ts"
import { inTime } from "./patience.ts"
import { refuseDrift } from "./schema-drift.ts"
import { fromItem, type Selection, selectSql } from "./source-sql.ts"
import { type Part, rangeParts } from "./splits.ts"
import { shownTable } from "./table-name.ts"

export { missingTable } from "./input-subject.ts"

/** The input that every database type has. */
export function databaseInput(database: Database): Input<DatabaseInputOptions> {
  return {
    ...derivedInput(database),
    plan: (config, request, session) => plan(database, config, request.columns, session),
    open: (config, request, session) => open(database, config, request, session),
  }
}

async function plan(
  database: Database,
  config: DatabaseInputOptions,
  wanted: readonly string[] | undefined,
  session: Session,
): Promise<InputPlan> {
  const { settings } = config.dataSource
  return await planning(database, settings, session, (at) => planOn(at, database, config, wanted, session))
}

async function planOn(
  connection: Connection,
  database: Database,
  config: DatabaseInputOptions,
  wanted: readonly string[] | undefined,
  session: Session,
): Promise<InputPlan> {
  const subject = await understand(database, connection, config, session)
  if (subject.columns.length === 0) throw session.failure("config", `Cannot read ${placeOf(config)}: it has no columns`)
  const columns = chosen(subject, wanted ?? config.columns, config, session)
  if (config.splitColumn !== undefined) chosen(subject, [config.splitColumn], config, session)
  const increment = incrementOf(subject, config, session)
  const estimates = subject.tables.map((table) => table.estimatedRows)
  const isWhole = config.query === undefined && config.where === undefined && increment === undefined
  const known = isWhole && estimates.every((rows) => rows !== undefined)
  return {
    columns,
    encodings: connection.readEncodings(columns),
    issues: [],
    notes: [
      ...notesOf(database, connection, subject, columns, config),
      ...(increment === undefined ? [] : incrementNotes(increment)),
    ],
    ...(known ? { estimatedRows: estimates.reduce((sum: number, rows) => sum + rows!, 0) } : {}),
    ...(config.columns === undefined ? { seen: subject.columns.map(({ name }) => name) } : {}),
  }
}

function incrementOf(subject: Subject, config: DatabaseInputOptions, session: Session): Increment | undefined {
  if (config.incremental === undefined) return undefined
  const [column] = chosen(subject, [config.incremental.column], config, session)
  return readIncrement(config.incremental, column!, session)
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

/** What all parts of opening an input need. */
interface Opening {
  readonly database: Database
  readonly config: DatabaseInputOptions
  readonly request: OpenRequest
  readonly session: Session
}

async function open(
  database: Database,
  config: DatabaseInputOptions,
  request: OpenRequest,
  session: Session,
): Promise<Source> {
  const opening = { database, config, request, session }
  const connect = (at: Session) => connectionOf(database, config.dataSource.settings, at)
  const first = await connect(session)
  // Closed when opening fails, in this order: readers hold on to the snapshot.
  const held: AsyncDisposable[] = []
  let keep = false
  try {
    await alone(first, session)
    const subject = await understand(database, first, config, session)
    const { planned, seen } = request
    if (planned !== undefined)
      refuseDrift(placeOf(config), subject.columns, { planned, ...(seen && { seen }) }, session)
    const columns = chosen(subject, request.columns, config, session)
    // A resumed run reads the ranges that the first attempt had cut.
    const increment = request.splits === undefined ? incrementOf(subject, config, session) : undefined
    const started = begun(subject, increment, opening)
    const cut = request.splits ?? (await cutSplits(opening, first, started))
    const reading = {
      database,
      columns,
      options: ownOptions(database, config),
      ...(request.encoding === undefined ? {} : { encoding: request.encoding }),
    }
    if (cut.length < 2 || database.snapshot === undefined) {
      const { splits, mark } = await ended(opening, { subject, started, increment, cut }, [first])
      const readers = new Connections(1, connect)
      readers.adopt(first)
      keep = true
      // Targets are prepared between opening and reading, which may take its time.
      const check = (connection: Connection, at: Session) => stillAs(columns, { ...opening, session: at }, connection)
      const state =
        splits.length < 2
          ? { oneSnapshot: true, ...mark }
          : {
              oneSnapshot: false,
              consistencyNote: `${database.title} has no snapshots, splits are read in turn`,
              ...mark,
            }
      return readingSource({ ...reading, splits, readers, check, state })
    }
    const most = Math.min(request.parallel, cut.length)
    const take = (at: Session) => database.snapshot!(config.dataSource.settings, most, at) // it has them, see above
    const snapshot = await inTime("take a snapshot", take, session)
    held.push(snapshot)
    const readers = new Connections(most, (at) => connected((own) => snapshot.connect(own), at))
    held.unshift(readers)
    const { splits, mark } = await within(readers, snapshot, most, session, async (connections) => {
      await pin(opening, connections, subject, first)
      return await ended(opening, { subject, started, increment, cut }, connections)
    })
    const note = snapshot.note === undefined ? {} : { consistencyNote: snapshot.note }
    const state = { oneSnapshot: snapshot.consistent, ...note, ...mark }
    held.length = 0
    return readingSource({ ...reading, splits, readers, snapshot, state })
  } finally {
    for (const each of held) await Promise.resolve(each[Symbol.asyncDispose]()).catch(() => undefined)
    if (!keep) await first.close().catch(() => undefined)
  }
}

/** The selections with the lower end of an increment. */
function begun(subject: Subject, increment: Increment | undefined, { database, request, session }: Opening): Subject {
  if (increment === undefined) return subject
  const conditions = startConditions(increment, request.mark, database.dialect, session)
  const selections = subject.selections.map((each) => ({ ...each, conditions: [...each.conditions, ...conditions] }))
  return { ...subject, selections }
}

/** What is to be read, but for the upper end of an increment. */
interface Draft {
  readonly subject: Subject
  /** With the lower end of the increment. */
  readonly started: Subject
  readonly increment: Increment | undefined
  readonly cut: readonly Split[]
}

/** The splits with the upper end of the increment, the same for all, and the mark. */
async function ended(
  { database, request, session }: Opening,
  { subject, started, increment, cut }: Draft,
  connections: readonly Connection[],
): Promise<{ readonly splits: readonly Split[]; readonly mark: { readonly mark?: string } }> {
  if (increment === undefined) return { splits: cut, mark: {} }
  const { dialect } = database
  await warnOfNulls(increment, connections[0]!, subject.selections, dialect, session)
  const end = await endOf(increment, connections, started.selections, request.mark, dialect, session)
  const splits = cut.map((split) => {
    // Made a moment ago by `cutSplits`.
    const selection = split.state as Selection
    return { ...split, state: { ...selection, conditions: [...selection.conditions, ...end.conditions] } }
  })
  return { splits, mark: end.mark === undefined ? {} : { mark: end.mark } }
}

/**
 * Uses connections of the snapshot before they read: one stands for all where all see the same state, otherwise it
 * takes every one of them.
 */
async function within<A>(
  readers: Connections,
  snapshot: Snapshot,
  most: number,
  session: Session,
  use: (connections: readonly Connection[]) => Promise<A>,
): Promise<A> {
  const connections: Connection[] = []
  let whole = false
  try {
    while (connections.length < (snapshot.consistent ? 1 : most)) connections.push(await readers.take(session))
    const result = await use(connections)
    whole = true
    return result
  } finally {
    for (const connection of connections) await readers.give(connection, whole)
  }
}

/**
 * Touches every table in the snapshot, so that its transaction holds them: an ALTER or TRUNCATE that rewrites a table
 * would make it look empty to a snapshot that comes to it later. What came in before is seen by looking again.
 */
async function pin(
  opening: Opening,
  connections: readonly Connection[],
  subject: Subject,
  outside: Connection,
): Promise<void> {
  for (const connection of connections) {
    for (const selection of subject.selections)
      await connection.query(`SELECT 1 FROM ${fromItem(selection, opening.database.dialect)} WHERE 1 = 0`)
  }
  await stillAs(subject.columns, opening, outside)
}

async function stillAs(columns: Columns, { database, config, session }: Opening, connection: Connection) {
  const now = await understand(database, connection, config, session)
  refuseDrift(placeOf(config), now.columns, { planned: columns }, session)
}

async function cutSplits(opening: Opening, connection: Connection, subject: Subject): Promise<readonly Split[]> {
  const { config, request } = opening
  const wanted = Math.max(1, Math.ceil((config.splits ?? request.parallel) / subject.selections.length))
  const splits: Split[] = []
  for (const [i, selection] of subject.selections.entries()) {
    const parts = await partsOf(opening, connection, subject, i, wanted)
    const prefix = subject.selections.length > 1 ? `${shownTable(selection.table!)}: ` : ""
    for (const part of parts) {
      const conditions = part.condition === undefined ? selection.conditions : [...selection.conditions, part.condition]
      splits.push({
        id: String(splits.length),
        label: `${prefix}${part.label}`,
        state: { ...selection, conditions },
        ...(part.volatile === undefined ? {} : { volatile: part.volatile }),
      })
    }
  }
  return splits
}

async function partsOf(
  { database, config, session }: Opening,
  connection: Connection,
  subject: Subject,
  index: number,
  wanted: number,
): Promise<readonly Part[]> {
  const all = [{ label: "all rows" }]
  if (wanted < 2) return all
  const selection = subject.selections[index]!
  if (config.splitColumn !== undefined) {
    const [column] = chosen(subject, [config.splitColumn], config, session)
    const info = subject.tables[index]
    const estimate = info?.kind === "table" ? info.estimatedRows : undefined
    return await rangeParts(connection, database.dialect, selection, column!, wanted, estimate, session)
  }
  if (selection.table === undefined || connection.physicalSplits === undefined) return all
  const pages = await connection.physicalSplits(selection.table, wanted)
  return pages.length === 0 ? all : pages.map(partOf)
}

function partOf({ label, where, lasting = false }: PhysicalSplit): Part {
  return { label, condition: where, ...(lasting ? {} : { volatile: true }) }
}
