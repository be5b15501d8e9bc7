import { Database as File } from "bun:sqlite"
import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sqlite from "../../plugins/sqlite/sqlite.ts"
import { testEngine } from "../../scripts/testing/engine.ts"
import { probeInput, probePlugins } from "../../scripts/testing/probes.ts"
import { testSession } from "../../scripts/testing/session.ts"
import type { Database, OpenRequest } from "../contract/index.ts"
import { databaseInput } from "./database-input.ts"
import type { DatabaseInputOptions } from "./options.ts"

const folder = mkdtempSync(join(tmpdir(), "incremental-"))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function shop(...statements: readonly string[]) {
  const path = join(folder, `shop-${++files}.db`)
  const database = new File(path, { create: true })
  database.run("PRAGMA journal_mode = WAL")
  for (const sql of statements) database.run(sql)
  const engine = testEngine({ shop: { type: "sqlite", settings: { path } } }, { plugins: probePlugins(probeInput()) })
  return {
    path,
    engine,
    query: (sql: string) => database.query(sql).values(),
    run: (sql: string) => void database.run(sql),
  }
}

const NUMBERS = "CREATE TABLE source (id INTEGER, n INTEGER)"
const COPY = "CREATE TABLE target (id INTEGER, n INTEGER)"

function flow(input: object, output: object = { table: "target" }, settings: object = {}) {
  return {
    version: 1,
    name: "load",
    steps: [
      { id: "in", use: "sqlite-input", config: { dataSource: "shop", table: "source", ...input } },
      { id: "out", use: "sqlite-output", config: { dataSource: "shop", ...output } },
    ],
    hops: [{ from: "in", to: "out" }],
    settings,
  }
}

/** Runs a flow as a scheduler would: each run gets the marks of the last that succeeded. */
function scheduler(engine: ReturnType<typeof shop>["engine"]) {
  let marks: Readonly<Record<string, string>> = {}
  return async (document: ReturnType<typeof flow>) => {
    const report = await engine.run(document, { marks })
    if (report.status !== "succeeded") throw new Error(JSON.stringify(report.failure))
    marks = { ...marks, ...report.marks }
    return { read: report.receipts.reduce((sum, { read }) => sum + read, 0), mark: marks.in, marks: report.marks }
  }
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = (await promise.catch((thrown: unknown) => thrown)) as { message: string; hint?: string }
  return error.hint === undefined ? error.message : `${error.message} | ${error.hint}`
}

for (const [how, settings] of [
  ["one split", {}],
  ["page ranges", { parallel: 4 }],
] as const) {
  test(`database-input loads each row once over many runs, in ${how}`, async () => {
    const { engine, query, run } = shop(NUMBERS, COPY)
    const next = scheduler(engine)
    const document = flow({ incremental: { column: "n" } }, undefined, settings)
    expect(await next(document)).toEqual({ read: 0, mark: undefined, marks: {} })
    for (let round = 0; round < 6; round++) {
      const rows = Array.from({ length: 200 }, (_, i) => `(${round * 200 + i}, ${round * 100 + (i % 50)})`)
      run(`INSERT INTO source VALUES ${rows.join(", ")}`)
      expect(await next(document)).toMatchObject({ read: 200, mark: String(round * 100 + 49) })
      expect(await next(document)).toMatchObject({ read: 0, mark: String(round * 100 + 49) })
    }
    expect(query("SELECT count(*), count(DISTINCT id) FROM target")).toEqual([[1200, 1200]])
  })
}

test("database-input divides what is new by another column, with the same end for all splits", async () => {
  const values = Array.from({ length: 900 }, (_, i) => `(${(i * 37) % 900}, ${i % 90})`)
  const { engine, query, run } = shop(NUMBERS, COPY, `INSERT INTO source VALUES ${values.join(", ")}`)
  const next = scheduler(engine)
  const document = flow({ splitColumn: "id", splits: 5, incremental: { column: "n" } }, undefined, { parallel: 3 })
  expect(await next(document)).toMatchObject({ read: 900, mark: "89" })
  run("INSERT INTO source SELECT id + 1000, n + 100 FROM source")
  const report = await engine.run(document, { marks: { in: "89" } })
  expect(report.splits).toBe(5)
  expect(report.marks).toEqual({ in: "189" })
  for (const { read } of report.receipts) expect(read).toBeWithin(150, 211)
  expect(query("SELECT count(*), count(DISTINCT id) FROM target")).toEqual([[1800, 1800]])
})

