import { describe, expect, test } from "bun:test"
import { isFromElsewhere, isKnownHost, originOf, type Way } from "./origin.ts"

function ask(url: string, headers: Record<string, string> = {}) {
  return new Request(url, { headers })
}

const direct: Way = { peer: "192.0.2.1", proxies: [], publicUrls: [] }
const proxied: Way = { peer: "10.0.0.1", proxies: ["10.0.0.0/8", "fd00::/8", "192.0.2.9"], publicUrls: [] }

describe("where a request comes from:", () => {
  test.each<[string, Way, Record<string, string>, string, boolean]>([
    ["nobody between", direct, { "x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https" }, "192.0.2.1", false],
    ["a proxy", proxied, { "x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https" }, "1.2.3.4", true],
    ["a proxy, and lies of the client", proxied, { "x-forwarded-for": "9.9.9.9, 1.2.3.4" }, "1.2.3.4", false],
    ["two proxies", proxied, { "x-forwarded-for": "9.9.9.9, 1.2.3.4, 192.0.2.9" }, "1.2.3.4", false],
    ["a proxy that says nothing", proxied, {}, "10.0.0.1", false],
    ["a proxy that says nonsense", proxied, { "x-forwarded-for": "1.2.3.4, unknown" }, "10.0.0.1", false],
    ["a proxy of IPv6", { ...proxied, peer: "fd00::7" }, { "x-forwarded-for": "2001:db8::1" }, "2001:db8::1", false],
    ["a mapped address", { ...proxied, peer: "::ffff:10.0.0.1" }, { "x-forwarded-for": "1.2.3.4" }, "1.2.3.4", false],
    ["a proxy that adds to the protocol", proxied, { "x-forwarded-proto": "https, http" }, "10.0.0.1", false],
  ])("%s", (_, way, headers, address, isSecure) => {
    expect(originOf(ask("http://localhost/", headers), way)).toMatchObject({ address, isSecure })
  })

  test("by the name of an encrypted public address it is encrypted, by another it is not", () => {
    const way = { ...direct, publicUrls: ["https://a.example"] }
    expect(originOf(ask("http://a.example/"), way).isSecure).toBe(true)
    expect(originOf(ask("http://a.example:8484/"), way).isSecure).toBe(false)
    expect(originOf(ask("http://localhost/"), way).isSecure).toBe(false)
  })
})

test("a page of elsewhere is told by its origin, whatever a proxy calls the server", () => {
  const urls = ["https://a.example"]
  const to = (origin: string, site = "same-origin") =>
    isFromElsewhere(ask("http://10.0.0.5:8484/", { origin, "sec-fetch-site": site }), urls)
  expect(to("https://a.example")).toBe(false)
  expect(to("http://10.0.0.5:8484")).toBe(false)
  expect(to("https://a.example", "cross-site")).toBe(true)
  for (const origin of ["http://a.example", "https://a.example:444", "https://a.example.evil", "null", ""])
    expect(to(origin)).toBe(true)
})

test.each([
  ["localhost:8484", true],
  ["a.localhost", true],
  ["127.0.0.1:1", true],
  ["[::1]:8484", true],
  ["A.example", true],
  ["x.b.example:80", true],
  ["b.example", false],
  ["a.example.evil", false],
  ["evil-a.example", false],
  ["127.0.0.1.evil.example", false],
  ["", false],
])("the host %j is known: %p", (host, isKnown) => {
  expect(isKnownHost(host, ["a.example", "*.b.example"])).toBe(isKnown)
})
