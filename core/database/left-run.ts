import type { Database, Session } from "../contract/index.ts"
import { alone, Connections, connected } from "./connections.ts"
import { type Opened, openLedger, resolved, takeBack, takeLock } from "./database-sink.ts"
import { isSplitItem } from "./ledger.ts"
import type { DatabaseOutputOptions } from "./options.ts"

/** An output of a run that nobody works on. */
interface Left {
  readonly database: Database
  readonly config: DatabaseOutputOptions
  readonly step: string
}

/** Removes what a run that died has left: its stage, and the table that it created if nothing was loaded. */
export async function discardRun(left: Left, session: Session): Promise<void> {
  await atTarget(left, session, async (opened, connection) => {
    // Another run may be making a stage of the same name in this moment.
    if (left.config.mode === "replaceTable") await takeLock(opened, session)
    await takeBack(opened, connection, false, session)
  })
}

/** What the ledger knows of a run; undefined where there is none. */
export async function committedRun(left: Left, session: Session) {
  return await atTarget(left, session, async ({ ledger }, connection) => {
    const splits = (await ledger!.rows(connection)).filter(({ item }) => isSplitItem(item))
    return { splits: splits.length, rows: splits.reduce((sum, { written }) => sum + written, 0) }
  })
}

/** Opens the ledger, by which the run's earlier attempts become void. */
async function atTarget<A>(
  { database, config, step }: Left,
  session: Session,
  use: (opened: Opened, connection: Awaited<ReturnType<Connections["take"]>>) => Promise<A>,
): Promise<A | undefined> {
  const connect = (at: Session) => connected((own) => database.connect(config.dataSource.settings, own), at)
  await using writers = new Connections(Number.POSITIVE_INFINITY, connect)
  const connection = await writers.take(session)
  await alone(connection, session)
  const table = await resolved(connection, config, session)
  const ledger = await openLedger(connection, database, config, table, step, session)
  if (ledger === undefined) return undefined
  const { statementTimeoutMs } = session.settings
  const timeoutMs = Math.min(config.timeoutMs ?? statementTimeoutMs, statementTimeoutMs)
  return await use({ database, config, step, timeoutMs, table, writers, ledger }, connection)
}
