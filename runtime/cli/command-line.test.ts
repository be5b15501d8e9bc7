import { afterAll, expect, test } from "bun:test"
import { existsSync, statSync } from "node:fs"
import packageJson from "../../package.json" with { type: "json" }
import { chain, Workplace } from "./testdata/headrace.ts"

const at = new Workplace()
afterAll(() => at[Symbol.dispose]())
await at.write("people.csv", "id,name,born\n1,Ada,1815-12-10\n2,Grace,1906-12-09\n3,Alan,1912-06-23\n")

test("headrace copies a file into a new table and back to the same bytes", async () => {
  const into = await at.headrace(["copy", "people.csv", "people.db:people"])
  expect(into.err).toContain('Step "write" creates its table')
  expect(into.err).toContain("write: 3 read = 3 written + 0 rejected + 0 filtered")
  expect(into).toMatchObject({ code: 0, out: "" })
  expect(at.query("people.db", "SELECT name FROM people ORDER BY born")).toEqual([["Ada"], ["Grace"], ["Alan"]])
  expect(await at.headrace(["copy", "people.db:people", "again.csv"])).toMatchObject({ code: 0, out: "" })
  expect(at.read("again.csv")).toBe(at.read("people.csv"))
})

test("headrace run --json prints one report and nothing else", async () => {
  await at.write("sub/flow.json", chain(READ, { id: "write", use: "csv-output", config: { path: "out.csv" } }))
  await at.write("sub/people.csv", at.read("people.csv"))
  const { code, out, err } = await at.headrace(["run", "sub/flow.json", "--json"])
  expect({ code, err }).toEqual({ code: 0, err: "" })
  expect(JSON.parse(out)).toMatchObject({ status: "succeeded", receipts: [{ read: 3 }], rejected: 0 })
  expect(existsSync(at.path("sub/out.csv"))).toBe(true)
})

test("headrace keeps rejected rows in a file that only its owner can read, and ends with 4", async () => {
  await at.write("bad.csv", "id\n1\ntwo\n3\n")
  const read = { id: "read", use: "csv-input", config: { path: "bad.csv", columns: [{ name: "id", type: "int32" }] } }
  await at.write("bad.json", chain(read, { id: "write", use: "discard-output" }))
  const { code, err } = await at.headrace(["run", "bad.json", "--rejected", "r.jsonl"])
  expect(code).toBe(4)
  expect(err).toContain('Step "read" rejected a row')
  expect(err).toContain('column "id" "two"')
  expect(err).toContain("hint:")
  expect(err).toContain(`rejected rows: ${at.path("r.jsonl")}`)
  expect(JSON.parse(at.read("r.jsonl"))).toMatchObject({ step: "read", column: "id", value: "two" })
  expect(statSync(at.path("r.jsonl")).mode & 0o777).toBe(0o600)
})

test("headrace preview shows rows and writes nothing", async () => {
  const write = { id: "write", use: "sqlite-output", config: { dataSource: "none.db", table: "t", createTable: true } }
  await at.write("preview.json", chain(READ, write))
  const table = await at.headrace(["preview", "preview.json", "--rows", "2"])
  expect(table.out).toBe("id  name   born\n 1  Ada    1815-12-10\n 2  Grace  1906-12-09\n")
  const json = await at.headrace(["preview", "preview.json", "-n", "1", "--step", "read", "--json"])
  expect(json.out).toBe('{"id":1,"name":"Ada","born":"1815-12-10"}\n')
  expect(existsSync(at.path("none.db"))).toBe(false)
})

test("headrace create-table prints, applies once, and then says that the table exists", async () => {
  const words = ["create-table", "people.csv", "made.db:people"]
  const shown = await at.headrace(words)
  expect(shown.out).toContain('CREATE TABLE "people"')
  expect(await at.headrace([...words, "--apply"])).toMatchObject({ code: 0 })
  const again = await at.headrace([...words, "--apply"])
  expect(again).toMatchObject({ code: 5, out: "" })
  expect(again.err).toContain("exists")
})

test("headrace reads a flow from the standard input and fills in its parameters", async () => {
  const flow = JSON.stringify({
    ...chain(
      { id: "read", use: "csv-input", config: { path: "${file}" } },
      { id: "write", use: "console-output", config: { format: "json", maxRows: 1 } },
    ),
    parameters: { file: { type: "string" } },
  })
  const { code, out } = await at.headrace(["run", "-", "-p", "file=people.csv"], { stdin: flow })
  expect({ code, out }).toEqual({ code: 0, out: '{"id":1,"name":"Ada","born":"1815-12-10"}\n' })
  const params = await at.headrace(["params", "-", "-p", "file=x", "--bizdate", "2024-02-29", "--json"], {
    stdin: flow,
  })
  expect(JSON.parse(params.out)).toMatchObject({
    bizdate: "2024-02-29",
    parameters: [{ name: "file", value: "x" }, {}, {}, {}],
  })
})

