import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { ApiClient } from "../../scripts/testing/api-client.ts"
import { chain } from "./testdata/headrace.ts"
import { servedPlace } from "./testdata/served-place.ts"

const { served, ada, at } = await servedPlace()

const files = join(served.home, "files")
mkdirSync(files, { recursive: true })
const shop = new Database(join(files, "shop.db"))
shop.run("PRAGMA journal_mode = WAL")
shop.run("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
shop.run("INSERT INTO people VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Alan')")
shop.run("CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'Alan'))")
await ada.done("POST /sources", {
  ...{ name: "shop", type: "sqlite", description: "", concurrency: null, prod: { path: "shop.db" } },
})

async function tokenOf(name: string, scopes: readonly string[]): Promise<string> {
  return (await ada.done<{ secret: string }>("POST /me/tokens", { name, scopes, expiresAt: null })).secret
}

const whole = await tokenOf("whole", ["flows.*", "runs.*", "quarantine.*", "sources.read"])
const headrace = (...words: string[]) => headraceAs(whole, ...words)
const headraceAs = (token: string, ...words: string[]) =>
  at.headrace(words, { env: { HEADRACE_SERVER: served.url, HEADRACE_TOKEN: token } })
const names = (table: string) => shop.query<{ name: string }, []>(`SELECT name FROM ${table} ORDER BY id`).all()
const audited = async (action: string) =>
  (await ada.done<{ items: Record<string, unknown>[] }>(`GET /audit?action=${action}`)).items
const flows = async () => (await ada.done<{ items: unknown[] }>("GET /flows")).items

const READ = { id: "read", use: "sqlite-input", config: { dataSource: "shop", table: "people" } }
const WRITE = { id: "write", use: "sqlite-output", config: { dataSource: "shop", table: "target" } }

test("copy moves a table with the data sources of the server, and saves no flow", async () => {
  const done = await headrace("copy", "shop.people", "shop.copied", "--where", "id < 3")
  expect(done).toMatchObject({ code: 0, out: "" })
  expect(done.err).toContain("write: 2 read = 2 written + 0 rejected + 0 filtered, exactly-once")
  expect(names("copied")).toEqual([{ name: "Ada" }, { name: "Grace" }])
  expect(await flows()).toEqual([])
  const [run] = JSON.parse((await headrace("runs", "--json")).out)
  expect(run).toMatchObject({ flow: "shop.people to shop.copied", version: 0, status: "succeeded" })
  expect((await headrace("runs", run.id)).out).toContain("shop.people to shop.copied, not saved")
  const { document, version } = await ada.done<{ document: string; version: number }>(`GET /runs/${run.id}/flow`)
  expect([version, JSON.parse(document).steps[0].config.where]).toEqual([0, "id < 3"])
  const found = await ada.done<{ items: { id: string }[] }>("GET /runs?text=copied")
  expect(found.items.map(({ id }) => id)).toEqual([run.id])
})

test("a name on two lines is copied as well, by a run whose title is one line", async () => {
  shop.run('CREATE TABLE "two\nlines" (id INTEGER PRIMARY KEY)')
  expect(await headrace("copy", "shop.two\nlines", "shop.one")).toMatchObject({ code: 0 })
  expect(JSON.parse((await headrace("runs", "--json")).out)[0].flow).toBe("shop.two?lines to shop.one")
})

test("copy writes files of the server, and none of this machine", async () => {
  expect((await headrace("copy", "shop.people", "people.csv")).code).toBe(0)
  expect(await Bun.file(join(files, "people.csv")).text()).toBe("id,name\n1,Ada\n2,Grace\n3,Alan\n")
  expect(await Bun.file(at.path("people.csv")).exists()).toBe(false)
  const outside = await headrace("copy", "shop.people", "../../people.csv")
  expect(outside.code).not.toBe(0)
  expect(outside.err).toContain("people.csv")
  expect(await Bun.file(join(served.home, "../people.csv")).exists()).toBe(false)
})

test("copy shows what it would do, on a server as here", async () => {
  const plan = await headrace("copy", "shop.people", "shop.planned", "--dry-run")
  expect([plan.code, plan.out.includes('CREATE TABLE "planned"')]).toEqual([0, true])
  const flow = JSON.parse((await headrace("copy", "shop.people", "shop.planned", "--print-flow")).out)
  expect(flow.steps).toMatchObject([{ use: "sqlite-input" }, { use: "sqlite-output" }])
  expect(shop.query("SELECT 1 FROM sqlite_schema WHERE name = 'planned'").all()).toEqual([])
  const file = await headrace("copy", "shop.people", "other.db:people")
  expect([file.code, file.err.includes('Cannot use the SQLite file "other.db" of a server')]).toEqual([2, true])
  const none = await headrace("copy", "shop.nothing", "shop.x", "--dry-run")
  expect([none.code, /^error: .*nothing/.test(none.err)]).toEqual([2, true])
  const near = await headrace("copy", "shpo.people", "shop.x")
  expect([near.code, near.err.includes('Did you mean "shop"?')]).toEqual([2, true])
})

test("create-table shows the statement, makes the table with --apply, and leaves one that is there alone", async () => {
  const shown = await headrace("create-table", "shop.people", "shop.made")
  expect([shown.code, shown.out.startsWith('CREATE TABLE "made" (')]).toEqual([0, true])
  expect(shop.query("SELECT 1 FROM sqlite_schema WHERE name = 'made'").all()).toEqual([])
  const made = await headrace("create-table", "shop.people", "shop.made", "--apply")
  expect(made).toEqual({ code: 0, out: shown.out, err: "created shop.made\n" })
  expect(names("made")).toEqual([])
  expect(await audited("tables.created")).toMatchObject([{ subjectKind: "data source", subjectName: "shop" }])
  const again = await headrace("create-table", "shop.people", "shop.made", "--apply")
  expect([again.code, again.out]).toEqual([5, ""])
})

test("tables that were made before another one failed are in the audit log; what nothing came of is not", async () => {
  const out = (id: string) => ({
    id,
    use: "sqlite-output",
    config: { dataSource: "shop", table: "once", createTable: true },
  })
  const steps = [READ, out("write"), { ...READ, id: "again" }, out("twice")]
  const hops = [
    { from: "read", to: "write" },
    { from: "again", to: "twice" },
  ]
  const asked = (document: object) =>
    ada.call("POST /create-tables", { document: JSON.stringify(document), environment: "prod" })
  expect(await asked({ version: 1, steps, hops: [] })).toMatchObject({ status: 400 })
  expect(await audited("tables.failed")).toEqual([])
  expect(await asked({ version: 1, steps, hops })).toMatchObject({
    ...{ status: 400, body: { detail: expect.stringContaining('table "once" already exists') } },
  })
  expect(names("once")).toEqual([])
  expect(await audited("tables.failed")).toMatchObject([
    { subjectName: "shop", detail: { environment: "prod", message: expect.stringContaining("already exists") } },
  ])
})

test("a file runs without being saved: with its parameters, and with settings of the call", async () => {
  await at.write("orders.json", {
    ...chain({ ...READ, config: { ...READ.config, where: "id <= ${most}" } }, WRITE),
    ...{ name: "someone else's", parameters: { most: { type: "integer", default: 3 } } },
  })
  const failed = await headrace("run", "orders.json", "--json")
  expect(failed.code).toBe(4)
  const { runId } = JSON.parse(failed.out)
  expect((await headrace("runs", runId)).out).toContain("orders.json, not saved")
  // It goes on with its document, which nobody has saved, and with another limit.
  const resumed = await headrace("resume", runId, "--error-limit", "1")
  expect(resumed.code).toBe(0)
  expect(resumed.err).toContain("write: 3 read = 2 written + 1 rejected")
  expect(await ada.done(`GET /runs/${runId}`)).toMatchObject({ overrides: { errorLimit: 1 }, flow: "", flowVersion: 0 })
  expect((await audited("run.resumed"))[0]).toMatchObject({ detail: { overrides: { errorLimit: 1 } } })
  expect((await headrace("run", "orders.json", "-p", "most=0")).err).toContain("write: 0 read")
})

test("rejected rows of a run that was not saved are replayed from an edited file", async () => {
  const [{ id }] = JSON.parse((await headrace("runs", "--json")).out).filter(
    ({ rejected }: { rejected: number }) => rejected === 1,
  )
  await headrace("quarantine", "export", id, "rows.jsonl")
  await at.write("wrong.jsonl", at.read("rows.jsonl").replace('"Alan"', "7"))
  const wrong = await headrace("quarantine", "replay", id, "--file", "wrong.jsonl")
  expect(wrong.code).toBe(1)
  expect(wrong.err).toContain('Cannot replay the rows that were sent, line 1: the value of column "name" is no text')
  await at.write("empty.jsonl", "\n")
  const empty = await headrace("quarantine", "replay", id, "--file", "empty.jsonl")
  expect([empty.code, empty.err.includes("Cannot replay the rows that were sent: there is no row to replay")]).toEqual([
    1,
    true,
  ])
  const other = await headrace("quarantine", "replay", id, "--file", "rows.jsonl", "--step", "read")
  expect([other.code, other.err.includes('there is no row of step "read" to replay')]).toEqual([1, true])
  await at.write("rows.jsonl", at.read("rows.jsonl").replace('"Alan"', '"Turing"'))
  const replayed = await headrace("quarantine", "replay", id, "--file", "rows.jsonl")
  expect(replayed).toMatchObject({ code: 0 })
  expect(names("target")).toEqual([{ name: "Ada" }, { name: "Grace" }, { name: "Turing" }])
  expect((await headrace("quarantine", "replay", id, "--file", "none.jsonl")).err).toContain("there is no such file")
})

test("a load by a mark needs a saved flow: two documents of one name are not one flow", async () => {
  const incremental = { column: "id" }
  await at.write("marked.json", {
    ...chain(
      { ...READ, config: { ...READ.config, incremental } },
      { ...WRITE, config: { ...WRITE.config, mode: "updateRows" } },
    ),
    name: "marked",
  })
  const refused = await headrace("run", "marked.json")
  expect([refused.code, refused.err.includes("no name to keep the mark under")]).toEqual([1, true])
})

test("whoever may not write flows, start runs or use a data source runs no document", async () => {
  const document = JSON.stringify(chain(READ, { ...WRITE, config: { ...WRITE.config, table: "copied" } }))
  const asked = { title: "mine", document }
  const question = { document, environment: "prod" }
  for (const scopes of [["flows.*"], ["runs.*"], ["flows.read", "runs.*"]]) {
    const some = ApiClient.bearer(served.url, await tokenOf(scopes.join(), scopes))
    expect((await some.call("POST /runs", asked)).status).toBe(403)
    expect((await some.call("POST /create-tables", question)).status).toBe(403)
  }
  const { invitation } = await ada.done<{ invitation: { path: string } }>("POST /users", {
    ...{ name: "eve", displayName: "Eve", role: "developer" },
  })
  const [, secret] = invitation.path.split("#")
  await new ApiClient(served.url, {}).done("POST /invitations", { secret, password: "nine copper umbrellas" })
  const stranger = await ApiClient.signIn(served.url, "eve", "nine copper umbrellas")
  for (const [call, body] of [
    ["POST /runs", asked],
    ["POST /create-tables", question],
  ] as const)
    expect(await stranger.call(call, body)).toMatchObject({ status: 403 })
  const before = (await ada.done<{ items: unknown[] }>("GET /runs")).items.length
  for (const wrong of [
    { title: "x" },
    { ...asked, title: "" },
    { ...asked, document: "{" },
    { ...asked, title: "a\nb" },
  ])
    expect((await ada.call("POST /runs", wrong)).status).toBe(400)
  expect((await ada.done<{ items: unknown[] }>("GET /runs")).items.length).toBe(before)
})

test("the same key is the same run of a document, and another document is a conflict", async () => {
  const document = JSON.stringify(chain(READ, { id: "drop", use: "discard-output" }))
  const headers = { "idempotency-key": "once" }
  const ask = (body: object) => ada.call("POST /runs?wait=30s", body, headers)
  const first = await ask({ title: "once", document })
  expect([first.status, first.body.status]).toEqual([200, "succeeded"])
  expect((await ask({ title: "once", document })).body.id).toBe(first.body.id)
  expect((await ask({ title: "twice", document })).status).toBe(409)
})
