import { afterAll, expect, test } from "bun:test"
import { libraryApp } from "../testdata/library.ts"

const server = await libraryApp()
afterAll(() => server[Symbol.asyncDispose]())
const { ask } = server

test("flows are made, read, saved and removed over HTTP", async () => {
  const document = '{ "version": 1,\n  "stepz": [] }\n'
  const made = await ask("POST /flows", { body: { name: "täglich 1", folder: "shop", document } })
  expect(made.status).toBe(201)
  expect(made.headers.get("location")).toBe("/api/v1/flows/t%C3%A4glich%201")
  expect(made.json).toMatchObject({ name: "täglich 1", version: 1, folder: "shop", document, owner: "u-developer" })
  expect(made.json.faults).toContainEqual(expect.objectContaining({ message: 'There is no option "stepz"' }))
  const path = "/flows/t%C3%A4glich%201"
  const { faults, ...flow } = made.json
  expect((await ask(`GET ${path}`, { as: "viewer" })).json).toEqual(flow)
  const saved = await ask(`PUT ${path}`, {
    body: { version: 1, description: "d", properties: { retries: 2 }, remark: "r" },
  })
  expect(saved.json).toMatchObject({ version: 2, description: "d", document, properties: { retries: 2, priority: 5 } })
  const stale = await ask(`PUT ${path}`, { body: { version: 1, description: "e" } })
  expect(stale.status).toBe(409)
  expect(stale.json.current).toMatchObject({ version: 2, description: "d", updatedBy: "dan" })
  const list = (await ask("GET /flows?folder=shop&limit=1")).json
  expect(list.items).toMatchObject([{ name: "täglich 1", version: 2 }])
  expect(list.items[0]).not.toHaveProperty("document")
  expect((await ask(`DELETE ${path}?version=1`)).status).toBe(409)
  expect((await ask(`DELETE ${path}?version=2`)).status).toBe(204)
  expect((await ask(`GET ${path}`)).status).toBe(404)
})

test("flows keep a document to the letter when it is pushed and pulled", async () => {
  const push = (document: string, headers: Record<string, string>) =>
    ask("PUT /flows/pushed/document?remark=from%20a%20file", { body: document, headers })
  const document = '{"version":1 , "steps":[],"description":"é 😀 \\u00e9"}\r\n'
  const isNew = { "if-none-match": "*" }
  expect((await push(document, isNew)).status).toBe(201)
  expect((await push(document, isNew)).status).toBe(409)
  const pulled = await ask("GET /flows/pushed/document", { as: "viewer" })
  expect(pulled.text).toBe(document)
  expect(pulled.headers.get("etag")).toBe('"1"')
  expect((await push(`\uFEFF${document}`, { "if-match": '"1"' })).json).toMatchObject({ version: 2 })
  expect((await ask("GET /flows/pushed")).json.document).toBe(`\uFEFF${document}`)
  expect((await push(document, { "if-match": '"1"' })).status).toBe(409)
  expect((await push(document, {})).json.detail).toContain("neither which version")
  const broken = await push('{"version": 1,}', { "if-match": '"2"' })
  expect(broken.status).toBe(400)
  expect(broken.json.detail).toContain("line 1, column 15")
  const evil = await push('{"__proto__": {"admin": true}}', { "if-match": '"2"' })
  expect(evil.status).toBe(400)
})

