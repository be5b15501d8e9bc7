import { describe, expect, test } from "bun:test"
import type { LogicalType } from "../contract/index.ts"
import { makeBatches } from "./index.ts"

const batches = makeBatches({ rows: 100, bytes: 1_000_000 })
const encoder = new TextEncoder()

/** What a text reads back as after a trip through a column of the type; undefined when it is refused. */
function trip(type: LogicalType, text: string): string | null | undefined {
  const builder = batches.builder([{ name: "x", type, nullable: true }])
  const bytes = encoder.encode(`..${text}..`)
  if (!builder.columns[0]!.parse(bytes, 2, bytes.length - 2)) return undefined
  builder.endRow()
  return batches.valueText(builder.finish().vectors[0]!, 0)
}

const timestamp: LogicalType = { kind: "timestamp", zone: false }
const instant: LogicalType = { kind: "timestamp", zone: true }
const same = Symbol()
const refused = undefined

const table: [LogicalType, [string, string | undefined | typeof same][]][] = [
  [
    { kind: "boolean" },
    [
      ["true", same],
      ["f", "false"],
      ["1", "true"],
      ["TRUE", "true"],
      ["2", refused],
      ["", refused],
    ],
  ],
  [
    { kind: "int16" },
    [
      ["-32768", same],
      ["32767", same],
      ["32768", refused],
      ["-0", "0"],
      ["+7", "7"],
      ["1.0", refused],
      ["", refused],
      ["-", refused],
    ],
  ],
  [
    { kind: "int32" },
    [
      ["-2147483648", same],
      ["2147483647", same],
      ["2147483648", refused],
      ["007", "7"],
    ],
  ],
  [
    { kind: "int64" },
    [
      ["9223372036854775807", same],
      ["-9223372036854775808", same],
      ["9223372036854775808", refused],
      ["-9223372036854775809", refused],
      ["9007199254740993", same],
      ["-9007199254740993", same],
      ["4294967296", same],
      ["-4294967296", same],
      ["-4294967297", same],
      ["1000000000", same],
      ["123456789012345678", same],
      ["99999999999999999999", refused],
      ["000000000000000000000000012", "12"],
      ["12a", refused],
    ],
  ],
  [
    { kind: "uint64" },
    [
      ["18446744073709551615", same],
      ["18446744073709551616", refused],
      ["-1", refused],
      ["0", same],
    ],
  ],
  [
    { kind: "float64" },
    [
      ["0.1", same],
      ["-0", same],
      ["1e400", refused],
      ["NaN", same],
      ["-inf", "-Infinity"],
      ["Infinity", same],
      ["123456789012345680", same],
      ["5e-324", same],
      ["1.7976931348623157e+308", same],
      [".5", "0.5"],
      ["1_000", refused],
      ["0x10", refused],
      ["", refused],
      [".", refused],
      ["0.30000000000000004", same],
    ],
  ],
  [
    { kind: "float32" },
    [
      ["0.1", same],
      ["16777216", same],
      ["3.4028235e+38", same],
      ["1e39", refused],
      ["1.17549435e-38", "1.1754944e-38"],
    ],
  ],
  [
    { kind: "decimal", precision: 12, scale: 2 },
    [
      ["1234567890.12", same],
      ["12345678901.12", refused],
      ["-1.5", "-1.50"],
      ["1.005", refused],
      ["1.500", "1.50"],
      ["-0.00", "0.00"],
      ["1e3", "1000.00"],
      ["1.25e1", "12.50"],
      ["00012", "12.00"],
      [".5", "0.50"],
      ["5.", "5.00"],
      ["NaN", same],
      ["1,5", refused],
      ["", refused],
      [".", refused],
    ],
  ],
  [
    { kind: "decimal", precision: 3, scale: 5 },
    [
      ["0.00123", same],
      ["0.01230", refused],
      ["1", refused],
    ],
  ],
  [
    { kind: "decimal" },
    [
      ["123456789012345678901234567890123456789012345678901234567890123456789012345678.000100", same],
      ["0.00000000000000000000000000000000001", same],
      ["1e-3", "0.001"],
    ],
  ],
  [
    { kind: "string", length: 3 },
    [
      ["äöü", same],
      ["abcd", refused],
      ["👍👍👍", same],
      ["", same],
    ],
  ],
  [
    { kind: "bytes" },
    [
      ["\\x00ff", same],
      ["\\xABCD", "\\xabcd"],
      ["\\x0", refused],
      ["00", refused],
      ["\\x0g", refused],
    ],
  ],
  [
    { kind: "date" },
    [
      ["2024-02-29", same],
      ["2023-02-29", refused],
      ["1900-02-29", refused],
      ["2000-02-29", same],
      ["0001-01-01", same],
      ["0044-03-15 BC", same],
      ["4713-01-01 BC", same],
      ["12022-01-01", same],
      ["infinity", same],
      ["-infinity", same],
      ["0000-00-00", refused],
      ["2010-00-00", refused],
      ["2010-1-1", refused],
      ["1969-12-31", same],
      ["1970-01-01", same],
      ["2099-12-31", same],
      ["2100-01-01", same],
    ],
  ],
  [
    { kind: "time" },
    [
      ["24:00:00", same],
      ["24:00:01", refused],
      ["23:59:59.999999", same],
      ["12:30", "12:30:00"],
      ["12:30:00.100000", "12:30:00.1"],
      ["-01:00:00", refused],
      ["25:00:00", refused],
      ["12:00:00.1234567", refused],
    ],
  ],
  [
    timestamp,
    [
      ["2024-02-29 12:00:00.5", same],
      ["2024-02-29T12:00:00", "2024-02-29 12:00:00"],
      ["2024-02-29", "2024-02-29 00:00:00"],
      ["1969-12-31 23:59:59.999999", same],
      ["0001-01-01 00:00:00", same],
      ["294246-12-31 23:59:59.999999", same],
      ["0044-03-15 10:00:00 BC", same],
      ["9999-12-31 23:59:59.999999", same],
      ["1970-01-01 00:00:00", same],
      ["2099-12-31 23:59:59.999999", same],
      ["2100-01-01 00:00:00", same],
      ["infinity", same],
      ["2024-02-29 12:00:00Z", refused],
      ["2024-02-30 12:00:00", refused],
      ["2024-02-29 12:60:00", refused],
    ],
  ],
  [
    instant,
    [
      ["2024-02-29 12:00:00+00", same],
      ["2024-02-29T12:00:00Z", "2024-02-29 12:00:00+00"],
      ["2024-02-29 00:30:00+05:30", "2024-02-28 19:00:00+00"],
      ["2024-02-29 00:30:00-0800", "2024-02-29 08:30:00+00"],
      ["2024-02-29 00:30:00", "2024-02-29 00:30:00+00"],
      ["-infinity", same],
      ["1883-11-18 12:00:00-07:52:58", "1883-11-18 19:52:58+00"],
    ],
  ],
  [
    { kind: "timestamp", zone: false, precision: 3 },
    [
      ["2024-01-01 00:00:00.123", same],
      ["2024-01-01 00:00:00.1234", refused],
    ],
  ],
  [
    { kind: "uuid" },
    [
      ["123e4567-e89b-12d3-a456-426614174000", same],
      ["{123E4567E89B12D3A456426614174000}", "123e4567-e89b-12d3-a456-426614174000"],
      ["123e4567-e89b-12d3-a456-42661417400g", refused],
      ["", refused],
    ],
  ],
  [
    { kind: "json" },
    [
      ['{"a":[1e400,-0.10,"\\u0000",null,true]}', same],
      ["12345678901234567890123", same],
      ["{a:1}", refused],
      ["[1,]", refused],
      ["", refused],
      ["01", refused],
      ["1 2", refused],
      ['"\\x"', refused],
    ],
  ],
]

