import { afterAll, expect, test } from "bun:test"
import { chmodSync } from "node:fs"
import { SQL } from "bun"
import { postgres } from "../../scripts/services/services.ts"
import { chain, Workplace } from "./testdata/headrace.ts"

const at = new Workplace()
const server = await postgres()
const database = await server.createDatabase("cli")
const sql = new SQL(server.urlOf(database), { max: 1 })
afterAll(async () => {
  await sql.close()
  at[Symbol.dispose]()
})

await sql.unsafe(`CREATE TABLE target (id int PRIMARY KEY, name text NOT NULL);
  INSERT INTO target VALUES (100, 'before');
  CREATE TABLE locked (id int);
  CREATE ROLE guest LOGIN PASSWORD 'guest-password';
  GRANT CONNECT ON DATABASE "${database}" TO guest; GRANT SELECT ON target TO guest`)

const PASSWORD = "not-the-password-of-anybody"
const { host, port, user } = server
const settings = { host, port, user, database, password: server.password }
await at.write("headrace.sources.json", {
  pg: { type: "postgres", settings },
  guest: { type: "postgres", settings: { ...settings, user: "guest", password: "guest-password" } },
  "wrong-password": { type: "postgres", settings: { ...settings, user: "guest", password: { env: "WRONG" } } },
  unreachable: { type: "postgres", settings: { ...settings, port: 1 } },
  misspelt: { type: "postgras", settings },
  unset: { type: "postgres", settings: { ...settings, password: { env: "HEADRACE_TEST_UNSET" } } },
})
chmodSync(at.path("headrace.sources.json"), 0o600)
await at.write("people.csv", "id,name\n1,Ada\n2,Grace\n")
await at.write("words.csv", "id,name\n1,Ada\ntwo,Grace\n")
await at.write("twins.csv", "id,name,Name\n1,Ada,ada\n")

const read = (config: object = { path: "people.csv" }) => ({ id: "read", use: "csv-input", config })
const fromTable = (dataSource: string, table: string) => ({
  id: "read",
  use: "postgres-input",
  config: { dataSource, table },
})
const write = (config: object = {}) => ({
  id: "write",
  use: "postgres-output",
  config: { dataSource: "pg", table: "target", ...config },
})
const drop = { id: "write", use: "discard-output" }
const hop = (from: string, to: string) => ({ from, to })

interface Case {
  readonly flow: object | string
  readonly code: number
  /** What must be said: the step and the cause, and what would fix it. */
  readonly says: readonly string[]
}

