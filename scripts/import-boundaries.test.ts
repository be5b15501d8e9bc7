import { describe, expect, test } from "bun:test"
import { boundaryFaults, importsOf, type Packages } from "./import-boundaries.ts"
import { readText, sourceFiles } from "./source-files.ts"

const declared = JSON.parse(readText("package.json")) as Packages

test("import-boundaries hold in every file", () => {
  const files = sourceFiles()
  expect(files.length).toBeGreaterThan(10)
  expect(files.flatMap((path) => boundaryFaults(path, readText(path), declared))).toEqual([])
})

const packages: Packages = {
  dependencies: {
    effect: "4",
    hono: "4",
    postgres: "3",
    "drizzle-orm": "1",
    react: "19",
    "@effect/platform-node": "4",
  },
}

describe("import-boundaries find a planted fault:", () => {
  test.each([
    ["effect in the contract", "core/contract/a.ts", `import type { Effect } from "effect"`],
    ["a runtime export of the contract", "core/contract/a.ts", "export const a = 1"],
    ["an enum in the contract", "core/contract/a.ts", "export enum A { b }"],
    ["node: in core", "core/run/a.ts", `import { join } from "node:path"`],
    ["a bare built-in in core", "core/run/a.ts", `import { join } from "path"`],
    ["a side-effect import", "core/run/a.ts", `import "bun"`],
    ["a dynamic import", "core/run/a.ts", `const a = await import("../../plugins/csv/plugin.ts")`],
    ["a driver in core", "core/run/a.ts", `import sql from "postgres"`],
    ["hono in core", "core/run/a.ts", `import { Hono } from "hono"`],
    ["drizzle outside the store", "core/run/a.ts", `import { sql } from "drizzle-orm"`],
    ["types of a plugin in core", "core/run/a.ts", `import type { A } from "../../plugins/csv/csv-input.ts"`],
    ["a re-export from runtime in core", "core/run/a.ts", `export * from "../../runtime/platform.ts"`],
    ["Bun in core", "core/run/a.ts", `export const a = Bun.file("x")`],
    ["process in core", "core/run/a.ts", "export const a = () => process.env.HOME"],
    ["a hidden process in core", "core/run/a.ts", "export const a = globalThis.process"],
    ["Deno in a plugin", "plugins/csv/a.ts", "export const a = typeof Deno"],
    ["Buffer in a plugin", "plugins/csv/a.ts", "export const a = Buffer.alloc(1)"],
    ["effect in a plugin", "plugins/csv/a.ts", `import { Effect } from "effect"`],
    ["types of effect in a plugin", "plugins/csv/a.ts", `import type { Effect } from "effect"`],
    ["an effect package in a plugin", "plugins/csv/a.ts", `import { x } from "@effect/platform-node"`],
    ["a value from the contract", "plugins/csv/a.ts", `import { x } from "../../core/contract/index.ts"\nx()`],
    ["an inline type import", "plugins/csv/a.ts", `import { type X } from "../../core/contract/index.ts"`],
    ["a part of the contract", "plugins/csv/a.ts", `import type { X } from "../../core/contract/batch.ts"`],
    ["core in a plugin", "plugins/csv/a.ts", `import { x } from "../../core/batch/builder.ts"\nx()`],
    ["another plugin", "plugins/csv/a.ts", `import { x } from "../mysql/plugin.ts"\nx()`],
    ["a type of another plugin", "plugins/csv/a.ts", `import type { X } from "../mysql/plugin.ts"`],
    ["a type expression", "plugins/csv/a.ts", `export let x: import("../mysql/plugin.ts").X`],
    ["node: in a plugin", "plugins/csv/a.ts", `import { readFile } from "node:fs/promises"`],
    ["bun:sqlite in a plugin", "plugins/sqlite/a.ts", `import { Database } from "bun:sqlite"`],
    ["an undeclared package", "plugins/csv/a.ts", `import parse from "csv-parse"`],
    ["a plugin's insides in the registry", "plugins/registry.gen.ts", `import x from "./csv/csv-input.ts"\nx()`],
    ["a driver in the web", "web/api/a.ts", `import sql from "postgres"`],
    ["runtime in the web", "web/app.ts", `import { x } from "../runtime/platform.ts"\nx()`],
    ["a value of the API in the UI", "web/ui/a.tsx", `import { x } from "../api/flows.ts"\nx()`],
    ["a plugin in runtime", "runtime/main.ts", `import csv from "../plugins/csv/plugin.ts"\ncsv()`],
    ["scripts in runtime", "runtime/main.ts", `import { x } from "../scripts/registry.ts"\nx()`],
    ["types of scripts in runtime", "runtime/main.ts", `import type { X } from "../scripts/services/service.ts"`],
    ["test data in core", "core/run/a.ts", `import { x } from "./testdata/rows.ts"\nx()`],
    ["a new room", "lib/a.ts", "export const a = 1"],
  ])("%s", (_, path, source) => {
    expect(boundaryFaults(path, source, packages)).toHaveLength(1)
  })
})

describe("import-boundaries allow", () => {
  test.each([
    ["the contract to itself", "core/contract/a.ts", `import type { X } from "./batch.ts"\nexport type Y = X`],
    [
      "effect in core",
      "core/run/a.ts",
      `import { Effect } from "effect"\nimport * as S from "effect/Schema"\nS.x(Effect)`,
    ],
    [
      "core in core",
      "core/host/a.ts",
      `import type { X } from "../contract/index.ts"\nimport { y } from "../batch/y.ts"\ny()`,
    ],
    ["drizzle in the store", "core/store/a.ts", `import { t } from "drizzle-orm/sqlite-core"\nt()`],
    ["a plugin its driver", "plugins/postgres/a.ts", `import sql from "postgres"\nimport { x } from "./x.ts"\nsql(x)`],
    [
      "a plugin SQLite of the runtime",
      "plugins/sqlite/a.ts",
      `import { DatabaseSync } from "node:sqlite"\nDatabaseSync()`,
    ],
    ["a plugin shared SQL", "plugins/mysql/a.ts", `import { quote } from "../_sql/quote.ts"\nquote()`],
    ["a plugin the contract", "plugins/csv/a.ts", `import type { X } from "../../core/contract/index.ts"`],
    ["a plugin the published contract", "plugins/csv/a.ts", `import type { X } from "headrace/contract"`],
    ["tests anything", "plugins/csv/a.test.ts", `import { test } from "bun:test"\nimport "../mysql/plugin.ts"\ntest()`],
    ["runtime the registry", "runtime/main.ts", `import { plugins } from "../plugins/registry.gen.ts"\nplugins()`],
    [
      "words in comments and strings",
      "core/run/a.ts",
      `// import "bun", process.env\nexport const a = "Bun.file, process.env"`,
    ],
    ["a member called process", "core/run/a.ts", "export const a = (job: { process: number }) => job.process"],
  ])("%s", (_, path, source) => {
    expect(boundaryFaults(path, source, packages)).toEqual([])
  })
})

test("import-boundaries tell type imports from value imports", () => {
  const source = `
    import type { A } from "a"
    import b, { type B } from "b"
    import "c"
    export type { D } from "d"
    export * from "e"
    const f = import("f")
    let g: import("g").G
    /* import "h" */
    import { type I } from "i"
  `
  const found = importsOf(source).map(({ specifier, type }) => `${specifier} ${type ? "type" : "value"}`)
  expect(found.sort()).toEqual(["a type", "b value", "c value", "d type", "e value", "f value", "g type", "i value"])
})
