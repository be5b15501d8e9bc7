import { expect, test } from "bun:test"
import { makeBatches } from "../batch/index.ts"
import type { LogicalType } from "../contract/index.ts"
import { isAfter, isOrderable, markValue, readOverlap, textBefore } from "./mark-value.ts"

const batches = makeBatches({ rows: 10, bytes: 10_000 })
const int64: LogicalType = { kind: "int64" }
const moment: LogicalType = { kind: "timestamp", zone: false }
const instant: LogicalType = { kind: "timestamp", zone: true }

function before(text: string, overlap: string, type: LogicalType): string | undefined {
  const step = readOverlap(overlap, type)
  if ("fault" in step) throw new Error(step.fault)
  return textBefore(markValue(text, type, batches)!, step, type, batches)
}

test("mark-value takes an overlap off exactly, whatever the size", () => {
  expect(before("9223372036854775807", "9223372036854775806", int64)).toBe("1")
  expect(before("18446744073709551615", "1", { kind: "uint64" })).toBe("18446744073709551614")
  expect(before("-5", "10", { kind: "int32" })).toBe("-15")
  expect(before("12345678901234567890.125", "0.1", { kind: "decimal" })).toBe("12345678901234567890.025")
  expect(before("0.05", "0.1", { kind: "decimal", precision: 10, scale: 2 })).toBe("-0.05")
  expect(before("2024-03-01", "1 day", { kind: "date" })).toBe("2024-02-29")
  expect(before("2024-03-01 00:00:00", "1 second", moment)).toBe("2024-02-29 23:59:59")
  expect(before("2024-03-01 00:00:00.000001+00", "1 hour 30 minutes", instant)).toBe("2024-02-29 22:30:00.000001+00")
  expect(before("9999-12-31 23:59:59.999999", "2 weeks", moment)).toBe("9999-12-17 23:59:59.999999")
})

test("mark-value rounds a start down to what the column holds, never up", () => {
  expect(before("10.00", "0.001", { kind: "decimal", precision: 10, scale: 2 })).toBe("9.99")
  expect(before("-10.00", "0.001", { kind: "decimal", precision: 10, scale: 2 })).toBe("-10.01")
  const seconds = { kind: "timestamp", zone: false, precision: 0 } as const
  expect(before("2024-01-01 00:00:10", "1 millisecond", seconds)).toBe("2024-01-01 00:00:09")
  expect(before("1969-12-31 23:59:50", "1 millisecond", seconds)).toBe("1969-12-31 23:59:49")
})

test("mark-value has no start below what the type holds", () => {
  expect(before("5", "10", { kind: "uint64" })).toBeUndefined()
  expect(before("-32768", "1", { kind: "int16" })).toBeUndefined()
  expect(before("-9223372036854775808", "1", int64)).toBeUndefined()
  expect(before("1.00", "1000", { kind: "decimal", precision: 3, scale: 2 })).toBeUndefined()
  expect(before("0001-01-01", "1 day", { kind: "date" })).toBeUndefined()
  expect(before("0001-01-02 00:00:00", "25 hours", moment)).toBeUndefined()
})

test("mark-value reads an overlap as what the column holds, and says what is wrong with another", () => {
  const fault = (text: string, type: LogicalType) => {
    const read = readOverlap(text, type)
    return "fault" in read ? read.fault : read.units
  }
  expect(fault("15 minutes", moment)).toBe(900_000_000n)
  expect(fault("1 minute", moment)).toBe(60_000_000n)
  expect(fault("2days 1 week", { kind: "date" })).toBe(9n)
  expect(fault("24 hours", { kind: "date" })).toBe(1n)
  expect(fault("12 hours", { kind: "date" })).toBe("is not a number of whole days, and the column holds dates")
  expect(fault("1 month", moment)).toStartWith("has an unknown unit: month; there are milliseconds, seconds")
  for (const text of ["", "15", "minutes", "-1 day", "1.5 hours", "1 day,2 hours"])
    expect(fault(text, moment)).toBe("is no duration, such as 15 minutes")
  for (const text of ["", "1.5", "-1", "1 day"]) expect(fault(text, int64)).toBe("is no whole number, such as 1000")
  expect(fault("1.50", { kind: "decimal" })).toBe(150n)
  expect(fault("1e3", { kind: "decimal" })).toBe("is no number, such as 10 or 0.5")
})

test("mark-value knows which of two values is later, whatever their digits", () => {
  const later = (a: string, b: string, type: LogicalType) =>
    isAfter(markValue(a, type, batches)!, markValue(b, type, batches)!)
  expect(later("10", "9", int64)).toBe(true)
  expect(later("9007199254740993", "9007199254740992", int64)).toBe(true)
  expect(later("1.10", "1.1", { kind: "decimal" })).toBe(false)
  expect(later("1.1000000000000000000001", "1.1", { kind: "decimal" })).toBe(true)
  expect(later("-0.5", "-0.25", { kind: "decimal" })).toBe(false)
  expect(later("2024-01-01 00:00:00+00", "2024-01-01 00:59:59+01", instant)).toBe(true)
  expect(later("0044-03-15 BC", "0001-01-01", { kind: "date" })).toBe(false)
})

test("mark-value has no place for what is no number of steps from zero", () => {
  for (const [text, type] of [
    ["infinity", moment],
    ["-infinity", { kind: "date" }],
    ["NaN", { kind: "decimal" }],
    ["0000-00-00", { kind: "date" }],
    ["abc", int64],
    ["1.5", int64],
    ["", int64],
  ] as const)
    expect(markValue(text, type, batches)).toBeUndefined()
})

test("mark-value takes types whose order is the same everywhere", () => {
  const kinds = ["int16", "int32", "int64", "uint64", "decimal", "date"] as const
  for (const kind of kinds) expect(isOrderable({ kind })).toBe(true)
  expect(isOrderable(instant)).toBe(true)
  for (const kind of ["string", "uuid", "float32", "float64", "boolean", "json", "interval", "time"] as const)
    expect(isOrderable({ kind })).toBe(false)
})
