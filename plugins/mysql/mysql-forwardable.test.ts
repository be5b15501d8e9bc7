import { expect, test } from "bun:test"
import type { Column, LogicalType, TableColumn, WriteMode } from "../../core/contract/index.ts"
import { isForwardable } from "./mysql-forwardable.ts"

interface Pair {
  readonly from: LogicalType
  readonly to: string
  readonly declared?: string
  readonly nulls?: readonly [boolean, boolean]
  readonly names?: readonly [string, string]
  readonly identity?: boolean
}

const MARIADB = { mariadb: true, version: "10.11.19-MariaDB" }
const NEW = { mariadb: false, version: "9.7.4" }

function isTaken(pairs: readonly Pair[], mode: WriteMode = "append", server = MARIADB): boolean {
  const input = pairs.map(
    ({ from, declared, nulls = [true, true], names = ["c", "c"] }): Column => ({
      name: names[0],
      type: from,
      nullable: nulls[0],
      native: { system: "postgres", type: declared ?? from.kind },
    }),
  )
  const columns = pairs.map(({ from, to, nulls = [true, true], names = ["c", "c"], identity = false }): TableColumn => {
    const native = { system: "mysql", type: to }
    return { name: names[1], type: from, nullable: nulls[1], native, generated: false, identity, hasDefault: false }
  })
  return isForwardable({ columns, mode, input }, server)
}

const decimal = (precision?: number, scale?: number): LogicalType =>
  precision === undefined ? { kind: "decimal" } : { kind: "decimal", precision, scale: scale! }
const wall: LogicalType = { kind: "timestamp", zone: false }
const instant: LogicalType = { kind: "timestamp", zone: true }
const text: LogicalType = { kind: "string" }

test.each<[LogicalType, string[], string[]]>([
  [
    { kind: "boolean" },
    ["tinyint(1)", "int(11)", "bigint unsigned", "bit(1)"],
    ["bit(2)", "varchar(5)", "double", "enum('0','1')"],
  ],
  [
    { kind: "int16" },
    ["smallint(6)", "tinyint(4)", "int", "bigint"],
    ["bigint unsigned", "year(4)", "bit(1)", "decimal(5,0)", "float"],
  ],
  [{ kind: "int32" }, ["int(11)", "mediumint", "int(5) unsigned zerofill"], ["smallint", "tinyint(1)", "double"]],
  [
    { kind: "int64" },
    ["bigint(20)", "int(10) unsigned"],
    ["int(11)", "bigint(20) unsigned", "decimal(20,0)", "varchar(20)"],
  ],
  [{ kind: "uint64" }, [], ["bigint(20) unsigned"]],
  [{ kind: "float32" }, ["float"], ["double", "float(7,2)", "float unsigned", "decimal(5,2)"]],
  [{ kind: "float64" }, ["double"], ["float", "double(8,2)", "double unsigned"]],
  [
    decimal(12, 2),
    ["decimal(12,2)", "decimal(14,2)", "decimal(14,4)"],
    ["decimal(12,3)", "decimal(12,1)", "double", "decimal(11,2)"],
  ],
  [decimal(), [], ["decimal(65,30)"]],
  [{ kind: "date" }, ["date"], ["datetime", "timestamp", "varchar(10)"]],
  [wall, ["datetime(6)"], ["datetime", "datetime(5)", "timestamp(6)", "date"]],
  [{ ...wall, precision: 3 }, ["datetime(3)", "datetime(6)"], ["datetime(2)"]],
  [instant, ["timestamp(6)"], ["datetime(6)", "timestamp"]],
  [{ kind: "time" }, ["time(6)"], ["time", "varchar(20)"]],
  [{ kind: "time", precision: 0 }, ["time", "time(3)"], []],
  [
    text,
    ["text", "longtext", "varchar(10)"],
    ["char(10)", "enum('a')", "set('a')", "json", "inet6", "binary(5)", "blob"],
  ],
  [{ kind: "string", length: 10 }, ["varchar(10)", "char(10)", "varchar(9)", "tinytext"], ["char(9)"]],
  [{ kind: "json" }, ["json", "longtext"], ["varchar(255)"]],
  [{ kind: "uuid" }, ["char(36) CHARACTER SET ascii", "uuid", "varchar(36)", "text"], ["char(32)", "binary(16)"]],
  [{ kind: "bytes" }, ["longblob", "blob"], ["varbinary(255)", "binary(16)", "longtext"]],
  [{ kind: "interval" }, ["varchar(255)", "text"], ["time(6)", "varchar(20)"]],
  [{ kind: "native", system: "postgres", name: "int4[]" }, ["longtext"], ["varchar(255)", "point", "json"]],
])("mysql takes forwarded %j as the same value in %j only", (from, taken, refused) => {
  expect([...taken, ...refused].filter((to) => isTaken([{ from, to }]))).toEqual(taken)
})

