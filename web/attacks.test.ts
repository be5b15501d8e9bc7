import { afterEach, describe, expect, test } from "bun:test"
import { connect } from "node:net"
import { Schema } from "effect"
import { ServerSettings } from "../core/server/settings.ts"
import type { AnyEndpoint } from "./api/endpoint.ts"
import { PASSWORD, type People, peopleEndpoints, startPeople } from "./testdata/people.ts"

let people: People
async function start() {
  people = await startPeople()
  return { ...people, admin: await people.begin() }
}
afterEach(() => people.runtime.dispose())

const INJECTIONS = [
  "' OR '1'='1",
  "'; DROP TABLE users; --",
  '" OR ""="',
  "1) UNION SELECT password_hash FROM users --",
  "%' OR name LIKE '%",
  "\\'; DELETE FROM audit_log; --",
  "${7*7}{{7*7}}",
  "a\u2028b",
]

test("SQL in any parameter is a value like another", async () => {
  const { admin, stored, runtime } = await start()
  await runtime.runPromise(
    ServerSettings.use((settings) =>
      settings.change(
        { kind: "system", id: "", name: "", account: "", role: "admin" },
        { "limits.requestsPerMinute": 0 },
      ),
    ),
  )
  const before = JSON.parse(await stored())
  let asked = 0
  for (const endpoint of peopleEndpoints as readonly AnyEndpoint[]) {
    if (endpoint.path === "/session") continue
    const { properties = {} } = Schema.toJsonSchemaDocument(endpoint.query ?? Schema.Struct({})).schema
    for (const text of INJECTIONS) {
      const value = encodeURIComponent(text)
      const path = endpoint.path.replace(/:\w+/g, value)
      const paths = Object.keys(properties as object).map((name) => `${path}?${name}=${value}`)
      for (const each of paths.length === 0 ? [path] : paths) {
        const body =
          endpoint.body === undefined ? undefined : { name: text, secret: text, password: text, [text]: text }
        const answer = await admin.ask(endpoint.method, each, body)
        expect(answer.status).toBeOneOf([200, 400, 401, 404])
        // A filter finds what is equal to it, which nothing is.
        if (/^\/audit\?(actor|action|subject)/.test(each)) expect(await answer.json()).toEqual({ items: [] })
        asked++
      }
    }
  }
  expect(asked).toBeGreaterThan(150)
  const after = JSON.parse(await stored())
  // Users, sessions and tokens are what they were.
  expect(after.slice(0, 3)).toEqual(before.slice(0, 3))
})

test("a name to sign in with may be SQL, and signs nobody in", async () => {
  const { ask, wait } = await start()
  for (const name of INJECTIONS) {
    await wait("1 minutes")
    expect((await ask("POST", "/session", { name, password: PASSWORD })).status).toBe(401)
  }
})

describe("credentials:", () => {
  test("what is near a token, or kept of it, is no token", async () => {
    const { admin, ask, stored } = await start()
    const { secret } = await admin.makeToken(["users.read"])
    const [, , [{ hash }]] = JSON.parse(await stored())
    for (const token of [hash, `hrt_${hash}`, secret.slice(0, -1), `${secret}a`, secret.toUpperCase(), "hrt_", "hrt_%"])
      expect((await ask("GET", "/users", undefined, { authorization: `Bearer ${token}` })).status).toBe(401)
    for (const header of [
      "",
      "Bearer",
      "Bearer ",
      `Token ${secret}`,
      `Bearer ${secret} x`,
      `Bearer ${"a".repeat(600)}`,
    ])
      expect((await ask("GET", "/users", undefined, { authorization: header })).status).toBe(401)
    expect((await ask("GET", "/users", undefined, { cookie: `headrace=${secret}` })).status).toBe(401)
    expect((await ask("GET", `/users?token=${secret}`)).status).toBe(401)
    expect((await ask("GET", "/users", undefined, { authorization: `bearer ${secret}` })).status).toBe(200)
  })

  test("a session is no bearer token, and a wrong token is not made good by a session", async () => {
    const { admin, ask } = await start()
    const [, secret] = admin.cookie.split("=")
    expect((await ask("GET", "/users", undefined, { authorization: `Bearer ${secret}` })).status).toBe(401)
    const both = { cookie: admin.cookie, authorization: "Bearer hrt_none" }
    expect((await ask("GET", "/users", undefined, both)).status).toBe(401)
  })

  test("somebody else's token cannot be revoked, nor seen", async () => {
    const { admin, ask, join } = await start()
    const token = await admin.makeToken(["users.read"])
    const eve = await join(admin, "eve", "developer")
    expect((await eve.ask("DELETE", `/me/tokens/${token.id}`)).status).toBe(404)
    expect((await (await eve.ask("GET", "/me/tokens")).json()).items).toEqual([])
    const { id } = await (await admin.ask("GET", "/me")).json()
    expect((await eve.ask("DELETE", `/users/${id}/tokens/${token.id}`)).status).toBe(403)
    expect((await ask("GET", "/users", undefined, token.bearer)).status).toBe(200)
    // Nor by an administrator under the name of somebody else.
    expect((await admin.ask("DELETE", `/users/${eve.id}/tokens/${token.id}`)).status).toBe(404)
  })

  test("a session that a stranger has chosen is not taken over", async () => {
    const { ask } = await start()
    const chosen = { cookie: "headrace=hrs_chosen-by-somebody-else" }
    const answer = await ask("POST", "/session", { name: "ada", password: PASSWORD }, chosen)
    expect(answer.status).toBe(201)
    expect(answer.headers.get("set-cookie")).not.toContain("chosen")
    expect((await ask("GET", "/me", undefined, chosen)).status).toBe(401)
  })

  test("signing in again makes another session", async () => {
    const { admin, ask } = await start()
    const again = await ask("POST", "/session", { name: "ada", password: PASSWORD }, { cookie: admin.cookie })
    expect(again.headers.get("set-cookie")).not.toContain(admin.cookie)
  })

  test("an unknown name takes the same work as a wrong password", async () => {
    const { admin, ask, join, verified, wait } = await start()
    const gone = await join(admin, "gone", "viewer")
    await admin.ask("PUT", `/users/${gone.id}`, { version: 1, displayName: "Gone", role: "viewer", disabled: true })
    for (const name of ["ada", "nobody", "gone", "x".repeat(256)]) {
      await wait("1 minutes")
      verified.length = 0
      expect((await ask("POST", "/session", { name, password: "guess" })).status).toBe(401)
      expect(verified).toHaveLength(1)
      expect(verified[0]).toStartWith("$argon2id$")
    }
  })
})

