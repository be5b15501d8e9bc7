import { expect, test } from "bun:test"
import { fromPostgres, toPostgres } from "./postgres-text.ts"

test.each([
  ["nothing special é😀"],
  [""],
  ["\0"],
  ["a\0b\0\0"],
  ["\ud800"],
  ["\udc00\ud800"],
  ["😀\ud83d😀"],
  ["\ufdd0"],
  ["\ufdd00000"],
  ["\x000f"],
])("postgres-text brings %j back as it was, by text that PostgreSQL keeps", (text) => {
  const kept = String(toPostgres(text))
  expect(kept).not.toContain("\0")
  expect(kept.isWellFormed()).toBe(true)
  expect(fromPostgres(kept)).toBe(text)
})

test("postgres-text leaves other values alone", () => {
  for (const value of [1, null, true, "plain"]) {
    expect(toPostgres(value)).toBe(value)
    expect(fromPostgres(value)).toBe(value)
  }
})
