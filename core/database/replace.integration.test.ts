import { describe, expect, test } from "bun:test"
import { testEngine } from "../../scripts/testing/engine.ts"
import { batchOfIds, idColumn } from "../../scripts/testing/probes.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { makeSubject, SUBJECTS, type Subject } from "../../scripts/testing/subject.ts"
import type { Batch, Column, Sink } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"
import { inTransaction, Ledger } from "./ledger.ts"

const input = { input: idColumn }
const newRun = () => `run-${crypto.randomUUID().slice(0, 8)}`
const OLD = [["100"], ["101"]]
const NEW = [["0"], ["1"], ["2"]]

/** Loads the ids 0 to 2 as one split, and neither finishes nor aborts: what follows is up to the test. */
async function loaded(subject: Subject, id: string, options: object = {}, fence = 1): Promise<Sink> {
  const sink = await subject.open({ table: "t", mode: "replaceTable", ...options }, input, { id, fence })
  const session = { ...testSession(), run: { id, fence } }
  if ((await sink.committed!("in/0", session)) !== undefined) return sink
  async function* rows(): AsyncGenerator<Batch> {
    yield batchOfIds(session, 0, 3)
  }
  await sink.write({ id: "in/0", attempt: 1, note: () => "" }, rows(), session)
  return sink
}

async function replaced(subject: Subject, id = newRun(), options: object = {}, fence = 1): Promise<void> {
  await using sink = await loaded(subject, id, options, fence)
  await sink.finish({ ...testSession(), run: { id, fence } })
}

async function target(name: Parameters<typeof makeSubject>[0]): Promise<Subject> {
  const subject = await makeSubject(name)
  await sql(subject, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (100), (101)")
  return subject
}

async function sql(subject: Subject, ...statements: string[]): Promise<void> {
  await using connection = await subject.connect()
  for (const statement of statements) await connection.execute(statement)
}

async function ids(subject: Subject, table = "t") {
  await using connection = await subject.connect()
  return await connection.query(`SELECT id FROM ${table} ORDER BY id`)
}

async function tables(subject: Subject): Promise<readonly string[]> {
  await using connection = await subject.connect()
  const names = (await connection.tables()).map(({ name }) => name)
  return names.filter((name) => name !== "headrace_ledger").sort()
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return "none"
  } catch (error) {
    const { message, reason } = pluginError(error)
    return `${reason}: ${message}`
  }
}

/** Notes, as the run itself would, that its swap has begun. */
async function noteSwapping(subject: Subject, id: string): Promise<void> {
  await using connection = await subject.connect()
  const run = { id, fence: 2 }
  const place = {
    dialect: subject.database.dialect,
    schema: undefined,
    step: "out",
    run,
    failure: testSession().failure,
  }
  const ledger = await Ledger.open(connection, place)
  await inTransaction(connection, () => ledger.record(connection, "swapping", { note: "t_dpfx_b" }))
}

const rename = (from: string, to: string) => `ALTER TABLE ${from} RENAME TO ${to}`