test("database-input reads no further than its mark, whatever comes in meanwhile, and a later attempt neither", async () => {
  for (const parallel of [1, 3]) {
    const { path, run } = shop(NUMBERS)
    const input = databaseInput(sqlite as Database)
    const settings = { path, readOnly: false, busyTimeoutMs: 1000, createIfMissing: false }
    const config: DatabaseInputOptions = {
      dataSource: { name: "shop", type: "sqlite", settings },
      table: "source",
      splitColumn: "id",
      incremental: { column: "n" },
    }
    const read = async (more: () => void, request: Partial<OpenRequest> = {}) => {
      const session = testSession()
      await using source = await input.open(config, { columns: ["id"], parallel, ...request }, session)
      more()
      const ids: number[] = []
      for (const split of source.splits) {
        for await (const item of source.read(split, session)) {
          if (item.encoding !== undefined) throw new Error("frames")
          ids.push(...[...session.batches.rows(item)].map(({ id }) => Number(id)))
        }
      }
      return { ids: ids.toSorted((a, b) => a - b), mark: source.mark, splits: source.splits }
    }
    const insert = (...rows: string[]) => run(`INSERT INTO source VALUES ${rows.join(", ")}`)
    expect(await read(() => insert("(1, 10)"))).toMatchObject({ ids: [], mark: undefined })
    insert("(2, 20)", "(3, 30)", "(4, 40)", "(5, 40)")
    const first = await read(() => insert("(6, 50)"))
    expect(first).toMatchObject({ ids: [1, 2, 3, 4, 5], mark: "40" })
    // As a resumed run does it: the splits bring their bounds along.
    expect((await read(() => insert("(7, 60)"), { splits: first.splits })).ids).toEqual([1, 2, 3, 4, 5])
    expect(await read(() => insert("(8, 70)"), { mark: "40" })).toMatchObject({ ids: [6, 7], mark: "60" })
  }
})

test("database-input reads again what lies within the overlap, and so finds a row that came late", async () => {
  const { engine, query, run } = shop(
    "CREATE TABLE source (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL)",
    "CREATE TABLE target (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL)",
    "INSERT INTO source VALUES (1, '2024-01-01 10:00:00'), (2, '2024-01-01 11:00:00')",
  )
  const next = scheduler(engine)
  const document = flow(
    { incremental: { column: "at", overlap: "30 minutes" } },
    { table: "target", mode: "updateRows" },
  )
  expect(await next(document)).toMatchObject({ read: 2, mark: "2024-01-01 11:00:00" })
  // One is just within the overlap, one equals the mark, one is before it.
  run(
    "INSERT INTO source VALUES (3, '2024-01-01 10:30:00'), (4, '2024-01-01 11:00:00'), (5, '2024-01-01 10:29:59.999')",
  )
  expect(await next(document)).toMatchObject({ read: 3, mark: "2024-01-01 11:00:00" })
  expect(query("SELECT id FROM target ORDER BY id").flat()).toEqual([1, 2, 3, 4])
  // What the overlap reads again does not take the mark back when the last rows are deleted.
  run("DELETE FROM source WHERE at = '2024-01-01 11:00:00'")
  expect(await next(document)).toMatchObject({ read: 1, mark: "2024-01-01 11:00:00" })
})

test("database-input keeps its mark when the rows that set it are deleted", async () => {
  const { engine, query, run } = shop(NUMBERS, COPY, "INSERT INTO source VALUES (1, 10), (2, 20), (3, 30)")
  const next = scheduler(engine)
  const document = flow({ incremental: { column: "n" } })
  expect(await next(document)).toMatchObject({ read: 3, mark: "30" })
  run("DELETE FROM source WHERE n > 10")
  expect(await next(document)).toMatchObject({ read: 0, mark: "30" })
  run("DELETE FROM source")
  run("INSERT INTO source VALUES (4, 25)")
  expect(await next(document)).toMatchObject({ read: 0, mark: "30" })
  run("INSERT INTO source VALUES (5, 31)")
  expect(await next(document)).toMatchObject({ read: 1, mark: "31" })
  expect(query("SELECT id FROM target ORDER BY id").flat()).toEqual([1, 2, 3, 5])
})

test("database-input leaves out rows whose column is NULL, and the plan says so", async () => {
  const { engine, query } = shop(NUMBERS, COPY, "INSERT INTO source VALUES (1, NULL), (2, 5), (3, NULL)")
  const document = flow({ incremental: { column: "n" } })
  expect(await scheduler(engine)(document)).toMatchObject({ read: 1, mark: "5" })
  expect(query("SELECT id FROM target")).toEqual([[2]])
  const { steps } = await engine.plan(document)
  expect(steps[0]!.notes.slice(-2)).toEqual([
    'incremental: "n" after the mark of the last run to its largest value when this run begins',
    'not read: rows whose "n" is NULL',
  ])
  expect(steps[0]!.estimatedRows).toBeUndefined()
})

test("database-input takes the greatest end of several tables", async () => {
  const { engine, query, run } = shop(
    ...["t1", "t2", "t3"].map((name) => `CREATE TABLE ${name} (id INTEGER, n INTEGER)`),
    COPY,
    "INSERT INTO t1 VALUES (1, 9)",
    "INSERT INTO t2 VALUES (2, 10), (3, 3)",
  )
  const next = scheduler(engine)
  const document = flow({ table: "t[1-3]", incremental: { column: "n" } })
  expect(await next(document)).toMatchObject({ read: 3, mark: "10" })
  run("INSERT INTO t3 VALUES (4, 11)")
  expect(await next(document)).toMatchObject({ read: 1, mark: "11" })
  expect(query("SELECT count(*) FROM target")).toEqual([[4]])
})

