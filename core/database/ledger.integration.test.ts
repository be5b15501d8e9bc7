import { describe, expect, test } from "bun:test"
import { batchOfIds, idColumn } from "../../scripts/testing/probes.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { makeSubject, SUBJECTS, type Subject } from "../../scripts/testing/subject.ts"
import type { Batch, Session, Sink } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"

const input = { input: idColumn }
const newRun = () => `run-${crypto.randomUUID().slice(0, 8)}`

async function write(sink: Sink, split: string, from: number, to: number, session: Session, before = async () => {}) {
  async function* rows(): AsyncGenerator<Batch> {
    yield batchOfIds(session, from, to)
    await before()
  }
  return await sink.write({ id: split, attempt: 1, note: () => `note of ${split}` }, rows(), session)
}

async function values(subject: Subject, sql: string) {
  await using connection = await subject.connect()
  return await connection.query(sql)
}

async function reason(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return "none"
  } catch (error) {
    return pluginError(error).reason
  }
}

describe.each(SUBJECTS)("ledger in %s", (name) => {
  test("tells the next attempt which splits are committed, with their notes, and keeps the table exact", async () => {
    const subject = await makeSubject(name)
    const id = newRun()
    const options = { table: "t", createTable: true, before: ["CREATE TABLE once (a int)"] }
    const first = await subject.open(options, input, { id, fence: 1 })
    const session = { ...testSession(), run: { id, fence: 1 } }
    expect(await write(first, "in/0", 0, 10, session)).toEqual({ written: 10, guarantee: "exactly-once" })
    await first[Symbol.asyncDispose]()
    // Had the preparation statement run again, it would fail.
    await using second = await subject.open(options, input, { id, fence: 2 })
    const later = { ...testSession(), run: { id, fence: 2 } }
    expect(await second.committed!("in/0", later)).toEqual({
      written: 10,
      note: "note of in/0",
      guarantee: "exactly-once",
    })
    expect(await second.committed!("in/1", later)).toBeUndefined()
    await write(second, "in/1", 10, 20, later)
    await second.finish(later)
    expect(await values(subject, "SELECT COUNT(*), MIN(id), MAX(id) FROM t")).toEqual([["20", "0", "19"]])
  })

  test("refuses the commit of a worker whose run was taken over while it wrote", async () => {
    const subject = await makeSubject(name)
    await using connection = await subject.connect()
    await connection.execute("CREATE TABLE t (id int)")
    const id = newRun()
    await using old = await subject.open({ table: "t" }, input, { id, fence: 1 })
    const session = { ...testSession(), run: { id, fence: 1 } }
    if (name === "sqlite") {
      // One writer at a time: the old worker can only come before or after.
      await using next = await subject.open({ table: "t" }, input, { id, fence: 2 })
      expect(await reason(write(old, "in/0", 0, 10, session))).toBe("conflict")
      await write(next, "in/0", 0, 10, { ...testSession(), run: { id, fence: 2 } })
    } else {
      let next: Sink | undefined
      const late = write(old, "in/0", 0, 10, session, async () => {
        next = await subject.open({ table: "t" }, input, { id, fence: 2 })
      })
      expect(["conflict", "connection"]).toContain(await reason(late))
      await write(next!, "in/0", 0, 10, { ...testSession(), run: { id, fence: 2 } })
      await next![Symbol.asyncDispose]()
    }
    expect(await values(subject, "SELECT COUNT(*) FROM t")).toEqual([["10"]])
  })

  test("lets no split be committed twice, whatever the attempts believe", async () => {
    const subject = await makeSubject(name)
    const id = newRun()
    await using sink = await subject.open({ table: "t", createTable: true }, input, { id, fence: 1 })
    const session = { ...testSession(), run: { id, fence: 1 } }
    await write(sink, "in/0", 0, 10, session)
    expect(await reason(write(sink, "in/0", 0, 10, session))).toBe("conflict")
    expect(await values(subject, "SELECT COUNT(*) FROM t")).toEqual([["10"]])
  })

  test("refuses a run whose identity was used before, and an attempt behind a later one", async () => {
    const subject = await makeSubject(name)
    const id = newRun()
    const options = { table: "t", createTable: true }
    await (await subject.open(options, input, { id, fence: 1 }))[Symbol.asyncDispose]()
    expect(await reason(subject.open(options, input, { id, fence: 1 }))).toBe("conflict")
    await (await subject.open(options, input, { id, fence: 3 }))[Symbol.asyncDispose]()
    expect(await reason(subject.open(options, input, { id, fence: 2 }))).toBe("conflict")
  })

  test("tells apart splits and steps that a collation takes for equal", async () => {
    const subject = await makeSubject(name)
    const id = newRun()
    await using sink = await subject.open({ table: "t", createTable: true }, input, { id, fence: 1 })
    const session = { ...testSession(), run: { id, fence: 1 } }
    await write(sink, "in/A", 0, 1, session)
    await write(sink, "in/a", 1, 2, session)
    await write(sink, `in/${"x".repeat(5000)}'`, 2, 3, session)
    expect((await sink.committed!(`in/${"x".repeat(5000)}'`, session))?.written).toBe(1)
    expect(await values(subject, "SELECT COUNT(*) FROM t")).toEqual([["3"]])
  })

  test("rolls a split back when rejected rows cannot be kept", async () => {
    const subject = await makeSubject(name)
    const id = newRun()
    await using sink = await subject.open({ table: "t", createTable: true }, input, { id, fence: 1 })
    const sealed = async () => {
      throw testSession().failure("resource", "the disk is full")
    }
    expect(await reason(write(sink, "in/0", 0, 10, { ...testSession(), run: { id, fence: 1 }, sealed }))).toBe(
      "resource",
    )
    expect(await values(subject, "SELECT COUNT(*) FROM t")).toEqual([["0"]])
  })

  test("discard drops the empty table that a dead run created, and keeps one that holds rows", async () => {
    const subject = await makeSubject(name)
    const { component, config } = subject.output({ table: "t", createTable: true })
    const id = newRun()
    await (await subject.open({ table: "t", createTable: true }, input, { id, fence: 1 }))[Symbol.asyncDispose]()
    await component.discard!(config, { step: "out" }, { ...testSession(), run: { id, fence: 2 } })
    await using connection = await subject.connect()
    expect(await connection.describeTable({ name: "t" })).toBeUndefined()
    const other = newRun()
    const sink = await subject.open({ table: "t", createTable: true }, input, { id: other, fence: 1 })
    await write(sink, "in/0", 0, 10, { ...testSession(), run: { id: other, fence: 1 } })
    await sink[Symbol.asyncDispose]()
    await component.discard!(config, { step: "out" }, { ...testSession(), run: { id: other, fence: 2 } })
    expect(await values(subject, "SELECT COUNT(*) FROM t")).toEqual([["10"]])
  })
})

