import { expect, test } from "bun:test"
import { float, readFloat } from "./read-number.ts"

const encoder = new TextEncoder()

function read(text: string): number | undefined {
  const bytes = encoder.encode(text)
  return readFloat(bytes, 0, bytes.length) ? float.value : undefined
}

/** Texts that are read as something else than the engine's own reader says. */
function wrong(texts: Iterable<string>): string[] {
  return [...texts].filter((text) => !Object.is(read(text), Number(text)))
}

function randomSource(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
}

test("batch reads floats of up to 20 digits as the engine does, wherever their point is", () => {
  const random = randomSource(7)
  const texts = function* () {
    for (let i = 0; i < 100_000; i++) {
      const digits = Array.from({ length: 1 + random(20) }, () => random(10)).join("")
      const point = random(digits.length + 1)
      yield `${i & 1 ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`
      yield `0.${"0".repeat(random(24))}${digits}`
    }
  }
  expect(wrong(texts())).toEqual([])
})

test("batch reads floats half-way between two doubles, and those next to it, as the engine does", () => {
  const random = randomSource(11)
  const texts = function* () {
    for (let i = 0; i < 30_000; i++) {
      // An odd number of halves of the last of 53 bits, written out.
      const places = 1 + random(40)
      const halves = BigInt(2 ** 53 + random(2 ** 53)) * 2n + 1n
      const digits = String((halves * 10n ** BigInt(places)) >> BigInt(places)).padStart(places + 1, "0")
      const text = `${digits.slice(0, -places)}.${digits.slice(-places)}`
      for (const length of [17, 18, 19, 20]) yield text.slice(0, length)
      yield text
    }
  }
  expect(wrong(texts())).toEqual([])
})

test.each([
  "9007199254740993.0",
  "0.1000000000000000055",
  "1e23",
  "5e-324",
  "1.7976931348623157e308",
  "-0.0",
  "1.",
  ".5",
])("batch reads %s as the engine does", (text) => expect(wrong([text])).toEqual([]))

test.each(["", ".", "-", "1e400", "1..2", "12345678901234567.8.9", "1234567890123456 7"])(
  "batch reads no float from %j",
  (text) => expect(read(text)).toBeUndefined(),
)
