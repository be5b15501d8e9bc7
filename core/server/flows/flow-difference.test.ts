import { expect, test } from "bun:test"
import { compareFlows } from "./flow-difference.ts"

const step = (id: string, config: object = {}) => ({ id, use: "csv-input", config })
const doc = (parts: object) => ({ version: 1, steps: [step("a"), step("b")], hops: [{ from: "a", to: "b" }], ...parts })
const side = (document: unknown, properties: unknown = {}) => ({ document, properties })

test("flow-difference finds nothing between a document and itself", () => {
  const found = compareFlows(side(doc({})), side(doc({})))
  expect(found).toEqual({
    steps: { added: [], removed: [], changed: [] },
    hops: { added: [], removed: [], changed: [] },
    settings: [],
    rest: [],
    isDrawnAnew: false,
    isReordered: false,
    properties: [],
  })
})

test("flow-difference tells steps by id, hops by ends, options by pointer", () => {
  const before = doc({ settings: { parallel: 1 }, layout: { a: 1 }, description: "old" })
  const after = doc({
    steps: [step("c"), step("a", { "x/y": { deep: [1, 2] } })],
    hops: [
      { from: "a", to: "b", send: "copy" },
      { from: "a", to: "c" },
    ],
    settings: { parallel: 2, errorLimit: 3 },
    layout: { a: 2 },
  })
  const found = compareFlows(side(before, { retries: 1 }), side(after, { retries: 2 }))
  expect(found.steps).toEqual({
    added: ["c"],
    removed: ["b"],
    changed: [{ id: "a", changes: [{ pointer: "/steps/1/config/x~1y", after: { deep: [1, 2] } }] }],
  })
  expect(found.hops).toEqual({
    added: [{ from: "a", to: "c" }],
    removed: [],
    changed: [{ from: "a", to: "b", changes: [{ pointer: "/hops/0/send", after: "copy" }] }],
  })
  expect(found.settings).toEqual([
    { pointer: "/settings/parallel", before: 1, after: 2 },
    { pointer: "/settings/errorLimit", after: 3 },
  ])
  expect(found.rest).toEqual([{ pointer: "/description", before: "old" }])
  expect(found.isDrawnAnew).toBe(true)
  expect(found.properties).toEqual([{ pointer: "/retries", before: 1, after: 2 }])
  const swapped = compareFlows(side(doc({})), side(doc({ steps: [step("b"), step("a")] })))
  expect(swapped).toMatchObject({ isReordered: true, steps: { changed: [] } })
})

test("flow-difference takes documents that are no flows, and keys of prototypes", () => {
  const odd = JSON.parse('{"__proto__":{"x":1},"steps":[null,{"id":"a"},{"id":"a"},7],"hops":{"constructor":1}}')
  const found = compareFlows(side([1]), side(odd))
  expect(found.rest).toEqual([{ pointer: "/__proto__", after: { x: 1 } }])
  expect(found.steps.added).toEqual(["", "a", "a", ""])
  expect(compareFlows(side(odd), side(odd)).rest).toEqual([])
  expect(compareFlows(side(JSON.parse('{"toString":null}')), side({})).rest).toEqual([
    { pointer: "/toString", before: null },
  ])
})
