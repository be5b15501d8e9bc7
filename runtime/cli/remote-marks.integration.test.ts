import { Database } from "bun:sqlite"
import { afterAll, expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { ApiClient } from "../../scripts/testing/api-client.ts"
import { serve } from "../../scripts/testing/served.ts"
import { chain, Workplace } from "./testdata/headrace.ts"

const served = await serve()
const ada = await ApiClient.setUp(served)
const at = new Workplace()
mkdirSync(join(served.home, "files"), { recursive: true })
const shop = new Database(join(served.home, "files/shop.db"))
shop.run("PRAGMA journal_mode = WAL")
shop.run("CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2), (3)")
shop.run("CREATE TABLE copy (id INTEGER)")
afterAll(async () => {
  shop.close()
  at[Symbol.dispose]()
  await served[Symbol.asyncDispose]()
})
const source = { name: "shop", type: "sqlite", description: "", concurrency: null, prod: { path: "shop.db" } }
await ada.done("POST /sources", source)
const { secret } = await ada.done<{ secret: string }>("POST /me/tokens", {
  ...{ name: "test", scopes: ["flows.*", "runs.*"], expiresAt: null },
})
const headrace = (...words: string[]) =>
  at.headrace(words, { env: { HEADRACE_SERVER: served.url, HEADRACE_TOKEN: secret } })

const READ = {
  ...{ id: "read", use: "sqlite-input" },
  config: { dataSource: "shop", table: "orders", incremental: { column: "id" } },
}
const WRITE = { id: "write", use: "sqlite-output", config: { dataSource: "shop", table: "copy" } }
const copied = () => shop.query("SELECT group_concat(id) AS ids FROM (SELECT id FROM copy ORDER BY rowid)").get()
const marks = async () => JSON.parse((await headrace("marks", "list", "hourly", "--json")).out) as object[]

test("marks of a flow on a server are shown, set and forgotten, and judged before", async () => {
  await at.write("hourly.json", chain(READ, WRITE))
  expect((await headrace("flows", "push", "hourly.json")).code).toBe(0)
  expect(await marks()).toEqual([])
  expect((await headrace("marks", "set", "hourly", "read", "1")).err).toContain("A run sets one, by what it has read")
  expect((await headrace("run", "hourly")).code).toBe(0)
  shop.run("INSERT INTO orders VALUES (4)")
  expect((await headrace("run", "hourly")).code).toBe(0)
  expect(copied()).toEqual({ ids: "1,2,3,4" })
  expect(await marks()).toMatchObject([{ step: "read", reads: "shop: orders by id", mark: "4" }])
  expect((await headrace("marks", "list", "hourly")).out).toContain("shop: orders by id  4")

  const wrong = await headrace("marks", "set", "hourly", "read", "yesterday")
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('"yesterday" is no value of column "id"')])
  expect((await headrace("marks", "set", "hourly", "raed", "1")).err).toContain("There are marks of read")
  expect((await headrace("marks", "set", "hourly", "read", "2")).err).toContain("is 2, it was 4")
  expect((await headrace("marks", "list", "hourly")).out).toContain("by hand")
  expect((await headrace("run", "hourly")).code).toBe(0)
  expect(copied()).toEqual({ ids: "1,2,3,4,3,4" })

  expect((await headrace("marks", "drop", "hourly", "--yes")).err).toContain("dropped read at 4")
  expect(await marks()).toEqual([])
  expect((await headrace("marks", "drop", "hourly", "--yes")).code).toBe(2)
  expect((await headrace("marks", "list", "nothing")).err).toContain('There is no flow "nothing"')
  const { items } = await ada.done<{ items: { action: string }[] }>("GET /audit")
  expect(items.map(({ action }) => action)).toEqual(expect.arrayContaining(["mark.set", "mark.dropped"]))
})

test("marks of development and of production are two", async () => {
  const dev = { ...source, version: 1, dev: { path: "shop.db" } }
  await ada.done("PUT /sources/shop", dev)
  await ada.done("POST /flows", { name: "both", document: JSON.stringify(chain(READ, WRITE)) })
  expect((await headrace("run", "both")).code).toBe(0)
  expect((await headrace("run", "both", "--environment", "dev")).code).toBe(0)
  const of = async (name: string) =>
    (await ada.done<{ items: { environment: string; mark: string }[] }>(`GET /flows/${name}/marks`)).items.map(
      ({ environment, mark }) => `${environment} ${mark}`,
    )
  expect(await of("both")).toEqual(["prod 4", "dev 4"])
  await ada.done("PUT /flows/both/marks/read?environment=dev", { mark: "1" })
  await ada.done("PUT /flows/both", { version: 1, name: "each" })
  expect(await of("each")).toEqual(["prod 4", "dev 1"])
  expect((await headrace("marks", "drop", "each", "--yes")).err).toContain("dropped read at 4")
  expect(await of("each")).toEqual(["dev 1"])
  await ada.done("DELETE /flows/each/marks/read?environment=dev")
  expect(await of("each")).toEqual([])
})

test("a flow takes its marks along when it is renamed, and leaves none when it is removed", async () => {
  await ada.done("POST /flows", { name: "daily", document: JSON.stringify(chain(READ, WRITE)) })
  expect((await headrace("run", "daily")).code).toBe(0)
  const before = copied()
  await ada.done("PUT /flows/daily", { version: 1, name: "nightly" })
  expect((await headrace("marks", "list", "nightly")).out).toContain("shop: orders by id  4")
  expect((await headrace("run", "nightly")).code).toBe(0)
  expect(copied()).toEqual(before)
  await ada.done("DELETE /flows/nightly?version=2")
  // Another flow of that name has read nothing.
  await ada.done("POST /flows", { name: "nightly", document: JSON.stringify(chain(READ, WRITE)) })
  expect(await ada.done("GET /flows/nightly/marks")).toEqual({ items: [] })
})
