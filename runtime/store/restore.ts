import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { getTableName } from "drizzle-orm"
import { StoreError } from "../../core/store/store-error.ts"
import { postgresTables } from "../../core/store/tables.ts"
import { checkBackup, partOf } from "./backup.ts"
import { columnNames } from "./column-names.ts"
import type { PostgresLink } from "./postgres-link.ts"
import { toPostgres } from "./postgres-text.ts"
import { makePrivate, openFile } from "./sqlite-file.ts"
import { inOrder } from "./table-order.ts"

/**
 * Puts a backup in the place of the store in an SQLite file. What was there stays beside it; resolves to its name. Refused
 * while any process has the file open.
 */
export function restoreFile(from: string, path: string): string | undefined {
  const version = checkBackup(from)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const part = partOf(path)
  try {
    makePrivate(part)
    copyFileSync(from, part)
    // An older one is brought to this version before anything else happens; its own copy of that is not wanted.
    openFile(part).close()
    rmSync(`${part}.v${version}`, { force: true })
    if (!existsSync(path)) {
      renameSync(part, path)
      return undefined
    }
    closeForOthers(path)
    const aside = `${path}.before-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}`
    renameSync(path, aside)
    for (const end of ["-wal", "-shm"]) rmSync(`${path}${end}`, { force: true })
    renameSync(part, path)
    return aside
  } finally {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${part}${end}`, { force: true })
  }
}

/** Only who is alone with a file may end its journal. That also puts everything into the file itself. */
function closeForOthers(path: string): void {
  const database = new DatabaseSync(path)
  try {
    database.exec("PRAGMA journal_mode = DELETE")
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== BUSY) return // damaged: all the more it is replaced
    throw inUse(`"${path}"`)
  } finally {
    database.close()
  }
}

/** Puts a backup in the place of everything in the store in PostgreSQL: all of it, or nothing. */
export async function restorePostgres(from: string, link: PostgresLink, place: string): Promise<void> {
  const version = checkBackup(from)
  const part = partOf(from)
  try {
    makePrivate(part)
    copyFileSync(from, part)
    openFile(part).close()
    rmSync(`${part}.v${version}`, { force: true })
    using database = new DatabaseSync(part)
    const tables = inOrder(Object.values(postgresTables), database)
    await link.run("BEGIN")
    const names = tables.map((table) => `"${getTableName(table)}"`).join()
    await link.run(
      `SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = 0; LOCK TABLE ${names} IN ACCESS EXCLUSIVE MODE`,
    )
    const [server] = await link.query("SELECT host, pid FROM servers WHERE seen_at > $1 LIMIT 1", [
      Date.now() - SILENT_MS,
    ])
    if (server !== undefined) throw inUse(`PostgreSQL ${place}`, `process ${server.pid} on "${server.host}"`)
    await link.run(`TRUNCATE ${names}`)
    for (const table of tables) await fillTable(database, table, link)
    for (const [table, column] of SERIALS)
      await link.query(
        `SELECT setval(pg_get_serial_sequence('${table}', '${column}'), greatest(coalesce(max(${column}), 0), $1::bigint, 1)) FROM ${table}`,
        [lastOf(database, table)],
      )
    await link.run("COMMIT")
  } catch (error) {
    if (!link.isLost) await link.run("ROLLBACK").catch(() => undefined)
    throw error
  } finally {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${part}${end}`, { force: true })
  }
}

async function fillTable(database: DatabaseSync, table: StoreTable, link: PostgresLink): Promise<void> {
  const name = getTableName(table)
  const columns = columnNames(table)
  const names = columns.map((column) => `"${column.name}"`).join()
  const types = columns.map(({ name, column }) => `"${name}" ${column.getSQLType()}`).join()
  const insert = `INSERT INTO "${name}" (${names}) SELECT ${names} FROM json_to_recordset($1::text::json) AS r (${types})`
  let rows: Record<string, unknown>[] = []
  let size = 0
  const flush = async () => {
    if (rows.length > 0) await link.query(insert, [JSON.stringify(rows)])
    rows = []
    size = 0
  }
  const order = name === "runs" ? " ORDER BY key" : ""
  for (const row of database.prepare(`SELECT ${names} FROM "${name}"${order}`).iterate()) {
    const shaped: Record<string, unknown> = {}
    for (const { name, column } of columns) {
      const value = row[name] ?? null
      shaped[name] = value !== null && column.getSQLType() === "boolean" ? value === 1 : toPostgres(value)
      size += typeof value === "string" ? value.length : 8
    }
    rows.push(shaped)
    if (rows.length >= PAGE_ROWS || size >= PAGE_CHARACTERS) await flush()
  }
  await flush()
}

/** The highest number that was ever given. */
function lastOf(database: DatabaseSync, table: string): number {
  return Number(database.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?").get(table)?.seq ?? 0)
}

function inUse(place: string, by = "a server or a run"): StoreError {
  return new StoreError({
    reason: "conflict",
    message: `Cannot restore the store in ${place}: ${by} uses it`,
    hint: "Stop every server and run that uses the store, then restore",
  })
}

type StoreTable = (typeof postgresTables)[keyof typeof postgresTables]

const SERIALS = [
  ["runs", "key"],
  ["rejections", "id"],
] as const
const SILENT_MS = 30_000
const PAGE_ROWS = 1000
const PAGE_CHARACTERS = 1_048_576
const BUSY = 5
