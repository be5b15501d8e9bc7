import { expect, test } from "bun:test"
import { type Asset, answerPage } from "./assets.ts"
import { packAssets, unpackAssets } from "./pack.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const page: Asset = { path: "/index.html", type: "text/html", tag: "a", bytes: bytes("page"), br: bytes("small") }
const script: Asset = {
  path: "/assets/x.js",
  type: "text/javascript",
  tag: "b",
  bytes: bytes("code"),
  gzip: bytes("gz"),
}
const assets = unpackAssets(packAssets([page, script]))
const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  answerPage(new Request(`http://127.0.0.1${path}`, { method, headers }), assets)

test("assets come out of a pack as they went in", () => {
  expect(assets("/index.html")).toEqual(page)
  expect(assets("/assets/x.js")).toEqual(script)
  expect(assets("/assets/y.js")).toBeUndefined()
})

test("assets give the one page for every path that is no file", async () => {
  for (const path of ["/", "/flows/a%2Fb", "/runs/1"]) {
    const answer = ask(path)
    expect(await answer?.text()).toBe("page")
    expect(answer?.headers.get("cache-control")).toBe("no-cache")
  }
  expect(ask("/assets/../etc/passwd")?.headers.get("content-type")).toBe("text/html")
  expect(ask("/assets/missing.js")).toBeUndefined()
  expect(ask("/", {}, "POST")).toBeUndefined()
})

test("assets are compressed for those who take it, and never change under their name", async () => {
  const page = ask("/", { "accept-encoding": "gzip, deflate, br" })
  expect(page?.headers.get("content-encoding")).toBe("br")
  expect(await page?.text()).toBe("small")
  const code = ask("/assets/x.js", { "accept-encoding": "gzip;q=1.0, br" })
  expect(code?.headers.get("content-encoding")).toBe("gzip")
  expect(code?.headers.get("cache-control")).toContain("immutable")
  expect(ask("/", { "accept-encoding": "br;q=0, gzip" })?.headers.get("content-encoding")).toBeNull()
  const tag = page?.headers.get("etag") ?? ""
  expect(ask("/", { "accept-encoding": "br", "if-none-match": tag })?.status).toBe(304)
  expect(await ask("/", {}, "HEAD")?.text()).toBe("")
})