describe.each(SUBJECTS)("replaceTable in %s", (name) => {
  test("puts the loaded rows in the place of the old ones and leaves no other table", async () => {
    const subject = await target(name)
    await replaced(subject)
    expect(await ids(subject)).toEqual(NEW)
    await replaced(subject, newRun(), { replaceBy: "rewrite" })
    expect(await ids(subject)).toEqual(NEW)
    expect(await tables(subject)).toEqual(["t"])
  })

  test("creates a table that is missing", async () => {
    const subject = await makeSubject(name)
    await replaced(subject, newRun(), { createTable: true })
    expect(await ids(subject)).toEqual(NEW)
    expect(await tables(subject)).toEqual(["t"])
  })

  test("keeps the last row of a key where keyColumns are given, and rejects a repeated key otherwise", async () => {
    const subject = await target(name)
    const columns: Column[] = [...idColumn, { name: "v", type: { kind: "int32" }, nullable: true }]
    await sql(subject, "DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY, v int)")
    for (const [options, rejected, kept] of [
      [{ keyColumns: ["id"] }, 0, "2"],
      [{}, 1, "1"],
    ] as const) {
      const id = newRun()
      const run = { id, fence: 1 }
      await using sink = await subject.open({ table: "t", mode: "replaceTable", ...options }, { input: columns }, run)
      const session = { ...testSession(), run }
      const batch = session.batches.fromRows(columns, [
        { id: 1, v: 1 },
        { id: 1, v: 2 },
      ])
      async function* rows(): AsyncGenerator<Batch> {
        yield batch
      }
      await sink.write({ id: "in/0", attempt: 1, note: () => "" }, rows(), session)
      await sink.finish(session)
      expect(session.rejected).toHaveLength(rejected)
      await using connection = await subject.connect()
      expect(await connection.query("SELECT id, v FROM t")).toEqual([["1", kept]])
    }
  })

  test("died while loading: the next run drops what is staged and starts anew", async () => {
    const subject = await target(name)
    await (await loaded(subject, newRun()))[Symbol.asyncDispose]()
    expect(await tables(subject)).toEqual(["t", "t_dpfx_b"])
    expect(await ids(subject)).toEqual(OLD)
    await replaced(subject)
    expect(await ids(subject)).toEqual(NEW)
    expect(await tables(subject)).toEqual(["t"])
  })

  test("died while loading: the same run goes on with what is staged", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await sql(subject, "INSERT INTO t_dpfx_b VALUES (3)")
    await replaced(subject, id, {}, 2)
    expect(await ids(subject)).toEqual([...NEW, ["3"]])
  })

  test("died while loading, and somebody dropped the stage: the same run loads again", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await sql(subject, "DROP TABLE t_dpfx_b")
    await replaced(subject, id, {}, 2)
    expect(await ids(subject)).toEqual(NEW)
  })

  test("died between the renames: a load that was complete is put in place", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await noteSwapping(subject, id)
    await sql(subject, rename("t", "t_dpfx_tmp"))
    await using sink = await loaded(subject, id, {}, 3)
    expect(await ids(subject)).toEqual(NEW)
    await sink.finish({ ...testSession(), run: { id, fence: 3 } })
    expect(await ids(subject)).toEqual(NEW)
    expect(await tables(subject)).toEqual(["t"])
  })

  test("died between the renames: the old rows come back where the load was not complete", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await sql(subject, rename("t", "t_dpfx_tmp"))
    await (await loaded(subject, newRun()))[Symbol.asyncDispose]()
    expect(await ids(subject)).toEqual(OLD)
    expect(await tables(subject)).toEqual(["t", "t_dpfx_b"])
  })

  test("died before the old table was dropped: it is dropped, and nothing is loaded again", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await noteSwapping(subject, id)
    await sql(subject, rename("t", "t_dpfx_tmp"), rename("t_dpfx_b", "t"))
    const run = { id, fence: 3 }
    await using sink = await subject.open({ table: "t", mode: "replaceTable" }, input, run)
    expect(await sink.committed!("in/0", { ...testSession(), run })).toBeDefined()
    await sink.finish({ ...testSession(), run })
    expect(await ids(subject)).toEqual(NEW)
    expect(await tables(subject)).toEqual(["t"])
  })

  test("the loaded table is lost: the old rows come back, and the run fails", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await noteSwapping(subject, id)
    await sql(subject, rename("t", "t_dpfx_tmp"), "DROP TABLE t_dpfx_b")
    expect(await failureOf(replaced(subject, id, {}, 3))).toContain("the old rows are back")
    expect(await ids(subject)).toEqual(OLD)
    expect(await tables(subject)).toEqual(["t"])
  })

  test("only a loaded table is there: refuses and touches nothing", async () => {
    const subject = await target(name)
    await (await loaded(subject, newRun()))[Symbol.asyncDispose]()
    await sql(subject, "DROP TABLE t")
    expect(await failureOf(replaced(subject))).toContain('missing: Table "t" is missing, but "t_dpfx_b" is there')
    expect(await ids(subject, "t_dpfx_b")).toEqual(NEW)
  })

  test.each(["t_dpfx_b", "t_dpfx_tmp"])("refuses a table %s that no run has made, and keeps it", async (other) => {
    const subject = await target(name)
    await sql(subject, `CREATE TABLE ${other} (id int)`, `INSERT INTO ${other} VALUES (7)`)
    expect(await failureOf(replaced(subject))).toMatch(new RegExp(`"(public\\.)?${other}" is in the way`))
    expect(await ids(subject, other)).toEqual([["7"]])
    expect(await ids(subject)).toEqual(OLD)
  })

  test("leaves tables of these names alone that somebody has made after a run had ended", async () => {
    const subject = await target(name)
    for (const other of ["t_dpfx_b", "t_dpfx_tmp"]) {
      await replaced(subject)
      await sql(subject, `CREATE TABLE ${other} (id int)`, `INSERT INTO ${other} VALUES (7)`)
      expect(await failureOf(replaced(subject))).toMatch(new RegExp(`"(public\\.)?${other}" is in the way`))
      expect(await ids(subject, other)).toEqual([["7"]])
      await sql(subject, `DROP TABLE ${other}`)
    }
  })

  test("given up in the instant after the renames: the load counts, and the old table goes", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await noteSwapping(subject, id)
    await sql(subject, rename("t", "t_dpfx_tmp"), rename("t_dpfx_b", "t"))
    const { component, config } = subject.output({ table: "t", mode: "replaceTable" })
    await component.discard!(config, { step: "out" }, { ...testSession(), run: { id, fence: 3 } })
    expect(await tables(subject)).toEqual(["t"])
    expect(await ids(subject)).toEqual(NEW)
    await sql(subject, "DELETE FROM t")
    await replaced(subject)
    expect(await ids(subject)).toEqual(NEW)
  })

  test("a run that is given up does not touch the table while another one replaces it", async () => {
    const subject = await target(name)
    const id = newRun()
    await (await loaded(subject, id))[Symbol.asyncDispose]()
    await using other = await loaded(subject, newRun())
    const { component, config } = subject.output({ table: "t", mode: "replaceTable", timeoutMs: 300 })
    const discarding = component.discard!(config, { step: "out" }, { ...testSession(), run: { id, fence: 2 } })
    expect(await failureOf(discarding)).toContain("another run has been at it")
    expect(await ids(subject, "t_dpfx_b")).toEqual(NEW)
    await other.finish(testSession())
  })

  test("finishes once: called again it changes nothing", async () => {
    const subject = await target(name)
    const id = newRun()
    const session = { ...testSession(), run: { id, fence: 1 } }
    await using sink = await loaded(subject, id)
    await sink.finish(session)
    await sql(subject, "INSERT INTO t VALUES (55)")
    await sink.finish(session)
    expect(await ids(subject)).toEqual([...NEW, ["55"]])
  })

  test("abort and discard drop the stage and what was noted of it", async () => {
    const subject = await target(name)
    const id = newRun()
    const sink = await loaded(subject, id)
    await sink.abort({ ...testSession(), run: { id, fence: 1 } })
    await sink[Symbol.asyncDispose]()
    expect(await tables(subject)).toEqual(["t"])
    await replaced(subject, id, {}, 2)
    const other = newRun()
    await (await loaded(subject, other))[Symbol.asyncDispose]()
    const { component, config } = subject.output({ table: "t", mode: "replaceTable" })
    await component.discard!(config, { step: "out" }, { ...testSession(), run: { id: other, fence: 2 } })
    expect(await tables(subject)).toEqual(["t"])
    expect(await ids(subject)).toEqual(NEW)
  })

  test.each([
    [{ minRows: 4 }, "3 rows were loaded, checks.minRows is 4"],
    [{ queries: ["SELECT id FROM {table} WHERE id > 1"] }, "found 2"],
  ])("holds the loaded rows to its checks %p before anybody sees them", async (checks, message) => {
    const subject = await target(name)
    expect(await failureOf(replaced(subject, newRun(), { checks }))).toContain(message)
    expect(await ids(subject)).toEqual(OLD)
  })

  test("holds the loaded rows to the share that may go", async () => {
    const subject = await target(name)
    await sql(subject, "INSERT INTO t VALUES (102), (103), (104), (105)")
    const shrunk = (maxShrinkPercent: number) =>
      failureOf(replaced(subject, newRun(), { checks: { maxShrinkPercent } }))
    expect(await shrunk(49)).toContain("3 rows were loaded where there are 6 now")
    expect(await shrunk(50)).toBe("none")
  })

  test("lets one run at a time replace a table", async () => {
    const subject = await target(name)
    const first = await loaded(subject, newRun())
    expect(await failureOf(loaded(subject, newRun(), { timeoutMs: 300 }))).toContain("timeout: ")
    await first[Symbol.asyncDispose]()
    await replaced(subject)
    expect(await ids(subject)).toEqual(NEW)
  })

  test("replaces the rows of one date, in each format, and no others", async () => {
    const subject = await makeSubject(name)
    const columns: Column[] = [{ name: "ds", type: { kind: "string", length: 10 }, nullable: true }, ...idColumn]
    for (const [format, day, other] of [
      ["yyyyMMdd", "20260701", "20260702"],
      ["yyyy-MM-dd", "2026-07-01", "2026-07-02"],
      ["yyyy/MM/dd", "2026/07/01", "2026/07/02"],
      ["yyyy.MM.dd", "2026.07.01", "2026.07.02"],
    ] as const) {
      await sql(
        subject,
        "CREATE TABLE t (ds varchar(10), id int)",
        `INSERT INTO t VALUES ('${day}', 1), ('${other}', 2)`,
      )
      const partition = { column: "ds", value: "20260701", format }
      const load = async (ds: string) => {
        const run = { id: newRun(), fence: 1 }
        const options = { table: "t", mode: "replaceTable", partition }
        await using sink = await subject.open(options, { input: columns }, run)
        const session = { ...testSession(), run }
        async function* rows(): AsyncGenerator<Batch> {
          yield session.batches.fromRows(columns, [{ ds, id: 9 }])
        }
        await sink.write({ id: "in/0", attempt: 1, note: () => "" }, rows(), session)
        try {
          await sink.finish(session)
        } catch (error) {
          await sink.abort(session)
          throw error
        }
      }
      await load(day)
      await using connection = await subject.connect()
      const all = () => connection.query("SELECT ds, id FROM t ORDER BY id")
      expect(await all()).toEqual([
        [other, "2"],
        [day, "9"],
      ])
      expect(await failureOf(load(other))).toContain("1 of 1 rows are not of partition")
      expect(await all()).toHaveLength(2)
      expect(await tables(subject)).toEqual(["t"])
      await connection.execute("DROP TABLE t")
    }
  })
})

