import { expect, test } from "bun:test"
import { readCounts, testFiles } from "./steps.ts"

test("steps read the counts that bun test prints last", () => {
  const output =
    "\n 3 pass\n said by a test\n\n 120 pass\n 4 skip\n 2 fail\n 1 error\n 300 expect() calls\nRan 126 tests"
  expect(readCounts(output)).toEqual({ passed: 120, failed: 2, skipped: 4 })
  expect(readCounts("killed")).toEqual({ passed: 0, failed: 0, skipped: 0 })
})

test("steps run every test file exactly once", () => {
  const kinds = [testFiles("unit"), testFiles("integration"), testFiles("smoke")].flat()
  expect(new Set(kinds).size).toBe(kinds.length)
  expect(testFiles("integration")).toContain("scripts/services/services.integration.test.ts")
  expect(testFiles("unit")).toContain("scripts/steps.test.ts")
  expect(testFiles("unit")).not.toContain("scripts/style.test.ts")
})
