import type { Failure, FailureReason, Session } from "../../core/contract/index.ts"

interface Rule {
  readonly code: number
  readonly name: string
  /** What SQLite says; the only thing to go by on Deno, which gives no code when it opens or executes. */
  readonly says: RegExp
  readonly reason: FailureReason
  readonly hint?: string
}

/** What SQLite's result codes mean: https://www.sqlite.org/rescode.html. The first rule that fits counts. */
export const rules: readonly Rule[] = [
  rule(1, "SQLITE_ERROR", /no such (?:table|column|view|index|function|module|savepoint|collation)/, "missing"),
  rule(1, "SQLITE_ERROR", /has no column named/, "missing"),
  rule(1, "SQLITE_ERROR", /already exists|duplicate column name/, "exists"),
  rule(1, "SQLITE_ERROR", /ON CONFLICT clause does not match/, "config", "Give the key columns a UNIQUE constraint"),
  rule(1, "SQLITE_ERROR", /cannot start a transaction|no transaction is active/, "protocol"),
  rule(1, "SQLITE_ERROR", /integer overflow|malformed JSON|out of range/, "data"),
  rule(1, "SQLITE_ERROR", /cannot (?:INSERT|UPDATE|modify)|may not be modified/, "unsupported"),
  rule(1, "SQLITE_ERROR", /too many|parser stack overflow|Expression tree is too large/, "unsupported"),
  rule(1, "SQLITE_ERROR", /SQL logic error|syntax error|incomplete input|unrecognized token|ambiguous/, "config"),
  rule(3, "SQLITE_PERM", /access permission denied/, "permission"),
  rule(4, "SQLITE_ABORT", /query aborted|abort due to/, "cancelled"),
  rule(517, "SQLITE_BUSY_SNAPSHOT", /^$/, "conflict"),
  rule(5, "SQLITE_BUSY", /database is locked/, "conflict", "Close other writers, or raise `busyTimeoutMs`"),
  rule(6, "SQLITE_LOCKED", /table is locked/, "conflict"),
  rule(7, "SQLITE_NOMEM", /out of memory/, "resource"),
  rule(
    8,
    "SQLITE_READONLY",
    /readonly database/,
    "permission",
    "Set `readOnly` to false, or make file and folder writable",
  ),
  rule(9, "SQLITE_INTERRUPT", /interrupted/, "cancelled"),
  rule(
    10,
    "SQLITE_IOERR",
    /disk I\/O error/,
    "resource",
    "Look at the disk and the file system that hold the database",
  ),
  rule(
    11,
    "SQLITE_CORRUPT",
    /malformed/,
    "data",
    "Restore a backup, or rescue the rows with the `.recover` command of sqlite3",
  ),
  rule(13, "SQLITE_FULL", /disk is full/, "resource", "Free space on the disk that holds the database"),
  rule(
    14,
    "SQLITE_CANTOPEN",
    /unable to open/,
    "missing",
    "Check the path, and that the folder exists and may be entered. A file that is not there yet is made when an output writes to it",
  ),
  rule(15, "SQLITE_PROTOCOL", /locking protocol/, "conflict"),
  rule(17, "SQLITE_SCHEMA", /schema has changed/, "conflict"),
  rule(18, "SQLITE_TOOBIG", /too big/, "data"),
  rule(19, "SQLITE_CONSTRAINT", /constraint failed|cannot store/, "constraint"),
  rule(20, "SQLITE_MISMATCH", /datatype mismatch/, "data"),
  rule(21, "SQLITE_MISUSE", /bad parameter or other API misuse/, "protocol"),
  rule(22, "SQLITE_NOLFS", /large file support/, "unsupported"),
  rule(23, "SQLITE_AUTH", /authorization denied|not authorized/, "permission"),
  rule(25, "SQLITE_RANGE", /index out of range/, "protocol"),
  rule(
    26,
    "SQLITE_NOTADB",
    /not a database/,
    "data",
    "Check that the path names an SQLite file, and that it is not encrypted",
  ),
]

const constraints: Readonly<Record<number, string>> = {
  275: "SQLITE_CONSTRAINT_CHECK",
  531: "SQLITE_CONSTRAINT_COMMITHOOK",
  787: "SQLITE_CONSTRAINT_FOREIGNKEY",
  1299: "SQLITE_CONSTRAINT_NOTNULL",
  1555: "SQLITE_CONSTRAINT_PRIMARYKEY",
  1811: "SQLITE_CONSTRAINT_TRIGGER",
  2067: "SQLITE_CONSTRAINT_UNIQUE",
  2579: "SQLITE_CONSTRAINT_ROWID",
  3091: "SQLITE_CONSTRAINT_DATATYPE",
}

export interface Verdict {
  readonly reason: FailureReason
  readonly code?: string
  readonly hint?: string
  readonly message: string
}

/** What a thrown value means, whichever runtime's driver has thrown it. */
export function classify(error: unknown): Verdict {
  const { errcode, message } = readError(error)
  const found =
    rules.find((rule) => rule.code === errcode && rule.code > 255) ??
    rules.find((rule) => (errcode === undefined || rule.code === (errcode & 255)) && rule.says.test(message)) ??
    rules.find((rule) => errcode !== undefined && rule.code === (errcode & 255) && rule.code !== 1)
  if (!found)
    return { reason: errcode === 1 ? "config" : "unknown", message, ...(errcode === 1 && { code: "SQLITE_ERROR" }) }
  const code = (errcode !== undefined && constraints[errcode]) || found.name
  return { reason: found.reason, code, message, ...(found.hint !== undefined && { hint: found.hint }) }
}

/** True when somebody else holds the lock and waiting may help, which it does not when the snapshot is too old. */
export function isBusy(error: unknown): boolean {
  return classify(error).code === "SQLITE_BUSY"
}

/** `action` is what could not be done, such as `Cannot read "orders"`. A failure that is one already passes unchanged. */
export function failure(session: Pick<Session, "failure">, action: string, error: unknown): Failure {
  if (error instanceof Error && "reason" in error) return error as Failure // its shape is what makes it a failure
  const { reason, message, code, hint } = classify(error)
  return session.failure(reason, `${action}: ${message}`, {
    cause: error,
    ...(code !== undefined && { code }),
    ...(hint !== undefined && { hint }),
  })
}

function readError(error: unknown): { errcode: number | undefined; message: string } {
  if (!(error instanceof Error)) return { errcode: undefined, message: String(error) }
  const errcode = "errcode" in error && typeof error.errcode === "number" ? error.errcode : undefined
  return { errcode, message: error.message }
}

function rule(code: number, name: string, says: RegExp, reason: FailureReason, hint?: string): Rule {
  return { code, name, says, reason, ...(hint !== undefined && { hint }) }
}
