import { expect, test } from "bun:test"
import { type ConfigSchema, settingsOf, textsOf } from "./config-schema.ts"

const schema: ConfigSchema = {
  required: ["host"],
  properties: {
    host: { type: "string" },
    port: { type: "integer", default: 5432 },
    tls: { type: "string", enum: ["auto", "off"], default: "auto" },
    compress: { type: "boolean" },
    headers: { type: "object" },
    password: { type: "string", "x-secret": true },
  },
}

test("config-schema fills a form with what is set and with defaults", () => {
  expect(textsOf(schema, { host: "db", headers: { a: 1 } })).toEqual({
    ...{ host: "db", port: "5432", tls: "auto", compress: false, headers: '{\n  "a": 1\n}', password: "" },
  })
})

test("config-schema reads a form by the types of the options", () => {
  const texts = { host: "db", port: "15432", tls: "off", compress: true, headers: '{"a":[1]}', password: "s" }
  expect(settingsOf(schema, texts, new Set())).toEqual({
    ...{ host: "db", port: 15432, tls: "off", compress: true, headers: { a: [1] }, password: "s" },
  })
})

test("config-schema leaves a secret alone, replaces it or takes it away", () => {
  const sent = (password: string, removed: readonly string[]) =>
    settingsOf(schema, { host: "db", password }, new Set(removed))
  expect(sent("", [])).toEqual({ host: "db" })
  expect(sent("new", [])).toEqual({ host: "db", password: "new" })
  expect(sent("", ["password"])).toEqual({ host: "db", password: "" })
})

test("config-schema sends what cannot be read, so that the server says what is wrong", () => {
  expect(settingsOf(schema, { port: "12x", headers: "{" }, new Set())).toEqual({ port: "12x", headers: "{" })
})
