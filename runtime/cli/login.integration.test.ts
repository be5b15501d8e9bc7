import { expect, test } from "bun:test"
import { ApiClient } from "../../scripts/testing/api-client.ts"
import { servedPlace } from "./testdata/served-place.ts"

const { served, ada, at } = await servedPlace()

/** Somebody at a terminal: types an answer as soon as the question is there. */
async function atTerminal(words: readonly string[], answers: readonly (readonly [question: string, answer: string])[]) {
  let shown = ""
  const decoder = new TextDecoder()
  const waiting = [...answers]
  await using terminal = new Bun.Terminal({
    cols: 80,
    rows: 24,
    data(screen, bytes) {
      shown += decoder.decode(bytes, { stream: true })
      const [next] = waiting
      if (next === undefined || !shown.includes(next[0])) return
      waiting.shift()
      screen.write(`${next[1]}\r`)
    },
  })
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/../main.ts`, ...words], {
    cwd: at.folder,
    env: { PATH: process.env.PATH ?? "", HOME: at.folder, HEADRACE_HOME: at.path("home"), HEADRACE_SERVER: served.url },
    terminal,
  })
  return { code: await child.exited, shown }
}

test("login asks for name and password on the terminal, shows no letter of it, and keeps a token alone", async () => {
  const wrong = await atTerminal(
    ["login"],
    [
      ["Name", "ada"],
      ["Password", "eighteen violet lanterns"],
    ],
  )
  expect(wrong.code).toBe(2)
  expect(wrong.shown).toContain("The name or the password is not right")
  const right = await atTerminal(
    ["login"],
    [
      ["Name", "ada"],
      ["Password", PASSWORD],
    ],
  )
  expect(right.shown).toContain(`signed in at ${served.url} as Ada`)
  expect([right.code, right.shown.includes("lantern")]).toEqual([0, false])
  const kept = JSON.parse(at.read("home/servers.json"))[served.url]
  expect(kept).toEqual({ token: expect.stringMatching(/^hrt_/), tokenId: expect.any(String), user: "Ada" })
  expect(right.shown).not.toContain(kept.token)
  const { items } = await ada.done<{ items: object[] }>("GET /me/tokens")
  expect(items).toMatchObject([{ id: kept.tokenId, revokedAt: null }])
  // Only ada's own: that of the command line has ended.
  expect((await ada.done<{ items: object[] }>("GET /me/sessions")).items).toHaveLength(1)
})

test("login again takes the place of the former token", async () => {
  const { token } = JSON.parse(at.read("home/servers.json"))[served.url]
  expect((await atTerminal(["login", "--user", "ada"], [["Password", PASSWORD]])).code).toBe(0)
  expect((await ApiClient.bearer(served.url, token).call("GET /me")).status).toBe(401)
  expect((await at.headrace(["--server", served.url, "flows", "list"])).code).toBe(0)
})

const PASSWORD = "seventeen violet lanterns"
