import { describe, expect, test } from "bun:test"
import type { LogicalType, Vector } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { decoderOf } from "./binary-read.ts"
import { encodedBytes, encoderOf, hasEncoder, type NulPolicy } from "./binary-write.ts"

const { batches } = testSession()

const CASES: readonly { readonly declared: string; readonly type: LogicalType; readonly values: readonly string[] }[] =
  [
    { declared: "boolean", type: { kind: "boolean" }, values: ["true", "false"] },
    { declared: "smallint", type: { kind: "int16" }, values: ["32767", "-32768", "-1", "0", "255", "256"] },
    { declared: "integer", type: { kind: "int32" }, values: ["2147483647", "-2147483648", "-1", "65536"] },
    {
      declared: "bigint",
      type: { kind: "int64" },
      values: ["9223372036854775807", "-9223372036854775808", "-1", "9007199254740993", "4294967296", "-4294967296"],
    },
    { declared: "real", type: { kind: "float32" }, values: ["NaN", "Infinity", "-Infinity", "-0", "1e-45", "0.1"] },
    {
      declared: "double precision",
      type: { kind: "float64" },
      values: ["NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e+308", "0.1"],
    },
    {
      declared: "numeric",
      type: { kind: "decimal" },
      values: [
        ...["0", "1", "-1", "9999", "10000", "-10000", "100000000", "0.0001", "0.00001", "-0.00010000", "1.50", "0.00"],
        ...["123456789012345678901234567890.123456789012345678901234567890", "10000.0001", "12345", "NaN", "Infinity"],
        ...["-Infinity", `${"9".repeat(200)}.${"9".repeat(100)}`, `0.${"0".repeat(300)}1`, `1${"0".repeat(400)}`],
      ],
    },
    { declared: "text", type: { kind: "string" }, values: ["", "x", "é😀", "tab\tline\n\\N"] },
    { declared: "bytea", type: { kind: "bytes" }, values: ["\\x", "\\x00", "\\x00ff5c"] },
    { declared: "json", type: { kind: "json" }, values: ['{"a": 1e400}', "null"] },
    { declared: "jsonb", type: { kind: "json" }, values: ['{"a": 9007199254740993}', '""'] },
    {
      declared: "date",
      type: { kind: "date" },
      values: ["infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "1970-01-01", "1999-12-31", "2000-01-01"],
    },
    {
      declared: "time without time zone",
      type: { kind: "time" },
      values: ["00:00:00", "24:00:00", "23:59:59.999999", "01:11:34.967296"],
    },
    {
      declared: "timestamp without time zone",
      type: { kind: "timestamp", zone: false },
      values: [
        "infinity",
        "-infinity",
        "4713-01-01 00:00:00 BC",
        "294246-12-31 23:59:59.999999",
        "1999-12-31 23:59:59.999999",
      ],
    },
    {
      declared: "timestamp(3) with time zone",
      type: { kind: "timestamp", zone: true },
      values: ["1970-01-01 00:00:00+00", "2000-01-01 00:00:00+00", "1969-12-31 23:59:59.999+00"],
    },
    {
      declared: "uuid",
      type: { kind: "uuid" },
      values: ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    },
  ]

test.each(CASES)("postgres binary values of $declared read back as they were written", ({ declared, type, values }) => {
  expect(hasEncoder(type, declared)).toBe(true)
  const vector = vectorOf(type, values)
  const encode = encoderOf(vector, declared, "reject", () => {})
  const decode = decoderOf(type, declared)!
  const out = new Uint8Array(encodedBytes(vector, "reject"))
  const back = batches.builder([{ name: "c", type, nullable: true }])
  let at = 0
  for (let row = 0; row < values.length; row++) {
    const end = encode(row, out, at)
    const size = new DataView(out.buffer).getInt32(at)
    expect(at + 4 + size).toBe(end)
    expect(decode(back.columns[0]!, out, at + 4, size)).toBe(true)
    back.endRow()
    at = end
  }
  expect(texts(back.finish().vectors[0]!)).toEqual([...values])
})

describe("postgres binary text", () => {
  const TEXT = { kind: "string" } as const
  const written = (policy: NulPolicy, value: string) => {
    let adjusted = 0
    const vector = vectorOf(TEXT, [value])
    const out = new Uint8Array(encodedBytes(vector, policy))
    const end = encoderOf(vector, "text", policy, () => adjusted++)(0, out, 0)
    return end < 0 ? "refused" : [new TextDecoder().decode(out.subarray(4, end)), adjusted]
  }

  test("postgres text with U+0000 is refused, stripped or replaced within the room it asked for", () => {
    expect(written("reject", "a\0b")).toBe("refused")
    expect(written("reject", "ab")).toEqual(["ab", 0])
    expect(written("strip", "a\0b\0")).toEqual(["ab", 1])
    expect(written("replace", "\0\0\0\0\0\0\0\0")).toEqual(["\ufffd".repeat(8), 1])
  })
})

test("postgres binary numeric groups digits as numeric_send does", () => {
  const hex = (value: string) => {
    const vector = vectorOf({ kind: "decimal" }, [value])
    const out = new Uint8Array(encodedBytes(vector, "reject"))
    return Buffer.from(out.subarray(0, encoderOf(vector, "numeric", "reject", () => {})(0, out, 0))).toString("hex")
  }
  // As `SELECT encode(numeric_send(…), 'hex')` gives it, behind the length.
  expect(hex("0.00")).toBe("000000080000000000000002")
  expect(hex("-12345.678")).toBe(`0000000e${"00030001400000030001" + "09291a7c"}`)
  expect(hex("0.00001234")).toBe("0000000a0001fffe0000000804d2")
  expect(hex("100000000")).toBe("0000000a00010002000000000001")
})

test("postgres moments beyond 64 bits from 1970 are told to be no value of the column", () => {
  const decode = decoderOf({ kind: "timestamp", zone: false }, "timestamp without time zone")!
  const source = new Uint8Array(8)
  new DataView(source.buffer).setBigInt64(0, 9_223_371_331_200_000_000n - 1n)
  const builder = batches.builder([{ name: "c", type: { kind: "timestamp", zone: false }, nullable: true }])
  expect(decode(builder.columns[0]!, source, 0, 8)).toBe(false)
})

test("postgres types without a binary form of ours are read and written as text", () => {
  expect(decoderOf({ kind: "interval" }, "interval")).toBeUndefined()
  expect(decoderOf({ kind: "int64" }, "oid")).toBeUndefined()
  expect(decoderOf({ kind: "int32" }, "positive")).toBeUndefined()
  expect(decoderOf({ kind: "native", system: "postgres", name: "integer[]" }, "integer[]")).toBeUndefined()
  expect(hasEncoder({ kind: "int64" }, "integer")).toBe(false)
  expect(hasEncoder({ kind: "int64" }, "integer[]")).toBe(false)
  expect(hasEncoder({ kind: "string" }, "positive")).toBe(false)
})

function vectorOf(type: LogicalType, values: readonly string[]): Vector {
  const builder = batches.builder([{ name: "c", type, nullable: true }])
  for (const value of values) {
    const bytes = new TextEncoder().encode(value)
    if (!builder.columns[0]!.parse(bytes, 0, bytes.length)) throw new Error(`${value} is no ${type.kind}`)
    builder.endRow()
  }
  return builder.finish().vectors[0]!
}

function texts(vector: Vector): (string | null)[] {
  return Array.from({ length: vector.length }, (_, row) => batches.valueText(vector, row))
}