const cases: Readonly<Record<string, Case>> = {
  "an unknown step": {
    flow: { version: 1, steps: [read(), write()], hops: [hop("raed", "write")] },
    code: 2,
    says: ['names an unknown step: "raed"', 'Did you mean "read"?'],
  },
  "a cycle": {
    flow: {
      version: 1,
      steps: [
        read(),
        { id: "a", use: "select", config: { drop: ["name"] } },
        { id: "b", use: "select", config: { drop: ["name"] } },
        write(),
      ],
      hops: [hop("read", "a"), hop("a", "b"), hop("b", "a"), { ...hop("b", "write"), send: "copy" }],
    },
    code: 2,
    says: ["form a cycle: ", "→", "Remove one of these hops"],
  },
  "an isolated step": {
    flow: { ...chain(read(), write()), steps: [read(), write(), { ...read(), id: "lonely" }] },
    code: 2,
    says: ['Step "lonely" is not connected', "Add a hop, or remove the step"],
  },
  "an input with a predecessor": {
    flow: {
      version: 1,
      steps: [read(), { ...read(), id: "second" }, write()],
      hops: [hop("read", "second"), hop("second", "write")],
    },
    code: 2,
    says: ['Input "second" has a predecessor: read'],
  },
  "a missing sending method": {
    flow: {
      version: 1,
      steps: [read(), write(), { ...drop, id: "other" }],
      hops: [hop("read", "write"), hop("read", "other")],
    },
    code: 2,
    says: ['Step "read" has 2 successors and no sending method', 'Set "send" to copy or round-robin'],
  },
  "an unknown component": {
    flow: chain({ ...read(), use: "csv-inptu" }, write()),
    code: 2,
    says: ['Step "read" uses an unknown component: "csv-inptu"', 'Did you mean "csv-input"?'],
  },
  "a misspelt option": {
    flow: chain(read({ path: "people.csv", delimeter: ";" }), write()),
    code: 2,
    says: ['Step "read": There is no option "delimeter"', 'Did you mean "delimiter"?'],
  },
  "an unknown column": {
    flow: chain(read(), { id: "pick", use: "select", config: { columns: ["id", "nmae"] } }, write()),
    code: 2,
    says: ['Step "pick"', 'column "nmae"', 'hint: It has "id", "name"'],
  },
  "an ambiguous mapping": {
    flow: chain(read({ path: "twins.csv" }), write({ table: "TARGET" })),
    code: 2,
    says: ['"write"', "hint:"],
  },
  "an unmapped column that must not be NULL": {
    flow: chain(read(), { id: "pick", use: "select", config: { columns: ["id"] } }, write()),
    code: 2,
    says: ['Step "write"', '"name"', "hint:"],
  },
  "malformed JSON": {
    flow: '{\n  "version": 1,\n  "steps": [}\n',
    code: 2,
    says: ["line 3, column 13", "flow.json"],
  },
  "an unknown data source": {
    flow: chain(fromTable("pq", "target"), drop),
    code: 2,
    says: ['Step "read": There is no data source "pq"', 'Did you mean "pg"?'],
  },
  "an unknown type of data source": {
    flow: chain(fromTable("misspelt", "target"), drop),
    code: 2,
    says: ['of an unknown type: "postgras"', 'Did you mean "postgres"?'],
  },
  "a secret that is not set": {
    flow: chain(fromTable("unset", "target"), drop),
    code: 2,
    says: ['option "password" of data source "unset"', "HEADRACE_TEST_UNSET is not set", "hint:"],
  },
  "a wrong password": {
    flow: chain(fromTable("wrong-password", "target"), drop),
    code: 3,
    says: ['"read"', "password", "hint:"],
  },
  "an unreachable host": {
    flow: chain(fromTable("unreachable", "target"), drop),
    code: 3,
    says: ['"read"', "ECONNREFUSED 127.0.0.1:1", "hint:"],
  },
  "a missing table": {
    flow: chain(fromTable("pg", "tagret"), drop),
    code: 2,
    says: ['"read"', 'Cannot find table "tagret"', 'Did you mean "target"?'],
  },
  "a source without privilege": {
    flow: chain(fromTable("guest", "locked"), drop),
    code: 1,
    says: ['"read"', "permission denied for table locked", "hint:"],
  },
  "a target without privilege": {
    flow: chain(read(), write({ dataSource: "guest" })),
    code: 1,
    says: ['"write"', "permission denied for table target", "hint:", "nothing was committed"],
  },
  "a missing file": {
    flow: chain(read({ path: "poeple.csv" }), write()),
    code: 2,
    says: ['"read"', "poeple.csv", "hint:"],
  },
  "a column that cannot be cast": {
    flow: chain(
      read({ path: "words.csv" }),
      { id: "cast", use: "select", config: { change: [{ column: "id", type: "int32" }] } },
      write(),
    ),
    code: 4,
    says: ['"cast" rejected a row', 'column "id" "two"', "nothing was committed", "hint:"],
  },
}

for (const [name, { flow, code, says }] of Object.entries(cases)) {
  test(`headrace run refuses ${name}, says where, why and what to do, and leaves the target as it was`, async () => {
    await at.write("flow.json", flow)
    const outcome = await at.headrace(["run", "flow.json"], { env: { WRONG: PASSWORD } })
    for (const words of says) expect(outcome.err).toContain(words)
    expect(outcome).toMatchObject({ code, out: "" })
    expect(outcome.err).not.toContain("    at ")
    expect(outcome.err).not.toContain(PASSWORD)
    expect(await targetRows()).toEqual([[100, "before"]])
  })
}

