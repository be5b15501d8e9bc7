import { afterAll, expect, test } from "bun:test"
import { statSync } from "node:fs"
import { chain, Workplace } from "./testdata/headrace.ts"

const places: Workplace[] = []
afterAll(() => {
  for (const place of places) place[Symbol.dispose]()
})

function workplace(): Workplace {
  const at = new Workplace()
  places.push(at)
  return at
}

/** A run with two rows that the input has rejected and two that the output has. */
async function rejected(output: object = {}) {
  const at = workplace()
  await at.write("q.csv", 'id,total,note\n1,1.5,a\n2,"2,5",b\n3,x,c\n4,4,\n5,5.5,e\n')
  at.execute("q.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, total DECIMAL_TEXT(10,2), remark TEXT NOT NULL)")
  at.execute("q.db", "INSERT INTO t VALUES (5, '0', 'old')")
  const columns = [
    { name: "id", type: "int64" },
    { name: "total", type: "decimal(10,2)" },
    { name: "note", type: "string" },
  ]
  const flow = chain(
    { id: "read", use: "csv-input", config: { path: "q.csv", columns } },
    { id: "rename", use: "select", config: { change: [{ column: "note", as: "remark" }] } },
    { id: "write", use: "sqlite-output", config: { dataSource: "q.db", table: "t", ...output } },
  )
  await at.write("flow.json", { ...flow, name: "orders", settings: { errorLimit: 10 } })
  const { code, err } = await at.headrace(["run", "flow.json"])
  expect({ code, err }).toEqual({ code: 0, err })
  const { id: run } = at.newestRun()
  expect(err).toContain(`note: rejected rows: headrace quarantine show ${run}`)
  return { at, run }
}

const quarantine = (at: Workplace, ...words: string[]) => at.headrace(["quarantine", ...words])

test("headrace quarantine lists, shows and exports what a run has rejected", async () => {
  const { at, run } = await rejected()
  const listed = await quarantine(at, "list", "--json")
  expect(JSON.parse(listed.out)).toEqual([
    { run, flow: "orders", step: "read", reason: "The text is not a value of type decimal(10,2)", rows: 2, held: 0 },
    { run, flow: "orders", step: "write", reason: 'NULL is not allowed in column "remark"', rows: 1, held: 0 },
    { run, flow: "orders", step: "write", reason: "UNIQUE constraint failed: t.id", rows: 1, held: 0 },
  ])
  const shown = await quarantine(at, "show", run, "--step", "read", "--limit", "1")
  expect(shown.out).toContain("q.csv:3  total   2,5")
  expect(shown.err).toContain("1 of 2 rows")
  const whole = await quarantine(at, "show", run, "--json")
  expect(
    whole.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).record),
  ).toEqual([
    { id: "2", total: "2,5", note: "b" },
    { id: "3", total: "x", note: "c" },
    { id: "4", total: "4.00", remark: null },
    { id: "5", total: "5.50", remark: "e" },
  ])
  expect((await quarantine(at, "export", run, "rows.csv", "--step", "read")).err).toBe("wrote 2 rows to rows.csv\n")
  expect(at.read("rows.csv")).toBe(
    '_id,_step,_position,_row,_column,_value,_reason,_code,id,total,note\n1,read,q.csv:3,1,total,"2,5","The text is not a value of type decimal(10,2)",,2,"2,5",b\n2,read,q.csv:4,2,total,x,"The text is not a value of type decimal(10,2)",,3,x,c\n',
  )
  expect(statSync(at.path("rows.csv")).mode & 0o777).toBe(0o600)
  expect(await quarantine(at, "export", run, "rows.txt")).toMatchObject({ code: 2 })
})

test("headrace quarantine replay writes mended rows where they were going, and lets bad ones wait on", async () => {
  const { at, run } = await rejected()
  const read = await quarantine(at, "replay", run, "--step", "read", "--set", "total = replace(total, ',', '.')")
  expect(read.err).toContain("read: 1 row replayed, 1 rejected again")
  expect(read.code).toBe(4)
  expect(at.query("q.db", "SELECT id, total, remark FROM t WHERE id = 2")).toEqual([[2, "2.50", "b"]])
  const write = await quarantine(at, "replay", run, "--step", "write", "--set", "remark = 'none'", "--json")
  expect(write.code).toBe(4)
  expect(JSON.parse(write.out)).toMatchObject({
    run,
    replays: [
      {
        step: "write",
        replayed: 1,
        rejected: 1,
        released: 0,
        incomplete: 0,
        report: { runId: `${run}-r2`, status: "succeeded" },
      },
    ],
  })
  expect(at.query("q.db", "SELECT id, remark FROM t ORDER BY id")).toEqual([
    [1, "a"],
    [2, "b"],
    [4, "none"],
    [5, "old"],
  ])
  at.execute("q.db", "DELETE FROM t WHERE id = 5")
  const rest = await quarantine(at, "replay", run, "--set", "total = 0")
  expect(rest.err).toContain("read: 1 row replayed\n")
  expect(rest.err).toContain("write: 1 row replayed\n")
  expect(rest.code).toBe(0)
  expect((await quarantine(at, "list")).err).toBe("No rejected rows wait\n")
  expect(at.query("q.db", "SELECT count(*), count(DISTINCT id) FROM t")).toEqual([[5, 5]])
  expect((await quarantine(at, "replay", run)).err).toContain(`No rejected rows wait in run ${run}`)
})

