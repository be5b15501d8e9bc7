import { expect, test } from "bun:test"
import type { LogicalType } from "../contract/index.ts"
import { checksumForm } from "./checksum-form.ts"
import { makeBatches } from "./index.ts"

const batches = makeBatches({ rows: 10, bytes: 1_000_000 })

/** The bytes that are hashed, each as a Latin-1 letter, behind others that must stay as they are. */
function form(type: LogicalType, text: string): string {
  const builder = batches.builder([{ name: "x", type, nullable: true }])
  const bytes = new TextEncoder().encode(text)
  expect(builder.columns[0]!.parse(bytes, 0, bytes.length)).toBe(true)
  builder.endRow()
  const view = checksumForm(builder.finish().vectors[0]!)
  const target = new Uint8Array(view.size(0) + 3).fill(0x7e)
  const end = view.write(0, target, 3)
  expect([...target.subarray(0, 3)]).toEqual([0x7e, 0x7e, 0x7e])
  return String.fromCharCode(...target.subarray(3, end))
}

const decimal: LogicalType = { kind: "decimal" }
const interval: LogicalType = { kind: "interval" }
const fixed: LogicalType = { kind: "string", length: 9, fixed: true }
const cases: readonly (readonly [LogicalType, string, string])[] = [
  [decimal, "1.50", "1.5"],
  [decimal, "100", "100"],
  [decimal, "100.00", "100"],
  [decimal, "0.00", "0"],
  [decimal, "-0.5", "-0.5"],
  [decimal, "-10.00", "-10"],
  [decimal, "NaN", "NaN"],
  [{ kind: "decimal", precision: 9, scale: 4 }, "-0.0000", "0"],
  [fixed, "a b  ", "a b"],
  [fixed, "   ", ""],
  [{ kind: "string" }, "a b  ", "a b  "],
  [{ kind: "string" }, "1.50", "1.50"],
  [interval, "1:02:03", "01:02:03"],
  [interval, "-1:02:03.50", "-01:02:03.5"],
  [interval, "838:59:59.000", "838:59:59"],
  [interval, "-00:00:00", "00:00:00"],
  [interval, "-0:00:00.000", "00:00:00"],
  [interval, "-00:00:00.1", "-00:00:00.1"],
  [interval, "1 day 02:03:04.50", "1 day 02:03:04.50"],
  [interval, "12:30", "12:30"],
  [{ kind: "bytes" }, "\\x00ff41", "\x00\xffA"],
  [{ kind: "boolean" }, "t", "true"],
  [{ kind: "timestamp", zone: true }, "2024-02-29 12:00:00.500000+01", "2024-02-29 11:00:00.5+00"],
  [{ kind: "float64" }, "1.5", "\x3f\xf8\0\0\0\0\0\0"],
  [{ kind: "float64" }, "-0", "\0\0\0\0\0\0\0\0"],
  [{ kind: "float64" }, "NaN", "\x7f\xf8\0\0\0\0\0\0"],
  [{ kind: "float64" }, "-Infinity", "\xff\xf0\0\0\0\0\0\0"],
  [{ kind: "float32" }, "-1.5", "\xbf\xc0\0\0"],
  [{ kind: "float32" }, "-0", "\0\0\0\0"],
  [{ kind: "float32" }, "NaN", "\x7f\xc0\0\0"],
]

test.each(cases)("checksum form of %j %j is %j", (type, text, expected) => {
  expect(form(type, text)).toBe(expected)
})

test("checksum form is the canonical text of everything else, at any length", () => {
  for (const size of [0, 1, 47, 48, 49, 5000]) {
    const text = "x".repeat(size)
    expect(form({ kind: "string" }, text)).toBe(text)
  }
})
