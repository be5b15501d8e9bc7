import { expect, test } from "bun:test"
import type { LogicalType, TableColumn, Value } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { halves, isZeroDate, readDate, readTimestamp } from "./mysql-clock.ts"
import { encoderOf } from "./mysql-encode.ts"

const session = testSession()

/** What stands in the file for a value; undefined when MySQL has none. */
function encoded(type: LogicalType, value: Value, native?: string): string | undefined {
  const column: TableColumn = {
    name: "c",
    type,
    nullable: true,
    generated: false,
    identity: false,
    hasDefault: false,
    ...(native !== undefined && { native: { system: "mysql", type: native } }),
  }
  const [vector] = session.batches.fromRows([column], [{ c: value }]).vectors
  const encoder = encoderOf(vector!, column, session)
  const target = new Uint8Array(encoder.size(0))
  const end = encoder.write(0, target, 0)
  return end < 0 ? undefined : new TextDecoder("utf-8", { ignoreBOM: true }).decode(target.subarray(0, end))
}

const zoned = { kind: "timestamp", zone: true } as const
const wall = { kind: "timestamp", zone: false } as const

test.each<[LogicalType, Value, string | undefined, string?]>([
  [{ kind: "boolean" }, true, "1"],
  [{ kind: "string" }, "a\tb\nc\\N\0\r'😀", "a\\tb\\nc\\\\N\\0\r'😀"],
  [{ kind: "string" }, "", ""],
  [{ kind: "string" }, "\uFEFFx", "\uFEFFx"],
  [{ kind: "bytes" }, new Uint8Array([0, 9, 255]), "0009FF"],
  [{ kind: "json" }, '{"a":"\\n"}', '{"a":"\\\\n"}'],
  [{ kind: "float64" }, Number.NaN, undefined],
  [{ kind: "float64" }, Number.POSITIVE_INFINITY, undefined],
  [{ kind: "float32" }, Math.fround(1.1), "1.1"],
  [{ kind: "decimal" }, "-0.50", "-0.50"],
  [{ kind: "decimal" }, "NaN", undefined],
  [{ kind: "decimal" }, "-Infinity", undefined],
  [{ kind: "date" }, "9999-12-31", "9999-12-31"],
  [{ kind: "date" }, "0001-01-01", "0001-01-01"],
  [{ kind: "date" }, "10000-01-01", undefined],
  [{ kind: "date" }, "0001-12-31 BC", undefined],
  [{ kind: "date" }, "infinity", undefined],
  [zoned, "2024-02-29 12:00:00.5+00", "2024-02-29 12:00:00.5"],
  [wall, "9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"],
  [wall, "10000-01-01 00:00:00", undefined],
  [wall, "0001-01-01 00:00:00", "0001-01-01 00:00:00"],
  [wall, "0001-12-31 23:59:59.999999 BC", undefined],
  [wall, "-infinity", undefined],
  [{ kind: "time" }, "24:00:00", "24:00:00"],
  [{ kind: "interval" }, "-838:59:59", "-838:59:59", "time"],
  [{ kind: "interval" }, "838:59:59.000001", undefined, "time(6)"],
  [{ kind: "interval" }, "839:00:00", undefined, "time"],
  [{ kind: "interval" }, "10:00:00.5", undefined, "time"],
  [{ kind: "interval" }, "10:00:00.500", "10:00:00.500", "time(1)"],
  [{ kind: "interval" }, "1 day 02:00:00", undefined, "time(6)"],
  [{ kind: "interval" }, "1 day 02:00:00", "1 day 02:00:00", "varchar(255)"],
  [{ kind: "int16" }, 0, "0000", "year(4)"],
  [{ kind: "int16" }, 2024, "2024", "year(4)"],
  [{ kind: "int16" }, 70, undefined, "year(4)"],
  [{ kind: "string" }, "1", undefined, "enum('a','b')"],
  [{ kind: "string" }, "1", "1", "enum('a','1')"],
  [{ kind: "string" }, " 2", undefined, "set('x','y')"],
  [{ kind: "string" }, "it's", "it's", "enum('it''s')"],
  [{ kind: "bytes" }, new Uint8Array([1]), undefined, "binary(2)"],
  [{ kind: "bytes" }, new Uint8Array([1, 0]), "0100", "binary(2)"],
  [{ kind: "float64" }, 1.25, "1.25", "double(8,2)"],
  [{ kind: "float64" }, 1.255, undefined, "double(8,2)"],
  [{ kind: "native", system: "mysql", name: "point" }, "00ff", "00ff", "point"],
  [{ kind: "native", system: "mysql", name: "point" }, "POINT(1 2)", undefined, "point"],
])("mysql writes %p %p as %p", (...row) => {
  const [type, value, text, native] = row
  expect(encoded(type, value, native)).toBe(text)
})

const bytes = (text: string) => new TextEncoder().encode(text)

test.each([
  "1970-01-01 00:00:00",
  "1969-12-31 23:59:59.999999",
  "2024-02-29 12:34:56.789",
  "0001-01-01 00:00:00",
  "9999-12-31 23:59:59.999999",
  "2000-02-29 00:00:00.000001",
  "1900-03-01 01:02:03.1",
])("mysql reads %s to the microsecond", (text) => {
  expect(readTimestamp(bytes(text), 0, text.length)).toBe(true)
  const [vector] = session.batches.fromRows([{ name: "c", type: wall, nullable: false }], [{ c: text }]).vectors
  if (vector?.storage !== "int64") throw new Error("a timestamp has 64 bits")
  expect([halves.low | 0, halves.high | 0]).toEqual([...vector.words])
})

test.each(["2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "0000-01-01", "2024-1-01", "abcd-01-01"])(
  "mysql reads no day from %s",
  (text) => {
    expect(readDate(bytes(text), 0, text.length)).toBeNaN()
  },
)

test.each(["2024-01-01 24:00:00", "2024-01-01 00:60:00", "2024-01-01 00:00:00.", "2024-01-01 00:00:0x"])(
  "mysql reads no moment from %s",
  (text) => {
    expect(readTimestamp(bytes(text), 0, text.length)).toBe(false)
  },
)

test.each([
  ["0000-00-00", true],
  ["0000-00-00 12:00:00", true],
  ["2010-00-00", true],
  ["1989-12-00 00:00:00", true],
  ["2010-10-10", false],
])("mysql knows whether %s is a zero date", (text, zero) => {
  expect(isZeroDate(bytes(text), 0, text.length)).toBe(zero)
})

test("mysql counts a negative zero, which it keeps as zero", () => {
  const counting = testSession()
  const columns = [{ name: "c", type: { kind: "float64" }, nullable: true }] as const
  const [vector] = counting.batches.fromRows(columns, [{ c: -0 }, { c: 0 }]).vectors
  const column = { ...columns[0], generated: false, identity: false, hasDefault: false }
  const encoder = encoderOf(vector!, column, counting)
  for (const row of [0, 1]) encoder.write(row, new Uint8Array(32), 0)
  expect([...counting.adjustments]).toEqual([["negativeZero/c", 1]])
})
