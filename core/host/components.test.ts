import { expect, test } from "bun:test"
import { plugins } from "../../plugins/registry.gen.ts"
import { probeInput, probePlugins } from "../../scripts/testing/probes.ts"
import { makeComponents } from "./components.ts"

test("components derive an input and an output from every database type", () => {
  const components = makeComponents(plugins)
  const databases = components.all.filter(({ component }) => component.kind === "database")
  expect(databases.length).toBeGreaterThan(2)
  for (const { component, plugin } of databases) {
    for (const kind of ["input", "output"] as const) {
      const derived = components.get(`${component.id}-${kind}`)
      expect(derived?.component.kind).toBe(kind)
      expect(derived?.derivedFrom).toBe(component.id)
      expect(derived?.plugin).toBe(plugin)
    }
  }
})

test("components are listed by id and found by what a misspelt id means", () => {
  const components = makeComponents(plugins)
  const ids = components.all.map(({ component }) => component.id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(components.nearest("csv-inptu")).toBe("csv-input")
  expect(components.nearest("sqlte", ["input", "output"])).not.toBe("sqlite")
  expect(components.nearest("sqlte")).toBe("sqlite")
  expect(components.get("constructor")).toBeUndefined()
  expect(components.get("__proto__")).toBeUndefined()
})

test("components refuse two of one id, also one that a database has", () => {
  const one = probeInput({ id: "sqlite-input" })
  expect(() => makeComponents(probePlugins(one))).toThrow(
    'Cannot install component "sqlite-input" of plugin "probe": plugin "sqlite" has one of this id',
  )
})
