import { describe, expect, test } from "bun:test"
import { storePlaces } from "../runtime/store/testdata/store-databases.ts"
import { PASSWORD, startPeople } from "./testdata/people.ts"

describe.each(storePlaces)("people in %s", (_, makePlace) => {
  test("come in, are changed and go, and leave their trace in the audit log", async () => {
    await using place = await makePlace()
    const people = await startPeople(place.layer)
    const { ask, wait, signIn, audit } = people
    const admin = await people.begin()
    expect(admin.answer.status).toBe(201)
    await wait("1 minutes")
    const bob = await people.join(admin, "bob", "developer")
    expect(bob.answer.status).toBe(201)
    const token = await bob.makeToken(["flows.read"])
    expect((await ask("GET", "/me", undefined, token.bearer)).status).toBe(200)
    await wait("2 minutes")
    expect((await ask("GET", "/me", undefined, token.bearer)).status).toBe(200)
    expect((await bob.ask("GET", "/users")).status).toBe(403)
    const sessions = await (await bob.ask("GET", "/me/sessions")).json()
    expect(sessions.items).toHaveLength(1)
    const twice = await Promise.all(
      ["eve", "EVE"].map((name) => admin.ask("POST", "/users", { name, displayName: "Eve", role: "viewer" })),
    )
    expect(twice.map(({ status }) => status).sort()).toEqual([201, 409])
    const listed = await (await admin.ask("GET", "/users?limit=2")).json()
    expect([listed.items.map(({ name }: { name: string }) => name), listed.next]).toEqual([["ada", "bob"], "bob"])
    expect((await (await admin.ask("GET", "/users?after=bob")).json()).items).toHaveLength(1)
    const off = { version: 1, displayName: "Bob", role: "viewer", disabled: true }
    const changes = await Promise.all([1, 2].map(() => admin.ask("PUT", `/users/${bob.id}`, off)))
    expect(changes.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await ask("GET", "/me", undefined, token.bearer)).status).toBe(401)
    expect((await signIn("bob")).answer.status).toBe(401)
    expect((await admin.ask("DELETE", `/me/sessions/${sessions.current}`)).status).toBe(404)
    await admin.ask("PATCH", "/settings", { "server.hosts": ["a.example"], "queue.mostQueued": 5 })
    expect(await (await admin.ask("GET", "/settings")).json()).toMatchObject({ "server.hosts": ["a.example"] })
    const changed = await admin.ask("POST", "/me/password", { current: PASSWORD, password: "seven other seams" })
    expect(changed.status).toBe(200)
    const fresh = await signIn("ada", "seven other seams")
    expect((await fresh.ask("DELETE", `/users/${bob.id}?version=2`)).status).toBe(204)
    const filtered = await (await fresh.ask("GET", `/audit?subjectId=${bob.id}&from=60000&limit=2`)).json()
    expect(filtered.items.map(({ action }: { action: string }) => action)).toEqual(["user.removed", "login.refused"])
    expect((await audit()).map(({ action }) => action)).toEqual([
      "user.removed",
      "login.succeeded",
      "password.changed",
      "settings.changed",
      "login.refused",
      "user.changed",
      "user.created",
      "access.denied",
      "token.created",
      "invitation.accepted",
      "user.created",
      "setup.completed",
    ])
    await people.runtime.dispose()
  })
})
