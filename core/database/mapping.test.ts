import { expect, test } from "bun:test"
import type { Column, LogicalType, TableColumn } from "../contract/index.ts"
import { mapColumns } from "./mapping.ts"
import type { DatabaseOutputOptions } from "./options.ts"

const INT: LogicalType = { kind: "int32" }

function column(name: string, type: LogicalType = INT, nullable = false): Column {
  return { name, type, nullable }
}

function target(name: string, rest: Partial<TableColumn> = {}): TableColumn {
  return { ...column(name, INT, true), generated: false, identity: false, hasDefault: false, ...rest }
}

function map(
  input: readonly Column[],
  table: readonly TableColumn[],
  mapping: DatabaseOutputOptions["mapping"] = "name",
  allowLossy: DatabaseOutputOptions["allowLossy"] = false,
) {
  const { pairs, issues, notes } = mapColumns(input, table, { mapping, allowLossy })
  return {
    pairs: pairs.map(({ from, to }) => `${from.name}>${to.name}`),
    issues: issues.map(({ severity, message, hint }) => `${severity}: ${message}${hint ? ` | ${hint}` : ""}`),
    notes,
  }
}

test("mapping by name prefers the very name to one in another case", () => {
  expect(map([column("id")], [target("ID"), target("id")])).toEqual({ pairs: ["id>id"], issues: [], notes: [] })
  expect(map([column("Id")], [target("ID")]).pairs).toEqual(["Id>ID"])
  expect(map([column("Id")], [target("ID"), target("id")]).issues).toEqual([
    'error: Cannot map column "Id" by name: "ID" and "id" differ only in case | List the pairs in mapping',
  ])
})

test("mapping by name tells of columns that the table does not have, and of none that it has", () => {
  expect(map([column("a"), column("x"), column("y")], [target("a")])).toEqual({
    pairs: ["a>a"],
    issues: [],
    notes: ["not written, the table has no such column: x, y"],
  })
  expect(map([column("x")], [target("a")]).issues).toEqual([
    'error: Cannot map by name: none of "x" is a column of the table, which has "a" | List the pairs in mapping, or map by position',
  ])
})

test("mapping by name refuses two columns for one", () => {
  expect(map([column("id"), column("ID")], [target("id")]).issues).toEqual([
    'error: Cannot write column "id" twice: "id" and "ID" go there | List the pairs in mapping',
  ])
})

test("mapping leaves out what the database computes, and says so", () => {
  const table = [target("a"), target("total", { generated: true, nullable: false })]
  expect(map([column("a"), column("total")], table)).toEqual({
    pairs: ["a>a"],
    issues: [],
    notes: ["not written, the database computes it: total"],
  })
  expect(map([column("total")], table).issues).toEqual([
    'error: Cannot map by name: the database computes "total" | List the pairs in mapping, or map by position',
  ])
  expect(map([column("x"), column("y")], table, "position").issues).toEqual([
    "error: Cannot map by position: 2 columns come in, the table has 1 that can be written | Drop columns with select, or list the pairs in mapping",
  ])
  expect(map([column("a")], table, [{ from: "a", to: "total" }]).issues).toEqual([
    'error: Cannot write column "total": the database computes it',
  ])
})

test("mapping by position pairs columns in order and leaves the last ones of the table out", () => {
  expect(map([column("x"), column("y")], [target("a"), target("b"), target("c")], "position")).toEqual({
    pairs: ["x>a", "y>b"],
    issues: [],
    notes: [],
  })
})

test("mapping by pairs names what it does not know, and what is meant", () => {
  const input = [column("total"), column("day")]
  const table = [target("amount"), target("date")]
  expect(
    map(input, table, [
      { from: "totl", to: "amount" },
      { from: "day", to: "dat" },
      { from: "zzz", to: "amount" },
    ]).issues,
  ).toEqual([
    'error: Cannot map column "totl": no such column comes in | Did you mean "total"?',
    'error: Cannot map column "dat": the table has no such column | Did you mean "date"?',
    'error: Cannot map column "zzz": no such column comes in | There are "total", "day"',
  ])
  expect(
    map(input, table, [
      { from: "total", to: "amount" },
      { from: "total", to: "date" },
    ]).pairs,
  ).toEqual(["total>amount", "total>date"])
})

test("mapping refuses to leave out a column that must have a value", () => {
  const must = (rest: Partial<TableColumn>) => map([column("a")], [target("a"), target("b", rest)]).issues
  expect(must({ nullable: false })).toEqual([
    'error: Cannot leave out column "b": it is NOT NULL and has no default | Map a column to it, or give it a default',
  ])
  expect(must({ nullable: true })).toEqual([])
  expect(must({ nullable: false, hasDefault: true })).toEqual([])
  expect(must({ nullable: false, identity: true })).toEqual([])
  expect(must({ nullable: false, generated: true })).toEqual([])
})

test("mapping wants consent to what is lossy, for each column", () => {
  const input = [column("a", { kind: "float64" }), column("b", { kind: "float64" })]
  const table = [target("a"), target("c")]
  const pairs = [
    { from: "a", to: "a" },
    { from: "b", to: "c" },
  ]
  const lossy = (name: string) => `Column ${name} loses something: float64 to int32, fractions are rounded`
  const severities = (allowLossy: boolean | readonly string[]) =>
    map(input, table, pairs, allowLossy).issues.map((issue) => issue.split(":")[0])
  expect(map(input, table, pairs).issues).toEqual([
    `lossy: ${lossy('"a"')} | Accept it with allowLossy: ["a"]`,
    `lossy: ${lossy('"b" to "c"')} | Accept it with allowLossy: ["b"]`,
  ])
  expect(map(input, table, pairs, true).issues).toEqual([`warning: ${lossy('"a"')}`, `warning: ${lossy('"b" to "c"')}`])
  expect(severities(true)).toEqual(["warning", "warning"])
  expect(severities(["a"])).toEqual(["warning", "lossy"])
  expect(severities(["c"])).toEqual(["lossy", "warning"])
  expect(severities(["b"])).toEqual(["lossy", "warning"])
  expect(severities([])).toEqual(["lossy", "lossy"])
})

test("mapping refuses what cannot be converted, and warns of what may be rejected", () => {
  expect(map([column("a", { kind: "uuid" })], [target("a")]).issues).toEqual([
    'error: Cannot convert column "a": uuid to int32 | Cast it with select, or map another column',
  ])
  expect(map([column("a", { kind: "int64" })], [target("a")]).issues).toEqual([
    'warning: Column "a" is checked: int64 to int32, a number outside int32 is rejected',
  ])
  expect(map([column("a", INT, true)], [target("a", { nullable: false })]).issues).toEqual([
    'warning: Column "a" may be NULL, the target may not: such rows are rejected',
  ])
  expect(map([column("a", INT, true)], [target("a")]).issues).toEqual([])
})

test("mapping takes names that objects have of themselves for what they are", () => {
  const names = ["__proto__", "constructor", "toString"]
  expect(
    map(
      names.map((name) => column(name)),
      names.map((name) => target(name)),
    ).pairs,
  ).toEqual(names.map((name) => `${name}>${name}`))
})
