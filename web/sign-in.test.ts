import { afterEach, expect, test } from "bun:test"
import { SignIn } from "../core/server/access/sign-in.ts"
import { PASSWORD, type People, startPeople } from "./testdata/people.ts"

let people: People
async function start() {
  people = await startPeople()
  return people
}
afterEach(() => people.runtime.dispose())

test("the first administrator comes in by a link that works once", async () => {
  const { ask, setupSecret, begin } = await start()
  expect(await (await ask("GET", "/setup")).json()).toEqual({ needed: true })
  const admin = await begin()
  expect(admin.answer.status).toBe(201)
  expect(await admin.answer.json()).toMatchObject({ kind: "user", name: "ada", role: "admin" })
  expect(await (await ask("GET", "/setup")).json()).toEqual({ needed: false })
  const again = { secret: setupSecret, name: "eve", displayName: "Eve", password: PASSWORD }
  expect((await ask("POST", "/setup", again)).status).toBe(401)
  expect(await people.runtime.runPromise(SignIn.use(({ inviteFirst }) => inviteFirst))).toBeUndefined()
})

test("a setup link expires after an hour, and the next start makes another", async () => {
  const { ask, setupSecret, wait, runtime } = await start()
  const draft = { name: "ada", displayName: "Ada", password: PASSWORD }
  const second = await runtime.runPromise(SignIn.use(({ inviteFirst }) => inviteFirst))
  expect((await ask("POST", "/setup", { secret: setupSecret, ...draft })).status).toBe(401)
  await wait("60 minutes")
  expect((await ask("POST", "/setup", { secret: second?.secret, ...draft })).status).toBe(401)
  const third = await runtime.runPromise(SignIn.use(({ inviteFirst }) => inviteFirst))
  const weak = await ask("POST", "/setup", { secret: third?.secret, ...draft, password: "adaadaadaada" })
  expect([weak.status, (await weak.json()).problems[0].pointer]).toEqual([400, "/password"])
  expect((await ask("POST", "/setup", { secret: third?.secret, ...draft })).status).toBe(201)
})

test("two setups at the same time make one administrator", async () => {
  const { ask, setupSecret } = await start()
  const draft = (name: string) => ({ secret: setupSecret, name, displayName: name, password: PASSWORD })
  const answers = await Promise.all(["ada", "bob", "cyd"].map((name) => ask("POST", "/setup", draft(name))))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401])
})

test("signing in takes name and password, and says the same of every mistake", async () => {
  const { begin, ask, signIn, join } = await start()
  const admin = await begin()
  const gone = await join(admin, "gone", "viewer")
  await admin.ask("PUT", `/users/${gone.id}`, { version: 1, displayName: "Gone", role: "viewer", disabled: true })
  await admin.ask("POST", "/users", { name: "new", displayName: "New", role: "viewer" })
  const wrong = await ask("POST", "/session", { name: "ada", password: "another sail" })
  const told = await wrong.json()
  for (const name of ["nobody", "gone", "new", "x".repeat(256), "' OR 1=1 --"]) {
    const answer = await ask("POST", "/session", { name, password: PASSWORD })
    expect([answer.status, await answer.json()]).toEqual([401, told])
    expect(answer.headers.get("set-cookie")).toBeNull()
  }
  expect((await signIn("  ADA ")).answer.status).toBe(201)
})

