import type { Batch, Frame } from "./batch.ts"
import type { ComponentBase } from "./component.ts"
import type { Session } from "./session.ts"
import type { Column, Columns } from "./type.ts"

/**
 * A kind of relational database. From this one component the host derives an input (`<id>-input`) and an output
 * (`<id>-output`) with all their options: tables, table expressions, queries, splits by any column, projection,
 * mapping, create-table, append, overwriteRows, updateRows, preparation and completion statements. The built-in
 * databases are made in no other way.
 *
 * `config` is the form of a data source: host, port, user, secrets.
 */
export interface Database<S = unknown> extends ComponentBase {
  readonly kind: "database"
  /** As `letsGo` of a transform, of what {@link Connection.load} is given. */
  readonly letsGo?: boolean
  readonly dialect: Dialect
  /** Extra options of the derived input and output, such as `zeroDates`; they arrive as `options`. */
  readonly inputOptions?: Readonly<
    Record<string, { readonly description: string; readonly [keyword: string]: unknown }>
  >
  /** The columns as its input gives them, where `inputOptions` change that: another type, NULL for what was not NULL. */
  inputColumns?(columns: Columns, options: Readonly<Record<string, unknown>>): Columns
  readonly outputOptions?: Readonly<
    Record<string, { readonly description: string; readonly [keyword: string]: unknown }>
  >
  /**
   * A connection with its session pinned: UTC, strict mode, ISO dates, UTF-8, whatever the server's defaults are.
   * Honours `session.settings.connectTimeoutMs`; the host does the retries. The server can tell whose connection it is
   * by `session.run` (see {@link Connection.evictOthers}).
   */
  connect(settings: S, session: Session): Promise<Connection>
  /**
   * `connections` connections that see one state of the data. All of them may have to begin at the same moment, which
   * is why their number is asked for here. Absent: splits are read one after another on one connection.
   */
  snapshot?(settings: S, connections: number, session: Session): Promise<Snapshot>
}

/** How the database spells things. Pure functions. */
export interface Dialect {
  /** The longest name that the database allows; absent: any. */
  readonly identifierLimit?: { readonly most: number; readonly unit: "bytes" | "characters" }
  quote(identifier: string): string
  /** What makes a SELECT wait for writers and see their last word, such as ` FOR UPDATE`; absent: reads do so anyway. */
  readonly forUpdate?: string
  /** A value as SQL text that nothing can break out of. `column` is the column it is compared with, where there is one. */
  literal(value: string, column?: Column): string
  /** The declared type for a new column, and what it cannot keep (`lossy`), if anything. */
  columnType(column: Column, options: { readonly key: boolean }): { readonly type: string; readonly lossy?: string }
  /** What follows CREATE TABLE's column list, such as ` ENGINE=InnoDB`; absent: nothing. */
  readonly createTableSuffix?: string
  /** What an INSERT needs between columns and SELECT to give values to identity columns, such as ` OVERRIDING SYSTEM VALUE`. */
  readonly insertOverriding?: string
  /**
   * A FROM item and a predicate that give about `fraction` (0 to 1) of the table's rows, cheaply and at random.
   * Used to cut a table into even splits.
   */
  sample(table: string, fraction: number): { readonly from: string; readonly where?: string }
  /**
   * How the checksum of a written column is taken. Absent, or without an answer for a column: the host reads the values
   * back and adds them up itself; values of json, interval and native are only counted then.
   */
  checksum?(column: TableColumn): ColumnChecksum | undefined
}

/**
 * The checksum of a column is the sum, over the values that are not NULL, of the first 32 bits of the MD5 of each,
 * taken as an unsigned number (the first eight hex digits). What is hashed is the canonical text in UTF-8 (see
 * {@link LogicalType}), except:
 *
 * | kind | hashed |
 * |---|---|
 * | float32, float64 | the IEEE 754 bytes, the highest first; -0 as 0, NaN as `7fc00000` or `7ff8000000000000` |
 * | bytes | the bytes themselves |
 * | decimal | without zeros at the fraction's end, and without a point that nothing follows; no `-0` |
 * | string with `fixed` | without blanks at the end |
 * | interval | `h:mm:ss` with two digits of hours at least, no zeros at the fraction's end, no sign of zero |
 */
