import { afterAll, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { chain, Workplace } from "./testdata/headrace.ts"

const ROWS = 400_000
const places: Workplace[] = []
const children: Bun.Subprocess[] = []
afterAll(() => {
  for (const child of children) child.kill("SIGKILL")
  for (const place of places) place[Symbol.dispose]()
})

/** A place of its own with a run that was killed after some of its twenty splits, which were read from one snapshot. */
async function interrupted(output: object = {}, more: object = {}) {
  const killed = await interruptedMaking(output, more)
  killed.at.execute("home/state.db", "UPDATE inputs SET one_snapshot = 1")
  return killed
}

/** The same, of rows that are made, which are the same at any time. */
async function interruptedMaking(output: object = {}, more: object = {}) {
  const at = new Workplace()
  places.push(at)
  const write = {
    id: "write",
    use: "sqlite-output",
    config: { dataSource: "t.db", table: "t", createTable: true, ...output },
  }
  await at.write("flow.json", { ...chain(READ, write), ...more })
  const run = await at.killedRun(["flow.json"], () => committed(at) >= 3)
  return { at, run }
}

function committed(at: Workplace): number {
  return at.query("home/state.db", "SELECT 1 FROM splits WHERE receipt IS NOT NULL").length
}

function ids(at: Workplace): unknown {
  return at.query("t.db", "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM t")[0]
}

const ALL = [ROWS, ROWS, 1, ROWS]

test("headrace resume goes on with the splits that are missing, after kill -9, and writes every row once", async () => {
  const { at, run } = await interrupted()
  const before = committed(at)
  expect(before).toBeLessThan(20)
  const listed = await at.headrace(["runs", "--status", "interrupted", "--json"])
  expect(JSON.parse(listed.out)).toMatchObject([{ id: run, status: "interrupted", attempts: 1, rejected: 0 }])
  const consent = await at.headrace(["resume", run])
  expect(consent).toMatchObject({ code: 2, out: "" })
  expect(consent.err).toContain(`the other ${20 - before} can only be read as the source is now`)
  expect(consent.err).toContain("--new-snapshot")
  expect(at.newestRun()).toEqual({ id: run, status: "running", fence: 1 })
  const resumed = await at.headrace(["resume", run, "--new-snapshot", "--json"])
  expect(resumed.code).toBe(0)
  const report = JSON.parse(resumed.out)
  expect(report).toMatchObject({ runId: run, fence: 2, status: "succeeded", splits: 20 })
  expect(report.receipts).toHaveLength(20)
  expect(report.steps.map(({ rowsOut }: { rowsOut: number }) => rowsOut)).toEqual([ROWS, ROWS])
  expect(ids(at)).toEqual(ALL)
  const again = await at.headrace(["resume", run])
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining("it has succeeded") })
})

test("headrace resume asks nothing where rows are the same at any time", async () => {
  const { at, run } = await interruptedMaking()
  expect(await at.headrace(["resume", run])).toMatchObject({ code: 0 })
  expect(ids(at)).toEqual(ALL)
})

test("headrace resume asks before it mixes two snapshots, also where only the ledger knows of the first", async () => {
  const { at, run } = await interrupted()
  // As if it had died between the commits and their notes.
  at.execute("home/state.db", "UPDATE splits SET receipt = NULL, written = NULL")
  const asked = await at.headrace(["resume", run])
  expect(asked.code).toBe(1)
  expect(asked.err).toMatch(/\d+ of 20 splits are committed, \d+ are left, which can only be read as the source is now/)
  expect(asked.err).toContain(`headrace resume ${run} --new-snapshot`)
  expect((await at.headrace(["resume", run, "--new-snapshot"])).code).toBe(0)
  expect(ids(at)).toEqual(ALL)
})

test("headrace resume goes on with what another process had just claimed, and only one of two does", async () => {
  const { at, run } = await interrupted()
  const both = await Promise.all([1, 2].map(() => at.headrace(["resume", run, "--new-snapshot"])))
  expect(both.map(({ code }) => code).sort()).toEqual([0, 2])
  expect(both.find(({ code }) => code === 2)?.err).toMatch(
    /somebody else has just taken it|is working on it|has succeeded/,
  )
  expect(ids(at)).toEqual(ALL)
})

