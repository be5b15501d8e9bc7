import { renameSync, rmSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { failure } from "../../core/host/failure.ts"
import { makePrivate } from "./sqlite-file.ts"

/** Brings the file to the version of the last step. A file of an earlier version is copied first. */
export function migrateFile(database: DatabaseSync, path: string, steps: readonly string[]): void {
  const found = versionOf(database)
  if (found > steps.length) {
    throw failure(
      "unsupported",
      `Cannot use the store in "${path}": the file is of version ${found}, this Headrace knows ${steps.length}`,
      {
        hint: "Use the newer Headrace that wrote it, or let HEADRACE_HOME name another folder",
      },
    )
  }
  if (found === steps.length) return
  if (found > 0) backUp(database, path, found)
  database.exec("BEGIN EXCLUSIVE")
  try {
    // Somebody else may have done it in the meantime.
    for (let version = versionOf(database); version < steps.length; version++) database.exec(steps[version]!)
    database.exec(`PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK")
    throw error
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()!.user_version)
}

/** A copy of the file as it was, beside it. It gets its name only once it is whole. */
function backUp(database: DatabaseSync, path: string, version: number): void {
  const copy = `${path}.v${version}`
  const unfinished = `${copy}.${crypto.randomUUID()}.part`
  try {
    makePrivate(unfinished)
    database.prepare("VACUUM INTO ?").run(unfinished)
    renameSync(unfinished, copy)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}