test("mysql shows rejected rows as the source has them, or does not forward", () => {
  const flag: Pair = { from: { kind: "boolean" }, to: "tinyint(1)" }
  const strict: Pair = { from: { kind: "int32" }, to: "int", nulls: [true, false] }
  expect(isTaken([strict])).toBe(true)
  expect(isTaken([strict, flag])).toBe(true)
  const scaled: Pair = { from: { kind: "decimal", precision: 5, scale: 1 }, to: "decimal(9,2)" }
  expect(isTaken([strict, scaled])).toBe(false)
  expect(isTaken([{ ...strict, nulls: [false, false] }, scaled])).toBe(true)
  expect(isTaken([strict, { from: text, to: "text", names: ["a", "b"] }])).toBe(false)
  expect(isTaken([scaled], "append")).toBe(true)
  expect(isTaken([scaled], "updateRows")).toBe(false)
  expect(isTaken([{ ...scaled, nulls: [false, true] }], "updateRows")).toBe(true)
  expect(isTaken([{ from: text, to: "varchar(5)" }, scaled])).toBe(false)
  expect(isTaken([{ from: text, to: "varchar(5)" }, flag])).toBe(true)
})

test("mysql does not forward what may be NULL to a column that fills itself in", () => {
  const id: Pair = {
    from: { kind: "int64" },
    to: "bigint(20)",
    identity: true,
    declared: "bigint",
    nulls: [true, false],
  }
  expect(isTaken([id])).toBe(false)
  expect(isTaken([{ ...id, nulls: [false, false] }])).toBe(true)
  expect(isTaken([{ ...id, nulls: [false, false], declared: "positive_id" }])).toBe(false)
  const at: Pair = { from: instant, to: "timestamp(6)", declared: "timestamp with time zone", nulls: [true, false] }
  expect(isTaken([at])).toBe(false)
  expect(isTaken([{ ...at, nulls: [false, false] }])).toBe(true)
  expect(isTaken([{ ...at, nulls: [true, true] }])).toBe(true)
})

test("mysql does not forward JSON to a server that keeps it in a form of its own", () => {
  expect(isTaken([{ from: { kind: "json" }, to: "json" }], "append", NEW)).toBe(false)
  expect(isTaken([{ from: { kind: "json" }, to: "longtext" }], "append", NEW)).toBe(true)
})

test("mysql does not forward what may be NULL to a server that remembers it", () => {
  const strict: Pair = { from: { kind: "int32" }, to: "int", nulls: [true, false] }
  expect(isTaken([strict], "append", NEW)).toBe(true)
  for (const version of ["5.7.22", "8.0.15"]) {
    const old = { mariadb: false, version }
    expect(isTaken([strict], "append", old)).toBe(false)
    expect(isTaken([{ ...strict, nulls: [false, false] }], "append", old)).toBe(true)
    expect(isTaken([{ ...strict, nulls: [true, true] }], "append", old)).toBe(true)
  }
})
