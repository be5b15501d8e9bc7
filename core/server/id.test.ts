import { expect, test } from "bun:test"
import { hashOf, makeId, makeSecret } from "./id.ts"

test("ids grow with time, and inside a millisecond", () => {
  const ids = [...Array.from({ length: 1000 }, () => makeId(1000)), makeId(1001), makeId(2 ** 40)]
  expect(ids.toSorted()).toEqual(ids)
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})

test("ids differ, however many are made at once", () => {
  expect(new Set(Array.from({ length: 10_000 }, () => makeId(5))).size).toBe(10_000)
})

test("secrets tell what they are and differ; their hash is another text", async () => {
  const secret = makeSecret("hrt")
  expect(secret).toMatch(/^hrt_[\w-]{43}$/)
  expect(makeSecret("hrt")).not.toBe(secret)
  expect(await hashOf("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
})
