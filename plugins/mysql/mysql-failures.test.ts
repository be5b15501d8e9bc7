import { expect, test } from "bun:test"
import { testSession } from "../../scripts/testing/session.ts"
import { classify, failureOf, failures, isRowError } from "./mysql-failures.ts"
import { columnIn } from "./mysql-place.ts"

test.each(failures)("mysql reads %p as %s, retryable %p", (code, reason, retryable) => {
  const error = typeof code === "number" ? { message: "m", errno: code, code: "ER_X" } : { message: "m", code }
  const failure = failureOf(testSession(), "Cannot read", Object.assign(new Error("m"), error))
  expect(failure).toMatchObject({ reason, retryable, code: String(code), message: "Cannot read: m" })
})

test("mysql lists every code once", () => {
  expect(new Set(failures.map(([code]) => code)).size).toBe(failures.length)
})

test.each([
  ["22003", "data"],
  ["23000", "constraint"],
  ["08S01", "connection"],
  ["28000", "authentication"],
  ["HY000", "unknown"],
])("mysql falls back to SQLSTATE %s as %s", (sqlState, reason) => {
  expect(classify({ message: "m", errno: 65_000, sqlState })[0]).toBe(reason as never)
})

test("mysql tells a full disk by the engine's error number", () => {
  expect(classify({ errno: 1030, message: 'Got error 28 "No space left on device" from storage engine' })[0]).toBe(
    "resource",
  )
  expect(classify({ errno: 1030, message: "Got error 122 from storage engine" })[0]).toBe("unknown")
})

test("mysql blames a row for its value, not for a deadlock", () => {
  expect(isRowError({ errno: 1406 })).toBe(true)
  expect(isRowError({ errno: 1062 })).toBe(true)
  expect(isRowError({ errno: 1213 })).toBe(false)
  expect(isRowError({ errno: 1114 })).toBe(false)
})

test("mysql passes failures unchanged", () => {
  const session = testSession()
  const failure = session.failure("data", "Cannot go on")
  expect(failureOf(session, "Cannot read", failure)).toBe(failure)
})

test.each([
  ["Data too long for column 'name' at row 3", "name"],
  ["Incorrect string value: '\\xF0' for column `shop`.`orders`.`note` at row 1", "note"],
  ["Column 'id' cannot be null", "id"],
  ["Field 'x' doesn't have a default value", "x"],
  ["foreign key constraint fails (`s`.`t`, CONSTRAINT `c` FOREIGN KEY (`parent`) REFERENCES `p` (`id`))", "parent"],
  ["something else", undefined],
])("mysql finds the column in %p", (message, column) => {
  expect(columnIn(message)).toBe(column)
})
