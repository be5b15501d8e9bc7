import { expect, test } from "bun:test"
import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { ApiClient } from "../../scripts/testing/api-client.ts"
import { chain } from "./testdata/headrace.ts"
import { servedPlace } from "./testdata/served-place.ts"

const { served, ada, at } = await servedPlace()

const { secret } = await ada.done<{ secret: string }>("POST /me/tokens", {
  name: "test",
  scopes: ["flows.*", "runs.*"],
  expiresAt: null,
})
const env = { HEADRACE_SERVER: served.url }
const headrace = async (...words: string[]) => {
  const done = await at.headrace(words, { env })
  expect(done.out + done.err).not.toContain(secret)
  return done
}

/** Spelled as nobody's JSON library would. */
const LETTERS = `{ "version":1,\n\t"steps" : [ {"id":"read","use":"rows-input","config":{"columns":[{"name":"a","type":"int32"}],"rows":1}}\n,\n{"id":"write","use":"discard-output"}],
"hops":[{"from":"read","to":"write"}] }\n`

test("login keeps a token that is right, in a file for its owner, and never prints it", async () => {
  const unknown = await headrace("flows", "list")
  expect(unknown).toMatchObject({ code: 2, out: "" })
  expect(unknown.err).toContain(`hint: Sign in: headrace login --server ${served.url}`)
  const wrong = await at.headrace(["login", "--token-stdin"], { env, stdin: "hrt_wrong\n" })
  expect([wrong.code, existsSync(at.path("home/servers.json"))]).toEqual([2, false])
  expect(wrong.err).not.toContain("hrt_wrong")
  const right = await at.headrace(["--server", served.url, "login", "--token-stdin"], { stdin: `${secret}\n` })
  expect(right).toEqual({ code: 0, out: "", err: `signed in at ${served.url} as Ada\n` })
  expect(statSync(at.path("home/servers.json")).mode & 0o777).toBe(0o600)
  expect((await at.headrace(["login"], { env })).err).toContain("there is no terminal")
})

test("flows push saves to the letter, pull gives it back, and diff tells what is different", async () => {
  await at.write("Umsätze.json", LETTERS)
  const made = await headrace("flows", "push", "Umsätze.json", "--folder", "shop", "--remark", "first")
  expect(made).toMatchObject({ code: 0, err: 'saved "Umsätze", version 1\n' })
  expect(await ada.open("GET /flows/Ums%C3%A4tze/document").then((answer) => answer.text())).toBe(LETTERS)
  expect((await headrace("flows", "push", "Umsätze.json")).err).toBe('"Umsätze" is what the server has, version 1\n')
  expect(await headrace("flows", "pull", "Umsätze", "--dir", "flows")).toMatchObject({ code: 0 })
  expect(at.read("flows/Umsätze.json")).toBe(LETTERS)
  expect(await headrace("flows", "diff", "flows/Umsätze.json")).toEqual({ code: 0, out: "", err: "" })
  await at.write("flows/Umsätze.json", LETTERS.replace('"write","use"', '"out","use"'))
  const different = await headrace("flows", "diff", "flows/Umsätze.json")
  expect(different).toMatchObject({ code: 1, err: "" })
  expect(different.out).toContain("--- Umsätze, version 1\n+++ flows/Umsätze.json\n@@ ")
  expect(different.out).toContain('\n-{"id":"write","use":"discard-output"}],\n+{"id":"out"')
  const lost = await headrace("flows", "pull", "Umsätze", "--dir", "flows")
  expect(lost).toMatchObject({ code: 2 })
  expect(lost.err).toContain("has changes that are not on the server")
  const listed = JSON.parse((await headrace("flows", "list", "--json")).out)
  expect(listed).toMatchObject([{ name: "Umsätze", folder: "shop", version: 1 }])
})

test("flows push does not overwrite what somebody else has changed, and shows what that was", async () => {
  await at.write("a/orders.json", chain(READ, WRITE))
  await headrace("flows", "push", "a/orders.json")
  await headrace("flows", "pull", "orders", "--dir", "b")
  await at.write("b/orders.json", chain(READ, { ...WRITE, id: "keep" }))
  expect(await headrace("flows", "push", "b/orders.json", "--remark", "keeps")).toMatchObject({ code: 0 })
  await at.write("a/orders.json", chain({ ...READ, id: "other" }, WRITE))
  const stale = await headrace("flows", "push", "a/orders.json")
  expect(stale).toMatchObject({ code: 2, out: "" })
  expect(stale.err).toContain("version 2 by test")
  expect(stale.err).toContain(": keeps\n")
  expect(stale.err).toContain('  step "keep" was added\n  step "write" was removed\n')
  expect(stale.err).toContain('"orders" is at version 2 on the server, and the file follows version 1')
  // A file that was never pulled follows nothing.
  await at.write("c/orders.json", chain(READ))
  expect((await headrace("flows", "push", "c/orders.json")).err).toContain("this file was not pulled from there")
  expect(await headrace("flows", "push", "a/orders.json", "--force")).toMatchObject({ code: 0 })
  expect((await headrace("flows", "pull", "orders", "--dir", "a")).err).toContain("is as on the server, version 3")
})

