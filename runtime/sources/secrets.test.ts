import { expect, test } from "bun:test"
import { makeSecrets } from "./secrets.ts"

test("secrets are masked as they are, in JSON, in URLs, and line by line", () => {
  const secrets = makeSecrets()
  secrets.add('p@ss "w/rd"')
  secrets.add("-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----")
  expect(secrets.mask('login with p@ss "w/rd" failed')).toBe("login with *** failed")
  expect(secrets.mask(JSON.stringify({ password: 'p@ss "w/rd"' }))).toBe('{"password":"***"}')
  expect(secrets.mask("postgres://u:p%40ss%20%22w%2Frd%22@h/d")).toBe("postgres://u:***@h/d")
  expect(secrets.mask("bad key: MIIEvQIBADANBg")).toBe("bad key: ***")
})

test("secrets that contain each other leave no rest", () => {
  const secrets = makeSecrets()
  secrets.add("open")
  secrets.add("open-sesame")
  expect(secrets.mask("open-sesame open")).toBe("*** ***")
})

test("secrets of a few characters are masked where they stand alone", () => {
  const secrets = makeSecrets()
  secrets.add("a")
  secrets.add("$1.")
  expect(secrets.mask('password "a" of a table')).toBe('password "***" of *** table')
  expect(secrets.mask("costs $1. and $10")).toBe("costs *** and $10")
})

test("secrets leave text alone that holds none", () => {
  const secrets = makeSecrets()
  secrets.add("")
  expect(secrets.mask("nothing to hide")).toBe("nothing to hide")
})