test("the cookie is for this server only, and for scripts never", async () => {
  const { begin, app } = await start()
  const { answer } = await begin()
  expect(answer.headers.get("set-cookie")).toMatch(
    /^headrace=hrs_[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
  )
  const secure = await app.request("https://localhost/api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "ada", password: PASSWORD }),
  })
  expect(secure.headers.get("set-cookie")).toMatch(
    /^__Host-headrace=hrs_[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  )
})

test("a session ends when it is not used for twelve hours, and after a week in any case", async () => {
  const { begin, signIn, wait } = await start()
  const admin = await begin()
  await wait("11 hours")
  expect((await admin.ask("GET", "/me")).status).toBe(200)
  await wait("11 hours")
  expect((await admin.ask("GET", "/me")).status).toBe(200)
  await wait("12 hours")
  expect((await admin.ask("GET", "/me")).status).toBe(401)
  const busy = await signIn("ada")
  for (let hours = 10; hours < 7 * 24; hours += 10) {
    await wait("10 hours")
    expect((await busy.ask("GET", "/me")).status).toBe(200)
  }
  await wait("8 hours")
  expect((await busy.ask("GET", "/me")).status).toBe(401)
})

test("signing out ends the session, also for whoever has kept the cookie", async () => {
  const { begin, audit } = await start()
  const admin = await begin()
  const answer = await admin.ask("DELETE", "/session")
  expect(answer.status).toBe(204)
  expect(answer.headers.get("set-cookie")).toBe("headrace=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
  expect((await admin.ask("GET", "/me")).status).toBe(401)
  expect((await audit()).map(({ action }) => action)).toEqual(["session.ended", "setup.completed"])
})

test("a changed password ends all sessions, and begins one", async () => {
  const { begin, signIn, ask } = await start()
  const admin = await begin()
  const elsewhere = await signIn("ada")
  const next = "seven other seams"
  const wrong = await admin.ask("POST", "/me/password", { current: "no idea", password: next })
  expect([wrong.status, (await wrong.json()).problems]).toEqual([
    400,
    [{ pointer: "/current", message: "This is not your present password" }],
  ])
  const weak = await admin.ask("POST", "/me/password", { current: PASSWORD, password: "short" })
  expect((await weak.json()).detail).toBe("A password has at least 12 characters, this one has 5")
  const changed = await admin.ask("POST", "/me/password", { current: PASSWORD, password: next })
  expect(changed.status).toBe(200)
  expect((await admin.ask("GET", "/me")).status).toBe(401)
  expect((await elsewhere.ask("GET", "/me")).status).toBe(401)
  const cookie = changed.headers.get("set-cookie")!.split(";")[0]!
  expect(cookie).not.toBe(admin.cookie)
  expect((await ask("GET", "/me", undefined, { cookie })).status).toBe(200)
  expect((await signIn("ada")).answer.status).toBe(401)
  expect((await signIn("ada", next)).answer.status).toBe(201)
})

test("whoever guesses waits longer and longer, and keeps nobody else out", async () => {
  const { begin, ask, signIn, comeFrom, wait } = await start()
  await begin()
  comeFrom("198.51.100.1")
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) statuses.push((await ask("POST", "/session", { name: "ada", password: "guess" })).status)
  expect(statuses).toEqual([401, 401, 401, 429, 429])
  // The right one is no better while the wait goes on.
  const early = await signIn("ada")
  expect([early.answer.status, early.answer.headers.get("retry-after")]).toEqual([429, "1"])
  comeFrom("203.0.113.9")
  expect((await signIn("ada")).answer.status).toBe(201)
  comeFrom("198.51.100.1")
  await wait("1 seconds")
  expect((await ask("POST", "/session", { name: "ada", password: "guess" })).status).toBe(401)
  await wait("1 seconds")
  expect((await signIn("ada")).answer.status).toBe(429)
  await wait("1 seconds")
  expect((await signIn("ada")).answer.status).toBe(201)
  expect((await ask("POST", "/session", { name: "ada", password: "guess" })).status).toBe(401)
})

test("guesses at the same time count like those one after the other", async () => {
  const { begin, ask } = await start()
  await begin()
  const guess = () => ask("POST", "/session", { name: "ada", password: "guess" })
  const answers = await Promise.all(Array.from({ length: 20 }, guess))
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(3)
})

test("one address has so many tries, whatever the names; one network of IPv6 counts as one", async () => {
  const { begin, ask, comeFrom } = await start()
  await begin()
  const statuses: number[] = []
  for (let i = 0; i < 32; i++) {
    comeFrom(`2001:db8::${i.toString(16)}`)
    statuses.push((await ask("POST", "/session", { name: `user${i}`, password: "guess" })).status)
  }
  expect(statuses.filter((status) => status === 401)).toHaveLength(30)
  comeFrom("2001:db8:0:1::1")
  expect((await ask("POST", "/session", { name: "ada", password: "guess" })).status).toBe(401)
})

test("sessions can be looked at and ended by whose they are", async () => {
  const { begin, signIn, join } = await start()
  const admin = await begin()
  const other = await signIn("ada")
  const list = await (await admin.ask("GET", "/me/sessions")).json()
  expect(list.items).toHaveLength(2)
  const theirs = list.items.find(({ id }: { id: string }) => id !== list.current)
  const stranger = await join(admin, "eve", "developer")
  expect((await stranger.ask("DELETE", `/me/sessions/${theirs.id}`)).status).toBe(404)
  for (const id of ["%25", "_", theirs.id.slice(0, 8), "%25".repeat(11)])
    expect((await admin.ask("DELETE", `/me/sessions/${id}`)).status).toBe(404)
  expect((await admin.ask("DELETE", `/me/sessions/${theirs.id}`)).status).toBe(204)
  expect((await other.ask("GET", "/me")).status).toBe(401)
  expect((await admin.ask("GET", "/me")).status).toBe(200)
})