describe("other sites:", () => {
  test("nothing is changed without the token of this very session", async () => {
    const { admin, ask, join } = await start()
    const eve = await join(admin, "eve", "admin")
    const draft = { name: "mallory", displayName: "M", role: "admin" }
    for (const csrf of [undefined, "", await eve.csrf(), admin.cookie.split("=")[1]!, "null"]) {
      const headers = { cookie: admin.cookie, ...(csrf === undefined ? {} : { "x-csrf-token": csrf }) }
      expect((await ask("POST", "/users", draft, headers)).status).toBe(403)
    }
    expect((await admin.ask("POST", "/users", draft)).status).toBe(201)
  })

  test("nobody is signed in, set up or invited from a page of another origin", async () => {
    const { ask } = await start()
    for (const [path, body] of [
      ["/session", { name: "ada", password: PASSWORD }],
      ["/setup", { secret: `hri_${"a".repeat(43)}`, name: "a", displayName: "A", password: PASSWORD }],
      ["/invitations", { secret: `hri_${"a".repeat(43)}`, password: PASSWORD }],
    ] as const) {
      expect((await ask("POST", path, body, { origin: "https://evil.example" })).status).toBe(403)
      expect((await ask("POST", path, body, { "sec-fetch-site": "cross-site" })).status).toBe(403)
      expect((await ask("POST", path, body, { origin: "http://localhost.evil.example" })).status).toBe(403)
    }
  })

  test("a form cannot send JSON, and no origin is let in", async () => {
    const { app, admin } = await start()
    const answer = await app.request("http://localhost/api/v1/session", {
      method: "POST",
      headers: { "content-type": "text/plain", cookie: admin.cookie },
      body: JSON.stringify({ name: "ada", password: PASSWORD }),
    })
    expect(answer.status).toBe(415)
    const preflight = await app.request("http://localhost/api/v1/users", {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    })
    for (const [name] of preflight.headers) expect(name).not.toStartWith("access-control")
  })
})

