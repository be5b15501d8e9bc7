import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { chain } from "./testdata/headrace.ts"
import { servedPlace } from "./testdata/served-place.ts"

const { served, ada, at } = await servedPlace()

mkdirSync(join(served.home, "files"), { recursive: true })
const shop = new Database(join(served.home, "files/shop.db"))
shop.run("PRAGMA journal_mode = WAL")
shop.run("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
shop.run("INSERT INTO people VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Alan')")
shop.run("CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'Alan'))")
await ada.done("POST /sources", {
  ...{ name: "shop", type: "sqlite", description: "", concurrency: null, prod: { path: "shop.db" } },
})
const { secret } = await ada.done<{ secret: string }>("POST /me/tokens", {
  name: "test",
  scopes: ["flows.*", "runs.*", "quarantine.*", "sources.read", "components.read"],
  expiresAt: null,
})
const env = { HEADRACE_SERVER: served.url, HEADRACE_TOKEN: secret }
const headrace = async (...words: string[]) => {
  const done = await at.headrace(words, { env })
  expect(done.out + done.err).not.toContain(secret)
  return done
}
const write = (name: string, document: object) =>
  at.write(`${name}.json`, document).then(() => headrace("flows", "push", `${name}.json`))

const READ = { id: "read", use: "sqlite-input", config: { dataSource: "shop", table: "people" } }
const WRITE = { id: "write", use: "sqlite-output", config: { dataSource: "shop", table: "target" } }
/** Weeks of them. */
const ENDLESS = 100_000_000_000_000
const GENERATE = {
  id: "make",
  use: "rows-input",
  config: { columns: [{ name: "id", type: "int64", sequence: true }], rows: ENDLESS },
}
await write("slow", chain(GENERATE, { id: "drop", use: "discard-output" }))
// A name that would be something else in a path, a shell or a query.
const NAME = "héllo & %2e%2e #1 $(x) ’ör"
await write(NAME, {
  ...chain(READ, WRITE),
  settings: { errorLimit: 10 },
  parameters: { region: { type: "string", default: "EU" } },
})

test("check, plan, params and preview look at a file as they do on one machine", async () => {
  const file = `${NAME}.json`
  expect(await headrace("check", file)).toEqual({ code: 0, out: "ok: 2 steps\n", err: "" })
  const plan = await headrace("plan", file)
  expect(plan.out).toContain("read sqlite-input")
  expect(plan.out).toContain("  id    int64")
  expect(JSON.parse((await headrace("plan", file, "--json")).out).steps).toMatchObject([
    { id: "read" },
    { id: "write" },
  ])
  expect((await headrace("params", file, "--bizdate", "2026-07-01")).out).toContain("business date 2026-07-01")
  expect(await headrace("preview", file, "--rows", "2")).toEqual({
    ...{ code: 0, out: "id  name\n 1  Ada\n 2  Grace\n", err: "2 rows, there may be more\n" },
  })
  await at.write("wrong.json", chain({ ...READ, config: { dataSource: "shop", table: "poeple" } }, WRITE))
  const wrong = await headrace("check", "wrong.json")
  expect([wrong.code, wrong.out]).toEqual([2, ""])
  expect(wrong.err).toContain('Cannot find table "poeple"')
  expect(JSON.parse((await headrace("check", "wrong.json", "--json")).out)).toMatchObject({ status: "refused" })
})

test("run waits for a run of the server and ends as it does, with its receipt and its rejected rows", async () => {
  const done = await headrace("run", NAME, "--rejected", "rejected.jsonl")
  expect(done).toMatchObject({ code: 0, out: "" })
  expect(done.err).toContain("write: 3 read = 2 written + 1 rejected + 0 filtered")
  expect(done.err).toContain("succeeded in")
  expect(shop.query("SELECT name FROM target ORDER BY id").values()).toEqual([["Ada"], ["Grace"]])
  expect(JSON.parse(at.read("rejected.jsonl"))).toMatchObject({ step: "write", record: { id: "3", name: "Alan" } })
  expect(statSync(at.path("rejected.jsonl")).mode & 0o777).toBe(0o600)
  const report = JSON.parse((await headrace("run", NAME, "--json")).out)
  expect(report).toMatchObject({ status: "succeeded", rejected: 3, receipts: [{ read: 3 }] })
  const shown = await headrace("run", NAME, "--dry-run")
  expect([shown.code, shown.out.includes("write sqlite-output")]).toEqual([0, true])
  const none = await headrace("run", "orders.json")
  expect([none.code, none.err.includes('Cannot read the flow "orders.json": there is no such file')]).toEqual([2, true])
})

test("runs, logs and quarantine show what a run has left, and look after its rows", async () => {
  const [newest] = JSON.parse((await headrace("runs", "--flow", NAME, "--limit", "1", "--json")).out)
  expect(newest).toMatchObject({ flow: NAME, status: "succeeded", rejected: 3, attempts: 1 })
  const first = JSON.parse((await headrace("runs", "--flow", NAME, "--all", "--json")).out).at(-1).id
  expect((await headrace("runs")).out).toContain(first)
  const run = await headrace("runs", first)
  expect(run.out).toContain("1 of 1 splits are committed\nwrite: 3 read = 2 written + 1 rejected + 0 filtered")
  const log = await headrace("logs", first)
  expect(log.out).toContain("planned: read (sqlite-input), write (sqlite-output)")
  expect((await headrace("logs", first, "-f")).out).toBe(log.out)
  expect((await headrace("quarantine", "list")).out).toContain(first)
  expect((await headrace("quarantine", "show", first)).out).toContain("CHECK constraint failed")
  expect((await headrace("quarantine", "export", first, "rows.csv")).err).toBe("wrote 1 row to rows.csv\n")
  expect(at.read("rows.csv")).toEndWith(",3,Alan\n")
  const replay = await headrace("quarantine", "replay", first, "--set", "name = 'Turing'")
  expect(replay.code).toBe(0)
  expect(shop.query("SELECT name FROM target WHERE id = 3").values()).toEqual([["Turing"]])
  expect((await headrace("quarantine", "drop", newest.id, "--yes")).err).toBe("dropped 3 rows\n")
  expect((await headrace("quarantine", "show", first)).err).toBe("No rejected rows wait\n")
  const strict = await headrace("run", NAME, "--error-limit", "0", "--parallel", "2", "--json")
  expect(strict.code).toBe(4)
  expect(JSON.parse(strict.out)).toMatchObject({ status: "failed", failure: { step: "write" } })
  const none = await headrace("runs", "../../me")
  expect([none.code, none.err.includes("There is no run")]).toEqual([2, true])
})

test("resume goes on with a run that has failed, once what was in its way is gone", async () => {
  shop.run("CREATE TABLE strict (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'Alan'))")
  await write("strict", chain(READ, { ...WRITE, config: { dataSource: "shop", table: "strict" } }))
  const failed = await headrace("run", "strict")
  expect([failed.code, failed.out]).toEqual([4, ""])
  expect(failed.err).toContain("CHECK constraint failed")
  expect(failed.err).toContain("hint: ")
  const [{ id }] = JSON.parse((await headrace("runs", "--status", "failed", "--json")).out)
  expect((await headrace("runs", id)).out).toContain("CHECK constraint failed")
  shop.run("DROP TABLE strict")
  shop.run("CREATE TABLE strict (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
  expect((await headrace("resume", id, "--as-stored")).err).toContain("Option --as-stored does not work on a server")
  const resumed = await headrace("resume", id)
  expect(resumed.err).toContain(`(run ${id}, attempt 2)`)
  expect(resumed.code).toBe(0)
  expect(shop.query("SELECT count(*) FROM strict").values()).toEqual([[3]])
})

test("cancel ends a run that goes on, and Ctrl-C ends one that is waited for", async () => {
  const { out: id } = await headrace("run", "slow", "--detach")
  const run = id.trim()
  const following = at.start(["logs", run, "--follow"], { env })
  const cancelled = await headrace("cancel", run)
  expect([cancelled.code, cancelled.err]).toEqual([0, `cancelled: run ${run}\n`])
  expect(await following.exited).toBe(0)
  expect((await headrace("cancel", run)).code).toBe(2)
  const waiting = at.start(["run", "slow"], { env })
  let mine: { id: string; status: string } | undefined
  while (mine?.status !== "running") {
    await Bun.sleep(20)
    ;[mine] = (await ada.done<{ items: { id: string; status: string }[] }>("GET /runs?flow=slow&limit=1")).items
    if (mine?.id === run) mine = undefined
  }
  waiting.kill("SIGINT")
  expect(await waiting.exited).toBe(130)
  expect(await new Response(waiting.stderr).text()).toContain("cancelled")
  expect((await ada.done(`GET /runs/${mine.id}`)).status).toBe("cancelled")
})

test("data sources and components of the server are shown as those of one machine", async () => {
  expect((await headrace("test-connection", "shop")).out).toStartWith("ok: shop is SQLite")
  expect((await headrace("tables", "shop")).out).toContain("people\n")
  expect((await headrace("columns", "shop", "people")).out).toContain("name    TEXT")
  for (const words of [["components"], ["component", "csv-input"], ["schema", "csv-input"]])
    expect(await headrace(...words)).toEqual(await at.headrace(words))
  expect(JSON.parse((await headrace("schema")).out)).toHaveProperty("$defs")
  expect((await headrace("component", "csv-inptu")).err).toContain('Did you mean "csv-input"?')
})

test("what a server does not let is no failure of a run", async () => {
  expect((await headrace("--server", "", "runs")).code).toBe(0)
  const keys = await headrace("--server", served.url, "keys", "rotate")
  expect([keys.code, keys.err.includes("works on the machine of the server itself")]).toEqual([2, true])
  const reader = await ada.done<{ secret: string }>("POST /me/tokens", {
    ...{ name: "reader", scopes: ["flows.read"], expiresAt: null },
  })
  const refused = await at.headrace(["run", NAME], { env: { ...env, HEADRACE_TOKEN: reader.secret } })
  expect([refused.code, refused.out]).toEqual([2, ""])
  expect(refused.err).toStartWith("error: ")
})
