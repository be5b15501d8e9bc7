import { afterEach, expect, test } from "bun:test"
import { Effect } from "effect"
import { system } from "../core/server/access/actor.ts"
import { Users } from "../core/server/access/users.ts"
import { PASSWORD, type People, startPeople } from "./testdata/people.ts"

let people: People
async function start() {
  people = await startPeople()
  return { ...people, admin: await people.begin() }
}
afterEach(() => people.runtime.dispose())

test("a user is made by an invitation, which works once and for three days", async () => {
  const { admin, ask, wait } = await start()
  const draft = { name: " Bob ", displayName: "Bob B.", role: "developer" }
  const made = await admin.ask("POST", "/users", draft)
  const { user, invitation } = await made.json()
  expect(made.headers.get("location")).toBe(`/api/v1/users/${user.id}`)
  expect(user).toMatchObject({ name: "bob", role: "developer", hasPassword: false, version: 1 })
  expect((await admin.ask("POST", "/users", { ...draft, name: "BOB" })).status).toBe(409)
  const secret = invitation.path.replace("/invitation#", "")
  expect((await ask("POST", "/invitations", { secret, password: "bobbobbobbob" })).status).toBe(400)
  const answers = await Promise.all([1, 2].map(() => ask("POST", "/invitations", { secret, password: PASSWORD })))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 401])
  const late = await (await admin.ask("POST", "/users", { ...draft, name: "late" })).json()
  await wait("3 days")
  const lateSecret = late.invitation.path.split("#")[1]
  expect((await ask("POST", "/invitations", { secret: lateSecret, password: PASSWORD })).status).toBe(401)
})

test("roles take hold at once, and disabling ends sessions and tokens", async () => {
  const { admin, ask, join, signIn } = await start()
  const bob = await join(admin, "bob", "admin")
  const token = await bob.makeToken(["users.read", "audit.*"])
  expect((await ask("GET", "/users", undefined, token.bearer)).status).toBe(200)
  const demoted = { version: 1, displayName: "bob", role: "viewer", disabled: false }
  expect((await admin.ask("PUT", `/users/${bob.id}`, demoted)).status).toBe(200)
  expect((await bob.ask("GET", "/users")).status).toBe(403)
  expect((await ask("GET", "/users", undefined, token.bearer)).status).toBe(403)
  expect((await bob.ask("GET", "/me")).status).toBe(200)
  const stale = await admin.ask("PUT", `/users/${bob.id}`, demoted)
  expect([stale.status, (await stale.json()).current.version]).toEqual([409, 2])
  expect((await admin.ask("PUT", `/users/${bob.id}`, { ...demoted, version: 2, disabled: true })).status).toBe(200)
  expect((await bob.ask("GET", "/me", undefined, { "x-csrf-token": "" })).status).toBe(401)
  expect((await ask("GET", "/me", undefined, token.bearer)).status).toBe(401)
  expect((await admin.ask("PUT", `/users/${bob.id}`, { ...demoted, version: 3 })).status).toBe(200)
  expect((await ask("GET", "/me", undefined, token.bearer)).status).toBe(401)
  expect((await signIn("bob")).answer.status).toBe(201)
})

test("there is always an administrator who can sign in", async () => {
  const { admin, join } = await start()
  const { id } = await (await admin.ask("GET", "/me")).json()
  await admin.ask("POST", "/users", { name: "invited", displayName: "Invited", role: "admin" })
  const off = { version: 1, displayName: "Ada", role: "admin", disabled: true }
  for (const change of [off, { ...off, disabled: false, role: "developer" }])
    expect((await admin.ask("PUT", `/users/${id}`, change)).status).toBe(409)
  expect((await admin.ask("DELETE", `/users/${id}?version=1`)).status).toBe(409)
  expect((await admin.ask("POST", `/users/${id}/invitation`)).status).toBe(409)
  const bob = await join(admin, "bob", "admin")
  // Both are removed at the same time, and one of them stays.
  const remove = (user: string) =>
    people.runtime.runPromise(Effect.exit(Users.use((users) => users.remove(system, user, 1))))
  const ends = await Promise.all([remove(bob.id), remove(id)])
  expect(ends.map(({ _tag }) => _tag).sort()).toEqual(["Failure", "Success"])
})

test("a password that was reset is void at once", async () => {
  const { admin, ask, join, signIn } = await start()
  const bob = await join(admin, "bob", "operator")
  const reset = await admin.ask("POST", `/users/${bob.id}/invitation`)
  expect(reset.status).toBe(201)
  expect((await signIn("bob")).answer.status).toBe(401)
  expect((await bob.ask("GET", "/me", undefined, { "x-csrf-token": "" })).status).toBe(401)
  const secret = (await reset.json()).path.split("#")[1]
  expect((await ask("POST", "/invitations", { secret, password: "one more sail" })).status).toBe(201)
  expect((await signIn("bob", "one more sail")).answer.status).toBe(201)
})

test("users are listed by name, page by page", async () => {
  const { admin } = await start()
  for (const name of ["eve", "bob", "dan", "cyd"])
    await admin.ask("POST", "/users", { name, displayName: name, role: "viewer" })
  const names: string[][] = []
  let next: string | undefined = ""
  while (next !== undefined) {
    const after: string = next === "" ? "" : `&after=${encodeURIComponent(next)}`
    const part = await (await admin.ask("GET", `/users?limit=2${after}`)).json()
    names.push(part.items.map(({ name }: { name: string }) => name))
    next = part.next
  }
  expect(names).toEqual([["ada", "bob"], ["cyd", "dan"], ["eve"]])
})

