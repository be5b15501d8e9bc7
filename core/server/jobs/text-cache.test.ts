import { expect, test } from "bun:test"
import { TextCache } from "./text-cache.ts"

function keptOf(cache: TextCache<number>, texts: readonly string[]): readonly string[] {
  return texts.filter((text) => cache.get(text) !== undefined)
}

test("the oldest texts are forgotten beyond so many of them", () => {
  const cache = new TextCache<number>({ texts: 2, characters: 1000 })
  for (const text of ["a", "b", "a", "c"]) cache.set(text, 1)
  expect(keptOf(cache, ["a", "b", "c"])).toEqual(["b", "c"])
})

test("the oldest texts are forgotten beyond so many characters, and none is kept that is larger by itself", () => {
  const cache = new TextCache<number>({ texts: 100, characters: 10 })
  for (const text of ["aaaa", "bbbb", "cc"]) cache.set(text, 1)
  expect(keptOf(cache, ["aaaa", "bbbb", "cc"])).toEqual(["aaaa", "bbbb", "cc"])
  cache.set("ddddd", 1)
  expect(keptOf(cache, ["aaaa", "bbbb", "cc", "ddddd"])).toEqual(["cc", "ddddd"])
  cache.set("e".repeat(11), 1)
  expect(keptOf(cache, ["cc", "ddddd", "e".repeat(11)])).toEqual([])
  cache.set("ffffffffff", 1)
  expect(cache.get("ffffffffff")).toBe(1)
})
