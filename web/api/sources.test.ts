import { afterAll, expect, test } from "bun:test"
import { libraryApp } from "../testdata/library.ts"

const server = await libraryApp()
afterAll(() => server[Symbol.asyncDispose]())
const { ask } = server
const SECRET = "geheim & teuer"
const prod = { host: "db.example.com", database: "shop", user: "etl", password: SECRET }
const shop = { name: "shop", type: "postgres", description: "", prod, concurrency: 2 }

test("sources are made, shown, changed and removed over HTTP, and no answer has a secret", async () => {
  const made = await ask("POST /sources", { body: shop })
  expect(made.status).toBe(201)
  expect(made.headers.get("location")).toBe("/api/v1/sources/shop")
  const { password, ...shown } = prod
  expect(made.json).toMatchObject({
    name: "shop",
    prod: shown,
    secrets: { prod: ["password"], dev: [] },
    concurrency: 2,
  })
  const { prod: _, ...rest } = shop
  const changed = await ask("PUT /sources/shop", { body: { ...rest, prod: shown, description: "d", version: 1 } })
  expect(changed.json).toMatchObject({ version: 2, description: "d", secrets: { prod: ["password"] } })
  const stale = await ask("PUT /sources/shop", { body: { ...rest, prod: shown, version: 1 } })
  expect(stale.status).toBe(409)
  expect(stale.json.current).toMatchObject({ version: 2 })
  const elsewhere = { ...rest, prod: { ...shown, host: "evil.example.com" }, version: 2 }
  const harvest = await ask("PUT /sources/shop", { body: elsewhere })
  expect(harvest.status).toBe(400)
  expect(harvest.json.problems).toMatchObject([{ pointer: "/prod/password" }])
  const answers = [made, changed, stale, harvest, await ask("GET /sources"), await ask("GET /sources/shop")]
  for (const { text } of answers) expect(text).not.toMatch(/geheim|hrs1/)
  expect((await ask("DELETE /sources/shop?version=1")).status).toBe(409)
  expect((await ask("DELETE /sources/shop?version=2")).status).toBe(204)
})

test("sources keep secrets out of what a driver says when a connection fails", async () => {
  const broken = { ...shop, name: "broken", prod: { ...prod, user: "broken" } }
  const draft = await ask("POST /source-tests", { body: { ...broken, environment: "prod" } })
  await ask("POST /sources", { body: broken })
  const saved = await ask("POST /sources/broken/test")
  for (const { status, text, json } of [draft, saved]) {
    expect(status).toBe(503)
    expect(json.detail).toContain("Cannot connect with")
    expect(json.detail).toContain("***")
    expect(text).not.toMatch(/geheim|teuer/)
  }
  const fine = await ask("POST /source-tests", { body: { ...shop, environment: "dev" } })
  expect(fine.json).toEqual({ server: "PostgreSQL at db.example.com", durationMs: 1.5 })
})

test("sources tell tables and columns to those who may read or write, and are not there for others", async () => {
  await ask("POST /sources", { body: { ...shop, name: "granted" } })
  for (const call of [
    ...["GET /sources/granted", "GET /sources/granted/tables", "GET /sources/granted/columns?table=t"],
    ...["POST /sources/granted/test", "GET /sources/granted/flows"],
  ]) {
    const refused = await ask(call, { as: "viewer" })
    expect([call, refused.status, refused.json.detail]).toEqual([call, 404, 'There is no data source "granted"'])
  }
  expect((await ask("GET /sources", { as: "viewer" })).json).toEqual({ items: [] })
  const grant = { user: "VI", access: "write", expiresAt: null }
  expect((await ask("PUT /sources/granted/grants", { as: "operator", body: grant })).status).toBe(403)
  expect((await ask("PUT /sources/granted/grants", { body: grant })).status).toBe(204)
  expect((await ask("GET /sources/granted/grants")).json.items).toMatchObject([
    { user: "u-viewer", name: "vi", access: "write", grantedBy: "u-developer", expiresAt: null },
  ])
  expect((await ask("GET /sources/granted/tables?schema=s&text=o", { as: "viewer" })).json).toEqual({
    name: "granted",
    host: "db.example.com",
    filter: { schema: "s", text: "o" },
  })
  expect((await ask("GET /sources/granted/columns?schema=s&table=t", { as: "viewer" })).json).toEqual({
    table: { schema: "s", name: "t" },
  })
  expect((await ask("DELETE /sources/granted/grants?user=vi&access=write")).status).toBe(204)
  expect((await ask("DELETE /sources/granted/grants?user=vi&access=write")).status).toBe(404)
  expect((await ask("GET /sources/granted/tables", { as: "viewer" })).status).toBe(404)
})

test("sources refuse hostile drafts with the place of every fault", async () => {
  const cases: readonly (readonly [unknown, number, string])[] = [
    [{ ...shop, name: "x'; DROP TABLE users" }, 400, "/name"],
    [{ ...shop, prod: { ...prod, host: "169.254.169.254" } }, 400, "/prod/host"],
    [{ ...shop, prod: { ...prod, extra: "1" } }, 400, "/prod/extra"],
    [{ ...shop, prod: { ...prod, password: { env: "HOME" } } }, 400, "/prod"],
    [{ ...shop, type: "sqlite", prod: { path: "/etc/passwd" } }, 400, "/prod/path"],
    ['{"name":"a","type":"postgres","description":"","concurrency":null,"prod":{"__proto__":{}}}', 400, "/prod"],
  ]
  for (const [body, status, pointer] of cases) {
    const refused = await ask("POST /sources", { body })
    expect([refused.status, refused.json.problems[0].pointer]).toEqual([status, pointer])
    expect(refused.text).not.toMatch(/geheim/)
  }
})