export type ColumnChecksum =
  /** An aggregate expression that gives it; NULL and 0 mean the same. */
  | { readonly by: "sql"; readonly sql: string }
  /** The values read back as they were written: the host adds them up. */
  | { readonly by: "reading" }
  /** The values cannot be compared, because of `why`, such as `jsonb orders keys anew`: they are only counted. */
  | { readonly by: "count"; readonly why: string }

export interface TableName {
  readonly schema?: string
  readonly name: string
}

export interface TableColumn extends Column {
  /** True when the database computes it: it is never written. */
  readonly generated: boolean
  readonly identity: boolean
  readonly hasDefault: boolean
}

export interface TableInfo {
  readonly table: TableName
  readonly kind: "table" | "view"
  readonly columns: readonly TableColumn[]
  readonly primaryKey: readonly string[]
  /** Unique constraints and unique indexes over plain columns without a predicate. */
  readonly uniqueKeys: readonly (readonly string[])[]
  /** From statistics; absent when there are none. */
  readonly estimatedRows?: number
}

/** A part of a table, by where its rows lie. */
export interface PhysicalSplit {
  readonly label: string
  readonly where: string
  readonly lasting?: boolean
}

/**
 * One connection. Calls do not overlap, except `close` and `waitsFor`. A call that takes longer than the run allows has the
 * signal of the session of `connect` aborted: what runs at the server is to be cancelled then. Every promise rejects with
 * a failure whose reason is known.
 */
