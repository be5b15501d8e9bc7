import { expect, test } from "bun:test"
import { bytes, count, duration, rate } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import { Progress } from "./progress.ts"
import { makeScreen } from "./screen.ts"
import { makeStyle, wantsColour } from "./style.ts"
import { textTable } from "./text-table.ts"

const plain = makeStyle(false)

test("text-table aligns by what a terminal shows and lets no value draw outside its cell", () => {
  const columns = [{ title: "name" }, { title: "n", align: "right" as const }]
  const lines = textTable(
    columns,
    [
      ["日本", "1"],
      ["a\n\u001b[31mb", "22"],
      ["x".repeat(20), "3"],
    ],
    { style: plain, most: 12 },
  )
  expect(lines).toEqual(["name           n", "日本           1", "a\\n\\x1b[31mb  22", "xxxxxxxxxxx…   3"])
  expect(textTable([{ title: "c\nn" }], [["1"]], { style: plain })).toEqual(["c\\nn", "1"])
})

test("problem-text lets no value draw on the terminal", () => {
  const problem = { message: 'Cannot take "\u001b[2J":\ntwo lines', hint: "Drop \u202e" }
  expect(problemText(problem, "error", plain)).toBe('error: Cannot take "\\x1b[2J":\n  two lines\n  hint: Drop \\u202e')
})

test("number-text prints numbers, sizes, durations and rates for people", () => {
  expect([count(1234567), count(999), count(0)]).toEqual(["1 234 567", "999", "0"])
  expect([bytes(999), bytes(1_000), bytes(123_456_789), bytes(2e12)]).toEqual(["999 B", "1.0 kB", "123 MB", "2.0 TB"])
  expect([duration(12.4), duration(59_949), duration(59_960), duration(3_725_000)]).toEqual([
    "12 ms",
    "59.9 s",
    "1 min 00 s",
    "1 h 02 min",
  ])
  expect([rate(1000, 500), rate(0, 5), rate(5, 0)]).toEqual(["2 000/s", "", ""])
})

test("screen uses colours on a terminal, unless NO_COLOR says no", () => {
  expect(wantsColour({}, { isTTY: true })).toBe(true)
  expect(wantsColour({}, {})).toBe(false)
  expect(wantsColour({ NO_COLOR: "1" }, { isTTY: true })).toBe(false)
  expect(wantsColour({ FORCE_COLOR: "1" }, {})).toBe(true)
  expect(wantsColour({ TERM: "dumb" }, { isTTY: true })).toBe(false)
})

test("screen masks what it says and draws live lines anew below it", () => {
  const { screen, written } = screenOf(true)
  screen.live(["50 %"])
  screen.say("password sesame")
  screen.live([])
  expect(written.join("")).toBe("50 %\n\u001b[1A\r\u001b[Jpassword ***\n50 %\n\u001b[1A\r\u001b[J")
})

test("screen draws no live lines where nobody sits", () => {
  const { screen, written } = screenOf(false)
  screen.live(["50 %"])
  screen.log.debug("not shown")
  screen.log.warn("look", { of: "two words", n: 1 })
  expect(written).toEqual(['warning: look of="two words" n=1\n'])
})

test("progress shows each step, a bar where the number of rows is known, and splits", () => {
  const { screen } = screenOf(true, { NO_COLOR: "1" })
  let now = 0
  const progress = new Progress(screen, () => now)
  progress.take({ type: "run.started", runId: "r", steps: [], estimatedRows: 2000 })
  progress.take({ type: "input.opened", runId: "r", step: "read", splits: 4, oneSnapshot: true })
  progress.take({ type: "split.committed", runId: "r", split: "read/0", rows: 500 })
  now = 2000
  const step = { rejected: 0, filtered: 0, made: 0, bytes: 4096 }
  const lines = progress.lines(
    [
      { ...step, step: "read", kind: "input", rowsIn: 0, rowsOut: 1000 },
      { ...step, step: "write", kind: "output", rowsIn: 900, rowsOut: 500 },
    ],
    3,
  )
  expect(lines).toEqual([
    "step    rows    data   rate",
    "read   1 000  4.1 kB  500/s",
    "write    900  4.1 kB  450/s",
    `${"█".repeat(15)}${"░".repeat(15)} 50 %  2.0 s  1 of 4 splits  3 rejected`,
  ])
})

function screenOf(isTTY: boolean, environment: Readonly<Record<string, string>> = { NO_COLOR: "1" }) {
  const written: string[] = []
  const err = { isTTY, columns: 80, write: (text: string) => written.push(text) }
  const mask = (text: string) => text.replaceAll("sesame", "***")
  return { written, screen: makeScreen({ out: err, err, environment, verbose: false }, mask) }
}
