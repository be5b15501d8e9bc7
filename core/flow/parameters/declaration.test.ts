import { describe, expect, test } from "bun:test"
import { readDeclarations } from "./declaration.ts"

test("parameters are declared with a type, and defaults become text", () => {
  const parameters = {
    region: { type: "string", default: "eu", description: "Which half of the world." },
    limit: { type: "integer", default: 5 },
    rate: { type: "decimal", default: 0.1 },
    full: { type: "boolean", default: false },
    day: { type: "date", format: "yyyyMMdd" },
    note: { type: "string", required: false },
    _: { type: "timestamp", required: true },
    ["a".repeat(32)]: { type: "string" },
  }
  expect(readDeclarations(parameters)).toEqual({
    declarations: {
      ...parameters,
      limit: { type: "integer", default: "5" },
      rate: { type: "decimal", default: "0.1" },
      full: { type: "boolean", default: "false" },
    } as never,
  })
  expect(readDeclarations(undefined)).toEqual({ declarations: {} })
})

describe("parameters refuse the declaration", () => {
  const ok = { type: "string" }
  test.each([
    ["no object", [], "/parameters", "not an object"],
    ["a digit first", { "1a": ok }, "/parameters/1a", "does not begin with a digit"],
    ["a hyphen", { "a-b": ok }, "/parameters/a-b", "letters, digits and _ only"],
    ["a slash", { "a/b": ok }, "/parameters/a~1b", "letters, digits and _ only"],
    ["an umlaut", { größe: ok }, "/parameters/größe", "letters, digits and _ only"],
    ["no name", { "": ok }, "/parameters/", "letters, digits and _ only"],
    ["33 characters", { ["a".repeat(33)]: ok }, `/parameters/${"a".repeat(33)}`, "33 characters, and 32 are allowed"],
    ["a reserved name", { GLB_x: ok }, "/parameters/GLB_x", "reserved"],
    ["twins", { Region: ok, region: ok }, "/parameters/region", `"Region" is declared too`],
    ["a text", { a: "string" }, "/parameters/a", "not an object"],
    ["no type", { a: {} }, "/parameters/a/type", "none of string, integer"],
    ["an unknown type", { a: { type: "int" } }, "/parameters/a/type", `its type "int" is none of`],
    ["an inherited type", { a: { type: "toString" } }, "/parameters/a/type", "none of"],
    ["an unknown option", { a: { ...ok, defualt: "x" } }, "/parameters/a/defualt", `"defualt" is not an option`],
    ["null", { a: { ...ok, default: null } }, "/parameters/a/default", "its default null is not exact"],
    ["a large number", { a: { type: "integer", default: 2 ** 60 } }, "/parameters/a/default", "is not exact"],
    ["a tiny number", { a: { type: "decimal", default: 1e-7 } }, "/parameters/a/default", "is not exact"],
    ["required and default", { a: { ...ok, required: true, default: "x" } }, "/parameters/a/default", "no use for"],
    ["empty integer", { a: { type: "integer", required: false } }, "/parameters/a/required", "cannot be empty"],
    ["format of a string", { a: { ...ok, format: "yyyy" } }, "/parameters/a/format", "only a date or a timestamp"],
    ["ambiguous format", { a: { type: "date", format: "yyyymmdd" } }, "/parameters/a/format", `"mm" is the minute`],
  ])("%s", (_, parameters, pointer, message) => {
    const { problems } = readDeclarations(parameters)
    expect(problems).toHaveLength(1)
    expect(problems?.[0]).toMatchObject({ reason: "declaration", pointer, message: expect.stringContaining(message) })
  })
})
