import { Database } from "bun:sqlite"
import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sqlite from "../../plugins/sqlite/sqlite.ts"
import { testEngine } from "../../scripts/testing/engine.ts"
import { probeInput, probePlugins } from "../../scripts/testing/probes.ts"
import { testSession } from "../../scripts/testing/session.ts"
import type { Column } from "../contract/index.ts"
import { driftOf } from "../flow/source-drift.ts"
import { grownTable, growTable } from "./schema-drift.ts"

const folder = mkdtempSync(join(tmpdir(), "schema-drift-"))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
/** A flow from one table to another, whose source is altered between the plan and the run. */
async function altered(
  between: readonly string[],
  settings: object,
  input: object = {},
  before: readonly string[] = [],
) {
  const path = join(folder, `drift-${++files}.db`)
  const database = new Database(path, { create: true })
  database.run("PRAGMA journal_mode = WAL")
  const change = async () => {
    for (const sql of between) database.run(sql)
    between = []
  }
  database.run("CREATE TABLE source (a INTEGER NOT NULL, b VARCHAR(10))")
  database.run("INSERT INTO source VALUES (1, 'x'), (2, 'y')")
  database.run("CREATE TABLE target (a INTEGER, b TEXT, c TEXT)")
  const engine = testEngine(
    { shop: { type: "sqlite", settings: { path } } },
    { plugins: probePlugins(probeInput({ open: change })) },
  )
  const report = await engine.run({
    version: 1,
    steps: [
      // Inputs are opened in this order.
      { id: "first", use: "probe-input" },
      { id: "away", use: "discard-output" },
      { id: "in", use: "sqlite-input", config: { dataSource: "shop", table: "source", ...input } },
      { id: "out", use: "sqlite-output", config: { dataSource: "shop", table: "target", before } },
    ],
    hops: [
      { from: "first", to: "away" },
      { from: "in", to: "out" },
    ],
    settings,
  })
  return { report, rows: database.query("SELECT a, b, c FROM target ORDER BY a").values() }
}

const WITH_C = ["ALTER TABLE source ADD COLUMN c TEXT", "UPDATE source SET c = 'new'"]

test("database-input refuses a source that changed after the plan, whatever the policy, and says how", async () => {
  const between = [
    "DROP TABLE source",
    "CREATE TABLE source (a BIGINT, c TEXT, d TEXT)",
    "INSERT INTO source VALUES (1, 'c', 'd')",
  ]
  for (const schemaDrift of ["fail", "ignore", "addColumns"]) {
    const { report, rows } = await altered(between, { schemaDrift })
    expect(report.failure).toMatchObject({ step: "in", reason: "config" })
    expect(report.failure?.message).toBe(
      'Cannot read table "source": it has changed since the run was planned: column "a" was INTEGER and is now BIGINT, was NOT NULL and may now be NULL; column "b" is gone; column "c" is new; column "d" is new',
    )
    expect(rows).toEqual([])
  }
})

test("database-input treats new columns as the flow's policy says", async () => {
  const failed = await altered(WITH_C, {})
  expect(failed.report.failure).toMatchObject({
    message: 'Cannot read table "source": it has changed since the run was planned: column "c" is new',
    hint: "Run the flow again to plan it with them, or set schemaDrift to ignore or addColumns",
  })
  expect(failed.rows).toEqual([])
  const ignored = await altered(WITH_C, { schemaDrift: "ignore" })
  expect(ignored.report.status).toBe("succeeded")
  expect(ignored.rows).toEqual([
    [1, "x", null],
    [2, "y", null],
  ])
  const planned = await altered(WITH_C, { schemaDrift: "addColumns" })
  expect(planned.report.status).toBe("succeeded")
  expect(planned.report.notes).toContain(
    'planned again: Cannot read table "source": it has changed since the run was planned: column "c" is new',
  )
  expect(planned.rows).toEqual([
    [1, "x", "new"],
    [2, "y", "new"],
  ])
})

test("database-input does not mind new columns where the flow names those that it wants", async () => {
  const { report, rows } = await altered(WITH_C, {}, { columns: ["a"] })
  expect(report.status).toBe("succeeded")
  expect(rows).toEqual([
    [1, null, null],
    [2, null, null],
  ])
})

