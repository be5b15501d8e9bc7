import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Validator } from "@seriousme/openapi-schema-validator"
import Ajv2020 from "ajv/dist/2020"
import { Layer, Schema } from "effect"
import { type Permission, permissionsOf } from "../../core/server/access/permission.ts"
import { openApiOf } from "../frame/open-api.ts"
import { problemKinds } from "../frame/problem.ts"
import { testApp } from "../testdata/frame.ts"
import type { AnyEndpoint } from "./endpoint.ts"
import { endpoints } from "./index.ts"

// Nothing of it is reached: every request of this file is refused by the frame.
const { app, runtime } = testApp(endpoints, Layer.empty as Layer.Layer<never> as never, {
  settings: { "limits.strangerRequestsPerMinute": 1_000_000, "limits.requestsPerMinute": 0 },
})
afterAll(() => runtime.dispose())

const titled = endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint as AnyEndpoint] as const)

function ask({ method, path, body }: AnyEndpoint, headers: Record<string, string>) {
  const json = body === undefined ? {} : { body: "{}" }
  return app.request(`http://localhost/api/v1${path.replace(/:\w+/g, "x")}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...json,
  })
}

test("no two endpoints are the same", () => {
  const places = titled.map(([title]) => title.replace(/:\w+/g, ":"))
  expect(new Set(places).size).toBe(places.length)
  expect(places.length).toBeGreaterThan(20)
})

describe.each(titled)("%s", (_, endpoint) => {
  test("tells what it is", () => {
    expect(endpoint.summary).toMatch(/^[A-Z][^\n]*\.$/)
    expect(endpoint.description ?? "A.").toMatch(/[.`]$/)
    expect(endpoint.tag).toMatch(/^[A-Z]/)
    expect(endpoint.path).toMatch(/^(\/(:?[a-z][a-zA-Z.-]*))+$/)
    const special = ["anybody", "signed-in", "in-person"]
    expect([...special, ...permissionsOf.admin] as string[]).toContain(endpoint.permission)
  })

  test("decodes every parameter of its path, and no others", () => {
    const names = [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name]) => name!)
    const { properties = {} } = Schema.toJsonSchemaDocument(endpoint.params ?? Schema.Struct({})).schema
    expect(Object.keys(properties as object).sort()).toEqual(names.sort())
  })

  test("takes a body only where HTTP has one", () => {
    if (endpoint.method === "GET" || endpoint.method === "DELETE") expect(endpoint.body).toBeUndefined()
  })

  test("lets in only those who may", async () => {
    if (endpoint.permission === "anybody") return
    expect((await ask(endpoint, {})).status).toBe(401)
    expect((await ask(endpoint, { authorization: "Bearer hrt_none" })).status).toBe(401)
    expect((await ask(endpoint, { cookie: "headrace=none" })).status).toBe(401)
    const isForAll = ["signed-in", "in-person"].includes(endpoint.permission)
    // One of the list, as the test before has found.
    if (isForAll || permissionsOf.viewer.includes(endpoint.permission as Permission)) return
    expect((await ask(endpoint, { authorization: "Bearer viewer" })).status).toBe(403)
  })

  test("changes nothing without the token of the session", async () => {
    if (endpoint.method === "GET" || endpoint.permission === "anybody") return
    const answer = await ask(endpoint, { cookie: "headrace=developer" })
    expect([answer.status, (await answer.json()).detail]).toEqual([
      403,
      "The header x-csrf-token is missing or not the one of this session",
    ])
  })
})

describe("the OpenAPI document", () => {
  let answer: Response
  let document: ReturnType<typeof openApiOf>
  beforeAll(async () => {
    answer = await app.request("http://localhost/api/openapi.json")
    document = await answer.json()
  })

  test("is what the official schema of OpenAPI 3.1 takes", async () => {
    expect(answer.headers.get("content-type")).toBe("application/json")
    expect(await new Validator().validate({ ...structuredClone(document) })).toEqual({ valid: true })
    const broken = { ...structuredClone(document), paths: { "/x": { get: { responses: 1 } } } }
    expect((await new Validator().validate(broken)).valid).toBe(false)
  })

  test("has schemas that are JSON Schema 2020-12, all of which exist", () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, logger: false, validateFormats: false })
    ajv.addKeyword("example")
    const text = JSON.stringify(document).replaceAll("#/components/schemas/", "#/$defs/")
    const { paths, components } = JSON.parse(text) as typeof document // the same, as JSON Schema refers to itself
    const schemas: object[] = Object.values(components.schemas)
    for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
      schemas.push(...(operation.parameters ?? []).map(({ schema }) => schema))
      const contents = [
        operation.requestBody?.content ?? {},
        ...Object.values(operation.responses).map(({ content = {} }) => content),
      ]
      schemas.push(...contents.flatMap((content) => Object.values(content).map(({ schema }) => schema as object)))
    }
    expect(schemas.length).toBeGreaterThan(endpoints.length)
    expect(() => ajv.compile({ anyOf: schemas, $defs: components.schemas })).not.toThrow()
  })

  test("tells every endpoint under a name of its own, and every refusal", () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
    expect(operations).toHaveLength(endpoints.length)
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(endpoints.length)
    for (const { responses } of operations)
      for (const { $ref } of Object.values(responses))
        if ($ref !== undefined) expect(Object.keys(document.components.responses)).toContain($ref.split("/").at(-1)!)
    expect(Object.keys(document.components.responses)).toEqual(Object.keys(problemKinds))
  })

  test("is there to read, without scripts and without styles inside", async () => {
    const page = await app.request("http://localhost/api")
    const text = await page.text()
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8")
    expect(page.headers.get("content-security-policy")).toContain("style-src 'self';")
    expect(page.headers.get("content-security-policy")).not.toContain("unsafe")
    expect(text).not.toMatch(/<script|style=|<style|https?:\/\//)
    for (const { summary } of endpoints)
      expect(text).toContain(summary.replaceAll("'", "&#39;").replace(/`([^`]+)`/g, "<code>$1</code>"))
    for (const kind of Object.keys(problemKinds)) expect(text).toContain(`id="${kind}"`)
    expect((await app.request("http://localhost/api/page.css")).headers.get("content-type")).toContain("text/css")
  })

  test("refuses two schemas of one name", () => {
    const shape = (text: string) => Schema.Struct({ a: Schema.Literal(text) }).annotate({ identifier: "Same" })
    const [first] = titled
    const declared = first![1] as Extract<AnyEndpoint, { handle: unknown }> // the first one answers with JSON
    const two = [
      { ...declared, answer: shape("one") },
      { ...declared, path: "/other" as const, answer: shape("two") },
    ]
    expect(() => openApiOf(two, "1")).toThrow('Two schemas of the API go by the identifier "Same"')
  })
})
