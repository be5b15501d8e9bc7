import { expect, test } from "bun:test"
import { Effect } from "effect"
import { MOST_CHARACTERS } from "./flow-schema.ts"
import type { FlowError } from "./problem.ts"
import { checkFlow, readFlow } from "./read-flow.ts"

function read(text: string) {
  return Effect.runSync(Effect.flip(readFlow(text, "orders.json")) as Effect.Effect<FlowError>).problems
}

function check(document: unknown) {
  return Effect.runSync(Effect.flip(checkFlow(document)) as Effect.Effect<FlowError>).problems.map(
    ({ message, hint }) => `${message}${hint ? ` | ${hint}` : ""}`,
  )
}

const steps = [{ id: "in", use: "rows-input" }]

test("read-flow fills in what a flow leaves out", () => {
  const flow = Effect.runSync(checkFlow({ version: 1, steps }))
  expect(flow).toMatchObject({ version: 1, steps: [{ id: "in", use: "rows-input", config: {} }], hops: [] })
  expect(flow.settings).toMatchObject({ parallel: 1, forwarding: true, errorLimit: 0, timeZone: "UTC" })
  expect(Object.hasOwn(flow.settings, "errorPercent")).toBe(false)
  const given = Effect.runSync(checkFlow({ version: 1, steps, settings: { parallel: 3 } }))
  expect(given.settings).toEqual({ ...flow.settings, parallel: 3 })
})

test("read-flow gives the place of a fault in the text", () => {
  expect(read('{\n  "version": 1,\n  "steps": [}\n')).toEqual([
    { message: 'Cannot read orders.json: line 3, column 13: found "}" where a value is expected' },
  ])
})

test("read-flow takes 500 000 characters and not one more", () => {
  const flow = JSON.stringify({ version: 1, steps })
  const full = flow + " ".repeat(MOST_CHARACTERS - flow.length)
  expect(Effect.runSync(readFlow(full, "x")).steps.length).toBe(1)
  expect(read(`${full} `)).toEqual([
    { message: "Cannot read orders.json: it has 500001 characters, the most is 500000" },
  ])
})

test("read-flow names unknown keys at every level", () => {
  expect(check({ version: 1, steps, hop: [] })).toEqual(['There is no option "hop" | Did you mean "hops"?'])
  expect(check({ version: 1, steps: [{ id: "a", uses: "b" }] })).toEqual([
    'There is no option "uses" | Did you mean "use"?',
    'Option "steps.0.use" is missing',
  ])
  expect(check({ version: 1, steps, hops: [{ from: "a", to: "b", sent: "copy" }] })).toEqual([
    'There is no option "sent" | Did you mean "send"?',
  ])
  expect(check({ version: 1, steps, settings: { paralel: 2 } })).toEqual([
    'There is no option "paralel" | Did you mean "parallel"?',
  ])
})

test("read-flow wants a version, steps and names without blanks", () => {
  expect(check({})).toEqual(['Option "version" is missing', 'Option "steps" is missing'])
  expect(check({ version: 2, steps })).toEqual(['Option "version" cannot be 2 | Choose one of 1'])
  expect(check({ version: 1, steps: [] })).toEqual(['Option "steps" is empty'])
  expect(check({ version: 1, steps: [{ id: "a b", use: "x" }] })[0]).toContain('Option "steps.0.id" is "a b"')
  expect(check({ version: 1, steps: [{ id: "", use: "x" }] })[0]).toContain("has 0 characters")
  expect(check({ version: 1, steps: [{ id: "a", use: "x", config: [] }] })).toEqual([
    'Option "steps.0.config" is an array, an object is wanted',
  ])
  expect(check([])).toEqual(["The configuration is an array, an object is wanted"])
})

test("read-flow holds settings to their ranges", () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ parallel: 0 }, 'Option "settings.parallel" is 0, the least is 1'],
    [{ parallel: 257 }, 'Option "settings.parallel" is 257, the most is 256'],
    [{ parallel: 1.5 }, 'Option "settings.parallel" is a number, an integer is wanted'],
    [{ batchRows: 0 }, 'Option "settings.batchRows" is 0, the least is 1'],
    [{ batchBytes: 10 }, 'Option "settings.batchBytes" is 10, the least is 1024'],
    [{ errorLimit: -1 }, 'Option "settings.errorLimit" is -1, the least is 0'],
    [{ errorPercent: 101 }, 'Option "settings.errorPercent" is 101, the most is 100'],
    [{ forwarding: "no" }, 'Option "settings.forwarding" is a string, a boolean is wanted'],
    [{ connectRetries: 11 }, 'Option "settings.connectRetries" is 11, the most is 10'],
    [{ statementTimeoutMs: 59_999 }, 'Option "settings.statementTimeoutMs" is 59999, the least is 60000'],
    [{ cancelTimeoutMs: 600_001 }, 'Option "settings.cancelTimeoutMs" is 600001, the most is 600000'],
  ]
  for (const [settings, message] of wrong) expect(check({ version: 1, steps, settings })).toEqual([message])
})

test("read-flow limits how many steps and hops a flow has", () => {
  const many = Array.from({ length: 1001 }, (_, i) => ({ id: `s${i}`, use: "x" }))
  expect(check({ version: 1, steps: many })).toEqual(['Option "steps" has 1001 entries, the most is 1000'])
  const hops = Array.from({ length: 5001 }, () => ({ from: "a", to: "b" }))
  expect(check({ version: 1, steps, hops })).toEqual(['Option "hops" has 5001 entries, the most is 5000'])
})