test("headrace quarantine replay refuses an assignment that it cannot follow", async () => {
  const { at, run } = await rejected()
  const said = async (...words: string[]) => {
    const { code, err } = await quarantine(at, "replay", run, ...words)
    expect(code).toBe(2)
    return err
  }
  expect(await said("--set", "total")).toContain('Option --set cannot be "total": at character 6, "=" is missing')
  expect(await said("--step", "read", "--set", "totl = 1")).toContain('there is no column "totl"')
  expect(await said("--step", "read", "--set", "total = nots")).toContain('Did you mean "note"?')
  expect(await said("--step", "raed")).toContain('Did you mean "read"?')
  expect(await said("--step", "rename")).toContain('No rejected rows of step "rename" wait')
  expect((await quarantine(at, "list", "--json")).out).toContain('"rows": 2')
})

test("headrace quarantine replay takes rows as a file has them, and refuses a file with the line that is wrong", async () => {
  const { at, run } = await rejected()
  await quarantine(at, "export", run, "rows.jsonl")
  const lines = at
    .read("rows.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
  const write = (rows: readonly unknown[]) =>
    at.write("edited.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  const said = async (...rows: unknown[]) => {
    await write(rows)
    const { code, err } = await quarantine(at, "replay", run, "--file", "edited.jsonl")
    expect(code).toBe(2)
    expect(at.query("q.db", "SELECT count(*) FROM t")).toEqual([[2]])
    return err
  }
  const [two] = lines
  const changed = (record: object) => ({ ...two, record })
  expect(await said(lines[1], changed({ ...two.record, extra: "1" }))).toContain(
    'line 2: step "read" knows no column "extra"',
  )
  expect(await said(changed({ id: "2", total: "2.5" }))).toContain('line 1: column "note" is missing')
  expect(await said({ ...two, id: 99 })).toContain(`line 1: there is no row 99 in run ${run}`)
  expect(await said(two, two)).toContain("line 2: row 1 is there twice")
  expect(await said(changed({ ...two.record, total: 2.5 }))).toContain('line 1: the value of column "total" is no text')
  expect(await said("x")).toContain('line 1: it has no "id"')
  await at.write("edited.jsonl", "{")
  expect((await quarantine(at, "replay", run, "--file", "edited.jsonl")).err).toContain("line 1: it is no JSON")
  expect((await quarantine(at, "replay", run, "--file", "none.jsonl")).err).toContain("there is no such file")
  await write([
    changed({ ...two.record, total: "2.5" }),
    { ...lines[2], record: { ...lines[2].record, remark: "mended" } },
  ])
  const done = await quarantine(at, "replay", run, "--file", "edited.jsonl")
  expect(done.code).toBe(0)
  expect(at.query("q.db", "SELECT id, remark FROM t ORDER BY id")).toEqual([
    [1, "a"],
    [2, "b"],
    [4, "mended"],
    [5, "old"],
  ])
  expect(JSON.parse((await quarantine(at, "list", "--json")).out)).toHaveLength(2)
})

test("headrace quarantine replay adds to a table that the flow replaces, and never to a file", async () => {
  const { at, run } = await rejected({ mode: "replaceTable", before: ["DELETE FROM t"] })
  expect(at.query("q.db", "SELECT id FROM t ORDER BY id")).toEqual([[1], [5]])
  const { code } = await quarantine(at, "replay", run, "--step", "write", "--set", "remark = 'none'")
  expect(code).toBe(0)
  expect(at.query("q.db", "SELECT id, remark FROM t ORDER BY id")).toEqual([
    [1, "a"],
    [4, "none"],
    [5, "e"],
  ])
  const read = {
    id: "read",
    use: "csv-input",
    config: {
      path: "q.csv",
      columns: [
        { name: "id", type: "int64" },
        { name: "total", type: "int64" },
        { name: "note", type: "string" },
      ],
    },
  }
  await at.write("file.json", {
    ...chain(read, { id: "write", use: "csv-output", config: { path: "out.csv" } }),
    settings: { errorLimit: 10 },
  })
  expect((await at.headrace(["run", "file.json"])).code).toBe(0)
  const before = at.read("out.csv")
  const refused = await quarantine(at, "replay", at.newestRun().id, "--set", "total = 1")
  expect(refused.code).toBe(2)
  expect(refused.err).toContain('Cannot replay into output "write": it writes a file as a whole')
  expect(at.read("out.csv")).toBe(before)
})

test("headrace quarantine replay maps rows that an output told of in the words of its table", async () => {
  const at = workplace()
  await at.write("m.csv", "a,b\n1,x\n1,y\n2,z\n")
  at.execute("m.db", "CREATE TABLE t (key INTEGER PRIMARY KEY, text TEXT)")
  const mapping = [
    { from: "a", to: "key" },
    { from: "b", to: "text" },
  ]
  const columns = [
    { name: "a", type: "int64" },
    { name: "b", type: "string" },
  ]
  const read = { id: "read", use: "csv-input", config: { path: "m.csv", columns } }
  const write = { id: "write", use: "sqlite-output", config: { dataSource: "m.db", table: "t", mapping } }
  await at.write("flow.json", { ...chain(read, write), settings: { errorLimit: 1 } })
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  const { code } = await quarantine(at, "replay", at.newestRun().id, "--set", "a = 7", "--set", "b = b || '!'")
  expect(code).toBe(0)
  expect(at.query("m.db", "SELECT key, text FROM t ORDER BY key")).toEqual([
    [1, "x"],
    [2, "z"],
    [7, "y!"],
  ])
})

test("headrace quarantine replay knows which column is which where a mapping swaps two names", async () => {
  const at = workplace()
  await at.write("m.csv", "a,b\n1,10\n1,11\n2,12\n")
  at.execute("m.db", "CREATE TABLE t (b INTEGER PRIMARY KEY, a INTEGER)")
  const mapping = [
    { from: "a", to: "b" },
    { from: "b", to: "a" },
  ]
  const columns = ["a", "b"].map((name) => ({ name, type: "int64" }))
  const read = { id: "read", use: "csv-input", config: { path: "m.csv", columns } }
  const write = { id: "write", use: "sqlite-output", config: { dataSource: "m.db", table: "t", mapping } }
  await at.write("flow.json", { ...chain(read, write), settings: { errorLimit: 1 } })
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  const run = at.newestRun().id
  const [line = ""] = (await quarantine(at, "show", run, "--json")).out.split("\n")
  expect(JSON.parse(line)).toMatchObject({ record: { a: "1", b: "11" } })
  expect((await quarantine(at, "replay", run, "--set", "a = 7")).code).toBe(0)
  expect(at.query("m.db", "SELECT b, a FROM t ORDER BY b")).toEqual([
    [1, 10],
    [2, 12],
    [7, 11],
  ])
})

test("headrace quarantine drop asks, and says so where it cannot", async () => {
  const { at, run } = await rejected()
  const refused = await quarantine(at, "drop", run)
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("--yes") })
  expect((await quarantine(at, "drop", run, "--step", "read", "--yes")).err).toBe("dropped 2 rows\n")
  expect((await quarantine(at, "drop", run, "--yes")).err).toBe("dropped 2 rows\n")
  expect((await quarantine(at, "drop", run, "--yes")).err).toBe("No rejected rows wait\n")
})

