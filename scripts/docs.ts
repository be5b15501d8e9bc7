import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fidelity } from "../core/batch/conversion.ts"
import type { ComponentKind, Database, LogicalType } from "../core/contract/index.ts"
import { flowSchema } from "../core/flow/flow-schema.ts"
import { type InstalledComponent, makeComponents } from "../core/host/components.ts"
import { code, componentPage, optionsOf, optionTable } from "../core/server/components/component-page.ts"
import { parseTypeName, typeName } from "../plugins/_sql/type-name.ts"
import { plugins } from "../plugins/registry.gen.ts"
import { projectFiles, readText, root } from "./source-files.ts"

const FOLDER = "web/docs/components"
/** Pages with parts that are made here, between `<!-- made: name -->` and `<!-- end -->`. */
export const PAGES = ["web/docs/README.md", "web/docs/flow.md", "web/docs/plugins.md", "web/docs/values.md"]
const PART = /<!-- made: (.+?) -->\n[\s\S]*?<!-- end -->/g

const { all } = makeComponents(plugins)

/** Every made page by its path, and the hand-written ones with their made parts renewed. */
export function docsPages(): ReadonlyMap<string, string> {
  const pages = new Map<string, string>([[`${FOLDER}/README.md`, index()]])
  for (const installed of all) pages.set(`${FOLDER}/${installed.component.id}.md`, page(installed))
  for (const path of PAGES) pages.set(path, withParts(readText(path)))
  return pages
}

export function withParts(text: string): string {
  return text.replace(PART, (_, name: string) => `<!-- made: ${name} -->\n${part(name)}\n<!-- end -->`)
}

function part(name: string): string {
  const [kind, argument = ""] = name.split(" ")
  if (kind === "settings") return optionTable(optionsOf(flowSchema.properties.settings!, "")).join("\n")
  if (kind === "example") return ["```ts", readText(`web/docs/examples/${argument}`).trimEnd(), "```"].join("\n")
  if (kind === "pages") return pagesTable()
  if (kind === "types") return typesTable()
  if (kind === "conversions") return conversionsTable()
  if (kind === "options") return policyTable(argument.split(","))
  throw new Error(`Cannot make "${name}": there are settings, example, pages, types, conversions and options`)
}

const KINDS: readonly (readonly [ComponentKind, string])[] = [
  ["input", "Inputs"],
  ["transform", "Transforms"],
  ["router", "Routers"],
  ["output", "Outputs"],
  ["database", "Data sources"],
]

function index(): string {
  const sections = KINDS.flatMap(([kind, heading]) => {
    const rows = all.filter(({ component }) => component.kind === kind)
    if (rows.length === 0) return []
    const lines = rows.map(({ component }) => `| [${component.id}](${component.id}.md) | ${component.summary} |`)
    return [`## ${heading}`, "", "| id | what it does |", "|---|---|", ...lines, ""]
  })
  return [MADE, "", "# Components", "", ...sections].join("\n")
}

const MADE = '<!-- Made by "bun run docs" from the components themselves. -->'

function page({ component }: InstalledComponent): string {
  const derived = all.filter(({ derivedFrom }) => derivedFrom === component.id).map(({ component }) => component.id)
  return [MADE, "", componentPage(component, { derived, linkOf: (id) => `${id}.md` })].join("\n")
}

/** The pages beside the map, with the first sentence of each. */
function pagesTable(): string {
  const rows = projectFiles("web/docs/*.md").flatMap((path) => {
    const name = basename(path)
    const [, title = name, first = ""] =
      /^# (.+)\n+([\s\S]+?[.:])(?:\s|$)/m.exec(readText(path).replace(/```[\s\S]*?```\n+/g, "")) ?? []
    return name === "README.md" ? [] : [`| [${title}](${name}) | ${first.replaceAll("\n", " ").replace(/:$/, ".")} |`]
  })
  const components =
    "| [Components](components/README.md) | Every input, transform, output and data source, with all options. |"
  return ["| page | begins |", "|---|---|", ...rows, components].join("\n")
}

/** The types of the logical types' table, each in the variants that make a difference. */
const TYPES = [
  ...["boolean", "int16", "int32", "int64", "uint64", "float32", "float64", "decimal", "decimal(12,2)", "string"],
  ...["string(40)", "char(3)", "bytes", "date", "time", "timestamp", "timestamptz", "interval", "json", "uuid"],
]

function typesTable(): string {
  const databases = all.flatMap(({ component }) => (component.kind === "database" ? [component as Database] : []))
  const notes: string[] = []
  const rows = TYPES.map((name) => {
    const cells = databases.map(({ dialect }) => {
      const column = { name: "a", type: parseTypeName(name)!, nullable: true }
      const { type, lossy } = dialect.columnType(column, { key: false })
      if (lossy === undefined) return `\`${type}\``
      if (!notes.includes(lossy)) notes.push(lossy)
      return `\`${type}\` (${notes.indexOf(lossy) + 1})`
    })
    return `| \`${name}\` | ${cells.join(" | ")} |`
  })
  return [
    `| type | ${databases.map(({ title }) => title).join(" | ")} |`,
    `|---|${databases.map(() => "---|").join("")}`,
    ...rows,
    ...(notes.length === 0 ? [] : ["", ...notes.map((note, i) => `${i + 1}. ${note}.`)]),
  ].join("\n")
}

const MARKS: Readonly<Record<string, string>> = {
  exact: "exact",
  checked: "checked",
  lossy: "**lossy**",
  impossible: "",
}

function conversionsTable(): string {
  const types: LogicalType[] = TYPES.filter((name) => !name.startsWith("char")).map((name) => parseTypeName(name)!)
  const rows = types.map((from) => {
    const cells = types.map((to) => MARKS[fidelity(from, to).level])
    return `| \`${typeName(from)}\` | ${cells.join(" | ")} |`
  })
  const header = types.map((type) => `\`${typeName(type)}\``)
  const lossy = types.flatMap((from) =>
    types.flatMap((to) => {
      const { level, why } = fidelity(from, to)
      return level === "lossy" ? [`| \`${typeName(from)}\` | \`${typeName(to)}\` | ${why} |`] : []
    }),
  )
  return [
    `| from \\ to | ${header.join(" | ")} |`,
    `|---|${types.map(() => "---|").join("")}`,
    ...rows,
    "",
    "What is lossy, and how:",
    "",
    "| from | to | what happens |",
    "|---|---|---|",
    ...lossy,
  ].join("\n")
}

/** Options by `component.option`, as one table. */
function policyTable(names: readonly string[]): string {
  const rows = names.map((name) => {
    const [id = "", option = ""] = name.split(".")
    const schema = all.find(({ component }) => component.id === id)?.component.config.properties[option]
    if (schema === undefined) throw new Error(`Cannot describe "${name}": there is no such option`)
    return `| [${id}](components/${id}.md) | \`${option}\` | ${code(schema.default)} | ${schema.description} |`
  })
  return ["| component | option | default | what it does |", "|---|---|---|---|", ...rows].join("\n")
}

if (import.meta.main) {
  const pages = docsPages()
  mkdirSync(join(root, FOLDER), { recursive: true })
  for (const name of readdirSync(join(root, FOLDER)))
    if (!pages.has(`${FOLDER}/${name}`)) rmSync(join(root, FOLDER, name))
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  console.log(`${pages.size} pages of web/docs are up to date`)
}
