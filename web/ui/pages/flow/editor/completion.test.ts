import { expect, test } from "bun:test"
import { CompletionContext } from "@codemirror/autocomplete"
import { json } from "@codemirror/lang-json"
import { EditorState } from "@codemirror/state"
import { completeFlow } from "./completion.ts"
import { rangeOf } from "./json-tree.ts"
import type { Schema } from "./schema-walk.ts"

const schema: Schema = {
  required: ["version", "steps"],
  properties: {
    version: { enum: [1] },
    steps: {
      type: "array",
      items: {
        required: ["id"],
        properties: {
          id: { type: "string" },
          use: { type: "string" },
          config: {
            type: "object",
            properties: {
              dataSource: { type: "string", "x-dataSource": "postgres" },
              mode: { enum: ["append", "replace"], default: "append" },
            },
          },
        },
      },
    },
    hops: { type: "array", items: { properties: { from: { type: "string" }, to: { type: "string" } } } },
  },
}
const names = {
  components: [{ id: "csv-input", title: "CSV files", kind: "input" }],
  sources: [
    { name: "shop", type: "postgres" },
    { name: "crm", type: "mysql" },
  ],
}

function stateOf(text: string): EditorState {
  return EditorState.create({ doc: text, extensions: [json()] })
}

/** What is offered where the bar stands. */
function offered(text: string): readonly string[] {
  const pos = text.indexOf("|")
  const state = stateOf(text.replace("|", ""))
  const found = completeFlow(schema, names)(new CompletionContext(state, pos, true))
  return found?.options.map(({ label }) => label) ?? []
}

test.each([
  ["{|}", ['"version"', '"steps"', '"hops"']],
  ['{ "version": 1, "|" }', ['"steps"', '"hops"']],
  ['{ "version": 1, | }', ['"steps"', '"hops"']],
  ['{ "version": | }', ["1"]],
  ['{ "steps": [{ "id": "a", "use": "|" }] }', ['"csv-input"']],
  ['{ "steps": [{ "id": "a", "use": | }] }', ['"csv-input"']],
  ['{ "steps": [{ "config": { "dataSource": "|" } }] }', ['"shop"']],
  ['{ "steps": [{ "config": { "mode": "|" } }] }', ['"append"', '"replace"']],
  ['{ "steps": [{ | }] }', ['"id"', '"use"', '"config"']],
  ['{ "steps": [{ "id": "read" }], "hops": [{ "from": "|" }] }', ['"read"']],
])("completion offers in %s", (text, labels) => {
  expect(offered(text)).toEqual([...labels])
})

test("json-tree finds what a pointer names, and as much of it as there is", () => {
  const text = '{ "steps": [{ "id": "a", "config": { "x/y": 12 } }] }'
  const state = stateOf(text)
  const at = (pointer: string) => {
    const { from, to } = rangeOf(state, pointer)
    return text.slice(from, to)
  }
  expect(at("/steps/0/id")).toBe('"a"')
  expect(at("/steps/0/config/x~1y")).toBe("12")
  expect(at("/steps/0/config")).toBe('"config"')
  expect(at("/steps/0/config/gone")).toBe('"config"')
  expect(at("/steps/0/use")).toBe("{")
  expect(at("")).toBe("{")
})
