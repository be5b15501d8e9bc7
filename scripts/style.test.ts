import { expect, test } from "bun:test"
import { basename } from "node:path"
import { projectFiles, readText, sourceFiles } from "./source-files.ts"

/** Not written by hand, or data. */
const GENERATED = /\.gen\.ts$|(^|\/)testdata\//
const TEXT = /\.(tsx?|css|html|json|md|toml|sh|ya?ml|sql|lock)$|(^|\/)(LICENSE|run|\.gitignore)$/

const sources = sourceFiles().filter((path) => !GENERATED.test(path))
const texts = projectFiles().filter((path) => TEXT.test(path) && !/(^|\/)testdata\//.test(path))

test("style keeps files at 500 lines or fewer", () => {
  expect(faults(sources, isTooLong)).toEqual([])
  expect(isTooLong("a.ts", "\n".repeat(501))).toBe("has 501 lines")
  expect(isTooLong("a.ts", "\n".repeat(500))).toBeUndefined()
})

test("style leaves no work for later in a comment", () => {
  expect(faults(texts, hasLeftover)).toEqual([])
  expect(hasLeftover("a.ts", `// ${"TO"}${"DO"}: later`)).toBeDefined()
  expect(hasLeftover("a.ts", `// ${"FIX"}${"ME"} later`)).toBeDefined()
})

test("style names files by what they hold, in kebab-case", () => {
  expect(faults(sources, isBadName)).toEqual([])
  for (const path of ["core/utils.ts", "core/common/a.ts", "plugins/x/types.ts", "web/ui/FlowPage.tsx", "core/a_b.ts"])
    expect(isBadName(path)).toBeDefined()
  for (const path of ["core/a-b.ts", "plugins/csv/csv-input.integration.test.ts", "plugins/_sql/sql-text.ts"])
    expect(isBadName(path)).toBeUndefined()
})

test("style names no package registry and no folder of one machine in committed files", () => {
  expect(faults(texts, isTiedToPlace)).toEqual([])
  expect(isTiedToPlace("bun.lock", `["effect@4", "https://${"example.org"}/effect.tgz"]`)).toBeDefined()
  expect(isTiedToPlace("package.json", `"https://${"registry"}.npmjs.org"`)).toBeDefined()
  expect(isTiedToPlace("a.ts", `"/${"home"}/somebody/x"`)).toBeDefined()
})

test("style gives every test a title that starts with what it tests, not with should", () => {
  expect(faults(sources, hasVagueTitle)).toEqual([])
  expect(hasVagueTitle("a.test.ts", `test("${"should"} work", () => {})`)).toBeDefined()
})

test("style never narrows a test run to one test or skips one without a word", () => {
  expect(faults(sources, hasNarrowing)).toEqual([])
  expect(hasNarrowing("a.test.ts", `test.${"only"}("a", () => {})`)).toBeDefined()
  expect(hasNarrowing("a.test.ts", `describe.${"skip"}("a", () => {})`)).toBeDefined()
})

test("style keeps the test command of the README and of .ci/run the same", () => {
  const command = /^npx -y bun@\S+ install --frozen-lockfile && npx -y bun@\S+ run test$/m
  const stated = command.exec(readText("README.md"))?.[0]
  expect(stated).toBeDefined()
  expect(command.exec(readText(".ci/run"))?.[0]).toBe(stated ?? "")
})

type Check = (path: string, text: string) => string | undefined

function faults(paths: readonly string[], check: Check): string[] {
  expect(paths.length).toBeGreaterThan(10)
  return paths.flatMap((path) => {
    const fault = check(path, readText(path))
    return fault === undefined ? [] : [`${path}: ${fault}`]
  })
}

function isTooLong(_: string, text: string): string | undefined {
  const lines = text.split("\n").length - 1
  return lines > 500 ? `has ${lines} lines` : undefined
}

function hasLeftover(_: string, text: string): string | undefined {
  return /\b(TO[D]O|FIX[M]E)\b/.exec(text)?.[0]
}

function isBadName(path: string): string | undefined {
  const vague = path.split("/").find((part) => /^(utils?|helpers?|common|misc|types)(\.|$)/.test(part))
  if (vague) return `"${vague}" says nothing of what it holds`
  return /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.tsx?$/.test(basename(path)) ? undefined : "is not kebab-case"
}

function isTiedToPlace(path: string, text: string): string | undefined {
  if (path === "bun.lock") return /https?:\/\/[^"\s]*/.exec(text)?.[0]
  return /registry\.(npmjs|npmmirror|yarnpkg)\.\w+|(?<![\w.])\/(home|Users)\/\w+/.exec(text)?.[0]
}

function hasVagueTitle(_: string, text: string): string | undefined {
  return /\btest\(\s*["'`]should\b.*/.exec(text)?.[0]
}

function hasNarrowing(_: string, text: string): string | undefined {
  return /\b(test|it|describe)\.(only|skip|todo)\(.*/.exec(text)?.[0]
}