describe("column builder", () => {
  for (const [type, cases] of table) {
    for (const [text, expected] of cases) {
      const label = text.length > 40 ? `${text.slice(0, 40)}…` : text
      test(`reads "${label}" as ${JSON.stringify(type)}`, () => {
        expect(trip(type, text)).toBe(expected === same ? text : expected)
      })
    }
  }

  test("refuses malformed UTF-8 as text", () => {
    const builder = batches.builder([{ name: "x", type: { kind: "string" }, nullable: true }])
    for (const bytes of [[0xff], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80]]) {
      expect(builder.columns[0]!.parse(new Uint8Array(bytes), 0, bytes.length)).toBe(false)
    }
  })

  test("prints every float as JavaScript does, in the fewest digits", () => {
    let seed = 12345
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed / 2147483648
    }
    for (let i = 0; i < 20_000; i++) {
      const value = (random() - 0.5) * 10 ** Math.floor(random() * 24 - 8)
      const short = Number(value.toFixed(Math.floor(random() * 9)))
      for (const number of [value, short, short + 0.1, Math.round(value)]) {
        expect(trip({ kind: "float64" }, Object.is(number, -0) ? "-0" : String(number))).toBe(
          Object.is(number, -0) ? "-0" : String(number),
        )
      }
    }
  })

  test("keeps every int64 in any pair of halves", () => {
    let seed = 88172645463325252n
    for (let i = 0; i < 2000; i++) {
      seed = BigInt.asUintN(64, (seed ^ (seed << 13n)) * 6364136223846793005n + 1442695040888963407n)
      const value = BigInt.asIntN(64, seed >> BigInt(i % 64))
      expect(trip({ kind: "int64" }, String(value))).toBe(String(value))
      expect(trip({ kind: "uint64" }, String(BigInt.asUintN(64, value)))).toBe(String(BigInt.asUintN(64, value)))
    }
  })
})