describe("bodies:", () => {
  test("no field is set that is not asked for", async () => {
    const { admin, join } = await start()
    const bob = await join(admin, "bob", "viewer")
    const change = { version: 1, displayName: "Bob", role: "viewer", disabled: false }
    for (const more of ["id", "passwordHash", "name", "createdAt", "constructor", "toString"])
      expect((await admin.ask("PUT", `/users/${bob.id}`, { ...change, [more]: "x" })).status).toBe(400)
  })

  test("prototypes stay what they are", async () => {
    const { admin, app } = await start()
    const headers = { cookie: admin.cookie, "x-csrf-token": await admin.csrf(), "content-type": "application/json" }
    for (const body of [
      '{"__proto__":{"polluted":true},"queue.mostQueued":9}',
      '{"__proto__":{"polluted":true},"__proto__":{"polluted":true}}',
      '{"constructor":{"prototype":{"polluted":true}}}',
      '{"\\u005f\\u005fproto\\u005f\\u005f":{"polluted":true}}',
    ]) {
      const answer = await app.request("http://localhost/api/v1/settings", { method: "PATCH", headers, body })
      expect(answer.status).toBe(400)
    }
    expect((await admin.ask("GET", "/settings")).status).toBe(200)
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test("line breaks do not come into names, and so in no header and no log", async () => {
    const { admin } = await start()
    const draft = { name: "bob", displayName: "Bob", role: "viewer" }
    for (const text of ["a\r\nset-cookie: x=1", "a\nb", "a\u0085b", "\u202e\r", "a\0b", " ", ""]) {
      expect((await admin.ask("POST", "/users", { ...draft, displayName: text })).status).toBe(400)
      const token = { name: text, scopes: ["users.read"], expiresAt: null }
      expect((await admin.ask("POST", "/me/tokens", token)).status).toBe(400)
    }
    for (const name of ["a b", "a\nb", "../etc", "<b>", "", "x".repeat(65), "-a", "a'b"])
      expect((await admin.ask("POST", "/users", { ...draft, name })).status).toBe(400)
    expect((await admin.ask("POST", "/users", { ...draft, displayName: "<img src=x onerror=alert(1)>" })).status).toBe(
      201,
    )
  })
})

test("an address that a client makes up is not believed, and one from a trusted proxy is", async () => {
  const { admin, ask, comeFrom, wait } = await start()
  const addressOf = async (forwarded: string) => {
    await ask("POST", "/session", { name: "nobody", password: "guess" }, { "x-forwarded-for": forwarded })
    await wait("1 hours")
    return (await (await admin.ask("GET", "/audit?action=login.refused&limit=1")).json()).items[0].address
  }
  expect(await addressOf("203.0.113.5")).toBe("192.0.2.7")
  await admin.ask("PATCH", "/settings", { "server.trustedProxies": ["192.0.2.0/24", "10.0.0.1"] })
  expect(await addressOf("203.0.113.5")).toBe("203.0.113.5")
  expect(await addressOf("198.51.100.1, 203.0.113.5, 10.0.0.1")).toBe("203.0.113.5")
  expect(await addressOf("203.0.113.5, nonsense")).toBe("192.0.2.7")
  comeFrom("203.0.113.77")
  expect(await addressOf("198.51.100.1")).toBe("203.0.113.77")
})

test("secrets are told once, and are nowhere else: not in answers, the store, the audit log or the log", async () => {
  const { admin, ask, join, stored, logged, setupSecret, signIn } = await start()
  const token = await admin.makeToken(["users.read"])
  const bob = await join(admin, "bob", "viewer")
  const wrong = "a password that is wrong"
  await ask("POST", "/session", { name: "ada", password: wrong })
  await ask("POST", "/session", { name: wrong, password: "x" })
  await ask("POST", "/setup", { secret: setupSecret, name: "e", displayName: "E", password: PASSWORD })
  await ask("POST", "/setup", { secret: setupSecret, name: 7, password: PASSWORD })
  await ask("GET", "/users", undefined, { authorization: `Bearer ${token.secret}x` })
  const again = await signIn("ada")
  const secrets = [setupSecret, token.secret, PASSWORD, wrong]
  secrets.push(...[admin, bob, again].map(({ cookie }) => cookie.split("=")[1]!))
  expect(new Set(secrets).size).toBe(7)
  const paths = ["/me", "/me/tokens", "/me/sessions", "/users", "/audit?limit=200", "/settings", `/users/${bob.id}`]
  const answers = await Promise.all(paths.map(async (path) => (await admin.ask("GET", path)).text()))
  const problem = await ask("POST", "/session", { name: "ada", password: 7, secret: PASSWORD })
  const places = [...answers, await problem.text(), await stored(), logged.join("\n")]
  for (const secret of secrets) for (const place of places) expect(place).not.toContain(secret)
  for (const answer of answers) expect(answer).not.toMatch(/argon2|passwordHash|"hash"/)
})

test("paths are taken as they are, over a real connection", async () => {
  const { app } = await start()
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => app.fetch(request) })
  const send = (target: string, more = "") =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(server.port!, "127.0.0.1", () =>
        socket.end(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${more}\r\n`),
      )
      let text = ""
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1")
      })
      socket.on("close", () => resolve(text))
      socket.on("error", reject)
    })
  try {
    for (const target of [
      "/api/v1/setup/../users",
      "/api/v1/setup/%2e%2e/users",
      "/api/v1/setup/..%2fusers",
      "/api/v1/setup/..%5cusers",
      "//api/v1/users",
      "/api/v1//users",
      "/api/v1/users/%2e%2e%2fme",
      "/api/v1/users/..%2f..%2f..%2fetc%2fpasswd",
      "/api/v1/users/%00",
      "/api/v1/users/%zz",
      "/api/v1/users/%c0%ae%c0%ae",
      "/api/v1/users;/x",
      "/API/V1/USERS",
    ]) {
      const answer = await send(target)
      expect(answer).toMatch(/^HTTP\/1\.1 40[014] /)
      expect(answer).not.toMatch(/root:|"items"|\n +at |^(server|x-powered-by):/im)
    }
    expect(await send("/api/v1/setup")).toMatch(/^HTTP\/1\.1 200 /)
    expect(await send("/api/v1/setup", "Host: evil.example\r\n")).toMatch(/^HTTP\/1\.1 4/)
  } finally {
    await server.stop(true)
  }
})
