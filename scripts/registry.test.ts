import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { registryPath, registrySource } from "./registry.ts"
import { projectFiles, readText, root } from "./source-files.ts"

test(`registry is what "bun run registry" makes`, () => {
  const stored = existsSync(join(root, registryPath)) ? readText(registryPath) : ""
  const isCurrent = stored === registrySource(projectFiles("plugins/*/plugin.ts"))
  expect(isCurrent, `${registryPath} is out of date: run "bun run registry"`).toBe(true)
})

test("registry takes each folder with a plugin.ts, in order, and none that starts with an underscore", () => {
  const source = registrySource([
    "plugins/sort-merge/plugin.ts",
    "plugins/csv/plugin.ts",
    "plugins/csv/csv-input.ts",
    "plugins/_sql/plugin.ts",
    "plugins/csv/deep/plugin.ts",
  ])
  expect(source).toContain(
    'import csvPlugin from "./csv/plugin.ts"\nimport sortMergePlugin from "./sort-merge/plugin.ts"\n',
  )
  expect(source).toContain("= [csvPlugin, sortMergePlugin]\n")
  expect(source.match(/^import /gm)).toHaveLength(3)
})

test("registry imports modules that are plugins under a name of their own", async () => {
  const { plugins } = await import(join(root, registryPath))
  const names = plugins.map((plugin: { name: string }) => plugin.name)
  expect(names).toEqual([...new Set(names)].sort())
  expect(plugins.every((plugin: { components: unknown }) => Array.isArray(plugin.components))).toBe(true)
})
