import { describe, expect, test } from "bun:test"
import { batchOfIds, idColumn } from "../../scripts/testing/probes.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { makeSubject, SUBJECTS, type Subject, type SubjectName } from "../../scripts/testing/subject.ts"
import type { Batch, Sink } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"

const input = { input: idColumn }

async function load(sink: Sink, split: string, from: number, to: number, run: { id: string; fence: number }) {
  const session = { ...testSession(), run }
  async function* rows(): AsyncGenerator<Batch> {
    yield batchOfIds(session, from, to)
  }
  await sink.write({ id: split, attempt: 1, note: () => "" }, rows(), session)
}

async function finished(sink: Sink, run: { id: string; fence: number }): Promise<string> {
  try {
    await sink.finish({ ...testSession(), run })
    return "none"
  } catch (error) {
    return pluginError(error).message
  }
}

const newRun = (fence = 1) => ({ id: `run-${crypto.randomUUID().slice(0, 8)}`, fence })

/** What makes the target keep another value than it is given. */
const MEDDLERS: Readonly<Record<SubjectName, readonly string[]>> = {
  postgres: [
    "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 5 THEN NEW.id = 50; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER meddle BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION meddle()",
  ],
  mysql: ["CREATE TRIGGER meddle BEFORE INSERT ON t FOR EACH ROW SET NEW.id = IF(NEW.id = 5, 50, NEW.id)"],
  sqlite: [
    "CREATE TRIGGER meddle AFTER INSERT ON t WHEN NEW.id = 5 BEGIN UPDATE t SET id = 50 WHERE rowid = NEW.rowid; END",
  ],
}

async function target(name: SubjectName): Promise<Subject> {
  const subject = await makeSubject(name)
  await using connection = await subject.connect()
  await connection.execute("CREATE TABLE t (id int)")
  await connection.execute("INSERT INTO t VALUES (1000), (NULL)")
  return subject
}

describe.each(SUBJECTS)("verify by checksum in %s", (name) => {
  test("proves what was added to a table that held rows before, also over two attempts", async () => {
    const subject = await target(name)
    const run = newRun()
    const first = await subject.open({ table: "t", verify: "checksum" }, input, run)
    await load(first, "in/0", 0, 10, run)
    await first[Symbol.asyncDispose]()
    const again = { ...run, fence: 2 }
    await using second = await subject.open({ table: "t", verify: "checksum" }, input, again)
    await load(second, "in/1", 10, 20, again)
    expect(await finished(second, again)).toBe("none")
  })

  test("names the column in which the target keeps another value", async () => {
    const subject = await target(name)
    await using connection = await subject.connect()
    for (const sql of MEDDLERS[name]) await connection.execute(sql)
    const run = newRun()
    await using sink = await subject.open({ table: "t", verify: "checksum" }, input, run)
    await load(sink, "in/0", 0, 10, run)
    expect(await finished(sink, run)).toContain('Column "id": 10 values with checksum')
  })

  test("proves the staged table before it is put in place", async () => {
    const subject = await target(name)
    const options = { table: "t", mode: "replaceTable", verify: "checksum" }
    const run = newRun()
    const sink = await subject.open(options, input, run)
    await load(sink, "in/0", 0, 10, run)
    await using connection = await subject.connect()
    await connection.execute("UPDATE t_dpfx_b SET id = 99 WHERE id = 9")
    expect(await finished(sink, run)).toContain("does not hold what was written")
    await sink.abort({ ...testSession(), run })
    await sink[Symbol.asyncDispose]()
    expect(await connection.query("SELECT COUNT(*) FROM t")).toEqual([["2"]])
    const next = newRun()
    await using whole = await subject.open(options, input, next)
    await load(whole, "in/0", 0, 10, next)
    expect(await finished(whole, next)).toBe("none")
    expect(await connection.query("SELECT COUNT(*) FROM t")).toEqual([["10"]])
  })

  test("is refused where rows may take the place of others, and without a ledger", async () => {
    const subject = await target(name)
    for (const options of [{ mode: "updateRows", keyColumns: ["id"] }, { ledger: "off" }]) {
      const { component, config } = subject.output({ table: "t", verify: "checksum", ...options })
      const { issues } = await component.plan(config, idColumn, testSession())
      expect(issues.map(({ message }) => message).join()).toContain("Cannot verify by checksum")
    }
  })
})