test("headrace resume refuses a run that it does not know, that goes on, or that would not be the same", async () => {
  const { at, run } = await interrupted({}, { parameters: { region: { type: "string", default: "EU" } } })
  const said = async (...words: string[]) => {
    const { code, err } = await at.headrace(["resume", ...words])
    expect(code).toBe(2)
    return err
  }
  expect(await said(`${run}0`)).toContain(`Did you mean "${run}"?`)
  expect(await said(run, "-p", "region=US")).toContain('"region" was not given, now it is "US"')
  expect(await said(run, "--restart", "--new-snapshot")).toContain("Only one can be given")
  const text = at.read("flow.json")
  await at.write("flow.json", text.replace('"t.db"', '"other.db"'))
  expect(await said(run)).toContain(`the flow "${at.path("flow.json")}" has changed since the run began`)
  await at.write("flow.json", text)
  at.execute("home/state.db", "UPDATE runs SET started_at = started_at - 2592001000")
  expect(await said(run, "--new-snapshot")).toContain("it began more than 30 days ago")
  at.execute("home/state.db", "UPDATE runs SET started_at = started_at + 2592001000")
  at.execute("home/state.db", `UPDATE runs SET sources = replace(sources, 't.db"}', 'elsewhere.db"}')`)
  expect(await said(run, "--new-snapshot")).toMatch(
    /the path of data source "t.db" was ".*elsewhere.db", now it is ".*t.db"/,
  )
  at.execute("home/state.db", `UPDATE runs SET sources = replace(sources, 'elsewhere.db"}', 't.db"}')`)
  at.execute("home/state.db", `UPDATE inputs SET columns = replace(columns, '"int64"', '"int32"')`)
  expect(await said(run, "--new-snapshot")).toContain('column "id" is of another type')
  at.execute("home/state.db", `UPDATE inputs SET columns = replace(columns, '"int32"', '"int64"')`)
  at.execute("home/state.db", `UPDATE inputs SET splits = replace(splits, '"label"', '"volatile":true,"label"')`)
  const volatile = await said(run, "--new-snapshot")
  expect(volatile).toContain("are other rows in another state")
  // What was appended would be there twice, were it begun anew.
  expect(volatile).toMatch(/Remove what it has committed, \d+ rows at output "write"/)
  expect(volatile).not.toContain("--restart")
  expect(at.newestRun()).toEqual({ id: run, status: "running", fence: 1 })
})

test("headrace resume leaves a run to the process that works on it, unless that hangs", async () => {
  const { at, run } = await interrupted()
  const hung = Bun.spawn(["sleep", "100"])
  children.push(hung)
  const [start] = /\d+$/.exec((await Bun.file(`/proc/${hung.pid}/stat`).text()).split(" ").slice(0, 22).join(" ")) ?? []
  at.execute(
    "home/state.db",
    `UPDATE runs SET pid = ${hung.pid}, process = '${start}' || substr(process, instr(process, '@'))`,
  )
  const busy = await at.headrace(["resume", run, "--new-snapshot"])
  expect(busy).toMatchObject({ code: 2 })
  expect(busy.err).toContain(`process ${hung.pid} is working on it`)
  expect((await at.headrace(["resume", run, "--new-snapshot", "--force"])).code).toBe(0)
  expect(hung.exitCode).toBeNull()
  at.execute("home/state.db", "UPDATE runs SET status = 'running', host = 'another-machine'")
  const elsewhere = await at.headrace(["resume", run])
  expect(elsewhere.err).toContain('on "another-machine" works on it')
  expect(elsewhere.code).toBe(2)
})

test("headrace resume goes on with the stored flow when asked to, and when its file is gone", async () => {
  const { at, run } = await interrupted()
  await at.write("flow.json", "{}")
  expect((await at.headrace(["resume", run, "--new-snapshot", "--as-stored"])).code).toBe(0)
  expect(ids(at)).toEqual(ALL)
})