/** Ends the connection that holds the lock of a replacement, and no other. */
const CUT_KEEPER = {
  postgres:
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
  mysql: undefined,
} as const

test("replaceTable in postgres mixes no rows of two runs when one has lost its lock without knowing", async () => {
  const subject = await target("postgres")
  const first = newRun()
  await using slow = await loaded(subject, first)
  const session = { ...testSession(), run: { id: first, fence: 1 } }
  await using admin = await subject.connect()
  await admin.query(CUT_KEEPER.postgres)
  const second = newRun()
  await using other = await loaded(subject, second)
  async function* more(): AsyncGenerator<Batch> {
    yield batchOfIds(session, 50, 60)
  }
  expect(await failureOf(slow.write({ id: "in/1", attempt: 1, note: () => "" }, more(), session))).toContain(
    "conflict: ",
  )
  expect(await failureOf(slow.finish(session))).not.toBe("none")
  expect(await ids(subject)).toEqual(OLD)
  await other.finish({ ...testSession(), run: { id: second, fence: 1 } })
  expect(await ids(subject)).toEqual(NEW)
  expect(await tables(subject)).toEqual(["t"])
})

const OBSTACLES = {
  postgres: ["CREATE VIEW seen AS SELECT id FROM t", "seen"],
  mysql: ["CREATE TRIGGER told BEFORE INSERT ON t FOR EACH ROW SET @told = 1", "told"],
} as const

