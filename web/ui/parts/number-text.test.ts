import { expect, test } from "bun:test"
import { bytesText, compactText, durationText, numberText, plural } from "./number-text.ts"

test("number-text groups digits, and shows what is not there as a dash", () => {
  expect(numberText(1234567)).toBe("1,234,567")
  expect(numberText(9007199254740993n)).toBe("9,007,199,254,740,993")
  expect(numberText(null)).toBe("–")
})

test("number-text is as precise as it matters", () => {
  expect([0, 999, 1500, 59_940, 60_000, 3_600_000 * 2 + 300_000].map(durationText)).toEqual([
    "0 ms",
    "999 ms",
    "1.5 s",
    "59.9 s",
    "1 min 0 s",
    "2 h 5 min",
  ])
  expect([0, 999, 1500, 384_000_000].map(bytesText)).toEqual(["0 B", "999 B", "1.5 kB", "384 MB"])
  expect([9999, 1_234_567].map(compactText)).toEqual(["9,999", "1.2M"])
  expect([plural(1, "row"), plural(2000, "row")]).toEqual(["1 row", "2,000 rows"])
})
