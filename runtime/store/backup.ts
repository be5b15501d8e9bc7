import { chmodSync, existsSync, renameSync, rmSync } from "node:fs"
import { DatabaseSync, type SQLInputValue } from "node:sqlite"
import { getTableName } from "drizzle-orm"
import { migrationsFor } from "../../core/store/migrations/index.ts"
import { StoreError } from "../../core/store/store-error.ts"
import { postgresTables } from "../../core/store/tables.ts"
import { columnNames } from "./column-names.ts"
import type { PostgresLink, Row } from "./postgres-link.ts"
import { fromPostgres } from "./postgres-text.ts"
import { makePrivate, openFile } from "./sqlite-file.ts"
import { inOrder } from "./table-order.ts"

/**
 * A backup is an SQLite file with the tables of the store, whichever database the store is in: it is as good as a store,
 * and can be restored into either. Secrets in it are sealed, as they are in the store.
 */
export function backUpFile(path: string, to: string): void {
  // Opening would make it.
  if (!existsSync(path)) throw missing(path)
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    whole(to, (part) => {
      makePrivate(part)
      database.prepare("VACUUM INTO ?").run(part)
      forgetServers(part)
    })
  } finally {
    database.close()
  }
}

/** One state of the store, while servers go on. */
export async function backUpPostgres(link: PostgresLink, to: string): Promise<void> {
  const part = partOf(to)
  try {
    openFile(part).close()
    const database = new DatabaseSync(part)
    try {
      database.exec("PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF; BEGIN")
      await link.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
      for (const table of inOrder(Object.values(postgresTables), database)) await copyTable(link, table, database)
      await link.run("COMMIT")
      database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")
    } finally {
      database.close()
    }
    forgetServers(part)
    renameSync(part, to)
  } finally {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${part}${end}`, { force: true })
  }
}

async function copyTable(link: PostgresLink, table: StoreTable, database: DatabaseSync): Promise<void> {
  const columns = columnNames(table)
  const names = columns.map(({ name }) => `"${name}"`)
  const insert = database.prepare(
    `INSERT INTO "${getTableName(table)}" (${names.join()}) VALUES (${names.map(() => "?").join()})`,
  )
  // A row of a run may refer to an earlier one.
  const order = columns.some(({ name }) => name === "key" && getTableName(table) === "runs") ? " ORDER BY key" : ""
  await link.run(`DECLARE page NO SCROLL CURSOR FOR SELECT ${names.join()} FROM "${getTableName(table)}"${order}`)
  for (let rows: Row[] = []; ; ) {
    rows = await link.query(`FETCH ${PAGE_ROWS} FROM page`, [], { asArrays: true })
    for (const row of rows) insert.run(...columns.map((_, i) => kept(row[i])))
    if (rows.length < PAGE_ROWS) break
  }
  await link.run("CLOSE page")
}

type StoreTable = (typeof postgresTables)[keyof typeof postgresTables]

function kept(value: unknown): SQLInputValue {
  const read = fromPostgres(value)
  return typeof read === "boolean" ? Number(read) : (read as SQLInputValue) // texts, numbers and nulls
}

/** A file gets its name only once it is whole. */
function whole(to: string, write: (part: string) => void): void {
  const part = partOf(to)
  try {
    write(part)
    chmodSync(part, 0o600)
    renameSync(part, to)
  } finally {
    rmSync(part, { force: true })
  }
}

export function partOf(path: string): string {
  return `${path}.${crypto.randomUUID().slice(0, 8)}.part`
}

/** Whoever restores it later is none of the servers that run now. */
function forgetServers(path: string): void {
  const database = new DatabaseSync(path)
  try {
    if (versionOf(database) >= FIRST_OF_SERVERS) database.exec("DELETE FROM servers")
    database.exec("PRAGMA journal_mode = DELETE")
  } finally {
    database.close()
  }
}

export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()!.user_version)
}

/** Refuses what is no backup, or one of a later version; tells its version. */
export function checkBackup(path: string): number {
  if (!existsSync(path)) throw missing(path)
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const version = versionOf(database)
    const known = migrationsFor("sqlite").length
    if (version > known)
      throw new StoreError({
        reason: "unsupported",
        message: `Cannot restore "${path}": it is of version ${version}, this Headrace knows ${known}`,
        hint: "Use the newer Headrace that wrote it",
      })
    const isOurs = version > 0 && database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'rejections'").get()
    if (isOurs === undefined || isOurs === false) throw noBackup(path)
    const [check] = database.prepare("PRAGMA quick_check(1)").all()
    if (check?.quick_check !== "ok") throw noBackup(path)
    return version
  } catch (error) {
    throw error instanceof StoreError ? error : noBackup(path)
  } finally {
    database.close()
  }
}

function missing(path: string): StoreError {
  return new StoreError({ reason: "missing", message: `Cannot read "${path}": there is no such file` })
}

function noBackup(path: string): StoreError {
  return new StoreError({
    reason: "protocol",
    message: `Cannot restore "${path}": the file is damaged, or no backup of Headrace`,
  })
}

const PAGE_ROWS = 1000
const FIRST_OF_SERVERS = 2
