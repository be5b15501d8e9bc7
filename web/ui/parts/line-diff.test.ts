import { expect, test } from "bun:test"
import { diffLines, hunks } from "./line-diff.ts"

const show = (before: string, after: string) =>
  diffLines(before.replaceAll(" ", "\n"), after.replaceAll(" ", "\n")).map(
    ({ kind, text }) => `${{ same: "", added: "+", removed: "-" }[kind]}${text}`,
  )

test("line-diff tells what came and what went", () => {
  expect(show("a b c", "a b c")).toEqual(["a", "b", "c"])
  expect(show("a b c", "a x c")).toEqual(["a", "-b", "+x", "c"])
  expect(show("a c", "a b c")).toEqual(["a", "+b", "c"])
  expect(show("a b c d e", "b c x e f")).toEqual(["-a", "b", "c", "-d", "+x", "e", "+f"])
})

test("line-diff rebuilds both sides, whatever they are", () => {
  for (let seed = 1; seed < 200; seed++) {
    const side = (salt: number) =>
      Array.from({ length: (seed * salt) % 17 }, (_, nth) => String((seed * (nth + salt) * 7) % 5)).join("\n")
    const [before, after] = [side(3), side(5)]
    const lines = diffLines(before, after)
    const of = (skip: string) => lines.filter(({ kind }) => kind !== skip)
    expect(
      of("added")
        .map(({ text }) => text)
        .join("\n"),
    ).toBe(before)
    expect(
      of("removed")
        .map(({ text }) => text)
        .join("\n"),
    ).toBe(after)
    expect(of("added").map(({ before }) => before)).toEqual(of("added").map((_, nth) => nth + 1))
    expect(of("removed").map(({ after }) => after)).toEqual(of("removed").map((_, nth) => nth + 1))
  }
})

test("line-diff leaves out what is far from any change", () => {
  const lines = diffLines(["x", ..."abcdefghij"].join("\n"), ["y", ..."abcdefghij"].join("\n"))
  expect(hunks(lines, 2).map((one) => (typeof one === "number" ? one : one.text))).toEqual(["x", "y", "a", "b", 8])
})
