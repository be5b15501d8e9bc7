import type { Connection, Database, Replacement, Session, TableInfo, TableName } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"
import { newTable } from "./create-table.ts"
import { inTransaction, type Ledger } from "./ledger.ts"
import type { DatabaseOutputOptions } from "./options.ts"
import { checkStage, partitionOf } from "./replace-checks.ts"
import { qualified } from "./source-sql.ts"
import { shownTable } from "./table-name.ts"

/** The tables of a replacement; the names are those of the specification, section 25. */
export interface Names {
  readonly table: TableName
  readonly stage: TableName
  readonly old: TableName
}

export const STAGE_SUFFIX = "_dpfx_b"
export const OLD_SUFFIX = "_dpfx_tmp"

export function replacementNames(table: TableName): Names {
  return {
    table,
    stage: { ...table, name: `${table.name}${STAGE_SUFFIX}` },
    old: { ...table, name: `${table.name}${OLD_SUFFIX}` },
  }
}

/** One run's replacement of a table, or of one partition of it. */
export interface ReplaceRequest {
  readonly database: Database
  readonly config: DatabaseOutputOptions
  readonly names: Names
  readonly ledger: Ledger
  readonly session: Session
  readonly lockTimeoutMs: number
}

/**
 * Makes ready for the load: repairs what a crashed run has left, refuses what a swap would break, creates the stage.
 * The caller holds the lock of the target, so whoever owned the leftovers is gone. Which tables exist says what
 * happened; whose they are, and so whether they may be dropped, only the ledger says.
 */
export async function prepareStage(connection: Connection, info: TableInfo, request: ReplaceRequest): Promise<void> {
  const { names, ledger, session, config } = request
  const swapper = swapperOf(connection, config)
  if ((await ledger.find(connection, "swapped")) !== undefined) return
  if (swapper !== undefined && config.partition === undefined) {
    const obstacles = await swapper.obstacles(names.table)
    if (obstacles.length > 0) throw blocked(names.table, obstacles, session)
  }
  const mine = await ledger.find(connection, "stage")
  if ((await connection.describeTable(names.stage)) !== undefined && mine !== undefined) return
  // Without its stage, what an earlier attempt has loaded is lost.
  const { id } = session.run
  if (mine !== undefined) await ledger.forgetLoad(connection, { run: id, step: mine.step })
  await inTransaction(connection, () => ledger.record(connection, "stage", { note: names.stage.name }))
  if (connection.replacement !== undefined) return await connection.replacement.createStage(names.table, names.stage)
  const keys = { keyColumns: info.primaryKey, uniqueKeys: info.uniqueKeys, allowLossy: true }
  await connection.execute(newTable(names.stage, structure(info), keys, request.database.dialect).statement)
}

/**
 * The table of recovery, specification section 25, with the lock held and before anything else is looked at. Afterwards
 * the target exists, no old table is left, and a stage only if it is this run's own.
 */
export async function recoverTables(connection: Connection, request: ReplaceRequest): Promise<void> {
  const { names, ledger, session } = request
  const exists = async (table: TableName) => (await connection.describeTable(table)) !== undefined
  const [target, stage] = [shownTable(names.table), shownTable(names.stage)]
  const owned = await owners(connection, "stage", request)
  await recoverSwap(connection, request)
  if (!(await exists(names.stage))) return
  if (!(await exists(names.table))) {
    throw session.failure("missing", `Table "${target}" is missing, but "${stage}" is there`, {
      hint: `Rename "${stage}" to "${names.table.name}" if its rows are right, or drop it`,
    })
  }
  if (owned.length === 0) throw foreign(names.stage, session)
  const { id } = session.run
  if (owned.some(({ run }) => run === id)) return
  session.log.warn(`Table "${stage}" was left by run ${owned[0]!.run}, which has ended: it is dropped`)
  await drop(connection, names.stage, request)
  for (const owner of owned) await ledger.forgetLoad(connection, owner)
}

