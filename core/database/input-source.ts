import type { Batch, Columns, Connection, Database, Frame, Session, Source, Split } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"
import type { Connections } from "./connections.ts"
import { type Selection, selectSql } from "./source-sql.ts"

/** What reading a split takes. */
export interface Reading {
  readonly database: Database
  readonly columns: Columns
  readonly encoding?: string
  /** The database's own input options. */
  readonly options: Readonly<Record<string, unknown>>
  readonly splits: readonly Split[]
  readonly readers: Connections
  /** Where the readers get their connections from; absent: each sees the present. */
  readonly snapshot?: AsyncDisposable
  /** Fails when the source is not what the columns say: called before a split is read that no snapshot holds. */
  readonly check?: (connection: Connection, session: Session) => Promise<void>
  readonly state: Pick<Source, "oneSnapshot" | "consistencyNote" | "mark">
}

/** The source of an opened input: every split is one SELECT on a connection of the pool. */
export function readingSource(reading: Reading): Source {
  const { database, columns, encoding, options, splits, readers, snapshot, check, state } = reading
  const read = new Set<string>()
  return {
    splits,
    ...state,
    async *read(split, session): AsyncGenerator<Batch | Frame> {
      const connection = await taken(reading, read, session)
      let whole = false
      try {
        await check?.(connection, session)
        // The state is what the splits were cut as, maybe by an earlier attempt.
        const sql = selectSql(split.state as Selection, columns, database.dialect)
        yield* connection.read({ sql, columns, options, ...(encoding === undefined ? {} : { encoding }) }, session)
        whole = true
        read.add(split.id)
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

/** A connection that sees the snapshot; when there is none any more, the message says what can be done. */
async function taken(
  { readers, snapshot, splits }: Reading,
  read: ReadonlySet<string>,
  session: Session,
): Promise<Connection> {
  for (;;) {
    try {
      return await readers.take(session)
    } catch (error) {
      const { reason, retryable, message } = pluginError(error)
      // What may pass is tried again; and who cannot log in has not lost anything.
      if (snapshot === undefined || retryable || session.signal.aborted || OTHER_CAUSES.has(reason)) throw error
      // Nobody can join the snapshot any more, but those that are in it stay.
      if (readers.limitToOpened()) {
        session.log.warn("Cannot open another connection to the snapshot, going on with fewer", { cause: message })
        continue
      }
      const left = splits.filter(({ id }) => !read.has(id))
      const how = left.some((split) => split.volatile === true)
        ? `Read everything again with "headrace resume ${session.run.id} --restart": page ranges mean nothing in another snapshot`
        : `Read the others from a new snapshot with "headrace resume ${session.run.id} --new-snapshot"`
      throw session.failure(
        "connection",
        `Cannot go on reading: the snapshot is lost, ${left.length} of ${splits.length} splits are left: ${message}`,
        { retryable: false, hint: how, cause: error },
      )
    }
  }
}

const OTHER_CAUSES = new Set<string>(["authentication", "permission", "resource", "cancelled"])
