import { expect, test } from "bun:test"
import { unifiedDiff } from "./unified-diff.ts"

function diff(before: string, after: string) {
  return unifiedDiff({ name: "a", text: before }, { name: "b", text: after })
}

test("unified-diff shows changed lines with three lines around them", () => {
  const text = Array.from({ length: 12 }, (_, i) => `line ${i + 1}\n`).join("")
  expect(diff(text, text)).toEqual([])
  expect(diff(text, text.replace("line 6\n", "other\n"))).toEqual([
    ...["--- a", "+++ b", "@@ -3,7 +3,7 @@", " line 3", " line 4", " line 5"],
    ...["-line 6", "+other", " line 7", " line 8", " line 9"],
  ])
  expect(diff("", "x\n")).toEqual(["--- a", "+++ b", "@@ -0,0 +1,1 @@", "+x"])
  expect(diff("x", "x\n")).toEqual(["--- a", "+++ b", "@@ -1,1 +1,1 @@", "-x\n\\ No newline at end of file", "+x"])
})

test("unified-diff makes what turns one text into the other, of texts of chance", () => {
  let seed = 7
  const chance = (most: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * most)
  }
  const lines = () => Array.from({ length: chance(30) }, () => `${"abc"[chance(3)]}\n`).join("")
  for (let i = 0; i < 200; i++) {
    const before = lines() + (chance(4) === 0 ? "end" : "")
    const after = lines() + (chance(4) === 0 ? "end" : "")
    expect(applied(before, diff(before, after))).toBe(after)
  }
})

test("unified-diff gives up on texts without anything in common, and is right all the same", () => {
  const many = (word: string) => Array.from({ length: 3000 }, (_, i) => `${word} ${i}\n`).join("")
  const lines = diff(many("a"), many("b"))
  expect(lines.slice(0, 4)).toEqual(["--- a", "+++ b", "@@ -1,3000 +1,3000 @@", "-a 0"])
  expect(lines).toHaveLength(6003)
})

/** As `patch` does: every line that is said to be there has to be there. */
function applied(text: string, lines: readonly string[]): string {
  const before = text.split(/(?<=\n)/)
  const made: string[] = []
  let at = 0
  for (const line of lines.slice(2)) {
    const [, from, length] = /^@@ -(\d+),(\d+) /.exec(line) ?? []
    if (from !== undefined) {
      const start = Number(from) - (length === "0" ? 0 : 1)
      made.push(...before.slice(at, start))
      at = start
      continue
    }
    const [whole, mark] = line.slice(1).split("\n")
    const shown = mark === undefined ? `${whole}\n` : whole!
    if (line[0] !== "+") expect(before[at++]).toBe(shown)
    if (line[0] !== "-") made.push(shown)
  }
  return [...made, ...before.slice(at)].join("")
}
