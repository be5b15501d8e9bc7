import { afterAll, describe, expect, test } from "bun:test"
import { Effect, Layer, Schema } from "effect"
import { refuse } from "../core/server/request-error.ts"
import { StoreError } from "../core/store/store-error.ts"
import { endpoint, rawEndpoint } from "./api/endpoint.ts"
import { testApp } from "./testdata/frame.ts"

const name = Schema.Struct({ name: Schema.String })
const Boat = Schema.Struct({
  name: Schema.String.check(Schema.isMinLength(3)),
  masts: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 7 })),
  crew: Schema.optionalKey(
    Schema.Array(Schema.Struct({ name: Schema.String, password: Schema.optionalKey(Schema.Int) })),
  ),
  notes: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
})

let interrupted = 0
const begun = Promise.withResolvers<void>()
const declared = { tag: "boats", summary: "For a test." } as const
const { app, audit, runtime } = testApp(
  [
    endpoint({
      ...declared,
      method: "GET",
      path: "/boats",
      permission: "flows.read",
      query: Schema.Struct({
        limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }))),
        all: Schema.optionalKey(Schema.Boolean),
        kind: Schema.optionalKey(Schema.Array(Schema.Literals(["sloop", "ketch"]))),
      }),
      answer: Schema.Unknown,
      handle: ({ query }) => Effect.succeed(query),
    }),
    endpoint({
      ...declared,
      method: "POST",
      path: "/boats",
      permission: "flows.write",
      body: Boat,
      answer: Boat,
      status: 201,
      mostBytes: 4096,
      handle: ({ body, reply }) =>
        Effect.sync(() => {
          reply.headers.set("location", `/api/v1/boats/${encodeURIComponent(body.name)}`)
          return body
        }),
    }),
    endpoint({
      ...declared,
      method: "GET",
      path: "/boats/:name",
      permission: "flows.read",
      params: name,
      answer: name,
      handle: ({ params }) => Effect.succeed({ ...params, more: "not told" }),
    }),
    endpoint({
      ...declared,
      method: "GET",
      path: "/boats/sunk",
      permission: "anybody",
      answer: Schema.Struct({ who: Schema.String }),
      handle: ({ actor }) => Effect.succeed({ who: actor.kind }),
    }),
    endpoint({
      ...declared,
      method: "DELETE",
      path: "/boats/:name",
      permission: "flows.write",
      params: name,
      answer: Schema.Void,
      status: 204,
      handle: () => Effect.void,
    }),
    endpoint({
      ...declared,
      method: "GET",
      path: "/fails/:how",
      permission: "flows.read",
      params: Schema.Struct({ how: Schema.String }),
      answer: Schema.Struct({ known: Schema.Int }),
      handle: ({ params: { how } }) => {
        if (how === "conflict")
          return Effect.fail(refuse("conflict", "Somebody was faster", { current: { version: 2 } }))
        if (how === "limited") return Effect.fail(refuse("limited", "The queue is full", { retryAfterMs: 1500 }))
        if (how === "store")
          return Effect.fail(new StoreError({ reason: "connection", message: "postgres://user:hunter2@db is away" }))
        if (how === "full") return Effect.fail(new StoreError({ reason: "resource", message: "no space on /var" }))
        if (how === "answer") return Effect.succeed({ known: 0.5 })
        if (how === "slow")
          return Effect.andThen(
            Effect.sync(() => begun.resolve()),
            Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++)),
          )
        return Effect.die(new Error("secret of the stack"))
      },
    }),
    rawEndpoint({
      ...declared,
      method: "GET",
      path: "/stream",
      permission: "flows.read",
      produces: "text/event-stream",
      respond: () =>
        Effect.sync(() => new Response("data: 1\n\n", { headers: { "content-type": "text/event-stream" } })),
    }),
  ],
  Layer.empty,
)
afterAll(() => runtime.dispose())

function ask(path: string, { as = "developer", ...init }: RequestInit & { as?: string } = {}) {
  const headers = new Headers(init.headers)
  if (as !== "") headers.set("authorization", `Bearer ${as}`)
  return app.request(path.startsWith("http") ? path : `http://localhost/api/v1${path}`, { ...init, headers })
}

function post(path: string, body: string, headers: Record<string, string> = {}) {
  return ask(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } })
}