describe("batch builder", () => {
  const columns = [
    { name: "id", type: { kind: "int64" }, nullable: false },
    { name: "note", type: { kind: "string" }, nullable: true },
  ] as const

  test("forgets a discarded row in every column and keeps the positions of the others", () => {
    const builder = batches.builder(columns)
    for (let i = 0; i < 6; i++) {
      builder.columns[0]!.int64(i, 0)
      if (i % 2 === 1) {
        if (i === 3) builder.columns[1]!.null()
        builder.discardRow()
        continue
      }
      if (i === 4) builder.columns[1]!.null()
      else builder.columns[1]!.text(`n${i}`)
      builder.endRow()
    }
    const batch = builder.finish()
    expect([...batches.rows(batch)]).toEqual([
      { id: 0n, note: "n0" },
      { id: 2n, note: "n2" },
      { id: 4n, note: null },
    ])
    expect([0, 1, 2].map((row) => batches.position(batch, row))).toEqual([0, 2, 4])
    expect(batch.vectors[1]!.nulls).toBe(1)
    expect(builder.finish().firstRow).toBe(6)
  })

  test("refuses to end a row that lacks a value", () => {
    const builder = batches.builder(columns)
    builder.columns[0]!.int64(1, 0)
    expect(() => builder.endRow()).toThrow('no value, or more than one, in column "note"')
  })

  test("is full at its rows and at its bytes", () => {
    const small = batches.builder(columns, { rows: 100, bytes: 10_000 })
    let rows = 0
    while (!small.full) {
      small.columns[0]!.int64(1, 0)
      small.columns[1]!.text("x".repeat(2000))
      small.endRow()
      rows++
    }
    expect(rows).toBeLessThan(17)
  })

  test("takes rows and projects columns", () => {
    const batch = batches.fromRows(columns, [
      { id: 1n, note: "a" },
      { id: 2n, note: null },
      { id: 3n, note: "c" },
    ])
    const taken = batches.take(batch, [1, 2])
    expect([...batches.rows(taken)]).toEqual([
      { id: 2n, note: null },
      { id: 3n, note: "c" },
    ])
    expect(batches.position(taken, 1)).toBe(2)
    const projected = batches.project(batch, [{ from: 1, column: { ...columns[1], name: "text" } }])
    expect([...batches.rows(projected)][2]).toEqual({ text: "c" })
  })

  test("names row and column of a value that does not fit", () => {
    expect(() => batches.fromRows(columns, [{ id: "x", note: null }], 7)).toThrow(
      'Cannot use "x" in column "id" of row 7: not a int64',
    )
  })
})

