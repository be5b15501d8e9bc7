import { DrizzleQueryError } from "drizzle-orm/errors"
import type { Failure, FailureReason } from "../../core/contract/index.ts"
import { failure } from "../../core/host/failure.ts"
import { StoreError } from "../../core/store/store-error.ts"

/** What SQLite or the file system said of the store, as a failure that tells what would fix it. */
export function storeFailure(action: string, path: string, error: unknown): Failure {
  const { reason, code = "unknown", errcode } = error as { reason?: FailureReason; code?: string; errcode?: number }
  if (reason !== undefined) return error as Failure // it has a reason: it is one of ours
  const [why, cause, hint] = kindOf(code, errcode) ?? ["unknown", undefined, undefined]
  return failure(why, `Cannot ${action} in "${path}": ${cause ?? messageOf(error)}`, {
    code: errcode === undefined ? code : `SQLITE_${errcode}`,
    cause: error,
    retryable: false,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The same as an error of the store. Nothing for what neither SQLite nor the file system has said. */
export function storeErrorOf(action: string, path: string, thrown: unknown): StoreError | undefined {
  // The query builder wraps what the driver has said, and repeats values in its message.
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown
  const { code = "", errcode } = (cause ?? {}) as { code?: string; errcode?: number }
  const isKnown =
    code in KINDS || code.startsWith("ERR_SQLITE") || code === "ERR_INVALID_STATE" || "reason" in Object(cause)
  if (!isKnown) return undefined
  const { message, reason, hint, code: shown } = storeFailure(action, path, cause)
  return new StoreError({
    message,
    reason,
    cause,
    ...(errcode !== undefined && DUPLICATES.includes(errcode) ? { isDuplicate: true } : {}),
    ...(hint === undefined ? {} : { hint }),
    ...(shown === undefined ? {} : { code: shown }),
  })
}

type Kind = readonly [reason: FailureReason, cause: string | undefined, hint: string | undefined]

function kindOf(code: string, errcode: number | undefined): Kind | undefined {
  const known = KINDS[code]
  if (known !== undefined) return known
  // The lowest byte is the kind, the others are the variety.
  return errcode === undefined ? undefined : (SQLITE_KINDS[errcode & 0xff] ?? undefined)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const FULL: Kind = [
  "resource",
  "the disk is full",
  "Free some space, or let HEADRACE_HOME name a folder on another disk",
]
const DENIED: Kind = ["permission", "permission denied", "Let HEADRACE_HOME name a folder that you may write to"]
const BROKEN: Kind = [
  "protocol",
  "the file is damaged, or no store of Headrace",
  "Restore a backup by headrace restore; or move the file away: a new one is made, and what it held is lost",
]
const BUSY: Kind = ["conflict", "another process has held it for too long", "Run it again when that process is done"]
const IO: Kind = [
  "resource",
  "the disk is full, or cannot be read or written",
  "Free some space and check the disk, or let HEADRACE_HOME name a folder on another one",
]

const KINDS: Readonly<Record<string, Kind>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: ["permission", "the disk is read-only", DENIED[2]],
  ENOTDIR: ["config", "a part of the path is no folder", DENIED[2]],
  ESTALE: [
    "missing",
    "the file was moved, removed or replaced",
    "Put it back; or end this process, which still reads the old one, and start it again",
  ],
  EISDIR: ["config", "it is a folder", "Move it away, or let HEADRACE_HOME name another folder"],
  EEXIST: ["config", "a part of the path is no folder", DENIED[2]],
}
/** SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE and _ROWID. */
const DUPLICATES = [1555, 2067, 2579]
const SQLITE_KINDS: Readonly<Record<number, Kind>> = {
  3: DENIED,
  5: BUSY,
  6: BUSY,
  8: DENIED,
  10: IO,
  11: BROKEN,
  13: FULL,
  14: DENIED,
  // It names the columns, and no value.
  19: ["constraint", undefined, undefined],
  26: BROKEN,
}
