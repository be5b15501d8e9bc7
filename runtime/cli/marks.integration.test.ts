import { afterAll, expect, test } from "bun:test"
import { chain, Workplace } from "./testdata/headrace.ts"

const places: Workplace[] = []
afterAll(() => {
  for (const place of places) place[Symbol.dispose]()
})

/** A flow that appends the rows of `s` that are new, and a source with the ids up to `rows`. */
async function incremental(rows: number, output: object = {}) {
  const at = new Workplace()
  places.push(at)
  at.execute("source.db", "CREATE TABLE s (id INTEGER PRIMARY KEY, t TEXT)")
  add(at, 1, rows)
  const read = {
    id: "read",
    use: "sqlite-input",
    config: { dataSource: "source.db", table: "s", incremental: { column: "id" } },
  }
  const config = { dataSource: "t.db", table: "t", createTable: true, ...output }
  await at.write("flow.json", { ...chain(read, { id: "write", use: "sqlite-output", config }), name: "orders" })
  return at
}

function add(at: Workplace, from: number, to: number): void {
  at.execute(
    "source.db",
    `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) INSERT INTO s SELECT i, 'x' FROM n`,
  )
}

/** Makes the newest run one that has failed, and whose receipts are lost. */
function failSilently(at: Workplace): string {
  const { id } = at.newestRun()
  at.execute("home/state.db", `UPDATE runs SET status = 'failed', written = NULL, report = NULL WHERE id = '${id}'`)
  at.execute("home/state.db", "UPDATE splits SET receipt = NULL, written = NULL")
  at.execute("home/state.db", "DELETE FROM marks")
  return id
}

test("headrace run refuses to load by a mark again what a failed run has appended, also where only the ledger knows", async () => {
  const at = await incremental(10)
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  const id = failSilently(at)
  const refused = await at.headrace(["run", "flow.json"])
  expect(refused.code).not.toBe(0)
  expect(refused.err).toContain(`run ${id} failed after it had committed 10 rows at output "write"`)
  expect((await at.headrace(["resume", id])).code).toBe(0)
  add(at, 11, 12)
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  expect(at.query("t.db", "SELECT count(*), count(DISTINCT id) FROM t")).toEqual([[12, 12]])
})

test("headrace resume does not take a mark back that a later run of the flow has set", async () => {
  const at = await incremental(10)
  at.execute("t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, t TEXT CHECK (t <> 'x'))")
  expect((await at.headrace(["run", "flow.json"])).code).not.toBe(0)
  const { id } = at.newestRun()
  at.execute("t.db", "DROP TABLE t")
  add(at, 11, 20)
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  const refused = await at.headrace(["resume", id])
  expect(refused.code).toBe(2)
  expect(refused.err).toContain(`Cannot resume run ${id}: flow "orders" has gone on since`)
  expect(at.query("home/state.db", "SELECT mark FROM marks")).toEqual([["20"]])
  expect(at.query("t.db", "SELECT count(*) FROM t")).toEqual([[20]])
})

test("headrace marks lists, sets and drops how far a flow has read", async () => {
  const at = await incremental(10, { mode: "overwriteRows", keyColumns: ["id"] })
  at.execute("t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, t TEXT)")
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  const { id } = at.newestRun()
  const listed = async () => JSON.parse((await at.headrace(["marks", "list", "orders", "--json"])).out)
  expect(await listed()).toMatchObject([
    { flow: "orders", step: "read", dataSource: "source.db: s by id", mark: "10", run: id },
  ])
  const set = await at.headrace(["marks", "set", "orders", "read", "7"])
  expect(set).toMatchObject({ code: 0, err: 'the mark of step "read" of flow "orders" is 7, it was 10\n' })
  expect((await at.headrace(["run", "flow.json"])).err).toContain("write: 3 read = 3 written")
  await at.headrace(["marks", "set", "orders", "read", "9"])
  expect((await at.headrace(["marks", "list"])).out).toMatch(/orders +read +source\.db: s by id +9 .* by hand/)
  expect(await at.headrace(["marks", "drop", "orders"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("--yes"),
  })
  expect(await at.headrace(["marks", "drop", "orders", "read", "--yes"])).toMatchObject({
    code: 0,
    err: "dropped read at 9\n",
  })
  expect((await at.headrace(["run", "flow.json"])).err).toContain("write: 10 read = 10 written")
})

test("headrace marks refuses what makes no sense, and to work against a run", async () => {
  const at = await incremental(10)
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  const said = async (...words: string[]) => {
    const { code, err } = await at.headrace(["marks", ...words])
    expect(code).not.toBe(0)
    return err
  }
  expect(await said("set", "order", "read", "1")).toContain('no run of a flow "order" is known')
  expect(await said("set", "orders", "reads", "1")).toContain('Did you mean "read"?')
  expect(await said("set", "orders", "read", "yesterday")).toContain('it is no value of column "id"')
  expect(await said("drop", "orderz", "--yes")).toContain('Did you mean "orders"?')
  const { id } = at.newestRun()
  at.execute("home/state.db", "UPDATE runs SET status = 'running'")
  expect(await said("set", "orders", "read", "1")).toContain(`run ${id} was interrupted, and sets it at its end`)
  expect(await said("drop", "orders", "--yes")).toContain(`headrace cancel ${id}`)
  at.execute("home/state.db", `UPDATE runs SET pid = ${process.pid}, process = NULL`)
  expect(await said("set", "orders", "read", "1")).toContain(`run ${id} is going on (pid ${process.pid})`)
  expect(at.query("home/state.db", "SELECT mark FROM marks")).toEqual([["10"]])
})

test("headrace resume does not take back a mark that was set by hand meanwhile", async () => {
  const at = await incremental(10)
  at.execute("t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, t TEXT CHECK (t <> 'x'))")
  expect((await at.headrace(["run", "flow.json"])).code).not.toBe(0)
  const { id } = at.newestRun()
  await Bun.sleep(1100)
  const set = await at.headrace(["marks", "set", "orders", "read", "4"])
  expect(set.err).toContain('note: output "write" appends')
  const refused = await at.headrace(["resume", id])
  expect(refused.code).toBe(2)
  expect(refused.err).toContain('The mark of step "read" is 4, somebody has set it')
})
