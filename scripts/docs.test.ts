import { Database as Sqlite } from "bun:sqlite"
import { afterAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, normalize } from "node:path"
import { $ } from "bun"
import { plugins } from "../plugins/registry.gen.ts"
import { Workplace } from "../runtime/cli/testdata/headrace.ts"
import { acmeDatabase } from "../web/docs/examples/acme-database.ts"
import linesPlugin from "../web/docs/examples/plugin.ts"
import { docsPages, PAGES, withParts } from "./docs.ts"
import { projectFiles, readText, root } from "./source-files.ts"
import { testEngine } from "./testing/engine.ts"

const folder = mkdtempSync(join(tmpdir(), "headrace-docs-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test(`docs are what "bun run docs" makes`, () => {
  const pages = docsPages()
  const stale = [...pages].filter(([path, text]) => !existsSync(join(root, path)) || readText(path) !== text)
  const extra = projectFiles("web/docs/components/*").filter((path) => !pages.has(path))
  expect([...stale.map(([path]) => path), ...extra], 'out of date: run "bun run docs"').toEqual([])
})

test("docs have a page for every component, and every page is linked", () => {
  const index = readText("web/docs/components/README.md")
  const ids = readdirSync(join(root, "web/docs/components")).filter((name) => name !== "README.md")
  expect(ids.length).toBeGreaterThan(10)
  for (const name of ids) expect(index).toContain(`(${name})`)
})

test("docs refuse a made part that nobody makes", () => {
  expect(() => withParts("<!-- made: nonsense -->\n<!-- end -->")).toThrow('Cannot make "nonsense"')
  expect(() => withParts("<!-- made: options postgres-output.nope -->\n<!-- end -->")).toThrow("no such option")
})