describe("cast", () => {
  const cases: [LogicalType, string, LogicalType, string | undefined][] = [
    [{ kind: "string" }, " 12 ", { kind: "int32" }, "12"],
    [{ kind: "string" }, "12x", { kind: "int32" }, undefined],
    [{ kind: "int64" }, "9007199254740993", { kind: "string" }, "9007199254740993"],
    [{ kind: "int64" }, "2147483648", { kind: "int32" }, undefined],
    [{ kind: "int32" }, "-5", { kind: "int64" }, "-5"],
    [{ kind: "decimal", precision: 12, scale: 3 }, "1.995", { kind: "decimal", precision: 12, scale: 2 }, "2.00"],
    [{ kind: "decimal", precision: 12, scale: 3 }, "-1.995", { kind: "decimal", precision: 12, scale: 2 }, "-2.00"],
    [{ kind: "decimal", precision: 4, scale: 2 }, "99.99", { kind: "decimal", precision: 3, scale: 1 }, undefined],
    [{ kind: "decimal", precision: 4, scale: 2 }, "0.05", { kind: "decimal", precision: 3, scale: 1 }, "0.1"],
    [{ kind: "decimal", precision: 4, scale: 2 }, "0.04", { kind: "decimal", precision: 3, scale: 0 }, "0"],
    [{ kind: "decimal", precision: 4, scale: 2 }, "2.50", { kind: "int16" }, "3"],
    [{ kind: "float64" }, "0.1", { kind: "decimal", precision: 20, scale: 10 }, "0.1000000000"],
    [{ kind: "float64" }, "1e+21", { kind: "decimal" }, "1000000000000000000000"],
    [{ kind: "boolean" }, "true", { kind: "int16" }, "1"],
    [{ kind: "int16" }, "2", { kind: "boolean" }, undefined],
    [{ kind: "boolean" }, "true", { kind: "string" }, "true"],
    [{ kind: "date" }, "2024-02-29", timestamp, "2024-02-29 00:00:00"],
    [timestamp, "1969-12-31 23:00:00", { kind: "date" }, "1969-12-31"],
    [timestamp, "2024-02-29 12:34:56.7891", { kind: "timestamp", zone: false, precision: 0 }, "2024-02-29 12:34:57"],
    [timestamp, "2024-02-29 12:34:56.7", { kind: "time" }, "12:34:56.7"],
    [timestamp, "infinity", { kind: "date" }, "infinity"],
    [{ kind: "string" }, "abcd", { kind: "string", length: 3 }, undefined],
    [{ kind: "json" }, "[1]", { kind: "string" }, "[1]"],
  ]
  for (const [from, text, to, expected] of cases) {
    test(`turns ${from.kind} "${text}" into ${JSON.stringify(to)}`, () => {
      const builder = batches.builder([{ name: "x", type: from, nullable: true }])
      const bytes = encoder.encode(text)
      expect(builder.columns[0]!.parse(bytes, 0, bytes.length)).toBe(true)
      builder.endRow()
      builder.columns[0]!.null()
      builder.endRow()
      const { vector, failed } = batches.cast(builder.finish().vectors[0]!, to)
      expect(failed).toEqual(expected === undefined ? [0] : [])
      expect(batches.valueText(vector, 0)).toBe(expected ?? null)
      expect(batches.isNull(vector, 1)).toBe(true)
    })
  }
})