test.each(["postgres", "mysql"] as const)(
  "replaceTable in %s is refused by the plan where a swap would break",
  async (name) => {
    const subject = await target(name)
    const [sql1, culprit] = OBSTACLES[name]
    await sql(subject, sql1)
    const messages = async (options: object) => {
      const { component, config } = subject.output({ mode: "replaceTable", ...options })
      const { issues } = await component.plan(config, idColumn, testSession())
      return issues.filter(({ severity }) => severity === "error").map(({ message }) => message)
    }
    expect(await messages({ table: "t" })).toEqual([expect.stringContaining(culprit)])
    expect(await messages({ table: "t", replaceBy: "rewrite" })).toEqual([])
    const long = "n".repeat(60)
    await sql(subject, `CREATE TABLE ${long} (id int)`)
    expect(await messages({ table: long })).toEqual([
      expect.stringMatching(/takes 69 bytes, the database allows 63|takes 69 characters, the database allows 64/),
    ])
    expect(await messages({ table: "t", replaceBy: "rewrite", ledger: "off" })).toEqual([
      expect.stringContaining("without a ledger"),
    ])
  },
)

test.each(["postgres", "mysql"] as const)("replaceTable in %s replaces the very table that it reads", async (name) => {
  const subject = await target(name)
  const engine = testEngine({ subject: { type: subject.database.id, settings: subject.settings } })
  const report = await engine.run({
    version: 1,
    steps: [
      { id: "in", use: `${name}-input`, config: { dataSource: "subject", query: "SELECT id + 1 AS id FROM t" } },
      {
        id: "out",
        use: `${name}-output`,
        config: { dataSource: "subject", table: "t", mode: "replaceTable", allowLossy: true },
      },
    ],
    hops: [{ from: "in", to: "out" }],
  })
  expect(report.failure).toBeUndefined()
  expect(await ids(subject)).toEqual([["101"], ["102"]])
})