test("a removed user is gone with sessions and tokens", async () => {
  const { admin, ask, join, stored } = await start()
  const bob = await join(admin, "bob", "viewer")
  const token = await bob.makeToken(["flows.read"])
  expect((await admin.ask("DELETE", `/users/${bob.id}?version=2`)).status).toBe(409)
  expect((await admin.ask("DELETE", `/users/${bob.id}?version=1`)).status).toBe(204)
  expect((await ask("GET", "/me", undefined, token.bearer)).status).toBe(401)
  expect((await ask("GET", "/me", undefined, { cookie: bob.cookie })).status).toBe(401)
  expect(await stored()).not.toContain(token.secret.slice(0, 10))
  expect((await admin.ask("GET", `/users/${bob.id}`)).status).toBe(404)
})

test("a token may what its scopes say, and nothing of its user's own", async () => {
  const { admin, ask, audit } = await start()
  const token = await admin.makeToken(["users.*"])
  expect((await ask("GET", "/users", undefined, token.bearer)).status).toBe(200)
  expect((await ask("GET", "/audit", undefined, token.bearer)).status).toBe(403)
  expect((await audit())[0]).toMatchObject({
    action: "access.denied",
    actorKind: "token",
    actorName: "robot",
    subjectId: "GET /audit",
    detail: { needed: "audit.read" },
    address: "192.0.2.7",
  })
  const me = await (await ask("GET", "/me", undefined, token.bearer)).json()
  expect(me).toMatchObject({ kind: "token", name: "robot", permissions: ["users.read", "users.write"] })
  for (const [method, path, body] of [
    ["POST", "/me/tokens", { name: "more", scopes: ["settings.write"], expiresAt: null }],
    ["POST", "/me/password", { current: PASSWORD, password: "a new sail of seams" }],
    ["GET", "/me/sessions", undefined],
    ["DELETE", "/session", undefined],
  ] as const)
    expect((await ask(method, path, body, token.bearer)).status).toBe(403)
})

test("tokens expire, are revoked, and tell when they were used", async () => {
  const { admin, ask, wait } = await start()
  const token = await admin.makeToken(["users.read"], 120_000)
  const use = async () => (await ask("GET", "/users", undefined, token.bearer)).status
  const shown = async () => (await (await admin.ask("GET", "/me/tokens")).json()).items[0]
  expect(await shown()).toMatchObject({ name: "robot", lastUsedAt: null, prefix: token.secret.slice(0, 10) })
  expect(await use()).toBe(200)
  await wait("30 seconds")
  expect(await use()).toBe(200)
  expect((await shown()).lastUsedAt).toBe(0)
  await wait("31 seconds")
  expect(await use()).toBe(200)
  expect((await shown()).lastUsedAt).toBe(61_000)
  await wait("59 seconds")
  expect(await use()).toBe(401)
  const other = await admin.makeToken(["users.read"])
  expect((await admin.ask("DELETE", `/me/tokens/${other.id}`)).status).toBe(204)
  expect((await ask("GET", "/users", undefined, other.bearer)).status).toBe(401)
  expect((await admin.ask("DELETE", `/me/tokens/${other.id}`)).status).toBe(404)
  const past = { name: "late", scopes: ["users.read"], expiresAt: 1 }
  expect((await admin.ask("POST", "/me/tokens", past)).status).toBe(400)
  expect((await admin.ask("POST", "/me/tokens", { ...past, scopes: ["users.wrte"], expiresAt: null })).status).toBe(400)
})

test("settings are for administrators, and a change is in the audit log", async () => {
  const { admin, join, audit } = await start()
  const bob = await join(admin, "bob", "developer")
  expect((await bob.ask("GET", "/settings")).status).toBe(403)
  const changed = await admin.ask("PATCH", "/settings", { "queue.mostQueued": 9 })
  expect((await changed.json())["queue.mostQueued"]).toBe(9)
  const wrong = await admin.ask("PATCH", "/settings", { "queue.mostQueud": 9 })
  expect([wrong.status, (await wrong.json()).hint]).toEqual([400, 'Did you mean "queue.mostQueued"?'])
  expect((await audit())[0]).toMatchObject({
    action: "settings.changed",
    detail: { "queue.mostQueued": { from: 10_000, to: 9 } },
  })
})

test("the audit log is found by actor, action, subject and time", async () => {
  const { admin, ask, wait, join } = await start()
  await wait("1 hours")
  const bob = await join(admin, "bob", "viewer")
  await wait("1 hours")
  await ask("POST", "/session", { name: "bob", password: "guess" })
  const actions = async (filter: string) => {
    const answer = await admin.ask("GET", `/audit?${filter}`)
    return (await answer.json()).items.map(({ action }: { action: string }) => action)
  }
  expect(await actions(`actor=${bob.id}`)).toEqual(["invitation.accepted"])
  expect(await actions("action=login.refused")).toEqual(["login.refused"])
  expect(await actions(`subjectKind=user&subjectId=${bob.id}`)).toEqual([
    "login.refused",
    "invitation.accepted",
    "user.created",
  ])
  expect(await actions("from=3600000&to=3600001")).toEqual(["invitation.accepted", "user.created"])
  expect(await actions("to=3600000")).toEqual(["setup.completed"])
  expect(await actions("limit=1")).toEqual(["login.refused"])
})