test("docs link to pages that exist", () => {
  const broken = projectFiles("web/docs/**/*.md").flatMap((path) =>
    [...readText(path).matchAll(/\]\(([^)#:]+\.md)\)/g)].flatMap(([, target = ""]) =>
      // Written beside these pages, by those who write the programs they describe.
      existsSync(join(root, normalize(join(dirname(path), target)))) ? [] : [`${path}: ${target}`],
    ),
  )
  expect(broken).toEqual([])
})

test("docs show flows that can be planned", async () => {
  const database = new Sqlite(join(folder, "shop.db"))
  database.run("CREATE TABLE orders (id INTEGER, total DECIMAL(12,2), note TEXT)")
  database.close()
  const sources = { shop: { type: "sqlite", settings: { path: join(folder, "shop.db") } } }
  const engine = testEngine(sources, { base: folder })
  const flow = /```json\n(\{\n {2}"version": 1[\s\S]*?)```/.exec(readText("web/docs/flow.md"))![1]!
  const local = flow.replace("postgres-input", "sqlite-input").replace("public.orders", "orders")
  const plan = await engine.plan(JSON.parse(local))
  // The page says that only these two are read.
  expect(plan.steps[0]!.output.map(({ name }) => name)).toEqual(["id", "total"])
})

test("docs have an example of a plugin that reads, masks and writes", async () => {
  const lines = [...["one", "twö", "", "longer than ten"].map((line) => `${line}\n`), [0x66, 0xff, 10], "last"]
  writeFileSync(join(folder, "a.txt"), Buffer.concat(lines.map((line) => Buffer.from(line as string))))
  const engine = testEngine({}, { base: folder, plugins: [...plugins, linesPlugin] })
  const steps = [
    { id: "read", use: "lines-input", config: { path: "a.txt", maxLineBytes: 10 } },
    { id: "mask", use: "mask", config: { columns: ["text"] } },
    { id: "write", use: "lines-output", config: { path: "masked.txt", column: "text" } },
  ]
  const hops = [
    { from: "read", to: "mask" },
    { from: "mask", to: "write" },
  ]
  const flow = { version: 1, steps, hops, settings: { errorLimit: 2, batchRows: 2 } }
  const report = await engine.run(flow)
  expect(report.failure).toBeUndefined()
  expect(readFileSync(join(folder, "masked.txt-1"), "utf8")).toBe("***\n****\n\n****\n")
  expect(engine.rejections).toMatchObject([
    { row: 3, column: "text", reason: "The line has 15 bytes" },
    { row: 4, column: "text", reason: "The line is no UTF-8" },
  ])
  await expect(
    engine.plan({ ...flow, steps: [steps[0], { ...steps[1], config: { columns: ["line"] } }, steps[2]] }),
  ).rejects.toThrow('Cannot mask "line": no text column')
})

test("docs say how a plugin comes to the disk, where the program finds and runs it", async () => {
  using at = new Workplace()
  const examples = join(root, "web/docs/examples")
  const [, commands = ""] = /```sh\n(bun build[\s\S]*?)```/.exec(readText("web/docs/plugins.md"))!
  const [build = "", describe = ""] = commands.replaceAll("~/.headrace", at.path("home")).split("\n")
  mkdirSync(at.path("home/plugins/lines"), { recursive: true })
  for (const command of [build, describe])
    expect(await $`sh -c ${command.replace("bun", process.execPath)}`.cwd(examples).quiet().nothrow()).toHaveProperty(
      "exitCode",
      0,
    )
  await at.write("a.txt", "one\n")
  const steps = [
    { id: "read", use: "lines-input", config: { path: "a.txt" } },
    { id: "write", use: "lines-output", config: { path: "b.txt", column: "text" } },
  ]
  await at.write("flow.json", { version: 1, steps, hops: [{ from: "read", to: "write" }] })
  const { code, err } = await at.headrace(["run", "flow.json", "--unconfined", "lines"])
  expect(err).toContain("1 read = 1 written")
  expect(code).toBe(0)
  expect(at.read("b.txt-1")).toBe("one\n")
})

test("docs have an example of a database that tables go into and come from", async () => {
  const path = join(folder, "acme.db")
  const database = acmeDatabase(async ({ host }) => {
    const driver = new Sqlite(host)
    return {
      query: async (sql, parameters = []) =>
        driver
          .query(sql)
          .values(...parameters)
          .map((row) => row.map((value) => (value === null ? null : String(value)))),
      columns: async (table) =>
        driver
          .query<{ name: string; type: string; notnull: number }, [string]>("SELECT * FROM pragma_table_info(?)")
          .all(table)
          .map(({ name, type, notnull }) => ({ name, type, nullable: notnull === 0 })),
      close: async () => driver.close(),
    }
  })
  const acme = {
    name: "acme",
    version: "1.0.0",
    engine: 1,
    permissions: { network: "dataSource" },
    components: [database],
  } as const
  const engine = testEngine(
    { there: { type: "acme", settings: { host: path } } },
    { base: folder, plugins: [...plugins, acme] },
  )
  const columns = [
    { name: "id", type: "int64", sequence: true },
    { name: "text", type: "string", nullShare: 0.2 },
  ]
  const run = (steps: readonly { use: string; config: unknown }[]) =>
    engine.run({
      version: 1,
      steps: steps.map((step) => ({ id: step.use, ...step })),
      hops: [{ from: steps[0]!.use, to: steps[1]!.use }],
    })
  const target = { dataSource: "there", table: "notes", createTable: true, allowLossy: true }
  const written = await run([
    { use: "rows-input", config: { rows: 50, nasty: true, columns } },
    { use: "acme-output", config: target },
  ])
  expect(written.failure).toBeUndefined()
  const read = await run([
    { use: "acme-input", config: { dataSource: "there", table: "notes" } },
    { use: "csv-output", config: { path: "back.csv" } },
  ])
  expect(read.failure).toBeUndefined()
  await run([
    { use: "rows-input", config: { rows: 50, nasty: true, columns } },
    { use: "csv-output", config: { path: "sent.csv" } },
  ])
  expect(readFileSync(join(folder, "back.csv"), "utf8")).toBe(readFileSync(join(folder, "sent.csv"), "utf8"))
})

test("docs list their hand-written pages that have made parts", () => {
  const marked = projectFiles("web/docs/*.md").filter((path) => readText(path).includes("<!-- made: "))
  expect(marked).toEqual([...PAGES].sort())
})
