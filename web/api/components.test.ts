import { afterAll, expect, test } from "bun:test"
import { decodeConfig } from "../../core/host/config.ts"
import { readText } from "../../scripts/source-files.ts"
import { libraryApp } from "../testdata/library.ts"

const server = await libraryApp()
afterAll(() => server[Symbol.asyncDispose]())
const { ask } = server

test("components lists what is built in, with the inputs and outputs of databases", async () => {
  const { items } = (await ask("GET /components", { as: "viewer" })).json
  const find = (id: string) => items.find((one: { id: string }) => one.id === id)
  expect(find("csv-input")).toMatchObject({ kind: "input", plugin: "csv", builtIn: true, title: "CSV files" })
  expect(find("postgres-output")).toMatchObject({ kind: "output", derivedFrom: "postgres" })
  const databases = (await ask("GET /components?kind=database")).json.items
  expect(databases.map((one: { id: string }) => one.id)).toEqual(["mysql", "postgres", "sqlite"])
})

test("components gives the documentation that the docs have, and the schema that forms are drawn from", async () => {
  for (const id of ["csv-input", "mysql-input", "postgres", "select"]) {
    const { json } = await ask(`GET /components/${id}`)
    const page = readText(`web/docs/components/${id}.md`)
    expect(json.documentation.replaceAll(/\]\((\w+-\w+)\)/g, "]($1.md)")).toBe(page.replace(/^<!--.*-->\n\n/, ""))
    expect(json.config.type).toBe("object")
    for (const { config } of json.examples) expect(decodeConfig(json.config, config)).toHaveProperty("config")
  }
  const missing = await ask("GET /components/csv-inptu")
  expect([missing.status, missing.json.hint]).toEqual([404, 'Did you mean "csv-input"?'])
  expect((await ask("GET /components/__proto__")).status).toBe(404)
})

test("flow-schema has the options of every component, by use", async () => {
  const { json } = await ask("GET /flow-schema")
  const { items } = json.properties.steps
  expect(items.properties.use.enum).toContain("csv-output")
  expect(items.properties.use.enum).not.toContain("postgres")
  const branch = items.allOf.find(
    (one: { if: { properties: { use: { const: string } } } }) => one.if.properties.use.const === "postgres-output",
  )
  expect(branch.then.properties.config).toEqual({ $ref: "#/$defs/postgres-output" })
  expect(json.$defs["postgres-output"].properties.nulCharacters.enum).toEqual(["reject", "strip", "replace"])
})
