import { Database } from "bun:sqlite"
import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { testEngine } from "../../scripts/testing/engine.ts"
import { batchOfIds, probeInput, probePlugins } from "../../scripts/testing/probes.ts"
import type { Component } from "../contract/index.ts"

const folder = mkdtempSync(join(tmpdir(), "database-flow-"))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
/** A database file with these tables, and an engine that knows it as `shop`. */
function shop(statements: readonly string[], ...components: Component[]) {
  const path = join(folder, `shop-${++files}.db`)
  const database = new Database(path, { create: true })
  database.run("PRAGMA journal_mode = WAL")
  for (const sql of statements) database.run(sql)
  const engine = testEngine(
    { shop: { type: "sqlite", settings: { path } } },
    { base: folder, plugins: probePlugins(...components) },
  )
  const query = (sql: string) => database.query(sql).values()
  return { engine, query }
}

function flow(input: object, output: object, settings: object = {}) {
  return {
    version: 1,
    steps: [
      { id: "in", ...input },
      { id: "out", ...output },
    ],
    hops: [{ from: "in", to: "out" }],
    settings,
  }
}

const into = (config: object) => ({ use: "sqlite-output", config: { dataSource: "shop", ...config } })
const from = (config: object) => ({ use: "sqlite-input", config: { dataSource: "shop", ...config } })

test("database-output drops a table that it created when nothing was committed", async () => {
  const input = probeInput({
    async *read(_split, session) {
      yield batchOfIds(session, 0, 10)
      throw new Error("Cannot read on")
    },
  })
  const { engine, query } = shop([], input)
  const report = await engine.run(flow({ use: "probe-input" }, into({ table: "made", createTable: true })))
  expect(report.failure?.step).toBe("in")
  expect(report.notes).toEqual(['output "out": nothing was committed'])
  expect(query("SELECT name FROM sqlite_schema WHERE name NOT LIKE '%headrace_ledger%'")).toEqual([])
})

test("database-output keeps a table that it created when something was committed", async () => {
  const input = probeInput({
    splits: 3,
    async *read(split, session) {
      yield batchOfIds(session, Number(split.id) * 10, Number(split.id) * 10 + 10)
      if (split.id === "1") throw new Error("Cannot read on")
    },
  })
  const { engine, query } = shop([], input)
  const report = await engine.run(flow({ use: "probe-input" }, into({ table: "made", createTable: true })))
  expect(report.status).toBe("failed")
  expect(report.notes).toEqual(['output "out": 1 of 3 splits stay committed, 10 rows'])
  expect(query("SELECT count(*), max(id) FROM made")).toEqual([[10, 9]])
})

test("database-output keeps a table that was there, as it was", async () => {
  const input = probeInput({
    async *read(_split, session) {
      yield batchOfIds(session, 0, 10)
      throw new Error("Cannot read on")
    },
  })
  const { engine, query } = shop(["CREATE TABLE old (id INTEGER)", "INSERT INTO old VALUES (99)"], input)
  await engine.run(flow({ use: "probe-input" }, into({ table: "old", createTable: true })))
  expect(query("SELECT id FROM old")).toEqual([[99]])
})

test("database-output runs before and after statements once, and after only when all went well", async () => {
  const log = (text: string) => `INSERT INTO log VALUES ('${text}')`
  const config = { table: "target", before: [log("before")], after: [log("after")] }
  const tables = ["CREATE TABLE log (text TEXT)", "CREATE TABLE target (id INTEGER PRIMARY KEY)"]
  const good = shop(tables, probeInput({ splits: 3 }))
  expect((await good.engine.run(flow({ use: "probe-input" }, into(config)))).status).toBe("succeeded")
  expect(good.query("SELECT text FROM log")).toEqual([["before"], ["after"]])
  const twice = await good.engine.run(flow({ use: "probe-input" }, into(config)))
  expect(twice.failure?.message).toContain("row 0")
  expect(good.query("SELECT text FROM log")).toEqual([["before"], ["after"], ["before"]])
  expect(good.query("SELECT count(*) FROM target")).toEqual([[30]])
})

test("database-output says which rows a key refuses, by step, row, column and value", async () => {
  const { engine, query } = shop(
    ["CREATE TABLE target (id INTEGER PRIMARY KEY)", "INSERT INTO target VALUES (4)"],
    probeInput(),
  )
  const report = await engine.run(flow({ use: "probe-input" }, into({ table: "target" }), { errorLimit: 1 }))
  expect(report.status).toBe("succeeded")
  expect(report.receipts[0]!.outputs).toMatchObject([{ step: "out", received: 10, written: 9, rejected: 1 }])
  expect(engine.rejections.map(({ step, split, row, record }) => ({ step, split, row, record }))).toEqual([
    { step: "out", split: "in/0", row: 4, record: { id: "4" } },
  ])
  expect(query("SELECT count(*) FROM target")).toEqual([[10]])
})