export interface Connection extends AsyncDisposable {
  /** What the server says it is, such as `PostgreSQL 16.2`. */
  readonly server: string
  /** Every value as canonical text. For small results. */
  query(sql: string, parameters?: readonly string[]): Promise<readonly (readonly (string | null)[])[]>
  /** One statement that returns nothing. */
  execute(sql: string, options?: { readonly timeoutMs?: number }): Promise<void>
  tables(filter?: { readonly schema?: string }): Promise<readonly TableName[]>
  /** Absent when the table does not exist. */
  describeTable(table: TableName): Promise<TableInfo | undefined>
  describeQuery(sql: string): Promise<Columns>
  /**
   * Predicates over the table's physical order that partition it (PostgreSQL: page ranges). Absent: it has none. Those of a
   * `lasting` order mean the same rows in any snapshot, as ranges of a key do.
   */
  physicalSplits?(table: TableName, wanted: number): Promise<readonly PhysicalSplit[]>
  /** Whether the server computes the MD5 of {@link ColumnChecksum}. Absent: it does. Otherwise the host reads values back. */
  hasMd5?(): Promise<boolean>
  /** Encodings in which a result with these columns can be read, best first. */
  readEncodings(columns: Columns): readonly string[]
  /** Runs a SELECT and streams it with back-pressure. Aborting `session.signal` stops the statement on the server. */
  read(request: ReadRequest, session: Session): AsyncIterable<Batch | Frame>
  /** Encodings that `load` takes for these columns of a table, best first. */
  loadEncodings(request: Pick<LoadRequest, "columns" | "mode"> & { readonly input: Columns }): readonly string[]
  /**
   * Ends, at the server, the connections that earlier attempts at this run have left: those of the same `id` with a
   * smaller `fence`. A process that died or hangs may hold them. Connections of this attempt are never touched, so the
   * server must be able to tell attempts apart. Resolves when they are gone.
   */
  evictOthers?(run: Session["run"]): Promise<void>
  /** Takes the lock `name` for as long as this connection lives; false when another connection has it. Absent: there are no locks. */
  lock?(name: string): Promise<boolean>
  /**
   * Drops a table if it holds no rows, once nobody writes to it any more; false: it holds some, or nobody can tell.
   * Absent: the host counts and drops in one transaction, which must keep others from writing in between.
   */
  dropEmpty?(table: TableName): Promise<boolean>
  /** How a table is replaced as a whole; absent: by deleting and inserting in one transaction. */
  readonly replacement?: Replacement
  /**
   * Who keeps the call that is running from going on, as far as the server tells, one line each, such as `backend 4711
   * of user "eve" holds a lock on table "orders"`. Asked while a call runs, over a connection of its own.
   */
  waitsFor?(): Promise<readonly string[]>
  begin(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  /** Bulk load inside the open transaction. One bad row costs one row: it is rejected, and the others are loaded. */
  load(
    request: LoadRequest,
    rows: AsyncIterable<Batch | Frame>,
    session: Session,
  ): Promise<{ readonly written: number }>
  close(): Promise<void>
}

/** Puts a loaded table in the place of another. Called on a connection of its own. */
export interface Replacement {
  /** True when `swap` runs inside the open transaction; otherwise it commits by itself and leaves `old` behind. */
  readonly isTransactional: boolean
  /**
   * What would be lost by a swap, or forbids it: one line each, such as `view "sales" reads it`. Empty: everything that
   * the table has (owner, grants, indexes, constraints, triggers, comments, sequences, foreign keys) can be kept.
   */
  obstacles(table: TableName): Promise<readonly string[]>
  /** Creates `stage`, empty, of the structure of `table`. Everything that can be kept and is not made here, `swap` brings along. */
  createStage(table: TableName, stage: TableName): Promise<void>
  /**
   * Swaps. A reader finds `table` with either all old rows or all new ones at every instant. Waits for locks no longer
   * than `lockTimeoutMs`, then fails with reason `conflict`. Not transactional: the old table is left under the name `old`.
   */
  swap(names: {
    readonly table: TableName
    readonly stage: TableName
    readonly old: TableName
    readonly lockTimeoutMs: number
  }): Promise<void>
  /**
   * Replaces the rows of one partition by those of `stage` without touching the others, where the table has a partition
   * for exactly the rows with that value (PostgreSQL: attach and detach; MySQL: EXCHANGE PARTITION). False: it has none,
   * and nothing was done.
   */
  swapPartition?(request: {
    readonly table: TableName
    readonly stage: TableName
    readonly column: string
    readonly value: string
    readonly lockTimeoutMs: number
  }): Promise<boolean>
  /**
   * Where swaps are not transactional: a digest of a table's rows, such as CHECKSUM TABLE gives, by which a resumed run
   * tells whether an exchange of a partition has taken place.
   */
  contents?(table: TableName): Promise<string>
}

export interface ReadRequest {
  readonly sql: string
  /** What the statement returns, in order; values that are not of these types are rejected. */
  readonly columns: Columns
  readonly encoding?: string
  /** The database's own input options. */
  readonly options: Readonly<Record<string, unknown>>
}

export type WriteMode = "append" | "overwriteRows" | "updateRows"

export interface LoadRequest {
  readonly table: TableName
  /** The target's columns, in the order of the incoming ones. Batches hold exactly these logical types. */
  readonly columns: readonly TableColumn[]
  /** The incoming columns as their source has them, for whoever reads frames and shows a row that it rejects. */
  readonly input?: Columns
  /**
   * `append`: a key conflict rejects the row. `overwriteRows`: the old row is deleted whole, the new one inserted.
   * `updateRows`: `columns` of the old row are updated. Inside one load the last row of a key wins.
   */
  readonly mode: WriteMode
  readonly keyColumns: readonly string[]
  /** The database's own output options. */
  readonly options: Readonly<Record<string, unknown>>
}

export interface Snapshot extends AsyncDisposable {
  /** How it was taken, such as `exported snapshot 00000003-0000001B-1`. */
  readonly label: string
  /** False when the state could not be pinned; `note` says why. */
  readonly consistent: boolean
  readonly note?: string
  /**
   * A connection that reads this state. As many as were asked for can be open at a time; one that was closed may be
   * asked for again.
   */
  connect(session: Session): Promise<Connection>
}