describe("the frame decodes", () => {
  test("queries to numbers, booleans and lists", async () => {
    const answer = await ask("/boats?limit=5&all=true&kind=sloop")
    expect(await answer.json()).toEqual({ limit: 5, all: true, kind: ["sloop"] })
    expect(await (await ask("/boats?kind=sloop&kind=ketch")).json()).toEqual({ kind: ["sloop", "ketch"] })
  })

  test.each([
    ["/boats?limit=x", 'Parameter "limit" of the query: expected a number, found "x"'],
    ["/boats?limit=201", 'Parameter "limit" of the query: expected a value between 1 and 200, found "201"'],
    ["/boats?limit=1&limit=2", 'Parameter "limit" of the query stands there twice'],
    ["/boats?limti=1", 'Parameter "limti" of the query is not known here'],
    ["/boats?__proto__=1", 'Parameter "__proto__" of the query is not known here'],
    ["/boats?all=yes", 'Parameter "all" of the query: expected "true" | "false", found "yes"'],
    ["/boats?kind=%00", "The query has a NUL character"],
  ])("refuses the query %s", async (path, detail) => {
    const answer = await ask(path)
    expect(answer.status).toBe(400)
    expect((await answer.json()).detail).toBe(detail)
  })

  test("bodies, and tells every fault with its place", async () => {
    const answer = await post("/boats", '{"name":"a","mast":1,"crew":[{"name":1,"password":"hunter2"}]}')
    expect(answer.status).toBe(400)
    expect(answer.headers.get("content-type")).toBe("application/problem+json")
    expect(await answer.json()).toEqual({
      type: "/api#invalid",
      title: "The request is wrong",
      status: 400,
      detail: 'Field "mast" is not known here (and 4 more)',
      hint: 'Did you mean "masts"?',
      instance: "/api/v1/boats",
      problems: [
        { pointer: "/mast", message: 'Field "mast" is not known here', hint: 'Did you mean "masts"?' },
        { pointer: "/name", message: 'Field "name": expected a value with a length of at least 3, found "a"' },
        { pointer: "/masts", message: 'Field "masts" is missing' },
        { pointer: "/crew/0/name", message: 'Field "crew.0.name": expected string, found 1' },
        {
          pointer: "/crew/0/password",
          message: 'Field "crew.0.password": expected number, found a text of 7 characters',
        },
      ],
    })
  })

  test("what is right, and answers as the schema says", async () => {
    const answer = await post("/boats", '{"name":"Été/1","masts":2}')
    expect(answer.status).toBe(201)
    expect(answer.headers.get("location")).toBe("/api/v1/boats/%C3%89t%C3%A9%2F1")
    expect(await (await ask(answer.headers.get("location")!.slice(7))).json()).toEqual({ name: "Été/1" })
    expect(await (await ask("/boats/sunk", { as: "" })).json()).toEqual({ who: "stranger" })
  })
})

