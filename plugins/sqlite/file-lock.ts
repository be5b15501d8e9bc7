import { DatabaseSync } from "node:sqlite"
import type { Session } from "../../core/contract/index.ts"
import { failure, isBusy } from "./sqlite-failure.ts"

export interface LockPlace {
  /** Of the database that the lock belongs to. */
  readonly path: string
  readonly session: Session
}

/**
 * Locks a file beside the database for as long as what is returned stays open; undefined when somebody else has it.
 * The file is never removed: somebody may be about to lock it, and a third one would then make and lock another.
 */
export async function lockFile({ path, session }: LockPlace, name: string): Promise<DatabaseSync | undefined> {
  const file = `${path}-headrace-lock-${await digest(name)}`
  let held: DatabaseSync | undefined
  try {
    held = new DatabaseSync(file)
    held.exec("PRAGMA busy_timeout = 0")
    held.exec("BEGIN EXCLUSIVE")
    return held
  } catch (error) {
    held?.close()
    if (isBusy(error)) return undefined
    throw failure(session, `Cannot lock "${file}"`, error)
  }
}

async function digest(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))
  return Array.from(hash.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