test("headrace reads a flow that a shell hands over by <(…)", async () => {
  await at.write("handed.json", chain(READ, { id: "write", use: "csv-output", config: { path: "handed.csv" } }))
  const shell = ["bash", "-c", '"$0" "$1" check <(cat handed.json)']
  expect(await at.headrace([], { through: shell })).toEqual({ code: 0, out: "ok: 2 steps\n", err: "" })
})

test("headrace makes no SQLite file by looking for one", async () => {
  for (const words of [["tables"], ["test-connection"], ["columns", "t"]]) {
    const { code, err } = await at.headrace(words.toSpliced(1, 0, "tpyo.db"))
    expect(err).toContain(`Cannot open "${at.path("tpyo.db")}"`)
    expect(code).toBe(2)
  }
  expect(existsSync(at.path("tpyo.db"))).toBe(false)
})

test("headrace says when its output is lost, and not when its reader has seen enough", async () => {
  await at.headrace(["copy", "people.csv", "lost.db:people"])
  const full = await at.headrace(["tables", "lost.db"], { through: ["bash", "-c", '"$0" "$@" > /dev/full'] })
  expect(full.code).toBe(1)
  expect(full.err).toStartWith("error: Cannot write to the standard output: ")
  const head = ["bash", "-c", 'set -o pipefail; "$0" "$@" | true']
  expect(await at.headrace(["tables", "lost.db"], { through: head })).toEqual({ code: 0, out: "", err: "" })
})

test("headrace copy says how to consent to what is lossy, in its own words", async () => {
  at.execute("wide.sqlite", "CREATE TABLE w (x REAL)")
  at.execute("wide.sqlite", "CREATE TABLE n (x INTEGER)")
  const words = ["copy", "wide.sqlite:w", "wide.sqlite:n"]
  const refused = await at.headrace(words)
  expect(refused).toMatchObject({ code: 2, out: "" })
  expect(refused.err).toEndWith("hint: Accept it with --allow-lossy\n")
  const allowed = await at.headrace([...words, "--allow-lossy"])
  expect(allowed.code).toBe(0)
  expect(allowed.err).not.toContain("hint:")
})

test("headrace says its version, and what a wrong call should have been", async () => {
  expect(await at.headrace(["--version"])).toEqual({ code: 0, out: `headrace v${packageJson.version}\n`, err: "" })
  const command = await at.headrace(["rnu", "x"])
  expect(command).toMatchObject({ code: 2, out: "" })
  expect(command.err).toContain('There is no command "rnu"')
  expect(command.err).toContain('Did you mean "run"?')
  const option = await at.headrace(["run", "x", "--sorces", "y"])
  expect(option.code).toBe(2)
  expect(option.err).toContain('Did you mean "--sources"?')
  const said = async (...words: string[]) => (await at.headrace(words)).err.split("\n")[0]
  expect(await said("run", "x", "-p", "who")).toBe('error: Option --param cannot be "who": write NAME=VALUE')
  expect(await said("run", "x", "--parallel", "many")).toBe(
    'error: Option --parallel cannot be "many": it is no number',
  )
  expect(await said("copy", "a.csv", "b.csv", "--mode", "upsert")).toBe(
    'error: Option --mode cannot be "upsert": choose one of append, overwriteRows, updateRows',
  )
})

test("headrace reads only the columns that are written, whatever a step in between names", async () => {
  await at.headrace(["copy", "people.csv", "wide.db:people"])
  const read = { id: "read", use: "sqlite-input", config: { dataSource: "wide.db", table: "people" } }
  const drop = { id: "drop", use: "select", config: { drop: ["born"] } }
  await at.write("drop.json", chain(read, drop, { id: "write", use: "csv-output", config: { path: "dropped.csv" } }))
  const plan = await at.headrace(["plan", "drop.json", "--json"])
  const [first] = (JSON.parse(plan.out) as { steps: { output: { name: string }[] }[] }).steps
  expect(first?.output.map(({ name }) => name)).toEqual(["id", "name"])
  expect(await at.headrace(["run", "drop.json"])).toMatchObject({ code: 0 })
  expect(at.read("dropped.csv")).toBe("id,name\n1,Ada\n2,Grace\n3,Alan\n")
})

const READ = { id: "read", use: "csv-input", config: { path: "people.csv" } }
