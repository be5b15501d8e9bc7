import { describe, expect, test } from "bun:test"
import type { ParameterValue } from "../../contract/index.ts"
import { substitute } from "./substitute.ts"

const values: Record<string, ParameterValue> = {
  region: { type: "string", value: "eu$${x}" },
  limit: { type: "integer", value: "42" },
  huge: { type: "integer", value: "9007199254740993" },
  rate: { type: "decimal", value: "0.10" },
  fine: { type: "decimal", value: "0.1000000000000000000001" },
  full: { type: "boolean", value: "false" },
  day: { type: "date", value: "2024-02-29" },
  "yyyyMMdd-1d": { type: "string", value: "20240228" },
  "[HH]": { type: "string", value: "08" },
}

const schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    path: { type: "string" },
    query: { type: "string", format: "sql" },
    prepare: { type: "array", items: { type: "string", format: "sql" } },
    source: { oneOf: [{ type: "string" }, { $ref: "#/$defs/source" }] },
    pair: { type: "array", prefixItems: [{ type: "string" }, { type: "string", format: "sql" }] },
    named: { type: "object", additionalProperties: { type: "string", format: "sql" } },
    matched: { type: "object", patternProperties: { "^sql": { format: "sql" } } },
    rows: { type: "integer" },
    share: { type: "number" },
    header: { type: "boolean" },
    maybe: { type: ["integer", "null"] },
    either: { oneOf: [{ type: "integer" }, { type: "string" }] },
    free: {},
  },
  $defs: { source: { type: "object", properties: { sql: { format: "sql" }, next: { $ref: "#/$defs/source" } } } },
}

describe("parameters are put", () => {
  test.each([
    ["into texts", { path: "/a/${region}/${day}" }, { path: "/a/eu$${x}/2024-02-29" }],
    ["from dates", { path: "${yyyyMMdd-1d}_$[HH]" }, { path: "20240228_08" }],
    ["not into escaped templates", { path: "$${region} $$[0]" }, { path: "${region} $[0]" }],
    ["not into SQL", { query: "select ${region} $${a}" }, { query: "select ${region} $${a}" }],
    ["not into lists of SQL", { prepare: ["a ${limit}", "b ${missing}"] }, { prepare: ["a ${limit}", "b ${missing}"] }],
    ["not into SQL by position", { pair: ["${limit}", "${limit}"] }, { pair: ["42", "${limit}"] }],
    ["not into named SQL", { named: { a: "${limit}" } }, { named: { a: "${limit}" } }],
    ["not into matched SQL", { matched: { sqlA: "${limit}" } }, { matched: { sqlA: "${limit}" } }],
    [
      "not into referenced SQL",
      { source: { next: { sql: "${limit}" }, name: "${limit}" } },
      { source: { next: { sql: "${limit}" }, name: "42" } },
    ],
    ["as integers", { rows: "${limit}", maybe: "${limit}" }, { rows: 42, maybe: 42 }],
    ["as numbers", { share: "${rate}" }, { share: 0.1 }],
    ["as booleans", { header: "${full}" }, { header: false }],
    ["as texts where both fit", { either: "${limit}", free: "${limit}" }, { either: "42", free: "42" }],
    [
      "nowhere else",
      { rows: 5, header: true, free: [null, 1.5, {}] },
      { rows: 5, header: true, free: [null, 1.5, {}] },
    ],
  ])("%s", (_, config, expected) => expect(substitute(config, values, { schema })).toEqual({ value: expected }))

  test("into a copy, names of objects included", () => {
    const config = JSON.parse(`{"__proto__":{"path":"\${limit}"}}`)
    const result = substitute(config, values)
    expect(JSON.stringify(result)).toBe(`{"value":{"__proto__":{"path":"42"}}}`)
    expect(JSON.stringify(config)).toBe(`{"__proto__":{"path":"\${limit}"}}`)
  })
})

describe("parameters are refused", () => {
  test.each([
    ["without a value", { path: "a ${nope}" }, "/path", "missing", `"\${nope}" has no value`],
    ["in another spelling", { path: "${Region}" }, "/path", "missing", `"\${Region}" has no value`],
    ["that are inherited", { path: "${toString}" }, "/path", "missing", "has no value"],
    ["when not closed", { free: ["${a"] }, "/free/0", "template", "is not closed"],
    ["in names", { free: { "${region}": 1 } }, "/free/${region}", "template", "only values have templates"],
    [
      "as integer of type string",
      { rows: "${region}" },
      "/rows",
      "value",
      "the option takes integer, and the parameter is of type string",
    ],
    ["as integer of type decimal", { rows: "${rate}" }, "/rows", "value", "of type decimal"],
    ["as boolean of type integer", { header: "${limit}" }, "/header", "value", "takes boolean"],
    ["as number beyond 2^53", { rows: "${huge}" }, "/rows", "value", "9007199254740993 cannot be held exactly"],
    ["as number with too many digits", { share: "${fine}" }, "/share", "value", "cannot be held exactly"],
  ])("%s", (_, config, pointer, reason, message) => {
    const { problems } = substitute(config, values, { schema, pointer: "/steps/0/config" })
    expect(problems).toHaveLength(1)
    expect(problems?.[0]).toMatchObject({
      pointer: `/steps/0/config${pointer}`,
      message: expect.stringContaining(message),
    })
    expect(problems?.[0]?.reason as string).toBe(reason)
  })
})
