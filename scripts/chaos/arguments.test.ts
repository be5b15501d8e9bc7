import { expect, test } from "bun:test"
import { parseOptions, usage } from "./arguments.ts"

test("chaos reads its options", () => {
  expect(parseOptions(["--runs", "7", "--seed", "a", "--mode", "append", "--fault", "reset", "--quick"])).toEqual({
    runs: 7,
    seed: "a",
    only: undefined,
    mode: "append",
    fault: "reset",
    json: undefined,
    parallel: 2,
    quick: true,
  })
  expect(parseOptions(["--help"])).toBe("help")
})

test("chaos refuses options that it does not know, naming those that it does", () => {
  expect(() => parseOptions(["--run"])).toThrow('"--run" is unknown')
  expect(() => parseOptions(["--runs"])).toThrow("lacks its value")
  expect(() => parseOptions(["--runs", "0"])).toThrow('"--runs" is "0", not a count')
  expect(() => parseOptions(["--mode", "apend"])).toThrow("not one of append, overwriteRows")
  expect(usage()).toContain("kill-worker")
})
