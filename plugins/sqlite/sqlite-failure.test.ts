import { expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import { classify, failure, isBusy } from "./sqlite-failure.ts"

function driverError(message: string, errcode?: number): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", ...(errcode !== undefined && { errcode }) })
}

/** One row for each rule: what the driver says, its result code, what it means. */
const cases: readonly [string, number, string, string][] = [
  ["no such table: t", 1, "missing", "SQLITE_ERROR"],
  ["table t has no column named x", 1, "missing", "SQLITE_ERROR"],
  ["table t already exists", 1, "exists", "SQLITE_ERROR"],
  ["ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint", 1, "config", "SQLITE_ERROR"],
  ["cannot start a transaction within a transaction", 1, "protocol", "SQLITE_ERROR"],
  ["integer overflow", 1, "data", "SQLITE_ERROR"],
  ['cannot INSERT into generated column "g"', 1, "unsupported", "SQLITE_ERROR"],
  ["too many columns in result set", 1, "unsupported", "SQLITE_ERROR"],
  ['near "SELEC": syntax error', 1, "config", "SQLITE_ERROR"],
  ["access permission denied", 3, "permission", "SQLITE_PERM"],
  ["query aborted", 4, "cancelled", "SQLITE_ABORT"],
  ["database is locked", 5, "conflict", "SQLITE_BUSY"],
  ["database table is locked: t", 6, "conflict", "SQLITE_LOCKED"],
  ["out of memory", 7, "resource", "SQLITE_NOMEM"],
  ["attempt to write a readonly database", 8, "permission", "SQLITE_READONLY"],
  ["interrupted", 9, "cancelled", "SQLITE_INTERRUPT"],
  ["disk I/O error", 10, "resource", "SQLITE_IOERR"],
  ["database disk image is malformed", 11, "data", "SQLITE_CORRUPT"],
  ["database or disk is full", 13, "resource", "SQLITE_FULL"],
  ["unable to open database file", 14, "missing", "SQLITE_CANTOPEN"],
  ["locking protocol", 15, "conflict", "SQLITE_PROTOCOL"],
  ["database schema has changed", 17, "conflict", "SQLITE_SCHEMA"],
  ["string or blob too big", 18, "data", "SQLITE_TOOBIG"],
  ["constraint failed", 19, "constraint", "SQLITE_CONSTRAINT"],
  ["datatype mismatch", 20, "data", "SQLITE_MISMATCH"],
  ["bad parameter or other API misuse", 21, "protocol", "SQLITE_MISUSE"],
  ["large file support is disabled", 22, "unsupported", "SQLITE_NOLFS"],
  ["authorization denied", 23, "permission", "SQLITE_AUTH"],
  ["column index out of range", 25, "protocol", "SQLITE_RANGE"],
  ["file is not a database", 26, "data", "SQLITE_NOTADB"],
]

test.each(cases)("sqlite classifies %p", (message, errcode, reason, code) => {
  expect(classify(driverError(message, errcode))).toMatchObject({ reason, code })
  const withoutCode = code === "SQLITE_RANGE" ? "data" : reason
  expect(classify(driverError(message))).toMatchObject({ reason: withoutCode })
})

test("sqlite knows a code whose message it does not know", () => {
  expect(classify(driverError("a trigger says no", 1811))).toMatchObject({
    reason: "constraint",
    code: "SQLITE_CONSTRAINT_TRIGGER",
  })
  expect(classify(driverError("something new", 10 | (8 << 8)))).toMatchObject({
    reason: "resource",
    code: "SQLITE_IOERR",
  })
  expect(classify(driverError("something new", 1))).toMatchObject({ reason: "config", code: "SQLITE_ERROR" })
  expect(classify(new Error("something new"))).toMatchObject({ reason: "unknown" })
})

test("sqlite waits for a lock, but not for a snapshot that is too old", () => {
  expect(isBusy(driverError("database is locked", 5))).toBe(true)
  expect(isBusy(driverError("database is locked", 5 | (1 << 8)))).toBe(true)
  expect(isBusy(driverError("database is locked", 517))).toBe(false)
  expect(classify(driverError("database is locked", 517))).toMatchObject({
    reason: "conflict",
    code: "SQLITE_BUSY_SNAPSHOT",
  })
})

test("sqlite passes a failure on unchanged and says what it was doing otherwise", () => {
  const session = testSession()
  const known = session.failure("timeout", "Cannot wait")
  expect(failure(session, "Cannot read", known)).toBe(known)
  expect(failure(session, 'Cannot read "t"', driverError("database is locked", 5)).message).toBe(
    'Cannot read "t": database is locked',
  )
})