/** The rows of that table in which an old table is there. */
async function recoverSwap(connection: Connection, request: ReplaceRequest): Promise<void> {
  const { names, ledger, session, database } = request
  const exists = async (table: TableName) => (await connection.describeTable(table)) !== undefined
  if (!(await exists(names.old))) return
  const rename = (from: TableName, to: TableName) =>
    connection.execute(`ALTER TABLE ${qualified(from, database.dialect)} RENAME TO ${database.dialect.quote(to.name)}`)
  const swaps = await owners(connection, "swapping", request)
  const owned = await owners(connection, "stage", request)
  const [hasTable, hasStage] = [await exists(names.table), await exists(names.stage)]
  // Only a swap that was begun makes an old table, and it is only begun when the load was complete and checked.
  if (hasTable ? swaps.length === 0 || hasStage : swaps.length === 0 && owned.length === 0)
    throw foreign(names.old, session)
  if (!hasTable && (!hasStage || swaps.length === 0)) {
    await rename(names.old, names.table)
    if (hasStage) return
    const [target, old] = [shownTable(names.table), shownTable(names.old)]
    throw session.failure("data", `Table "${target}" was missing and "${old}" was there: the old rows are back`, {
      hint: "Find out who has dropped the loaded table, then run again",
    })
  }
  if (!hasTable) await rename(names.stage, names.table)
  for (const swap of swaps) await ledger.settle(connection, swap, "swapped")
  await drop(connection, names.old, request)
  for (const swap of swaps) await ledger.forgetTables(connection, swap)
}

/** What runs have noted of tables that they made and that are not known to be gone. */
async function owners(connection: Connection, item: string, { names, ledger }: ReplaceRequest) {
  // The ledger stands in the schema of the tables.
  return (await ledger.everybodys(connection, item)).filter(({ note }) => note === names.stage.name)
}

/**
 * Checks the stage, by the flow's checks and by `verify`, and puts it in the place of the table. Called again after a
 * crash, it does what is left to do: once it is checked a stage is not checked again, for it may hold the old rows.
 */
export async function replaceNow(
  connection: Connection,
  info: TableInfo,
  request: ReplaceRequest,
  verify: () => Promise<void>,
): Promise<void> {
  const { ledger, config } = request
  const swapper = swapperOf(connection, config)
  if ((await ledger.find(connection, "swapped")) === undefined) {
    if ((await ledger.find(connection, "checked")) === undefined) {
      await checkStage(connection, request)
      await verify()
      await inTransaction(connection, () => ledger.record(connection, "checked"))
    }
    if (config.partition !== undefined) await replacePartition(connection, info, request, swapper)
    else if (swapper === undefined) await rewrite(connection, info, request, undefined)
    else await swap(connection, request, swapper)
  }
  await clear(connection, request)
}

/** Removes what is left behind a swap. Afterwards the names are anybody's again. */
async function clear(connection: Connection, request: ReplaceRequest): Promise<void> {
  const { names, ledger, session } = request
  const mine = await ledger.find(connection, "stage")
  if (mine === undefined) return
  const isRenamed = (await ledger.find(connection, "swapping")) !== undefined
  for (const left of isRenamed ? [names.old, names.stage] : [names.stage])
    if ((await connection.describeTable(left)) !== undefined) await drop(connection, left, request)
  await ledger.forgetTables(connection, { run: session.run.id, step: mine.step })
}

/**
 * Removes the stage of a run that has failed, and what was noted of its load. A swap that has taken place unnoticed, in
 * the instant before a crash or a cancel, counts: then the load stays, and what the swap has left goes.
 */
export async function dropStage(connection: Connection, request: ReplaceRequest): Promise<void> {
  const { names, ledger, session } = request
  const mine = await ledger.find(connection, "stage")
  if (mine === undefined) return
  if ((await ledger.find(connection, "swapping")) !== undefined) await recoverSwap(connection, request)
  if (await isExchanged(connection, request)) await ledger.settle(connection, mine, "swapped")
  if ((await ledger.find(connection, "swapped")) !== undefined) return await clear(connection, request)
  if ((await connection.describeTable(names.stage)) !== undefined) await drop(connection, names.stage, request)
  await ledger.forgetLoad(connection, { run: session.run.id, step: mine.step })
}

/** Whether a partition was exchanged that commits by itself: the stage then holds other rows than those that were noted. */
async function isExchanged(connection: Connection, { names, ledger }: ReplaceRequest): Promise<boolean> {
  const noted = await ledger.find(connection, "exchanging")
  const contents = connection.replacement?.contents
  if (noted === undefined || contents === undefined) return false
  if ((await connection.describeTable(names.stage)) === undefined) return false
  return (await contents(names.stage)) !== noted.note
}