test("headrace quarantine replay neither loses nor doubles a row when it is killed, and killed again", async () => {
  const at = workplace()
  at.execute("c.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
  at.execute("c.db", `INSERT INTO t SELECT value, 'old' FROM ${SERIES}`)
  const columns = [
    { name: "id", type: "int64", sequence: true },
    { name: "text", type: "string(10)" },
  ]
  const read = { id: "read", use: "rows-input", config: { rows: ROWS, columns } }
  const write = { id: "write", use: "sqlite-output", config: { dataSource: "c.db", table: "t" } }
  await at.write("flow.json", { ...chain(read, write), settings: { errorLimit: ROWS } })
  expect((await at.headrace(["run", "flow.json"])).code).toBe(0)
  const { id: run } = at.newestRun()
  expect(at.query("home/state.db", "SELECT count(*) FROM rejections")).toEqual([[ROWS]])
  // Without a key, a row that is written twice is there twice.
  at.execute("c.db", "DROP TABLE t")
  at.execute("c.db", "CREATE TABLE t (id INTEGER, text TEXT)")
  const written = () => at.query("c.db", "SELECT count(*), count(DISTINCT id) FROM t")[0] as [number, number]
  let last = 0
  for (let kills = 0; kills < 2; kills++) {
    const child = at.start(["quarantine", "replay", run])
    while (written()[0] === last && child.exitCode === null) await Bun.sleep(1)
    child.kill("SIGKILL")
    await child.exited
    const [rows, different] = written()
    expect(rows).toBe(different)
    last = rows
  }
  const finished = await quarantine(at, "replay", run)
  if (last < ROWS) expect(finished.code).toBe(0)
  expect(written()).toEqual([ROWS, ROWS])
  expect(at.query("home/state.db", "SELECT status, count(*) FROM rejections GROUP BY 1")).toEqual([["replayed", ROWS]])
  expect(at.query("home/state.db", "SELECT settled FROM runs WHERE replay_of IS NOT NULL AND settled = 0")).toEqual([])
})

const ROWS = 30_000
const SERIES =
  "(WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 30000) SELECT value FROM n)"
