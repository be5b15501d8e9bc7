import { expect, test } from "bun:test"
import sqlite from "../../plugins/sqlite/sqlite.ts"
import type { Column } from "../contract/index.ts"
import { newTable } from "./create-table.ts"

const { dialect } = sqlite
const columns: readonly Column[] = [
  { name: "id", type: { kind: "int64" }, nullable: true, key: 1 },
  { name: 'odd "name"', type: { kind: "string", length: 10 }, nullable: false },
  { name: "note", type: { kind: "string" }, nullable: true },
]

function made(input: readonly Column[], options: { keyColumns?: readonly string[] } = {}) {
  return newTable({ schema: "main", name: "t" }, input, { allowLossy: false, ...options }, dialect)
}

test("create-table keeps types, lengths, NOT NULL and the key of the source", () => {
  const { statement, info, issues } = made(columns)
  expect(issues).toEqual([])
  expect(info.primaryKey).toEqual(["id"])
  // A key column has no NULLs, whatever the source says.
  expect(info.columns.map(({ nullable }) => nullable)).toEqual([false, false, true])
  expect(statement).toBe(
    [
      'CREATE TABLE "main"."t" (',
      `  "id" ${info.columns[0]!.native!.type} NOT NULL,`,
      `  "odd ""name""" ${info.columns[1]!.native!.type} NOT NULL,`,
      `  "note" ${info.columns[2]!.native!.type},`,
      '  PRIMARY KEY ("id")',
      ")",
    ].join("\n"),
  )
})

test("create-table takes a key only when all of it comes along", () => {
  const part = (name: string, key: number): Column => ({ name, type: { kind: "int64" }, nullable: false, key })
  expect(made([part("b", 2), part("a", 1)]).info.primaryKey).toEqual(["a", "b"])
  expect(made([part("b", 2)]).info.primaryKey).toEqual([])
  expect(made([part("a", 1), part("c", 3)]).info.primaryKey).toEqual([])
  expect(made([part("b", 2), part("a", 1)], { keyColumns: ["b"] }).info.primaryKey).toEqual(["b"])
})

test("create-table refuses names that are too long and keys that do not come in", () => {
  const limited = { ...dialect, identifierLimit: { most: 4, unit: "bytes" } as const }
  const long: Column = { name: "äää", type: { kind: "int64" }, nullable: true }
  const { issues } = newTable({ name: "t" }, [long], { allowLossy: false, keyColumns: ["x"] }, limited)
  expect(issues.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
    'error: Cannot create "äää": the name takes 6 bytes, the database allows 4',
    'error: Cannot create the key column "x": no such column comes in',
  ])
})

test("create-table wants consent where a new column cannot keep its values", () => {
  const lossy = { ...dialect, columnType: () => ({ type: "X", lossy: "digits are dropped" }) }
  const severity = (allowLossy: boolean, kind: "float64" | "string") =>
    newTable({ name: "t" }, [{ name: "a", type: { kind }, nullable: true }], { allowLossy }, lossy).issues[0]?.severity
  expect(severity(false, "float64")).toBe("lossy")
  expect(severity(true, "float64")).toBe("warning")
  expect(severity(false, "string")).toBe("warning")
})
