import { describe, expect, test } from "bun:test"
import { makeSubject } from "../../scripts/testing/subject.ts"
import type { Column, LogicalType } from "../contract/index.ts"
import { mapColumns } from "./mapping.ts"
import { grownTable, growTable } from "./schema-drift.ts"

const TYPES: readonly LogicalType[] = [
  { kind: "boolean" },
  { kind: "int16" },
  { kind: "int64" },
  { kind: "uint64" },
  { kind: "float64" },
  { kind: "decimal", precision: 12, scale: 2 },
  { kind: "string", length: 40 },
  { kind: "string" },
  { kind: "bytes" },
  { kind: "date" },
  { kind: "time" },
  { kind: "timestamp", zone: false },
  { kind: "timestamp", zone: true },
  { kind: "json" },
  { kind: "uuid" },
]

describe.each(["postgres", "mysql"] as const)("%s", (name) => {
  test("schema-drift adds columns of every type to a table with rows, where they may be NULL", async () => {
    const { database, connect } = await makeSubject(name)
    await using connection = await connect()
    const { dialect } = database
    const table = { name: "t t" }
    await connection.execute(`CREATE TABLE ${dialect.quote("t t")} (id integer PRIMARY KEY)`)
    await connection.execute(`INSERT INTO ${dialect.quote("t t")} VALUES (1)`)
    const added = TYPES.map((type, i): Column => ({ name: `n${i} "\`'`, type, nullable: i % 2 === 0, key: i + 1 }))
    const input: readonly Column[] = [{ name: "id", type: { kind: "int32" }, nullable: false }, ...added]
    const options = { mapping: "name", allowLossy: true } as const
    const before = (await connection.describeTable(table))!
    const growth = grownTable(before, input, options, database)
    expect(growth.statements.length).toBe(TYPES.length)
    await growTable(connection, growth, 60_000)
    await growTable(connection, growth, 60_000)
    const after = (await connection.describeTable(table))!
    expect(after.columns.map((column) => column.name)).toEqual(growth.info.columns.map((column) => column.name))
    expect(after.columns.slice(1).every(({ nullable, hasDefault }) => nullable && !hasDefault)).toBe(true)
    expect(after.primaryKey).toEqual(["id"])
    // Everything has a place now, and the rows that were there have no value in it.
    expect(mapColumns(input, after.columns, options).pairs.length).toBe(input.length)
    expect(mapColumns(input, after.columns, options).issues.filter(({ severity }) => severity === "error")).toEqual([])
    const [row] = await connection.query(`SELECT * FROM ${dialect.quote("t t")}`)
    expect(row).toEqual(["1", ...TYPES.map(() => null)])
    expect(grownTable(after, input, options, database).statements).toEqual([])
  })
})