test("database-input reads ranges and lists of tables that have one structure", async () => {
  const create = (name: string, rest = "") => `CREATE TABLE "${name}" (id INTEGER NOT NULL, name VARCHAR(10)${rest})`
  const fill = (name: string, id: number) => `INSERT INTO "${name}" (id, name) VALUES (${id}, 'x')`
  const { engine, query } = shop([
    ...["o_01", "o_02", "o_04", "odd;name", "a[1]"].map((name) => create(name)),
    create("other", ", extra TEXT"),
    ...["o_01", "o_02", "o_04", "odd;name", "a[1]"].map((name, i) => fill(name, i)),
    "CREATE TABLE target (id INTEGER, name TEXT)",
  ])
  const run = (table: string) => engine.run(flow(from({ table }), into({ table: "target" })))
  const report = await run('o_[01-09];"odd;name";"a[1]";o_01')
  expect(report.failure).toBeUndefined()
  expect(query("SELECT id FROM target ORDER BY id")).toEqual([[0], [1], [2], [3], [4]])
  expect(report.receipts.map(({ label }) => label)).toEqual([
    "o_01: all rows",
    "o_02: all rows",
    "o_04: all rows",
    "odd;name: all rows",
    "a[1]: all rows",
  ])
  const refused = async (table: string) => {
    const error = (await run(table).catch((thrown: unknown) => thrown)) as { message: string; hint?: string }
    return `${error.message} | ${error.hint}`
  }
  expect(await refused("p_[1-3]")).toBe(
    'Cannot find a table that matches "p_[1-3]" in data source "shop" | Check the range: it stands for p_1 to p_3',
  )
  expect(await refused("o_01;othr")).toBe('Cannot find table "othr" in data source "shop" | Did you mean "other"?')
  expect(await refused("o_01;other")).toStartWith("Cannot read tables of differing structure: other differ from o_01")
  expect(await refused(";")).toStartWith('Cannot read the tables ";": no name is given')
  // A range of which an earlier term has read every table is no mistake.
  expect((await run("o_01;o_[01-01]")).status).toBe("succeeded")
})

test("database-input takes a column as nullable when it is so in one of the tables", async () => {
  const { engine } = shop(["CREATE TABLE t1 (id INTEGER NOT NULL)", "CREATE TABLE t2 (id INTEGER)"])
  const plan = await engine.plan(flow(from({ table: "t[1-2]" }), { use: "discard-output" }))
  expect(plan.steps[0]!.output[0]).toMatchObject({ name: "id", nullable: true })
})

test("database-input reads every row once, however it is divided", async () => {
  const rows = Array.from({ length: 1000 }, (_, i) => `(${i % 7 === 0 ? "NULL" : (i * 37) % 1000}, ${i})`)
  const { engine, query } = shop([
    "CREATE TABLE source (key INTEGER, n INTEGER)",
    `INSERT INTO source VALUES ${rows.join(", ")}`,
    "CREATE TABLE target (key INTEGER, n INTEGER)",
  ])
  for (const config of [
    { table: "source" },
    { query: "SELECT * FROM source;" },
    { table: "source", where: "n < 900 -- x" },
  ]) {
    const report = await engine.run(
      flow(
        from({ ...config, splitColumn: "key", splits: 6 }),
        into({ table: "target", before: ["DELETE FROM target"] }),
        {
          parallel: 3,
        },
      ),
    )
    expect(report.failure).toBeUndefined()
    expect(report.splits).toBe(6)
    const count = "where" in config ? 900 : 1000
    expect(query("SELECT count(*), count(DISTINCT n) FROM target")).toEqual([[count, count]])
  }
})

test("database-input closes what it opened when splits cannot be made", async () => {
  const { engine } = shop(["CREATE TABLE source (a INTEGER)"])
  const wrong = await engine
    .run(flow(from({ table: "source", splitColumn: "b" }), { use: "discard-output" }))
    .catch((error: unknown) => error)
  expect(wrong).toMatchObject({ reason: "missing", message: 'Cannot find column "b" in table "source"' })
  const error = await engine
    .run(flow(from({ query: "SELECT nonsense" }), { use: "discard-output" }))
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ _tag: "PluginError", step: "in" })
})

test("database-output takes names that objects have of themselves for what they are", async () => {
  const names = ["__proto__", "constructor", "toString"]
  const { engine, query } = shop([])
  const report = await engine.run({
    version: 1,
    steps: [
      { id: "in", use: "rows-input", config: { rows: 5, columns: names.map((name) => ({ name, type: "int32" })) } },
      { id: "out", ...into({ table: "constructor", createTable: true }) },
    ],
    hops: [{ from: "in", to: "out" }],
  })
  expect(report.failure).toBeUndefined()
  expect(query('SELECT count("__proto__"), count(constructor), count(toString) FROM "constructor"')).toEqual([
    [5, 5, 5],
  ])
})