test("flows push tells what keeps a flow from being finished, and what the server does not take", async () => {
  await at.write("unfinished.json", chain(READ, { id: "write", use: "no-such-output" }))
  const unfinished = await headrace("flows", "push", "unfinished.json")
  expect(unfinished.code).toBe(0)
  expect(unfinished.err).toContain("warning:")
  await at.write("broken.json", "{ no json")
  await at.write("what?.json", "{}")
  const refused = await headrace("flows", "push", "broken.json", "what?.json", "none.json", "unfinished.json")
  expect(refused.code).toBe(2)
  expect(refused.err).toContain("The body is not JSON: line 1, column 3")
  expect(refused.err).toContain("The name has ?")
  expect(refused.err).toContain('Cannot read "none.json": there is no such file')
  expect(refused.err).toContain('"unfinished" is what the server has')
})

test("flows pull writes into its folder only, whatever names the server gives", async () => {
  // A server that means harm.
  const evil = Bun.serve({
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname.endsWith("/document")) return new Response("{}", { headers: { etag: '"1"' } })
      const names = ["../up", "/tmp/abs", "a/b", "..", "", "nul\0", "esc\u001b[2J", "lin", "good", "x".repeat(64)]
      return Response.json({ items: names.map((name) => ({ name })) })
    },
  })
  await at.write("outside.txt", "untouched")
  await at.write("deep/in/.keep", "")
  symlinkSync(at.path("outside.txt"), at.path("deep/in/lin.json"))
  const words = ["--server", String(evil.url), "flows", "pull", "--all", "--dir", "deep/in", "--force"]
  const { code, err } = await at.headrace(words)
  await evil.stop(true)
  expect(code).toBe(2)
  expect(err).not.toContain("\u001b[2J")
  const found = [...new Bun.Glob("**/*.json").scanSync({ cwd: at.folder })].filter((path) => path.startsWith("deep"))
  expect(found.toSorted()).toEqual(["deep/in/good.json", "deep/in/lin.json", `deep/in/${"x".repeat(64)}.json`])
  expect(existsSync(at.path("up.json"))).toBe(false)
  expect([at.read("outside.txt"), at.read("deep/in/lin.json")]).toEqual(["untouched", "{}"])
})

test("flows delete removes flows, and says which are not there", async () => {
  expect((await headrace("flows", "delete", "orders")).err).toContain("there is no terminal")
  const removed = await headrace("flows", "delete", "orders", "none", "--yes")
  expect(removed.code).toBe(2)
  expect(removed.err).toContain('removed "orders"\n')
  expect(removed.err).toContain('There is no flow "none" on the server')
  expect((await headrace("flows", "push", "a/orders.json")).err).toContain("is not on the server any more")
})

test("flows tells a server that is not there, or is none, from one that refuses", async () => {
  const gone = await at.headrace(["--server", "http://127.0.0.1:1", "flows", "list"])
  expect(gone).toMatchObject({ code: 3, out: "" })
  expect(gone.err).toContain('Cannot reach "http://127.0.0.1:1"')
  const other = Bun.serve({ port: 0, fetch: () => new Response("<h1>hello</h1>") })
  const none = await at.headrace(["--server", String(other.url), "flows", "list", "--json"])
  await other.stop(true)
  expect(none.code).toBe(3)
  expect(JSON.parse(none.out)).toMatchObject({ status: "refused" })
  for (const text of ["ftp://x", "https://me:secret-word@x", "http://"]) {
    const wrong = await at.headrace(["--server", text, "flows", "list"])
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain("is not the address of a server")
    expect(wrong.err).not.toContain("secret-word")
  }
  expect((await at.headrace(["flows", "list"])).err).toContain("This needs a server")
})

test("logout revokes the token, and forgets it", async () => {
  expect(await headrace("logout")).toMatchObject({ code: 0, err: `signed out at ${served.url}\n` })
  expect(readFileSync(at.path("home/servers.json"), "utf8")).toBe("{}\n")
  expect((await ApiClient.bearer(served.url, secret).call("GET /me")).status).toBe(401)
  expect((await headrace("logout")).err).toContain("nobody is signed in")
})

const READ = {
  id: "read",
  use: "rows-input",
  config: { columns: [{ name: "a", type: "int32" }], rows: 1 },
}
const WRITE = { id: "write", use: "discard-output" }