test("database-input notices what a query gives anew", async () => {
  const { report } = await altered(WITH_C, {}, { table: undefined, query: "SELECT * FROM source" })
  expect(report.failure?.message).toBe(
    'Cannot read the query: it has changed since the run was planned: column "c" is new',
  )
})

test("database-input notices what changes while the targets are prepared", async () => {
  const { report, rows } = await altered([], {}, {}, ["ALTER TABLE source DROP COLUMN b"])
  expect(report.failure?.message).toBe(
    'Cannot read table "source": it has changed since the run was planned: column "b" is gone',
  )
  expect(rows).toEqual([])
})

const column = (name: string, rest: Partial<Column> = {}): Column => ({
  name,
  type: { kind: "int32" },
  nullable: true,
  ...rest,
})

test("schema-drift tells what matters of a change from what does not", () => {
  const changes = (was: Partial<Column>, is: Partial<Column>) =>
    driftOf([column("a", is)], { planned: [column("a", was)] }).changed
  expect(changes({}, { type: { kind: "int64" } })).toEqual(['column "a" was int32 and is now int64'])
  expect(
    changes(
      { type: { kind: "decimal", precision: 10, scale: 2 } },
      { type: { kind: "decimal", scale: 3, precision: 10 } },
    ),
  ).toEqual(['column "a" was decimal(10,2) and is now decimal(10,3)'])
  expect(changes({ type: { kind: "timestamp", zone: false } }, { type: { kind: "timestamp", zone: true } })).toEqual([
    'column "a" was timestamp and is now timestamp(zone)',
  ])
  expect(
    changes({ native: { system: "postgres", type: "json" } }, { native: { system: "postgres", type: "jsonb" } }),
  ).toEqual(['column "a" was json and is now jsonb'])
  expect(changes({ nullable: false }, {})).toEqual(['column "a" was NOT NULL and may now be NULL'])
  expect(changes({}, { nullable: false })).toEqual([])
  expect(changes({ comment: "x" }, { key: 1 })).toEqual([])
  expect(driftOf([column("b"), column("a")], { planned: [column("a")], seen: ["a"] })).toEqual({
    changed: [],
    added: ["b"],
  })
})

test("schema-drift adds the columns that a table lacks, once", async () => {
  const connection = await sqlite.connect(
    { path: join(folder, "grow.db"), readOnly: false, busyTimeoutMs: 1000, createIfMissing: true },
    testSession(),
  )
  await connection.execute('CREATE TABLE "t t" (id INTEGER PRIMARY KEY, "Name" TEXT)')
  const info = (await connection.describeTable({ name: "t t" }))!
  const input = [
    column("id", { key: 1, nullable: false }),
    column("NAME", { type: { kind: "string" } }),
    column('ne"w', { type: { kind: "decimal", precision: 10, scale: 2 }, nullable: false }),
    column("at", { type: { kind: "timestamp", zone: true }, key: 2 }),
    column("AT"),
  ]
  const options = { mapping: "name", allowLossy: false } as const
  const growth = grownTable(info, input, options, sqlite)
  expect(growth.added).toEqual(['ne"w', "at"])
  await growTable(connection, growth, 1000)
  // Another run has done the same meanwhile.
  await growTable(connection, growth, 1000)
  const grown = (await connection.describeTable({ name: "t t" }))!
  expect(grown.columns.map(({ name, type, nullable }) => ({ name, type, nullable }))).toEqual(
    growth.info.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
  )
  expect(grown.primaryKey).toEqual(["id"])
  expect(grownTable(grown, input, options, sqlite).statements).toEqual([])
  expect(grownTable(info, input, { ...options, mapping: "position" }, sqlite).statements).toEqual([])
  const wrong = { ...growth, statements: ["ALTER TABLE nowhere ADD COLUMN x TEXT NULL"], added: ["x"] }
  await expect(growTable(connection, wrong, 1000)).rejects.toThrow("nowhere")
  await connection.close()
})
