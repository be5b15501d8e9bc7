import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { getTableName, type SQL, type Table } from "drizzle-orm"
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core"
import { drizzle } from "drizzle-orm/sqlite-proxy"
import type { Queries } from "../../core/store/database.ts"
import { migrationsFor } from "../../core/store/migrations/index.ts"
import { sqliteTables } from "../../core/store/tables.ts"
import { type ColumnName, columnNames } from "./column-names.ts"
import { migrateFile } from "./sqlite-migration.ts"

/** An open SQLite file with two connections: readers never wait for a writer. Calls are synchronous and short. */
export interface SqliteFile {
  readonly path: string
  readonly reader: Queries
  readonly writer: Queries
  readonly isInTransaction: boolean
  /** The first query of the writer that failed since the last call, if there was one. */
  takeFault(): { readonly error: unknown } | undefined
  /**
   * Begins a transaction of the writer, as soon as no other process writes. The program goes on meanwhile. A lazy one is on the
   * disk with the next that is not.
   */
  begin(options?: { readonly isLazy?: boolean }): Promise<void>
  exec(sql: string): void
  close(): void
}

export interface SqliteFileOptions {
  /** How long others may hold the file. */
  readonly busyTimeoutMs?: number
  /** What makes each version of the file from the one before. */
  readonly migrations?: readonly string[]
}

/** Makes the file where there is none, readable by its owner only, and brings an older one to this version. */
export function openFile(path: string, options: SqliteFileOptions = {}): SqliteFile {
  const { busyTimeoutMs = BUSY_TIMEOUT_MS, migrations = migrationsFor("sqlite") } = options
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  makePrivate(path)
  const writer = new DatabaseSync(path)
  let reader: DatabaseSync | undefined
  try {
    writer.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    writer.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    migrateFile(writer, path, migrations)
    // From here on `begin` waits, without holding up the program.
    writer.exec("PRAGMA busy_timeout = 0")
    reader = new DatabaseSync(path)
    reader.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA query_only = ON`)
  } catch (error) {
    reader?.close()
    writer.close()
    throw error
  }
  const reading = reader
  const opened = placeOf(path)
  let wasLazy = false
  let fault: { readonly error: unknown } | undefined
  return {
    path,
    reader: queriesOf(reading),
    writer: queriesOf(writer, (error) => {
      fault ??= { error }
    }),
    takeFault() {
      const taken = fault
      fault = undefined
      return taken
    },
    get isInTransaction() {
      return writer.isOpen && writer.isTransaction
    },
    async begin({ isLazy = false } = {}) {
      // What is written to a file that has no name any more is lost with this process.
      if (placeOf(path) !== opened) throw Object.assign(new Error("The file is another one"), { code: "ESTALE" })
      if (isLazy !== wasLazy) writer.exec(`PRAGMA synchronous = ${isLazy ? "NORMAL" : "FULL"}`)
      wasLazy = isLazy
      await begin(writer, busyTimeoutMs)
    },
    exec: (sql) => writer.exec(sql),
    close() {
      reading.close()
      writer.close()
    },
  }
}

/** Which file stands at a path. */
function placeOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.dev}/${stat.ino}`
}

async function begin(database: DatabaseSync, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return database.exec("BEGIN IMMEDIATE")
    } catch (error) {
      const isBusy = ((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY
      if (!isBusy || Date.now() >= deadline) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())))
  }
}

/** SQLite gives its companions of the file the same mode. */
export function makePrivate(path: string): void {
  closeSync(openSync(path, "a", 0o600))
  chmodSync(path, 0o600)
}

function queriesOf(database: DatabaseSync, onFailure: (error: unknown) => void = () => {}): Queries {
  const arrays = preparedBy(database, true)
  const objects = preparedBy(database, false)
  function told<A>(query: () => A): A {
    try {
      return query()
    } catch (error) {
      onFailure(error)
      throw error
    }
  }
  const db = drizzle(
    async (sql, params, method) => {
      const values = params.map(bindable)
      if (method === "run") return { rows: [told(() => arrays(sql).run(...values))] }
      const rows = told(() => arrays(sql).all(...values) as unknown[])
      return { rows: method === "get" ? (rows[0] as unknown[]) : rows }
    },
    // Only as the third argument is the case of names looked at.
    undefined,
    { casing: "snake_case" },
  )
  return {
    tables: sqliteTables,
    select: db.select.bind(db),
    selectDistinct: db.selectDistinct.bind(db),
    insert: db.insert.bind(db),
    update: db.update.bind(db),
    delete: db.delete.bind(db),
    $count: db.$count.bind(db),
    async rows<R>(statement: SQL) {
      const { sql, params } = dialect.sqlToQuery(statement)
      return told(() => objects(sql).all(...params.map(bindable)) as R[]) // the statement says what it gives
    },
    async insertAll<T extends Table>(table: T, rows: readonly T["$inferInsert"][]) {
      const [first] = rows
      if (first === undefined) return
      const columns = columnNames(table, Object.keys(first))
      const names = columns.map(({ name }) => `"${name}"`)
      const marks = columns.map(() => "?")
      const insert = arrays(`INSERT INTO "${getTableName(table)}" (${names.join()}) VALUES (${marks.join()})`)
      told(() => {
        for (const row of rows) insert.run(...columns.map((column) => encoded(row, column)))
      })
    },
  }
}

/** SQLite has no booleans. */
function bindable(value: unknown): SQLInputValue {
  return typeof value === "boolean" ? Number(value) : (value as SQLInputValue) // what the columns have encoded
}

function encoded(row: Readonly<Record<string, unknown>>, { key, column }: ColumnName): SQLInputValue {
  const value = row[key] ?? null
  return value === null ? null : (column.mapToDriverValue(value) as SQLInputValue) // what the column encodes
}

/** Statements are parsed once; those that come seldom give way. */
function preparedBy(database: DatabaseSync, asArrays: boolean): (sql: string) => StatementSync {
  const statements = new Map<string, StatementSync>()
  return (sql) => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    if (asArrays) statement.setReturnArrays(true)
    if (statements.size >= MOST_STATEMENTS) statements.delete(statements.keys().next().value!)
    statements.set(sql, statement)
    return statement
  }
}

const dialect = new SQLiteAsyncDialect({ casing: "snake_case" })
const BUSY_TIMEOUT_MS = 10_000
const LONGEST_PAUSE_MS = 30
/** SQLITE_BUSY; the lowest byte of a code is its kind. */
const BUSY = 5
const MOST_STATEMENTS = 300
