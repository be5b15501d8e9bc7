import { expect, test } from "bun:test"
import { draw } from "./campaign.ts"
import { faultKinds, faultText, killsServer } from "./fault.ts"
import { Random } from "./random.ts"
import { shapeText } from "./shape.ts"

const options = { seed: "a", mode: undefined, fault: undefined, quick: false }
const many = Array.from({ length: 400 }, (_, i) => draw(options, i + 1))

test("chaos draws the same run for the same seed and index, and another one for others", () => {
  expect(draw(options, 7)).toEqual(draw(options, 7))
  expect(draw(options, 8)).not.toEqual(draw(options, 7))
  expect(draw({ ...options, seed: "b" }, 7)).not.toEqual(draw(options, 7))
})

test("chaos draws every mode, direction, number of splits and kind of fault", () => {
  const seen = new Set(
    many.flatMap(({ shape }) => [shape.mode, shape.splits, shape.bad, `${shape.source}>${shape.target}`]),
  )
  expect([...seen].sort()).toEqual([
    1,
    4,
    "append",
    "mariadb>postgres-b",
    "none",
    "overwriteRows",
    "postgres-a>mariadb",
    "postgres-a>postgres-a",
    "postgres-a>postgres-b",
    "refused",
    "replaceTable",
    "typed",
    "updateRows",
  ])
  const kinds = new Set(many.flatMap(({ attempts }) => attempts.flat().map(({ kind }) => kind)))
  for (const kind of faultKinds(false)) expect(kinds).toContain(kind)
  expect(many.some(({ attempts }) => attempts.length > 1 && attempts[0]!.length > 1)).toBe(true)
})

test("chaos keeps everything else of a run when it is told the mode", () => {
  for (const { index, shape } of many.slice(0, 20))
    expect(draw({ ...options, mode: "append" }, index).shape).toEqual({ ...shape, mode: "append" })
})

test("chaos draws only the kind of fault that it is told, and knows which of them need a server of their own", () => {
  for (let index = 1; index <= 20; index++) {
    const { attempts } = draw({ ...options, fault: "kill-target" }, index)
    expect(new Set(attempts.flat().map(({ kind }) => kind))).toEqual(new Set(["kill-target"]))
    expect(killsServer(attempts)).toBe(true)
    expect(killsServer(draw({ ...options, fault: "reset" }, index).attempts)).toBe(false)
  }
})

test("chaos names what it draws so that two runs can be told apart", () => {
  const names = many.map(({ shape, attempts }) => shapeText(shape) + attempts.flat().map(faultText).join())
  expect(new Set(names).size).toBe(many.length)
})

test("chaos random numbers are spread evenly and stay in their bounds", () => {
  const random = new Random("spread")
  const numbers = Array.from({ length: 10_000 }, () => random.number())
  const tenths = Array.from({ length: 10 }, (_, i) => numbers.filter((one) => Math.floor(one * 10) === i).length)
  expect(tenths.reduce((sum, count) => sum + count)).toBe(10_000)
  for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150)
  expect(() => random.pick([])).toThrow("nothing to choose from")
})
