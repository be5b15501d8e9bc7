import { expect, test } from "bun:test"
import type { ConfigSchema } from "../contract/index.ts"
import { decodeConfig } from "./config.ts"

/** A schema of these options, none of which is required unless it is named. */
function schema(properties: object, rest: object = {}): ConfigSchema {
  return { type: "object", additionalProperties: false, properties: properties as ConfigSchema["properties"], ...rest }
}

function messages(of: ConfigSchema, value: unknown): string[] {
  const result = decodeConfig(of, value)
  return "problems" in result ? result.problems.map(({ message, hint }) => `${message}${hint ? ` | ${hint}` : ""}`) : []
}

function config(of: ConfigSchema, value: unknown): unknown {
  const result = decodeConfig(of, value)
  if ("problems" in result) throw new Error(JSON.stringify(result.problems))
  return result.config
}

test("config fills in every default, however deep it lies", () => {
  const deep = schema({
    a: { type: "integer", default: 1 },
    inner: {
      type: "object",
      default: {},
      additionalProperties: false,
      properties: { b: { type: "string", default: "x" }, list: { type: "array", default: [1] } },
    },
    rows: {
      type: "array",
      items: { type: "object", additionalProperties: false, properties: { c: { type: "boolean", default: false } } },
    },
  })
  expect(config(deep, {})).toEqual({ a: 1, inner: { b: "x", list: [1] } })
  expect(config(deep, undefined)).toEqual({ a: 1, inner: { b: "x", list: [1] } })
  expect(config(deep, { a: 0, inner: { b: "" }, rows: [{}, { c: true }] })).toEqual({
    a: 0,
    inner: { b: "", list: [1] },
    rows: [{ c: false }, { c: true }],
  })
})

test("config gives every configuration defaults of its own", () => {
  const shared = schema({ list: { type: "array", default: [] } })
  const first = config(shared, {}) as { list: unknown[] }
  first.list.push(1)
  expect(config(shared, {})).toEqual({ list: [] })
})

test("config names an unknown option and the one that is meant", () => {
  const of = schema({ batchRows: { type: "integer" }, path: { type: "string" } })
  expect(messages(of, { batchrow: 1 })).toEqual(['There is no option "batchrow" | Did you mean "batchRows"?'])
  expect(messages(of, { zzz: 1 })).toEqual(['There is no option "zzz" | There are batchRows, path'])
  expect(decodeConfig(of, { "a/b~c": 1 })).toMatchObject({ problems: [{ pointer: "/a~1b~0c" }] })
  // Open objects keep what they do not know.
  expect(config(schema({ a: { type: "string" } }, { additionalProperties: undefined }), { b: 2 })).toEqual({ b: 2 })
})

test("config says which type it found and which it wants", () => {
  const of = schema({ value: { type: "integer" } })
  expect(messages(of, { value: "1" })).toEqual(['Option "value" is a string, an integer is wanted'])
  expect(messages(of, { value: 1.5 })).toEqual(['Option "value" is a number, an integer is wanted'])
  expect(messages(of, { value: null })).toEqual(['Option "value" is null, an integer is wanted'])
  expect(messages(of, { value: [1] })).toEqual(['Option "value" is an array, an integer is wanted'])
  expect(messages(of, { value: {} })).toEqual(['Option "value" is an object, an integer is wanted'])
  expect(messages(schema({ value: { type: "object" } }), { value: [] })).toEqual([
    'Option "value" is an array, an object is wanted',
  ])
  expect(messages(schema({ value: { type: ["string", "null"] } }), { value: true })).toEqual([
    'Option "value" is a boolean, a string or null is wanted',
  ])
  expect(config(schema({ value: { type: ["string", "null"] } }), { value: null })).toEqual({ value: null })
  expect(messages(of, [])).toEqual(["The configuration is an array, an object is wanted"])
  expect(messages(of, "text")).toEqual(["The configuration is a string, an object is wanted"])
})

test("config holds numbers, texts and lists to their ranges", () => {
  const of = schema({
    number: { type: "number", minimum: 0, maximum: 100 },
    text: { type: "string", minLength: 2, maxLength: 3, pattern: "^\\p{L}+$" },
    list: { type: "array", minItems: 2, maxItems: 3 },
  })
  expect(messages(of, { number: -1 })).toEqual(['Option "number" is -1, the least is 0'])
  expect(messages(of, { number: 100.5 })).toEqual(['Option "number" is 100.5, the most is 100'])
  expect(messages(of, { text: "a" })).toEqual(['Option "text" has 1 characters, the least is 2'])
  // Characters, not UTF-16 code units: these are three letters outside the basic plane.
  expect(messages(of, { text: "𐐀𐐀𐐀" })).toEqual([])
  expect(messages(of, { text: "abcd" })).toEqual(['Option "text" has 4 characters, the most is 3'])
  expect(messages(of, { text: "a1" })).toEqual(['Option "text" is "a1", which does not match ^\\p{L}+$'])
  expect(messages(of, { list: [] })).toEqual(['Option "list" is empty'])
  expect(messages(of, { list: [1] })).toEqual(['Option "list" has 1 entries, the least is 2'])
  expect(messages(of, { list: [1, 2, 3, 4] })).toEqual(['Option "list" has 4 entries, the most is 3'])
  expect(messages(of, { number: 0, text: "ab", list: [1, 2] })).toEqual([])
})

