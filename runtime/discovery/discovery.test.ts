import { afterAll, expect, test } from "bun:test"
import { Workplace } from "../cli/testdata/headrace.ts"
import { readManifest } from "./manifest.ts"

const at = new Workplace()
afterAll(() => at[Symbol.dispose]())

const config = {
  type: "object",
  properties: { times: { type: "integer", default: 2, description: "How often." } },
  additionalProperties: false,
}
const component = { kind: "transform", id: "shout", title: "Shout", summary: "Lets rows pass.", config }
const manifest = {
  name: "acme",
  version: "1.2.3",
  engine: 1,
  main: "plugin.js",
  permissions: {},
  components: [component],
}
const code = (parts: object) => `console.error("acme runs")
const component = { ...${JSON.stringify(component)}, examples: [],
  plan: (config, { input }) => ({ columns: input, requires: input.map((column) => column.name), issues: [] }),
  apply: (config, shape, batches) => batches }
export default { ...${JSON.stringify({ ...manifest, main: undefined })}, components: [component], ...${JSON.stringify(parts)} }
`
await at.write("plugins/acme/plugin.json", manifest)
await at.write("plugins/acme/plugin.js", code({}))
await at.write("in.csv", "id\n1\n")
await at.write("flow.json", {
  version: 1,
  steps: [
    { id: "read", use: "csv-input", config: { path: "in.csv" } },
    { id: "loud", use: "shout" },
    { id: "write", use: "csv-output", config: { path: "out.csv" } },
  ],
  hops: [
    { from: "read", to: "loud" },
    { from: "loud", to: "write" },
  ],
})
const PLUGINS = ["--plugins", "plugins"]

test("discovery lists a plugin on disk from its manifest, without running its code", async () => {
  const { code, out, err } = await at.headrace(["components", "--json", ...PLUGINS])
  expect({ code, err }).toEqual({ code: 0, err: "" })
  const found = (JSON.parse(out) as { id: string }[]).find(({ id }) => id === "shout")
  expect(found).toMatchObject({ plugin: "acme", version: "1.2.3", isLoaded: false })
  expect((await at.headrace(["component", "shout", ...PLUGINS])).out).toContain("integer, default 2")
  expect((await at.headrace(["component", "shuot", ...PLUGINS])).err).toContain('Did you mean "shout"?')
})

test("discovery refuses to run a plugin that is not built in without consent", async () => {
  const { code, err } = await at.headrace(["run", "flow.json", ...PLUGINS])
  expect(code).toBe(2)
  expect(err).toContain('Step "loud" cannot use "shout": plugin "acme" is not built in')
  expect(err).toContain("add --unconfined acme")
  expect(err).not.toContain("acme runs")
})

test("discovery runs a plugin that the user trusts by name, and warns", async () => {
  const { code, err } = await at.headrace(["run", "flow.json", ...PLUGINS, "--unconfined", "acme"])
  expect(err).toContain('Plugin "acme" runs unconfined')
  expect(err).toContain("acme runs")
  expect(code).toBe(0)
  expect(at.read("out.csv")).toBe("id\n1\n")
  const typo = await at.headrace(["run", "flow.json", ...PLUGINS, "--unconfined", "amce"])
  expect(typo).toMatchObject({ code: 2 })
  expect(typo.err).toContain('Did you mean "acme"?')
})

test("discovery refuses a module that is not what its manifest says", async () => {
  await at.write("liars/acme/plugin.json", manifest)
  await at.write("liars/acme/plugin.js", code({ permissions: { files: "write" }, version: "6.6.6" }))
  const { code: exit, err } = await at.headrace(["components", "--plugins", "liars", "--unconfined", "acme"])
  expect(exit).toBe(2)
  expect(err).toContain(`"version" is "1.2.3" in the manifest and "6.6.6" in the module`)
  expect(err).toContain(`"permissions" is {} in the manifest and {"files":"write"} in the module`)
})

test("discovery leaves out a plugin whose name or component is taken, and says so", async () => {
  await at.write("clash/postgres/plugin.json", { ...manifest, name: "postgres" })
  await at.write("clash/sneaky/plugin.json", { ...manifest, components: [{ ...component, id: "csv-input" }] })
  await at.write("clash/empty/readme.txt", "nothing")
  const { code, err } = await at.headrace(["components", "--plugins", "clash"])
  expect(code).toBe(0)
  expect(err).toContain('a plugin called "postgres" is installed already')
  expect(err).toContain('its component "csv-input" has the id of one of plugin "csv"')
  expect(err).toContain("its plugin.json cannot be read: ENOENT")
})

test("discovery refuses a folder of plugins that is not there", async () => {
  const { code, err } = await at.headrace(["components", "--plugins", "plugnis"])
  expect({ code, err }).toEqual({
    code: 2,
    err: `error: Cannot look for plugins in "${at.path("plugnis")}": there is no such folder\n`,
  })
})

test("discovery checks a manifest: engine, name, main module, ids", () => {
  expect(readManifest(manifest)).toMatchObject({ name: "acme" })
  expect(faultsOf({ ...manifest, engine: 2 })).toEqual(["it is written for engine 2, this is engine 1"])
  expect(faultsOf({ ...manifest, main: "../x.js" })[0]).toContain("outside its folder")
  expect(faultsOf({ ...manifest, name: "Acme!" })[0]).toContain("does not match")
  expect(faultsOf({ ...manifest, components: [component, component] })[0]).toContain(
    'two components with the id "shout"',
  )
  expect(faultsOf({ ...manifest, nmae: "x" })[0]).toContain('Did you mean "name"?')
})

function faultsOf(value: unknown): readonly string[] {
  const read = readManifest(value)
  return "faults" in read ? read.faults : []
}
