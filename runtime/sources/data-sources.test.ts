import { afterAll, expect, test } from "bun:test"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { FlowError } from "../../core/flow/problem.ts"
import { makeComponents } from "../../core/host/components.ts"
import { plugins } from "../../plugins/registry.gen.ts"
import { makeDataSources } from "./data-sources.ts"
import { makeSecrets } from "./secrets.ts"
import { readSourcesFile } from "./sources-file.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-sources-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("data-sources take secrets from the environment and from files, and learn to mask them", async () => {
  await Bun.write(join(folder, "key"), "from-a-file\n")
  const { get, secrets } = await sourcesOf({
    a: { type: "postgres", settings: { ...BASE, port: { env: "PORT" }, password: { env: "PASSWORD" } } },
    b: { type: "postgres", settings: { ...BASE, password: { file: "key" } } },
  })
  expect(await get("a")).toEqual({
    name: "a",
    type: "postgres",
    settings: { ...BASE, port: 6000, password: "from-the-environment", tls: "auto" },
  })
  expect(await get("b")).toMatchObject({ settings: { password: "from-a-file", port: 5432 } })
  expect(secrets.mask("from-the-environment from-a-file 6000")).toBe("*** *** 6000")
})

test("data-sources warn once of a literal secret that others can read, and mask it", async () => {
  const entries = { a: { type: "postgres", settings: { ...BASE, password: "in-clear" } } }
  const open = await sourcesOf(entries, 0o644)
  await open.get("a")
  await open.get("a")
  expect(open.warnings).toHaveLength(1)
  expect(open.warnings[0]).toContain("holds the password")
  expect(open.secrets.mask("in-clear")).toBe("***")
  const closed = await sourcesOf(entries, 0o600)
  await closed.get("a")
  expect(closed.warnings).toEqual([])
})

test("data-sources start the path of a file from the folder of theirs, and take an undeclared SQLite file by its path", async () => {
  const { get } = await sourcesOf({ shop: { type: "sqlite", settings: { path: "data/shop.db" } } })
  expect(await get("shop")).toMatchObject({ settings: { path: join(folder, "data/shop.db"), readOnly: false } })
  expect(await get("other.db")).toMatchObject({ type: "sqlite", settings: { path: "/base/other.db" } })
})

test("data-sources say what is wrong with each", async () => {
  const { get } = await sourcesOf({
    typo: { type: "postgras", settings: {} },
    option: { type: "postgres", settings: { ...BASE, passwrod: "x" } },
    unset: { type: "postgres", settings: { ...BASE, password: { env: "UNSET" } } },
    gone: { type: "postgres", settings: { ...BASE, password: { file: "gone" } } },
  })
  expect(await problemOf(get("tpyo"))).toEqual({
    message: 'There is no data source "tpyo"',
    hint: 'Did you mean "typo"?',
  })
  expect(await problemOf(get("typo"))).toMatchObject({ hint: 'Did you mean "postgres"?' })
  expect(await problemOf(get("option"))).toMatchObject({ hint: 'Did you mean "password"?' })
  expect((await problemOf(get("unset")))?.message).toContain("UNSET is not set")
  expect((await problemOf(get("gone")))?.message).toContain(`${join(folder, "gone")}": ENOENT`)
})

test("data-sources files are refused with the place of the fault", async () => {
  await Bun.write(join(folder, "bad.json"), '{\n  "a": {,}\n}')
  const place = { home: folder, cwd: folder }
  expect(readSourcesFile({ ...place, given: "bad.json" })).toMatchObject({
    problem: { message: expect.stringContaining("line 2, column 9") },
  })
  expect(readSourcesFile({ ...place, given: "gone.json" })).toMatchObject({
    problem: { message: expect.stringContaining("there is no such file") },
  })
  expect(readSourcesFile({ home: "/nowhere", cwd: "/nowhere", given: undefined })).toBeUndefined()
})

async function sourcesOf(entries: object, mode = 0o600) {
  const path = join(folder, "headrace.sources.json")
  await Bun.write(path, JSON.stringify(entries))
  chmodSync(path, mode)
  const file = readSourcesFile({ given: undefined, home: folder, cwd: folder })
  if (file === undefined || "problem" in file) throw new Error("no file")
  const warnings: string[] = []
  const secrets = makeSecrets()
  const sources = makeDataSources({
    file,
    lookedFor: [],
    components: makeComponents(plugins),
    secrets,
    environment: { PORT: "6000", PASSWORD: "from-the-environment" },
    base: "/base",
    warn: (message) => void warnings.push(message),
    refused: () => undefined,
  })
  return { warnings, secrets, get: (name: string) => Effect.runPromise(sources.get(name)) }
}

async function problemOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof FlowError)) throw new Error(`No problem: ${String(error)}`)
  const [problem] = error.problems
  return problem === undefined ? undefined : { message: problem.message, ...(problem.hint && { hint: problem.hint }) }
}

const BASE = { host: "db.example.com", database: "shop", user: "etl" }
