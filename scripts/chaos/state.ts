import { Database } from "bun:sqlite"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { RunReport, SplitReceipt } from "../../core/run/report.ts"

/** What the home folder says of the only run in it. */
export interface State {
  readonly id: string
  readonly status: string
  readonly fence: number
  readonly report: RunReport | undefined
}

/** The newest run; undefined when no run got as far as being recorded. */
export function readState(home: string): State | undefined {
  return withState(home, (database) => {
    const row = database
      .query("SELECT key, id, status, fence, report FROM runs ORDER BY key DESC LIMIT 1")
      .get() as Row | null
    if (row === null) return undefined
    const { key, id, status, fence } = row
    const report =
      row.report === null
        ? undefined
        : { ...(JSON.parse(row.report) as RunReport), receipts: receiptsOf(database, key) }
    return { id, status, fence, report }
  })
}

/** Kept by themselves, as each is committed. */
function receiptsOf(database: Database, run: number): readonly SplitReceipt[] {
  const rows = database.query("SELECT receipt FROM splits WHERE run = ? AND receipt IS NOT NULL").values(run)
  return rows.map(([receipt]) => JSON.parse(String(receipt)) as SplitReceipt)
}

/** True while a process that is frozen in the middle of a write keeps everybody out. */
export function isStateLocked(home: string): boolean {
  try {
    withState(home, (database) => database.run("BEGIN IMMEDIATE; ROLLBACK"))
    return false
  } catch (cause) {
    if (String(cause).includes("locked")) return true
    throw cause
  }
}

/** Ids of the rows in quarantine, in the order in which they were kept. */
export function quarantinedIds(home: string, run: string): readonly number[] {
  const found = withState(home, (database) => {
    const rows = database
      .query(
        "SELECT record FROM rejections JOIN runs ON runs.key = rejections.run WHERE runs.id = ? ORDER BY rejections.id",
      )
      .values(run)
    return rows.map(([record]) => Number((JSON.parse(String(record)) as { id?: string } | null)?.id))
  })
  return found ?? []
}

function withState<A>(home: string, use: (database: Database) => A): A | undefined {
  const path = join(home, "state.db")
  if (!existsSync(path)) return undefined
  using database = new Database(path, { readwrite: true })
  // Killed before it made its tables, a worker leaves an empty file.
  if (database.query("SELECT 1 FROM sqlite_master WHERE name = 'runs'").get() === null) return undefined
  return use(database)
}

interface Row {
  readonly key: number
  readonly id: string
  readonly status: string
  readonly fence: number
  readonly report: string | null
}
