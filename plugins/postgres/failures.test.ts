import { expect, test } from "bun:test"
import type { FailureReason } from "../../core/contract/index.ts"
import { blamesRow, classify, failureTable, hintFor, isFailure, serverError } from "./failures.ts"

const REASONS = new Set<FailureReason>([
  ...(["connection", "authentication", "permission", "missing", "exists", "config", "data", "constraint"] as const),
  ...(["conflict", "timeout", "cancelled", "resource", "unsupported", "protocol"] as const),
])

test.each(failureTable)("postgres failure %s is %s, retryable %p", (code, reason, retryable) => {
  expect(classify(code)).toEqual({ reason, retryable })
  expect(REASONS.has(reason)).toBe(true)
  // A longer prefix of the table may say otherwise, an unlisted member of the class may not.
  if (code.length === 2 && /\d/.test(code)) expect(classify(`${code}ZZZ`)).toEqual({ reason, retryable })
})

test("postgres failures are listed once", () => {
  const codes = failureTable.map(([code]) => code)
  expect(new Set(codes).size).toBe(codes.length)
})

test.each([
  ["40001", "conflict"],
  ["40P01", "conflict"],
  ["22P05", "data"],
  ["23505", "constraint"],
  ["42601", "config"],
  ["53300", "resource"],
  ["57P01", "connection"],
  ["28P01", "authentication"],
  ["3D000", "missing"],
  ["XX000", "unknown"],
  ["", "unknown"],
] as const)("postgres SQLSTATE %p is %s", (code, reason) => {
  expect(classify(code).reason).toBe(reason)
})

test.each([
  ["22P02", true],
  ["23514", true],
  ["P0001", true],
  ["P0004", true],
  ["45000", true],
  ["54000", true],
  ["0A000", true],
  ["40P01", false],
  ["57014", false],
  ["53100", false],
  ["42501", false],
  ["XX001", false],
  ["CONNECTION_CLOSED", false],
  ["", false],
])("postgres code %p blames a row: %p", (code, blamed) => {
  expect(blamesRow({ code, message: "x" })).toBe(blamed)
})

test("postgres errors are read by their shape", () => {
  expect(serverError({ message: "m", code: "23502", column_name: "c", detail: "", where: "w" })).toEqual({
    message: "m",
    code: "23502",
    column: "c",
    where: "w",
  })
  expect(serverError("text")).toEqual({ message: "text", code: "" })
  expect(serverError(null).code).toBe("")
})

test("postgres hints are imperative sentences without a period", () => {
  for (const [code] of failureTable) {
    const hint = hintFor(code)
    if (hint !== undefined) expect(hint).toMatch(/^[A-Z].*[^.]$/)
  }
  expect(hintFor("28P01")).toContain("password")
})

test("postgres takes nothing for a failure of its own that only has a reason", () => {
  expect(isFailure({ message: "m", reason: "data" })).toBe(true)
  expect(isFailure({ message: "m", reason: "Host: a. is not in the cert's altnames" })).toBe(false)
  for (const error of [undefined, null, "data", new Error("data")]) expect(isFailure(error)).toBe(false)
})
