import { expect, test } from "bun:test"
import { type HostPlace, hostRefusal, plainHost, ruleFault } from "./host-policy.ts"

function isRefused(
  policy: { readonly allow?: readonly string[]; readonly deny?: readonly string[] },
  place: HostPlace,
) {
  return hostRefusal({ allow: [], deny: [], ...policy }, place) !== undefined
}

test("host-policy lets nothing deny what no rule names, and lets denial win", () => {
  expect(isRefused({}, { host: "db.example.com", port: 5432 })).toBe(false)
  const both = { allow: ["*.example.com"], deny: ["db.example.com"] }
  expect(isRefused(both, { host: "db.example.com", port: 5432 })).toBe(true)
  expect(isRefused(both, { host: "db2.example.com", port: 5432 })).toBe(false)
  expect(isRefused(both, { host: "example.com", port: 5432 })).toBe(true)
  expect(isRefused(both, { host: "evil-example.com", port: 5432 })).toBe(true)
})

test("host-policy tells ports, and takes an unknown port for the worse", () => {
  const allow = { allow: ["db:5432", "web:8000-8100"] }
  expect(isRefused(allow, { host: "db", port: 5432 })).toBe(false)
  expect(isRefused(allow, { host: "db", port: 22 })).toBe(true)
  expect(isRefused(allow, { host: "web", port: 8050 })).toBe(false)
  expect(isRefused(allow, { host: "db" })).toBe(true)
  expect(isRefused({ deny: ["db:22"] }, { host: "db" })).toBe(true)
  expect(isRefused({ deny: ["*:22"] }, { host: "x", port: 22 })).toBe(true)
})

test("host-policy knows an address in every spelling", () => {
  const deny = { deny: ["127.0.0.0/8", "169.254.0.0/16", "::1"] }
  for (const host of [
    ...["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "::1", "0:0:0:0:0:0:0:1"],
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "localhost", "LOCALHOST", "localhost.", "169.254.169.254", "１２７.0.0.1"],
  ])
    expect([host, isRefused(deny, { host, port: 80 })]).toEqual([host, true])
  expect(isRefused(deny, { host: "128.0.0.1", port: 80 })).toBe(false)
  expect(isRefused({ deny: ["localhost"] }, { host: "/run/postgresql", port: 5432 })).toBe(true)
})

test("host-policy judges a name again by what it is resolved to", () => {
  const deny = { deny: ["169.254.0.0/16"] }
  expect(isRefused(deny, { host: "metadata.example.com", port: 80 })).toBe(false)
  expect(isRefused(deny, { host: "metadata.example.com", port: 80, addresses: ["10.0.0.1", "169.254.169.254"] })).toBe(
    true,
  )
  const allow = { allow: ["10.0.0.0/8:5432"] }
  expect(isRefused(allow, { host: "db", port: 5432 })).toBe(false)
  expect(isRefused(allow, { host: "db", port: 5433 })).toBe(true)
  expect(isRefused(allow, { host: "db", port: 5432, addresses: [] })).toBe(true)
  expect(isRefused(allow, { host: "db", port: 5432, addresses: ["10.1.2.3"] })).toBe(false)
  expect(isRefused(allow, { host: "db", port: 5432, addresses: ["10.1.2.3", "192.168.0.1"] })).toBe(true)
  expect(isRefused(allow, { host: "192.168.0.1", port: 5432 })).toBe(true)
})

test("host-policy takes nothing for a host that leads elsewhere in some library", () => {
  for (const host of ["good.example.com:22", "a,b", "user@host", "a/b", "a b", "a\nb", "", "a?b", "a#b", "%31", "[::1"])
    expect([host, plainHost(host)]).toEqual([host, undefined])
  expect(hostRefusal({ allow: [], deny: [] }, { host: "a,b" })).toContain("no host name")
})

test("host-policy says which rules are none", () => {
  for (const rule of [
    ...[
      "db",
      "*.example.com",
      "10.0.0.0/8",
      "10.0.0.0/8:5432",
      "[::1]:80",
      "fe80::/10",
      "[fe80::]/10:1-2",
      "[fe80::]/10",
      "*",
    ],
    ...["*:22", "::1", "1.2.3.4", "münchen.example"],
  ])
    expect([rule, ruleFault(rule)]).toEqual([rule, undefined])
  for (const rule of ["", "a/b", "10.0.0.0/33", "db:0x1", "db:70000", "db:9-1", "a b", "http://x", "::1/129", "1:2:3"])
    expect([rule, ruleFault(rule) === undefined]).toEqual([rule, false])
})