test("headrace check names the problems of all steps at once", async () => {
  await at.write("flow.json", chain(read({ path: "people.csv", delimeter: ";" }), write({ mode: "replace" })))
  const { code, err } = await at.headrace(["check", "flow.json"])
  expect(code).toBe(2)
  expect(err).toContain('"delimeter"')
  expect(err).toContain('"replace"')
})

test("headrace run tells an unreadable file by its name", async () => {
  await at.write("secret.csv", "id,name\n1,Ada\n")
  chmodSync(at.path("secret.csv"), 0)
  await at.write("flow.json", chain(read({ path: "secret.csv" }), write()))
  // For root every file is readable, so the program gets another user.
  const isRoot = process.getuid?.() === 0
  const through = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
  if (isRoot) chmodSync(at.folder, 0o777)
  if (isRoot) chmodSync(at.path("headrace.sources.json"), 0o644)
  const { code, err } = await at.headrace(["run", "flow.json"], { through })
  expect(err).toContain("secret.csv")
  expect(err).toContain("the system denies access")
  expect(err).toContain("hint:")
  expect(code).toBe(2)
  expect(await targetRows()).toEqual([[100, "before"]])
})

test("headrace run on a full disk leaves no half of a file and says that nothing was committed", async () => {
  const rows = { id: "read", use: "rows-input", config: { rows: 200_000, columns: [{ name: "n", type: "int64" }] } }
  await at.write("flow.json", chain(rows, { id: "write", use: "csv-output", config: { path: "big.csv" } }))
  const { code, err } = await at.headrace(["run", "flow.json"], { through: ["prlimit", "--fsize=1000000"] })
  expect(err).toContain("big.csv")
  expect(err).toContain("nothing was committed")
  expect(err).toContain("hint:")
  expect(code).toBe(1)
  expect(await Array.fromAsync(new Bun.Glob("big.csv*").scan({ cwd: at.folder, dot: true }))).toEqual([])
})

test("headrace run fails when the file for rejected rows cannot be written, and keeps the rows", async () => {
  const typed = read({
    path: "words.csv",
    ...{
      columns: [
        { name: "id", type: "int32" },
        { name: "name", type: "string" },
      ],
    },
  })
  await at.write("flow.json", { ...chain(typed, drop), settings: { errorLimit: 10 } })
  const { code, err } = await at.headrace(["run", "flow.json", "--rejected", "/dev/full"])
  expect(err).toContain('Cannot write rejected rows to "/dev/full": the disk is full')
  expect(err).toContain("headrace quarantine")
  expect(code).toBe(1)
})

test("headrace run cancels by Ctrl-C: the statement ends on the server, nothing stays, the code is 130", async () => {
  const slow = {
    dataSource: "pg",
    query: "SELECT 200 + i AS id, pg_sleep(60)::text AS name FROM generate_series(1, 2) i",
  }
  await at.write("flow.json", chain({ id: "read", use: "postgres-input", config: slow }, write()))
  const child = at.start(["run", "flow.json"])
  await until(async () => (await sleeping()) > 0)
  child.kill("SIGINT")
  expect(await child.exited).toBe(130)
  const err = await new Response(child.stderr).text()
  expect(err).toContain("cancelled in")
  expect(err).toContain('output "write": nothing was committed')
  await until(async () => (await sleeping()) === 0)
  expect(await targetRows()).toEqual([[100, "before"]])
})

async function sleeping(): Promise<number> {
  const [found] = await sql.unsafe(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%pg_sleep%'",
  )
  return found.n
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(20)
}

async function targetRows(): Promise<unknown> {
  return await sql.unsafe("SELECT id, name FROM target ORDER BY id").values()
}