test("headrace resume --restart refuses to append what is there, and begins anew where rows are replaced", async () => {
  const appended = await interrupted()
  const refused = await appended.at.headrace(["resume", appended.run, "--restart"])
  expect(refused.code).toBe(2)
  expect(refused.err).toMatch(/it has committed \d+ rows at output "write", which would be there twice/)
  const { at, run } = await interrupted({ mode: "replaceTable" })
  const restarted = await at.headrace(["resume", run, "--restart"])
  expect(restarted).toMatchObject({ code: 0 })
  expect(ids(at)).toEqual(ALL)
  const listed = JSON.parse((await at.headrace(["runs", "--json"])).out)
  expect(listed).toMatchObject([
    { status: "succeeded", attempts: 1 },
    { id: run, status: "cancelled", attempts: 2 },
  ])
  expect(at.query("t.db", "SELECT name FROM sqlite_schema WHERE name LIKE '%dpfx%'")).toEqual([])
})

test("headrace resume --restart asks the ledger for what was committed in the moment before a crash", async () => {
  const { at, run } = await interrupted()
  at.execute("home/state.db", "UPDATE splits SET receipt = NULL, written = NULL")
  const refused = await at.headrace(["resume", run, "--restart"])
  expect(refused.code).toBe(2)
  expect(refused.err).toMatch(/it has committed \d+ rows at output "write", which would be there twice/)
  // Nothing was touched.
  expect((await at.headrace(["resume", run, "--new-snapshot"])).code).toBe(0)
  expect(ids(at)).toEqual(ALL)
})

test("headrace cancel says what stays by the word of the ledger", async () => {
  const { at, run } = await interrupted()
  at.execute("home/state.db", "UPDATE splits SET receipt = NULL, written = NULL")
  const { code, err } = await at.headrace(["cancel", run])
  expect(err).toMatch(/note: output "write": \d+ splits stay committed, \d+ rows/)
  expect(code).toBe(0)
})

test("headrace resume appends no split twice that the journal knows, at an output without a ledger", async () => {
  const { at, run } = await interrupted({ ledger: "off" })
  const resumed = await at.headrace(["resume", run, "--new-snapshot", "--json"])
  const { receipts } = JSON.parse(resumed.out) as { receipts: { outputs: { guarantee: string }[] }[] }
  expect(receipts).toHaveLength(20)
  expect(new Set(receipts.flatMap(({ outputs }) => outputs.map(({ guarantee }) => guarantee)))).toEqual(
    new Set(["at-least-once"]),
  )
  const [rows, different] = ids(at) as [number, number]
  expect(different).toBe(ROWS)
  // Killed between a commit and its note, a split is there twice: this is what at least once means.
  expect([0, ROWS / 20]).toContain(rows - different)
})

test("headrace cancel stops a process, removes what it left, and leaves nothing to resume", async () => {
  const at = new Workplace()
  places.push(at)
  const write = {
    id: "write",
    use: "sqlite-output",
    config: { dataSource: "t.db", table: "t", createTable: true, mode: "replaceTable" },
  }
  // Far more than can be read before the other process has started, on however fast a machine.
  const endless = { ...READ, config: { ...READ.config, rows: 1000 * ROWS, splits: 10_000 } }
  await at.write("flow.json", chain(endless, write))
  const child = at.start(["run", "flow.json"])
  while (!existsSync(at.path("home/state.db")) || !hasCommitted(at)) await Bun.sleep(2)
  const { id } = at.newestRun()
  const cancelled = await at.headrace(["cancel", id])
  expect(cancelled).toMatchObject({ code: 0, out: "" })
  expect(cancelled.err).toContain(`asking process ${child.pid} to stop`)
  expect(cancelled.err).toContain(`process ${child.pid} has stopped`)
  expect(await child.exited).toBe(143)
  expect(at.newestRun()).toEqual({ id, status: "cancelled", fence: 2 })
  expect(at.query("t.db", "SELECT name FROM sqlite_schema WHERE name LIKE 't%'")).toEqual([])
  expect((await at.headrace(["resume", id])).err).toContain(
    "it was cancelled, and what it had not finished was removed",
  )
  expect((await at.headrace(["cancel", id])).err).toContain("it has been given up before")
})

