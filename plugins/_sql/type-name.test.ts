import { expect, test } from "bun:test"
import type { LogicalType } from "../../core/contract/index.ts"
import { parseTypeName, typeName, typeNameExamples } from "./type-name.ts"

const types: Record<string, LogicalType> = {
  boolean: { kind: "boolean" },
  int16: { kind: "int16" },
  int32: { kind: "int32" },
  int64: { kind: "int64" },
  uint64: { kind: "uint64" },
  float32: { kind: "float32" },
  float64: { kind: "float64" },
  decimal: { kind: "decimal" },
  "decimal(12,2)": { kind: "decimal", precision: 12, scale: 2 },
  "decimal(3,-2)": { kind: "decimal", precision: 3, scale: -2 },
  string: { kind: "string" },
  "string(50)": { kind: "string", length: 50 },
  "char(3)": { kind: "string", length: 3, fixed: true },
  bytes: { kind: "bytes" },
  "bytes(16)": { kind: "bytes", length: 16 },
  date: { kind: "date" },
  time: { kind: "time" },
  "time(0)": { kind: "time", precision: 0 },
  timestamp: { kind: "timestamp", zone: false },
  "timestamp(6)": { kind: "timestamp", zone: false, precision: 6 },
  timestamptz: { kind: "timestamp", zone: true },
  "timestamptz(3)": { kind: "timestamp", zone: true, precision: 3 },
  interval: { kind: "interval" },
  json: { kind: "json" },
  uuid: { kind: "uuid" },
  "native(postgres, numeric(3,1)[])": { kind: "native", system: "postgres", name: "numeric(3,1)[]" },
}

test.each(Object.entries(types))("type-name reads and writes %s", (text, type) => {
  expect(parseTypeName(text)).toEqual(type)
  expect(typeName(type)).toBe(text)
})

test("type-name is indifferent to case and blanks", () => {
  expect(parseTypeName(" Decimal ( 12 , 2 ) ")).toEqual({ kind: "decimal", precision: 12, scale: 2 })
  expect(parseTypeName("decimal(12)")).toEqual({ kind: "decimal", precision: 12, scale: 0 })
  expect(parseTypeName("TIMESTAMPTZ")).toEqual({ kind: "timestamp", zone: true })
})

test.each([
  "",
  "int",
  "varchar(3)",
  "int64(3)",
  "decimal()",
  "decimal(0,0)",
  "decimal(1,2,3)",
  "string(0)",
  "string(-1)",
  "string(1,2)",
  "char",
  "char(0)",
  "time(7)",
  "timestamp(-1)",
  "string(5",
  "string 5",
  "int64; drop",
  "native(postgres)",
  "native(, x)",
])("type-name does not read %p", (text) => {
  expect(parseTypeName(text)).toBeUndefined()
})

test("type-name lists only spellings that it reads", () => {
  for (const example of typeNameExamples.split(/, (?![^(]*\))/)) {
    expect(parseTypeName(example.replace("p,s", "9,2").replace(/\([np]\)/, "(3)"))).toBeDefined()
  }
})