test("database-input fills a range in again without touching the mark", async () => {
  const { engine, query } = shop(NUMBERS, COPY, "INSERT INTO source VALUES (1, 10), (2, 20), (3, 30), (4, NULL)")
  const ids = async (incremental: object, marks = { in: "20" }) => {
    const report = await engine.run(flow({ incremental: { column: "n", ...incremental } }), { marks })
    expect(report.marks).toEqual({})
    const read = query("SELECT id FROM target ORDER BY id").flat()
    query("DELETE FROM target")
    return read
  }
  expect(await ids({ from: "10", to: "30" })).toEqual([1, 2])
  expect(await ids({ from: "10", to: "" })).toEqual([1, 2, 3])
  expect(await ids({ to: "30", overlap: "5" })).toEqual([1, 2])
  const parameters = { version: 1, parameters: { since: { type: "string", default: "" } } }
  const document = { ...flow({ incremental: { column: "n", from: "${since}" } }), ...parameters }
  const report = await engine.run(document, { marks: { in: "20" }, parameters: { since: "20" } })
  expect(report.receipts.map(({ read }) => read)).toEqual([2])
  const usual = await engine.run(document, { marks: { in: "20" } })
  expect(usual.marks).toEqual({ in: "30" })
  expect(usual.receipts.map(({ read }) => read)).toEqual([1])
})

test("database-input says what is wrong with an incremental load before it reads a row", async () => {
  const { engine } = shop("CREATE TABLE source (id INTEGER, n INTEGER, name TEXT, day DATE, f DOUBLE)", COPY)
  const plan = (incremental: object, rest: object = {}) =>
    refusal(
      engine.plan({ ...flow({ incremental }, { table: "target", mode: "updateRows", keyColumns: ["id"] }), ...rest }),
    )
  expect(await plan({ column: "nn" })).toBe('Cannot find column "nn" in table "source" | Did you mean "n"?')
  expect(await plan({ column: "name" })).toBe(
    'Cannot load by column "name": it is string, which every database and collation orders in its own way | Choose a column of integers, decimals, dates or timestamps',
  )
  expect(await plan({ column: "f" })).toContain("it is float64, whose values are rounded")
  expect(await plan({ column: "n", overlap: "1 day" })).toBe(
    'Cannot use the overlap "1 day": it is no whole number, such as 1000',
  )
  expect(await plan({ column: "day", overlap: "1 hour" })).toContain("it is not a number of whole days")
  expect(await plan({ column: "day", from: "yesterday" })).toBe(
    'Cannot load by column "day": "yesterday" is no value of type date',
  )
  expect(await plan({ column: "n", from: "5", to: "5" })).toBe('Cannot load from "5" to "5": no value lies between')
  expect(
    await refusal(
      engine.plan(flow({ query: "SELECT id + 1 AS x FROM source", table: undefined, incremental: { column: "x" } })),
    ),
  ).toContain('Cannot load by column "x"')
})

test("database-input does not go on from a mark that its column cannot hold", async () => {
  const { engine } = shop(NUMBERS, COPY)
  const report = await engine.run(flow({ incremental: { column: "n" } }), { marks: { in: "2024-01-01" } })
  expect(report.failure).toMatchObject({
    reason: "config",
    message: 'Cannot go on from the mark "2024-01-01" of the last run: column "n" is int64',
  })
})

test("database-input refuses an end that nothing could ever exceed", async () => {
  const { engine } = shop("CREATE TABLE source (id INTEGER, n INTEGER)", COPY, "INSERT INTO source VALUES (1, 'never')")
  const report = await engine.run(flow({ incremental: { column: "n" } }))
  expect(report.failure).toMatchObject({
    reason: "data",
    message: 'Cannot load by column "n": its largest value "never" is no end',
  })
})

test("plan refuses an overlap into an output that would double rows, and a mark without a name for it", async () => {
  const { engine } = shop(NUMBERS, COPY)
  const overlap = { incremental: { column: "n", overlap: "5" } }
  expect(await refusal(engine.plan(flow(overlap)))).toBe(
    'Step "in" reads rows again within the overlap, so output "out" needs mode updateRows or overwriteRows',
  )
  const { name: _, ...unnamed } = flow({ incremental: { column: "n" } })
  expect(await refusal(engine.plan(unnamed))).toBe(
    'Step "in" loads by a mark, and the flow has no name to keep the mark under',
  )
  // A backfill has no mark, and reads nothing again.
  const { name: __, ...backfill } = flow({ incremental: { column: "n", overlap: "5", from: "1" } })
  expect((await engine.plan(backfill)).steps[0]!.notes).toContain(
    'backfill: "n" from 1 to the end; the mark stays as it is',
  )
})

test("plan warns of an output that keeps nothing but what is new", async () => {
  const { engine } = shop(NUMBERS, COPY)
  const plan = await engine.plan(flow({ incremental: { column: "n" } }, { table: "target", mode: "replaceTable" }))
  expect(plan.warnings.map(({ message }) => message)).toContain(
    'Step "in" reads only what is new, and output "out" keeps nothing else: it replaces the table',
  )
})