test("headrace cancel kills a process that does not stop in time", async () => {
  const { at, run } = await interrupted()
  const deaf = Bun.spawn(["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"])
  children.push(deaf)
  const fields = async () => (await Bun.file(`/proc/${deaf.pid}/stat`).text()).split(" ")
  const start = (await fields())[21]
  // Until the trap is set, the signal would do.
  while (!/SigIgn:\s*0*4000/m.test(await Bun.file(`/proc/${deaf.pid}/status`).text())) await Bun.sleep(5)
  at.execute(
    "home/state.db",
    `UPDATE runs SET pid = ${deaf.pid}, process = '${start}' || substr(process, instr(process, '@'))`,
  )
  const { code, err } = await at.headrace(["cancel", run, "--deadline", "1"])
  expect(err).toContain(`process ${deaf.pid} has not stopped in 1 s: killing it`)
  expect(err).toMatch(/note: output "write": \d+ splits stay committed, \d+ rows/)
  expect(code).toBe(0)
  expect(await deaf.exited).toBe(137)
  expect(at.newestRun()).toMatchObject({ status: "cancelled", fence: 2 })
})

test("headrace run refuses a flow that goes on by a mark while an earlier run of it is unfinished", async () => {
  const at = new Workplace()
  places.push(at)
  at.execute("source.db", "CREATE TABLE s (id INTEGER PRIMARY KEY, t TEXT)")
  at.execute(
    "source.db",
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) INSERT INTO s SELECT i, 'x' FROM n`,
  )
  const read = {
    id: "read",
    use: "sqlite-input",
    config: { dataSource: "source.db", table: "s", splitColumn: "id", splits: 20, incremental: { column: "id" } },
  }
  const write = { id: "write", use: "sqlite-output", config: { dataSource: "t.db", table: "t", createTable: true } }
  await at.write("flow.json", { ...chain(read, write), name: "orders" })
  const run = await at.killedRun(["flow.json"], () => committed(at) >= 2)
  const refused = await at.headrace(["run", "flow.json"])
  expect(refused.code).toBe(2)
  expect(refused.err).toContain(`run ${run} was interrupted`)
  expect(refused.err).toContain(`headrace resume ${run}`)
  expect(at.newestRun().id).toBe(run)
  expect((await at.headrace(["resume", run, "--new-snapshot"])).code).toBe(0)
  expect(at.query("t.db", "SELECT count(*), count(DISTINCT id) FROM t")).toEqual([[400_000, 400_000]])
  expect(at.query("home/state.db", "SELECT flow, step, source, mark, run FROM marks")).toEqual([
    ["orders", "read", "source.db: s by id", "400000", run],
  ])
  at.execute("source.db", "INSERT INTO s VALUES (400001, 'new')")
  const next = await at.headrace(["run", "flow.json"])
  expect(next.err).toContain("write: 1 read = 1 written")
  expect(at.query("home/state.db", "SELECT mark FROM marks")).toEqual([["400001"]])
  at.execute("source.db", "CREATE TABLE other AS SELECT * FROM s")
  const elsewhere = { ...read, config: { ...read.config, table: "other" } }
  await at.write("flow.json", { ...chain(elsewhere, write), name: "orders" })
  const other = await at.headrace(["run", "flow.json"])
  expect(other.code).toBe(2)
  expect(other.err).toContain(
    'it has read "source.db: s by id" up to 400001, and would read "source.db: other by id" now',
  )
  expect(at.query("t.db", "SELECT count(*) FROM t")).toEqual([[400_001]])
})

function hasCommitted(at: Workplace): boolean {
  try {
    return committed(at) >= 2
  } catch {
    return false
  }
}

const READ = {
  id: "read",
  use: "rows-input",
  config: { rows: ROWS, splits: 20, columns: [{ name: "id", type: "int64", sequence: true }] },
}