describe("the frame refuses", () => {
  test.each([
    ["what is no JSON", '{"name": "abc",\n "masts": }', 400, 'line 2, column 11: found "}" where a value is expected'],
    ["deep nesting", `{"name":${"[".repeat(101)}`, 400, "100 levels are the most"],
    ["prototypes", '{"name":"abc","masts":1,"notes":{"__proto__":"x"}}', 400, 'a field "__proto__"'],
    ["hidden prototypes", '{"name":"abc","masts":1,"notes":{"\\u005f_proto__":"x"}}', 400, 'a field "__proto__"'],
    ["NUL", '{"name":"a\\u0000bc","masts":1}', 400, "NUL"],
    ["half of a character", '{"name":"a\\ud83dbc","masts":1}', 400, "The body has half of a character"],
    ["a list for an object", "[]", 400, "The body: expected object, found a list of 0"],
    ["nothing for an object", "", 400, 'Field "name" is missing'],
    ["large bodies", `{"name":"${"x".repeat(5000)}"}`, 413, "larger than 4096 bytes"],
  ])("%s", async (_, body, status, text) => {
    const answer = await post("/boats", body)
    expect(answer.status).toBe(status)
    expect((await answer.json()).detail).toContain(text)
  })

  test("a body that grows without an end, while it comes in", async () => {
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        sent++
        controller.enqueue(new Uint8Array(1024))
      },
    })
    const answer = await ask("/boats", { method: "POST", body, headers: { "content-type": "application/json" } })
    expect(answer.status).toBe(413)
    expect(sent).toBeLessThan(10)
  })

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""])(
    "bodies that call themselves %j",
    async (type) => {
      const answer = await post("/boats", "{}", { "content-type": type })
      expect(answer.status).toBe(415)
    },
  )

  test("text that is not UTF-8", async () => {
    const headers = { "content-type": "application/json" }
    const answer = await ask("/boats", { method: "POST", body: new Uint8Array([123, 255, 125]), headers })
    expect((await answer.json()).detail).toBe("The body is not text in UTF-8")
  })

  test("strangers, void tokens and those who may not", async () => {
    expect((await ask("/boats", { as: "" })).status).toBe(401)
    const bad = await ask("/boats", { as: "hrt_nonsense" })
    expect(bad.status).toBe(401)
    expect(bad.headers.get("www-authenticate")).toBe('Bearer realm="Headrace"')
    const basic = await app.request("http://localhost/api/v1/boats", { headers: { authorization: "Basic YTpi" } })
    expect(basic.status).toBe(401)
    const viewer = await ask("/boats/x", { as: "viewer", method: "DELETE" })
    expect(viewer.status).toBe(403)
    expect(audit.at(-1)).toMatchObject({
      actor: { name: "vi", address: "192.0.2.7" },
      action: "access.denied",
      subject: { kind: "endpoint", id: "DELETE /boats/:name" },
    })
  })

  test("unknown paths and methods", async () => {
    const unknown = await ask("/ships")
    expect([unknown.status, unknown.headers.get("content-type")]).toEqual([404, "application/problem+json"])
    const wrong = await ask("/boats", { method: "PUT" })
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, POST, HEAD, OPTIONS"])
    const options = await ask("/boats", { method: "OPTIONS" })
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, POST, HEAD, OPTIONS"])
    expect(options.headers.get("access-control-allow-origin")).toBeNull()
  })

  test("names that are not the server's", async () => {
    expect((await app.request("http://evil.example/api/v1/boats/sunk")).status).toBe(421)
    expect((await app.request("http://[::1]:80/api/v1/boats/sunk")).status).toBe(200)
    expect((await app.request("http://192.0.2.1:8080/api/v1/boats/sunk")).status).toBe(200)
  })

  test("other origins", async () => {
    const headers = { cookie: "headrace=developer", "x-csrf-token": "csrf" }
    const remove = (more: Record<string, string>) =>
      ask("/boats/x", { as: "", method: "DELETE", headers: { ...headers, ...more } })
    expect((await remove({})).status).toBe(204)
    expect((await remove({ origin: "http://localhost", "sec-fetch-site": "same-origin" })).status).toBe(204)
    expect((await remove({ origin: "http://evil.example" })).status).toBe(403)
    expect((await remove({ origin: "null" })).status).toBe(403)
    expect((await remove({ "sec-fetch-site": "same-site" })).status).toBe(403)
    expect((await remove({ "x-csrf-token": "csrg" })).status).toBe(403)
    expect((await remove({ "x-csrf-token": "" })).status).toBe(403)
  })
})

describe("the frame tells failures:", () => {
  test("a conflict with what there is", async () => {
    const answer = await ask("/fails/conflict")
    expect([answer.status, (await answer.json()).current]).toEqual([409, { version: 2 }])
  })

  test("how long to wait", async () => {
    const answer = await ask("/fails/limited")
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "2"])
  })

  test.each([
    ["store", 503],
    ["full", 507],
    ["answer", 500],
    ["die", 500],
  ])("%s without what is inside", async (how, status) => {
    const answer = await ask(`/fails/${how}`)
    expect(answer.status).toBe(status)
    expect(await answer.text()).not.toMatch(/hunter2|\/var|secret|stack|at .*\.ts/)
  })

  test("nobody waits for a read any more", async () => {
    const abort = new AbortController()
    const asked = ask("/fails/slow", { signal: abort.signal })
    await begun.promise
    abort.abort()
    expect((await asked).status).toBe(499)
    expect(interrupted).toBe(1)
  })
})

test("every answer has the headers that browsers look at", async () => {
  for (const answer of [await ask("/boats"), await ask("/nothing"), await ask("/boats", { as: "" })]) {
    expect(answer.headers.get("cache-control")).toBe("no-store")
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff")
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer")
    expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'none'")
    expect(answer.headers.get("strict-transport-security")).toBeNull()
  }
  const secure = await ask("https://localhost/api/v1/boats")
  expect(secure.headers.get("strict-transport-security")).toBe("max-age=31536000")
})

test("HEAD answers as GET does, without a body", async () => {
  const answer = await ask("/stream", { method: "HEAD" })
  expect([answer.status, await answer.text()]).toEqual([200, ""])
  expect(await (await ask("/stream")).text()).toBe("data: 1\n\n")
})
