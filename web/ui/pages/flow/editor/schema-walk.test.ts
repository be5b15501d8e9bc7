import { expect, test } from "bun:test"
import { type Schema, schemasAt } from "./schema-walk.ts"

const root: Schema = {
  properties: {
    steps: {
      items: {
        properties: { use: { type: "string" } },
        allOf: [
          {
            if: { properties: { use: { const: "csv-input" } } },
            // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
            then: { properties: { config: { $ref: "#/$defs/csv" } } },
          },
          {
            if: { properties: { use: { const: "rows-input" } } },
            // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
            then: { properties: { config: { properties: { rows: { type: "integer" } } } } },
          },
        ],
      },
    },
    parameters: { patternProperties: { "^[a-z]+$": { properties: { type: { enum: ["date"] } } } } },
    either: {
      oneOf: [{ properties: { kind: { const: "a" }, x: {} } }, { properties: { kind: { const: "b" }, y: {} } }],
    },
  },
  ...{ $defs: { csv: { properties: { path: { type: "string" } } } } },
}
const keys = (document: unknown, path: readonly (string | number)[]) =>
  schemasAt(root, document, path).flatMap(({ properties = {} }) => Object.keys(properties))

test("schema-walk finds the options of the component that a step uses", () => {
  const document = { steps: [{ use: "csv-input", config: {} }, { use: "rows-input" }] }
  expect(keys(document, ["steps", 0, "config"])).toEqual(["path"])
  expect(keys(document, ["steps", 1, "config"])).toEqual(["rows"])
})

test("schema-walk takes names by pattern, and cases that the value does not rule out", () => {
  expect(keys({}, ["parameters", "day"])).toEqual(["type"])
  expect(keys({ either: { kind: "b" } }, ["either"])).toEqual(["kind", "y"])
  expect(keys({ either: {} }, ["either"])).toEqual(["kind", "x", "kind", "y"])
})

test("schema-walk ends where a schema refers to itself", () => {
  const endless: Schema = { $ref: "#" }
  expect(schemasAt(endless, {}, []).length).toBeLessThan(30)
})
