import type { Connection, Database, Issue, Session, Sink, SinkRequest, TableName } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"
import { alone, Connections, connectionOf } from "./connections.ts"
import { converted } from "./convert.ts"
import { encodingsOf, find, loadMode, type Target } from "./database-output.ts"
import { inTransaction, isOfLoad, Ledger, splitItem } from "./ledger.ts"
import type { DatabaseOutputOptions } from "./options.ts"
import { dropStage, prepareStage, type ReplaceRequest, recoverTables, replacementNames, replaceNow } from "./replace.ts"
import { growTable } from "./schema-drift.ts"
import { bound, qualified } from "./source-sql.ts"
import { parseTableName, shownTable } from "./table-name.ts"
import { Verification } from "./verification.ts"

/** What an opened output knows. */
export interface Opened {
  readonly database: Database
  readonly config: DatabaseOutputOptions
  readonly step: string
  readonly timeoutMs: number
  readonly table: TableName
  readonly writers: Connections
  /** Absent where the target allows none: then nothing can be told of an earlier attempt. */
  readonly ledger: Ledger | undefined
}

export async function openSink(
  database: Database,
  config: DatabaseOutputOptions,
  request: SinkRequest,
  session: Session,
): Promise<Sink> {
  const connect = (at: Session) => connectionOf(database, config.dataSource.settings, at)
  const writers = new Connections(Number.POSITIVE_INFINITY, connect)
  try {
    const connection = await writers.take(session)
    await alone(connection, session)
    const table = await resolved(connection, config, session)
    const ledger = await openLedger(connection, database, config, table, request.step, session)
    const timeoutMs = config.timeoutMs ?? session.settings.statementTimeoutMs
    const opened = { database, config, step: request.step, timeoutMs, table, writers, ledger }
    // Held by a connection of its own, which lives as long as the sink.
    const keep = config.mode === "replaceTable" ? await takeLock(opened, session) : async () => {}
    const { target, made } = await prepare(opened, connection, request, session)
    const verification = verificationOf(opened, target, session)
    if (config.mode === "append") await verification?.begin(connection, session)
    await writers.give(connection, true)
    return sink(opened, target, { made, keep }, verification)
  } catch (error) {
    await writers[Symbol.asyncDispose]()
    throw error
  }
}

/** The table with its schema, where it exists: two spellings of one table must meet at one lock and one ledger. */
export async function resolved(
  connection: Connection,
  config: DatabaseOutputOptions,
  session: Session,
): Promise<TableName> {
  const table = parseTableName(config.table, config.schema, session.failure)
  return (await connection.describeTable(table))?.table ?? table
}

export async function openLedger(
  connection: Connection,
  { dialect }: Database,
  config: DatabaseOutputOptions,
  { schema }: TableName,
  step: string,
  session: Session,
): Promise<Ledger | undefined> {
  if (config.ledger === "off") return undefined
  try {
    return await Ledger.open(connection, { dialect, schema, step, run: session.run, failure: session.failure })
  } catch (error) {
    const { reason, message } = pluginError(error)
    const isForbidden = reason === "permission" || reason === "unsupported"
    if (!isForbidden || config.ledger === "required" || config.mode === "replaceTable") throw error
    session.log.warn(`${message}; rows may be written twice if the run has to be resumed`)
    return undefined
  }
}