test.each(["postgres", "mysql"] as const)(
  "discard in %s keeps a created table to which somebody else has just written",
  async (name) => {
    const subject = await makeSubject(name)
    const { component, config } = subject.output({ table: "t", createTable: true })
    const id = newRun()
    await (await subject.open({ table: "t", createTable: true }, input, { id, fence: 1 }))[Symbol.asyncDispose]()
    await using other = await subject.connect()
    await other.begin()
    await other.execute("INSERT INTO t VALUES (7)")
    const discarding = component.discard!(config, { step: "out" }, { ...testSession(), run: { id, fence: 2 } })
    await Promise.race([discarding, new Promise((resolve) => setTimeout(resolve, 500))])
    await other.commit()
    await discarding
    expect(await values(subject, "SELECT id FROM t")).toEqual([["7"]])
  },
)

test("a resumed plan does not wait for the locks of a worker that hangs in its swap", async () => {
  const subject = await makeSubject("postgres")
  await using admin = await subject.connect()
  await admin.execute("CREATE TABLE t (id int)")
  const id = newRun()
  const hung = await subject.database.connect(subject.settings, { ...testSession(), run: { id, fence: 1 } })
  await hung.begin()
  await hung.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
  const { component, config } = subject.output({ table: "t", mode: "replaceTable" })
  const plan = await component.plan(config, idColumn, { ...testSession(), run: { id, fence: 2 } })
  expect(plan.issues).toEqual([])
  expect(await reason(hung.execute("SELECT 1"))).toBe("connection")
  await hung.close()
})
