import { expect, test } from "bun:test"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { placeOf } from "./access/place.ts"
import { isSameSecret } from "./access/same-secret.ts"
import { makeRateLimits } from "./rate-limits.ts"

const rate = { perMinute: 60, burst: 3 }

test("a bucket gives its burst at once, then what flows in", async () => {
  const limits = makeRateLimits()
  await Effect.runPromise(
    Effect.gen(function* () {
      const take = limits.take("a", rate)
      expect(yield* Effect.all([take, take, take, take])).toEqual([0, 0, 0, 1000])
      yield* TestClock.adjust("400 millis")
      expect(yield* take).toBe(600)
      expect(yield* limits.take("b", rate)).toBe(0)
      yield* TestClock.adjust("600 millis")
      expect(yield* Effect.all([take, take])).toEqual([0, 1000])
      yield* TestClock.adjust("1 hour")
      expect(yield* Effect.all([take, take, take, take])).toEqual([0, 0, 0, 1000])
      yield* TestClock.setTime(0)
      expect(yield* take).toBe(1000)
    }).pipe(Effect.provide(TestClock.layer())),
  )
})

test("many keys push out the ones that were idle longest", async () => {
  const limits = makeRateLimits(2)
  const one = { perMinute: 1, burst: 1 }
  const take = (key: string) => Effect.runPromise(limits.take(key, one))
  expect([await take("a"), await take("b")]).toEqual([0, 0])
  expect(await take("a")).toBeGreaterThan(0)
  expect(await take("c")).toBe(0)
  expect(await take("a")).toBeGreaterThan(0)
  expect(await take("b")).toBe(0)
})

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8::1", "2001:db8::/64"],
  ["2001:db8:0:0:ffff::1", "2001:db8::/64"],
  ["unix", "unix"],
])("%s counts as %s", (address, place) => {
  expect(placeOf(address)).toBe(place)
})

test("secrets are the same, or not, wherever they differ", () => {
  expect(isSameSecret("abc", "abc")).toBe(true)
  for (const other of ["abd", "xbc", "ab", "abcabc", "", "abc\0"]) expect(isSameSecret("abc", other)).toBe(false)
  expect(isSameSecret("", "a")).toBe(false)
  expect(isSameSecret("", "")).toBe(true)
})
