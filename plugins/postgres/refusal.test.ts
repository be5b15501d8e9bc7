import { expect, test } from "bun:test"
import { lineOf, refersToOwnTable, refusal } from "./refusal.ts"

test.each([
  ['COPY t, line 5, column c: "x"', "t", 5],
  ["COPY t5, line 7", "t5", 7],
  ["COPY a, 5, line 7", "a, 5", 7],
  ["COPY t, Zeile 12, Spalte k: »x«", "t", 12],
  ["COPY t, 行 3, 列 k", "t", 3],
  ['PL/pgSQL function f() line 2 at RAISE\nCOPY t, line 9: "…"', "t", 9],
  ["COPY other, line 5", "t", Number.NaN],
  ["PL/pgSQL function f() line 2 at RAISE", "t", Number.NaN],
] as const)("postgres refusal finds the line in %p", (where, table, line) => {
  expect(lineOf({ message: "m", code: "22P02", where }, table)).toBe(line)
})

test("postgres refusal blames the column that the error, its key or its context names", () => {
  const record = { a: "1", "odd name": "2", c: null }
  const blamed = (error: object) => {
    const { column, value } = refusal({ message: "m", code: "23505", ...error }, record, 7)
    return [column, value]
  }
  expect(blamed({ column_name: "c" })).toEqual(["c", null])
  expect(blamed({ detail: "Key (a)=(1) already exists." })).toEqual(["a", "1"])
  expect(blamed({ detail: 'Key ("odd name", a)=(2, 1) already exists.' })).toEqual(["odd name", "2"])
  expect(blamed({ detail: "Key (lower(a))=(1) already exists." })).toEqual([undefined, undefined])
  expect(blamed({ where: 'COPY t, line 5, column a: "1"' })).toEqual(["a", "1"])
  expect(blamed({ where: "COPY t, line 5, column odd name" })).toEqual(["odd name", "2"])
  expect(blamed({ column_name: "toString" })).toEqual([undefined, undefined])
})

test("postgres refusal knows a foreign key to the table itself", () => {
  const error = (table: string) => ({
    message: "m",
    code: "23503",
    detail: `Key (k)=("t") is not present in table "${table}".`,
  })
  expect(refersToOwnTable(error("t"), "t")).toBe(true)
  expect(refersToOwnTable({ ...error("t"), code: "23505" }, "t")).toBe(false)
  expect(refersToOwnTable({ message: "m", code: "23503" }, "t")).toBe(false)
})
