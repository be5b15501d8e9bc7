import { expect, test } from "bun:test"
import { placeOf, postgresStoreSettings } from "./postgres-settings.ts"

test("postgres-settings reads a URL, with everything that stands behind the question mark", () => {
  expect(postgresStoreSettings("postgres://h%40ns:p%2Fw@db.example.com/shop")).toEqual({
    host: "db.example.com",
    database: "shop",
    user: "h@ns",
    password: "p/w",
  })
  const full = postgresStoreSettings("postgresql://u@[::1]:6000/d?schema=Other&tls=verify&connections=3")
  expect(full).toEqual({
    host: "::1",
    port: 6000,
    database: "d",
    user: "u",
    schema: "Other",
    tls: "verify",
    connections: 3,
  })
  expect(placeOf(full)).toBe("::1:6000/d, schema Other")
})

test.each([
  ["hunter2", "it is no URL"],
  ["postgres://u:hunter2@h:port/d", "it is no URL"],
  ["mysql://u:hunter2@h/d", 'its scheme is "mysql:"'],
  ["postgres://u:hunter2@h/", "host, user or database is missing"],
  ["postgres://u:hunter2@h/d?sslmode=off", 'it has an unknown setting "sslmode"'],
  ["postgres://u:hunter2@h/d?tls=maybe", 'tls is "maybe"'],
  ["postgres://u:hunter2@h/d?connections=0", 'connections is "0"'],
])("postgres-settings refuses %s and repeats no password", (url, why) => {
  const reading = () => postgresStoreSettings(url)
  expect(reading).toThrow(`Cannot use the URL of the store: ${why}`)
  expect(reading).not.toThrow("hunter2")
})