/** One replacement of a table at a time; who comes second waits. What is returned fails when the lock is lost. */
export async function takeLock({ writers, table, timeoutMs }: Opened, session: Session): Promise<() => Promise<void>> {
  const keeper = await writers.take(session)
  const name = `headrace:replace:${shownTable(table)}`
  if (keeper.lock === undefined) {
    await writers.give(keeper, true)
    return async () => {}
  }
  const end = performance.now() + timeoutMs
  for (let told = false; !(await keeper.lock(name)); told = true) {
    if (!told) session.log.warn(`Another run is replacing table "${shownTable(table)}": this one waits for it`)
    if (performance.now() >= end) {
      throw session.failure(
        "timeout",
        `Cannot replace table "${shownTable(table)}": another run has been at it for ${timeoutMs} ms`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
    session.signal.throwIfAborted()
  }
  // Whoever has a lock gets it again.
  return async () => void (await keeper.lock!(name))
}

/** Preparation statements, the table itself, the stage: each once in the life of a run. */
async function prepare(
  opened: Opened,
  connection: Connection,
  request: SinkRequest,
  session: Session,
): Promise<{ readonly target: Target; readonly made: boolean }> {
  const { config, database, ledger, timeoutMs, table } = opened
  const { dialect } = database
  const once = ledger === undefined ? undefined : ledger.once.bind(ledger)
  if (config.mode === "replaceTable") await recoverTables(connection, replaceRequest(opened, session))
  for (const [i, sql] of config.before.entries()) {
    const run = () => connection.execute(bound(sql, "before", dialect, session), { timeoutMs })
    if (once === undefined) await run()
    else await once(connection, `before:${i}`, run)
  }
  let made = false
  try {
    if (config.createTable) {
      const { create } = await find(database, connection, config, request.input, session)
      if (create !== undefined) {
        // Noted first where a CREATE commits by itself: only a table that is noted may be dropped again.
        if (ledger !== undefined && (await ledger.find(connection, "created")) === undefined)
          await inTransaction(connection, () => ledger.record(connection, "created", { note: shownTable(table) }))
        await connection.execute(create, { timeoutMs })
        made = true
      }
    }
    if (session.settings.schemaDrift === "addColumns") {
      const { growth } = await find(database, connection, { ...config, createTable: false }, request.input, session)
      if (growth !== undefined) await growTable(connection, growth, timeoutMs)
    }
    // What was created may be declared a little differently from what was asked for; the table itself decides.
    const target = await find(database, connection, { ...config, createTable: false }, request.input, session)
    refuse(target.issues, session)
    const { encoding } = request
    if (encoding !== undefined && !encodingsOf(connection, target.mapping.pairs, config).includes(encoding)) {
      throw session.failure(
        "conflict",
        `Cannot write to "${shownTable(table)}": its columns have changed since the plan and do not take ${encoding}`,
        { hint: 'Run it again, or set "forwarding" to false' },
      )
    }
    if (config.mode === "replaceTable") await prepareStage(connection, target.info, replaceRequest(opened, session))
    return { target, made }
  } catch (error) {
    if (made) await takeBackTable(opened, connection).catch(() => undefined)
    throw error
  }
}

/** The plan has refused what it saw; a preparation statement, or somebody else, may have changed the table since. */
function refuse(issues: readonly Issue[], session: Session): void {
  const found = issues.find(({ severity }) => severity !== "warning")
  if (found === undefined) return
  throw session.failure("config", found.message, found.hint === undefined ? {} : { hint: found.hint })
}

function replaceRequest({ database, config, ledger, table, timeoutMs }: Opened, session: Session): ReplaceRequest {
  const lockTimeoutMs = Math.min(timeoutMs, LOCK_MS)
  return { database, config, names: replacementNames(table), ledger: ledger!, session, lockTimeoutMs }
}

/** A table that this run has created goes again, unless it holds anything. */
async function takeBackTable({ database, ledger, table }: Opened, connection: Connection): Promise<void> {
  const name = qualified(table, database.dialect)
  if ((await connection.describeTable(table)) === undefined) return
  // Somebody may be writing to it whose rows are not committed yet.
  if (connection.dropEmpty !== undefined) await connection.dropEmpty(table)
  else {
    await inTransaction(connection, async () => {
      const rows = await connection.query(`SELECT COUNT(*) FROM ${name}`)
      if (rows[0]?.[0] === "0") await connection.execute(`DROP TABLE ${name}`)
    })
  }
  await ledger?.forget(connection, ["created"])
}

function verificationOf(
  { database, config, ledger, table }: Opened,
  { mapping, info }: Target,
  session: Session,
): Verification | undefined {
  if (config.verify === "none") return undefined
  if (ledger === undefined)
    throw session.failure("permission", `Cannot verify table "${shownTable(table)}" by checksum: there is no ledger`, {
      hint: "Let somebody create it, or set verify to none",
    })
  const loaded = config.mode === "replaceTable" ? replacementNames(info.table).stage : info.table
  const columns = mapping.pairs.map(({ to }) => to)
  return new Verification(database.dialect, ledger, loaded, columns)
}

interface Preparation {
  /** The table was created. */
  readonly made: boolean
  /** Fails when another run may be replacing the table. */
  keep(): Promise<void>
}

function sink(
  opened: Opened,
  target: Target,
  { made, keep }: Preparation,
  verification: Verification | undefined,
): Sink {
  const { database, config, writers, ledger, timeoutMs } = opened
  const { pairs } = target.mapping
  const known = Object.keys(database.outputOptions ?? {})
  const options = Object.fromEntries(known.map((name) => [name, config[name]]))
  const mode = loadMode(config)
  const replaces = config.mode === "replaceTable"
  const load = {
    table: replaces ? replacementNames(target.info.table).stage : target.info.table,
    columns: pairs.map(({ to }) => to),
    input: pairs.map(({ from }) => from),
    mode,
    keyColumns: target.keyColumns,
    options,
  }
  const conversion = { pairs, keyColumns: mode === "append" ? [] : target.keyColumns }
  const guarantee = ledger === undefined ? ("at-least-once" as const) : ("exactly-once" as const)
  let committed = false
  return {
    async write(split, rows, session) {
      return await withConnection(writers, session, async (connection) => {
        const written = await inTransaction(connection, async () => {
          // The load tells of rows in the columns of the table, which may each be called like another that comes.
          const loading = inWordsOf(pairs, session)
          const watch = verification?.watch(loading)
          const ready = converted(rows, conversion, session)
          const loaded = await connection.load(load, watch?.rows(ready) ?? ready, watch?.session ?? loading)
          await session.sealed()
          await watch?.keep(connection, split.id)
          // Had its lock been lost, another run could have made a stage of the same name.
          if (replaces) await ledger!.hold(connection, "stage")
          await ledger?.record(connection, splitItem(split.id), { written: loaded.written, note: split.note() })
          return loaded.written
        })
        committed = true
        return { written, guarantee }
      })
    },
    ...(ledger === undefined
      ? {}
      : {
          committed: (split: string, session: Session) =>
            withConnection(writers, session, async (connection) => {
              const row = await ledger.find(connection, splitItem(split))
              if (row === undefined) return undefined
              committed = true
              return { written: row.written, note: row.note, guarantee }
            }),
        }),
    async finish(session) {
      await keep()
      await withConnection(writers, session, async (connection) => {
        const verify = async () => void (await verification?.check(connection, session))
        if (replaces) await replaceNow(connection, target.info, replaceRequest(opened, session), verify)
        else await verify()
        for (const [i, sql] of config.after.entries()) {
          const run = () => connection.execute(bound(sql, "after", database.dialect, session), { timeoutMs })
          if (ledger === undefined) await run()
          else await ledger.once(connection, `after:${i}`, run)
        }
      })
    },
    async abort(session) {
      if (!replaces && committed) return
      // What another run has taken over is not ours to remove.
      await keep()
      await withConnection(writers, session, (connection) => takeBack(opened, connection, made, session))
    },
    [Symbol.asyncDispose]: () => writers[Symbol.asyncDispose](),
  }
}

export async function takeBack(opened: Opened, connection: Connection, made: boolean, session: Session): Promise<void> {
  const { config, ledger } = opened
  if (config.mode === "replaceTable") await dropStage(connection, replaceRequest(opened, session))
  const notes = ledger === undefined ? [] : await ledger.rows(connection)
  const created = ledger === undefined ? made : notes.some(({ item }) => item === "created")
  if (created && !notes.some(({ item }) => isOfLoad(item))) await takeBackTable(opened, connection)
}

/** Rejected rows are kept in the columns in which they came: only so can they be told apart and come again. */
function inWordsOf(pairs: Target["mapping"]["pairs"], session: Session): Session {
  const names = new Map(pairs.map(({ from, to }) => [to.name, from.name]))
  const came = (name: string) => names.get(name) ?? name
  return {
    ...session,
    reject({ column, record, ...row }) {
      session.reject({
        ...row,
        ...(column === undefined ? {} : { column: came(column) }),
        ...(record === undefined
          ? {}
          : { record: Object.fromEntries(Object.entries(record).map(([name, value]) => [came(name), value])) }),
      })
    },
  }
}

async function withConnection<A>(
  writers: Connections,
  session: Session,
  use: (connection: Connection) => Promise<A>,
): Promise<A> {
  const connection = await writers.take(session)
  let whole = false
  try {
    const result = await use(connection)
    whole = true
    return result
  } finally {
    await writers.give(connection, whole)
  }
}

/** How long one try at a swap may hold up those who come behind it. */
const LOCK_MS = 2000