test("config offers the choices of an enum", () => {
  const of = schema({ mode: { enum: ["append", "overwriteRows", "updateRows"] }, level: { enum: [1, 2] } })
  expect(messages(of, { mode: "apend" })).toEqual(['Option "mode" cannot be "apend" | Did you mean "append"?'])
  expect(messages(of, { mode: "upsert-all" })).toEqual([
    'Option "mode" cannot be "upsert-all" | Choose one of append, overwriteRows, updateRows',
  ])
  expect(messages(of, { mode: null })).toEqual([
    'Option "mode" cannot be null | Choose one of append, overwriteRows, updateRows',
  ])
  expect(messages(of, { level: "1" })).toEqual(['Option "level" cannot be "1" | Choose one of 1, 2'])
})

test("config explains alternatives by the one of the value's type", () => {
  const of = schema({
    mapping: {
      oneOf: [
        { type: "string", enum: ["name", "position"] },
        {
          type: "array",
          minItems: 1,
          items: schema({ from: { type: "string" }, to: { type: "string" } }, { required: ["from", "to"] }),
        },
      ],
    },
    lossy: { anyOf: [{ type: "boolean" }, { enum: ["a", "b"] }] },
  })
  expect(messages(of, { mapping: "nam" })).toEqual(['Option "mapping" cannot be "nam" | Did you mean "name"?'])
  expect(messages(of, { mapping: [{ from: "a" }] })).toEqual(['Option "mapping.0.to" is missing'])
  expect(messages(of, { mapping: [] })).toEqual(['Option "mapping" is empty'])
  expect(messages(of, { mapping: 5 })).toEqual(['Option "mapping" is a number, a string or an array is wanted'])
  expect(messages(of, { lossy: "c" })).toEqual(['Option "lossy" cannot be "c" | Choose one of a, b'])
  expect(messages(of, { lossy: 1 })).toEqual(['Option "lossy" is a number, a boolean or a string is wanted'])
  expect(config(of, { mapping: [{ from: "a", to: "b" }], lossy: "b" })).toEqual({
    mapping: [{ from: "a", to: "b" }],
    lossy: "b",
  })
})

test("config wants one group of options, or at least one", () => {
  const options = {
    table: { type: "string" },
    query: { type: "string" },
    url: { type: "string" },
    key: { type: "string" },
  }
  const one = schema(options, {
    oneOf: [{ required: ["table"] }, { required: ["query"] }, { required: ["url", "key"] }],
  })
  expect(messages(one, {})).toEqual(["Neither table nor query nor url with key is given"])
  expect(messages(one, { table: "a", query: "b" })).toEqual(["Only one can be given: table or query or url with key"])
  expect(messages(one, { url: "u" })).toEqual(["Neither table nor query nor url with key is given"])
  expect(messages(one, { url: "u", key: "k" })).toEqual([])
  const any = schema(options, { anyOf: [{ required: ["table"] }, { required: ["query"] }] })
  expect(messages(any, {})).toEqual(["Neither table nor query is given"])
  expect(messages(any, { table: "a", query: "b" })).toEqual([])
})

test("config tells of everything that is wrong at once, with pointers", () => {
  const of = schema(
    { a: { type: "integer" }, list: { type: "array", items: schema({ b: { type: "integer", minimum: 1 } }) } },
    { required: ["a"] },
  )
  expect(decodeConfig(of, { list: [{ b: 0 }, { c: 1 }, 5], d: 1 })).toEqual({
    problems: [
      { pointer: "/list/0/b", message: 'Option "list.0.b" is 0, the least is 1' },
      { pointer: "/list/1/c", message: 'There is no option "c"', hint: "There are b" },
      { pointer: "/list/2", message: 'Option "list.2" is a number, an object is wanted' },
      { pointer: "/d", message: 'There is no option "d"', hint: "There are a, list" },
      { pointer: "/a", message: 'Option "a" is missing' },
    ],
  })
})

test("config takes names that objects have of themselves for what they are", () => {
  const of = schema(
    { constructor: { type: "string", default: "c" }, toString: { type: "string" } },
    { required: ["toString"] },
  )
  expect(messages(of, {})).toEqual(['Option "toString" is missing'])
  expect(config(of, { toString: "t" })).toEqual({ constructor: "c", toString: "t" } as never)
  expect(messages(of, JSON.parse('{"toString":"t","__proto__":{"constructor":1}}'))).toEqual([
    'There is no option "__proto__" | There are constructor, toString',
  ])
  const open = schema({}, { additionalProperties: undefined })
  const kept = config(open, JSON.parse('{"__proto__":{"polluted":true}}')) as Record<string, unknown>
  expect(Object.getPrototypeOf(kept)).toBe(Object.prototype)
  expect(kept.polluted).toBeUndefined()
  expect(Object.keys(kept)).toEqual(["__proto__"])
})

test("config keeps secrets and long values out of its messages", () => {
  const of = schema({
    password: { type: "string", pattern: "^x", "x-secret": true },
    text: { enum: ["a"] },
  })
  expect(messages(of, { password: "hunter2" })).toEqual(['Option "password" is a secret, which does not match ^x'])
  expect(messages(of, { text: "long".repeat(1000) })[0]!.length).toBeLessThan(200)
})