test("flows show their versions, what lies between them, and go back to one", async () => {
  const make = (parallel: number) => JSON.stringify({ version: 1, steps: [], settings: { parallel } })
  await ask("POST /flows", { body: { name: "v", document: make(1) } })
  for (const version of [1, 2, 3]) await ask("PUT /flows/v", { body: { version, document: make(version + 1) } })
  const first = (await ask("GET /flows/v/versions?limit=3")).json
  expect(first).toMatchObject({ items: [{ version: 4 }, { version: 3 }, { version: 2 }], next: 2 })
  expect((await ask("GET /flows/v/versions?limit=3&before=2")).json).toEqual({
    items: [expect.objectContaining({ version: 1 })],
  })
  expect((await ask("GET /flows/v/versions/2")).json).toMatchObject({ version: 2, document: make(2) })
  expect((await ask("GET /flows/v/versions/7")).status).toBe(404)
  expect((await ask("GET /flows/v/compare?from=1&to=4")).json).toMatchObject({
    settings: [{ pointer: "/settings/parallel", before: 1, after: 4 }],
    steps: { added: [], removed: [], changed: [] },
  })
  const restored = await ask("POST /flows/v/versions/1/restore", { body: { version: 4 } })
  expect(restored.json).toMatchObject({ version: 5, document: make(1) })
  expect((await ask("POST /flows/v/versions/1/restore", { body: { version: 4 } })).status).toBe(409)
})

test("flows tell what they use, and refuse what nobody has granted", async () => {
  const step = { id: "in", use: "postgres-input", config: { dataSource: "mine", table: "t" } }
  const document = JSON.stringify({
    version: 1,
    steps: [step, { id: "f", use: "csv-input", config: { path: "a.csv" } }],
  })
  const refused = await ask("POST /flows", { body: { name: "uses", document } })
  expect(refused.status).toBe(403)
  expect(refused.json.problems).toMatchObject([{ message: 'No data source "mine" to read from' }])
  const prod = { host: "db", database: "d", user: "u" }
  await ask("POST /sources", { body: { name: "mine", type: "postgres", description: "", prod, concurrency: null } })
  expect((await ask("POST /flows", { body: { name: "uses", document } })).status).toBe(201)
  expect((await ask("GET /flows/uses/uses")).json).toEqual({
    sources: [{ name: "mine", access: "read" }],
    files: [{ step: "f", pointer: "/steps/1/config/path", path: "a.csv", access: "read" }],
  })
  expect((await ask("GET /sources/mine/flows")).json).toEqual({ items: [{ flow: "uses", access: "read" }] })
  expect((await ask("DELETE /sources/mine?version=1")).json.detail).toContain('it is used by "uses"')
})

test("flows refuse who may not, and names that are none", async () => {
  const body = { name: "x", document: "{}" }
  expect((await ask("POST /flows", { as: "operator", body })).status).toBe(403)
  expect((await ask("GET /flows", { as: "" })).status).toBe(401)
  expect((await ask("DELETE /flows/x?version=1", { as: "viewer" })).status).toBe(403)
  for (const name of ["a/b", "..", 'a"b', "<script>", "x".repeat(65)]) {
    const refused = await ask("POST /flows", { body: { ...body, name } })
    expect([name, refused.status]).toEqual([name, 400])
  }
  const odd = "Robert'); DROP TABLE flows; --"
  expect((await ask("POST /flows", { body: { ...body, name: odd } })).status).toBe(201)
  expect((await ask(`GET /flows/${encodeURIComponent(odd)}`)).json.name).toBe(odd)
  const long = await ask("POST /flows", { body: { name: "long", document: `"${"x".repeat(600_000)}"` } })
  expect(long.status).toBe(413)
  const unreadable = await ask("POST /flows", { body: { name: "broken", document: '{\n "a": 1,\n}' } })
  expect(unreadable.json).toMatchObject({ detail: 'Line 3, column 1: a comma stands before "}"' })
})

test("the workbench is asked with what was sent, by whoever may read flows", async () => {
  const question = { document: "{}", environment: "dev", parameters: { a: "1" } }
  expect((await ask("POST /check", { as: "viewer", body: question })).json.problems).toHaveLength(1)
  expect((await ask("POST /plan", { body: question })).json).toEqual({ actor: "u-developer", question })
  expect((await ask("POST /preview", { body: { ...question, rows: 5, step: "a" } })).json).toEqual({
    rows: 5,
    step: "a",
  })
  expect((await ask("POST /preview", { body: { ...question, rows: 5000 } })).status).toBe(400)
  expect((await ask("POST /parameters", { body: question })).json).toEqual({ parameters: [] })
  expect((await ask("POST /plan", { as: "", body: question })).status).toBe(401)
})
