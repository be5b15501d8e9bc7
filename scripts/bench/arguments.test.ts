import { describe, expect, test } from "bun:test"
import { parseOptions } from "./arguments.ts"

describe("bench", () => {
  test("bench takes options and cases in any order", () => {
    expect(parseOptions(["--rows", "1_000", "pg-pg", "--strict", "csv-pg"])).toMatchObject({
      cases: ["pg-pg", "csv-pg"],
      rows: 1000,
      repeat: 5,
      strict: true,
      fsync: true,
    })
  })

  test("bench --quick gives way to explicit counts", () => {
    expect(parseOptions(["--repeat", "7", "--quick"])).toMatchObject({ rows: 300_000, repeat: 7 })
  })

  test("bench refuses what it does not know", () => {
    expect(() => parseOptions(["--fast"])).toThrow('Cannot read the options: "--fast" is unknown, see --help')
    expect(() => parseOptions(["--rows", "many"])).toThrow('"--rows" is "many", not a count')
    expect(() => parseOptions(["--json"])).toThrow('"--json" lacks its value')
  })
})