async function swap(connection: Connection, request: ReplaceRequest, swapper: Replacement): Promise<void> {
  const { names, ledger, lockTimeoutMs } = request
  const exchange = () => swapper.swap({ ...names, lockTimeoutMs })
  if (swapper.isTransactional) {
    await patiently(request, () =>
      inTransaction(connection, async () => {
        await exchange()
        await ledger.hold(connection, "stage")
        await ledger.record(connection, "swapped")
      }),
    )
    return
  }
  // The rename commits by itself: from this note on the load counts as complete, whatever happens in between.
  if ((await ledger.find(connection, "swapping")) === undefined)
    await inTransaction(connection, () => ledger.record(connection, "swapping", { note: names.stage.name }))
  await patiently(request, async () => {
    await inTransaction(connection, () => ledger.hold(connection, "stage"))
    await exchange()
  })
  await inTransaction(connection, () => ledger.record(connection, "swapped"))
}

async function replacePartition(
  connection: Connection,
  info: TableInfo,
  request: ReplaceRequest,
  swapper: Replacement | undefined,
): Promise<void> {
  const { names, ledger, lockTimeoutMs, database } = request
  const { column, value } = partitionOf(info, request.config, request.session)
  const exchange = async () => {
    const partition = { table: names.table, stage: names.stage, column: column.name, value, lockTimeoutMs }
    return (await swapper?.swapPartition?.(partition)) ?? false
  }
  if (swapper?.isTransactional === true) {
    const done = await patiently(request, () =>
      inTransaction(connection, async () => {
        const exchanged = await exchange()
        await ledger.hold(connection, "stage")
        if (exchanged) await ledger.record(connection, "swapped")
        return exchanged
      }),
    )
    if (done) return
  } else if (swapper?.contents !== undefined) {
    // Exchanged twice, the old rows would be back: the note tells which rows the stage held before.
    await inTransaction(connection, () => ledger.hold(connection, "stage"))
    const contents = await swapper.contents(names.stage)
    const noted = await ledger.find(connection, "exchanging")
    if (noted === undefined)
      await inTransaction(connection, () => ledger.record(connection, "exchanging", { note: contents }))
    if ((noted !== undefined && noted.note !== contents) || (await patiently(request, exchange))) {
      await inTransaction(connection, () => ledger.record(connection, "swapped"))
      return
    }
  }
  const { dialect } = database
  await rewrite(connection, info, request, `${dialect.quote(column.name)} = ${dialect.literal(value, column)}`)
}

/** Deletes and inserts in one transaction: the table stays the same one, with everything that hangs on it. */
async function rewrite(
  connection: Connection,
  info: TableInfo,
  { names, ledger, database }: ReplaceRequest,
  where: string | undefined,
): Promise<void> {
  const { dialect } = database
  const [table, stage] = [qualified(names.table, dialect), qualified(names.stage, dialect)]
  const columns = structure(info)
    .map(({ name }) => dialect.quote(name))
    .join(", ")
  await inTransaction(connection, async () => {
    await ledger.hold(connection, "stage")
    await connection.execute(`DELETE FROM ${table}${where === undefined ? "" : ` WHERE ${where}`}`)
    await connection.execute(
      `INSERT INTO ${table} (${columns})${dialect.insertOverriding ?? ""} SELECT ${columns} FROM ${stage}`,
    )
    await ledger.record(connection, "swapped")
  })
}

/** A reader that holds its lock longer than we wait only puts the swap off. */
async function patiently<A>({ session, lockTimeoutMs }: ReplaceRequest, work: () => Promise<A>): Promise<A> {
  const end = performance.now() + Math.max(session.settings.statementTimeoutMs, lockTimeoutMs)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const { reason, retryable, message } = pluginError(error)
      if (reason !== "conflict" || !retryable || performance.now() >= end) throw error
      session.log.info("The swap waits for readers of the table", { cause: message })
    }
    session.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function swapperOf(connection: Connection, config: DatabaseOutputOptions): Replacement | undefined {
  return config.replaceBy === "rewrite" ? undefined : connection.replacement
}

function structure(info: TableInfo) {
  return info.columns.filter(({ generated }) => !generated)
}

async function drop(connection: Connection, table: TableName, { database }: ReplaceRequest): Promise<void> {
  await connection.execute(`DROP TABLE ${qualified(table, database.dialect)}`)
}

function blocked(table: TableName, obstacles: readonly string[], session: Session) {
  return session.failure("config", `Cannot replace table "${shownTable(table)}": ${obstacles.join("; ")}`, {
    hint: 'Set replaceBy to "rewrite", which deletes and inserts the rows in one transaction and keeps the table',
  })
}

function foreign(table: TableName, session: Session) {
  return session.failure("exists", `Table "${shownTable(table)}" is in the way, and no run is known to have made it`, {
    hint: "Look at what it holds, then drop or rename it",
  })
}
