import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Component, ComponentKind, ConfigSchema, Plugin } from "../core/contract/index.ts"
import { type InstalledComponent, makeComponents } from "../core/host/components.ts"
import { decodeConfig } from "../core/host/config.ts"
import { plugins } from "./registry.gen.ts"

/** Every rule that a component is held to, by existing. A new one needs no line here. */
const componentRules: Readonly<Record<string, (installed: InstalledComponent) => readonly string[]>> = {
  "has an id of its kind": idFaults,
  "says what it is": textFaults,
  "describes every option": (installed) => optionsOf(installed).flatMap(descriptionFaults),
  "carries the unit in the names of numbers": (installed) => optionsOf(installed).flatMap(unitFaults),
  "uses the words that all components use": (installed) => optionsOf(installed).flatMap(wordFaults),
  "marks secrets and SQL": (installed) => optionsOf(installed).flatMap(markFaults),
  "states only what the host checks": (installed) => optionsOf(installed).flatMap(keywordFaults),
  "refuses unknown options": (installed) => closedFaults(installed.component.config),
  "has defaults that it accepts": defaultFaults,
  "has examples that it accepts": exampleFaults,
}

const pluginRules: Readonly<Record<string, (plugin: Plugin) => readonly string[]>> = {
  "has a name, a semantic version and the engine's": identityFaults,
  "asks for the permissions that its components need, and no more": permissionFaults,
}

/** Faults that stay, each with the reason why. One that no longer occurs fails the suite. */
const waivers: readonly { readonly fault: string; readonly reason: string }[] = []

const { all } = makeComponents(plugins)
const found = new Set<string>()

for (const installed of all) {
  for (const [rule, faultsOf] of Object.entries(componentRules))
    test(`${installed.component.id} ${rule}`, () =>
      expect(unwaived(installed.component.id, faultsOf(installed))).toEqual([]))
}

for (const { component, plugin, derivedFrom } of all) {
  if (derivedFrom !== undefined) continue
  test(`${component.id} is what a file of its name exports`, async () => {
    expect(unwaived(component.id, await fileFaults(component, plugin))).toEqual([])
  })
}

for (const plugin of plugins) {
  for (const [rule, faultsOf] of Object.entries(pluginRules))
    test(`${plugin.name} ${rule}`, () => expect(unwaived(plugin.name, faultsOf(plugin))).toEqual([]))
}

test("conformance waives only faults that exist", () => {
  expect(waivers.filter(({ fault }) => !found.has(fault))).toEqual([])
})

test("conformance finds the inputs and outputs that databases give", () => {
  const databases = all.filter(({ component }) => component.kind === "database")
  expect(databases.length).toBeGreaterThan(0)
  for (const { component } of databases)
    for (const kind of ["input", "output"])
      expect(all.find((one) => one.component.id === `${component.id}-${kind}`)?.derivedFrom).toBe(component.id)
})

test("conformance finds every planted fault", () => {
  expect(faultsOfBad("has an id of its kind")).toEqual([`"Bad_Source": the id of an input ends in "-input"`])
  expect(faultsOfBad("says what it is")).toEqual([
    "the summary is not one sentence that ends in a period",
    "there is no example",
  ])
  expect(faultsOfBad("describes every option")).toEqual([
    `"tableName": the description does not end in a period`,
    `"list.retry": there is no description`,
  ])
  expect(faultsOfBad("carries the unit in the names of numbers")).toEqual([
    `"list.retry": the name of a number ends in its unit, such as Ms, Bytes, Rows, Percent`,
  ])
  expect(faultsOfBad("uses the words that all components use")).toEqual([`"tableName": the word is "table"`])
  expect(faultsOfBad("marks secrets and SQL")).toEqual([
    `"apiToken": a secret is not marked with "x-secret"`,
    `"query": SQL is not marked with "format": "sql"`,
  ])
  expect(faultsOfBad("states only what the host checks")).toEqual([
    `"apiToken": nothing checks "maxItems"`,
    `"query": says nothing of the values it takes`,
  ])
  expect(faultsOfBad("refuses unknown options")).toEqual([`"list" allows additional properties`])
  expect(faultsOfBad("has defaults that it accepts")).toEqual([
    `"tableName": the default is refused: Option "tableName" is a number, a string is wanted`,
  ])
  expect(
    exampleFaults({
      ...bad,
      component: { ...bad.component, examples: [{ title: "One", config: { no: 1, tableName: "t" } }] },
    }),
  ).toEqual([`example "One": There is no option "no"`])
  const plugin = { ...bad.plugin, permissions: { network: "dataSource" as const } }
  expect(identityFaults(plugin)).toEqual([
    `the version "1" is not semantic`,
    "it has no component",
    `there is no "plugins/bad/plugin.ts"`,
  ])
  expect(permissionFaults(plugin)).toEqual(["asks for the network of data sources, of which it has no type"])
})

function unwaived(subject: string, faults: readonly string[]): readonly string[] {
  const named = faults.map((fault) => `${subject}: ${fault}`)
  for (const fault of named) found.add(fault)
  return named.filter((fault) => !waivers.some((waiver) => waiver.fault === fault))
}

/** An option, with where it stands: `columns.type`. */
interface Option {
  readonly name: string
  readonly place: string
  readonly schema: Schema
}
type Schema = Readonly<Record<string, unknown>>

function optionsOf({ component }: { readonly component: Component }): Option[] {
  return nested(component.config, "")
}

function nested(schema: Schema, place: string): Option[] {
  const inside = Object.entries((schema.properties ?? {}) as Record<string, Schema>).flatMap(([name, option]) => {
    const at = place === "" ? name : `${place}.${name}`
    return [{ name, place: at, schema: option }, ...nested(option, at)]
  })
  const alternatives = [schema.oneOf ?? [], schema.anyOf ?? []].flat() as Schema[]
  const items = schema.items === undefined ? [] : [schema.items as Schema]
  return [...inside, ...[...alternatives, ...items].flatMap((one) => nested(one, place))]
}

const ENDINGS: Readonly<Record<ComponentKind, string | undefined>> = {
  input: "-input",
  output: "-output",
  transform: undefined,
  router: undefined,
  database: undefined,
}

function idFaults({ component, derivedFrom }: InstalledComponent): string[] {
  const { id, kind } = component
  const ending = ENDINGS[kind]
  if (derivedFrom !== undefined)
    return id === `${derivedFrom}-${kind}` ? [] : [`"${id}" is not "${derivedFrom}-${kind}"`]
  if (ending !== undefined && !id.endsWith(ending)) return [`"${id}": the id of an ${kind} ends in "${ending}"`]
  if (ending === undefined && /-(input|output|transform|router|database)$/.test(id))
    return [`"${id}": the id of a ${kind} does not repeat a kind`]
  return /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) ? [] : [`"${id}" is not in lower case with hyphens`]
}

/** A database's file may carry the kind, which its id does not. */
async function fileFaults(component: Component, plugin: Plugin): Promise<string[]> {
  const { id, kind } = component
  const names = [`${id}.ts`, `${id}-${kind}.ts`].map((name) => join(import.meta.dir, plugin.name, name))
  const path = names.find((name) => existsSync(name))
  if (path === undefined) return [`there is neither ${names.map((name) => `"${name}"`).join(" nor ")}`]
  const exported = Object.values(await import(path))
  return exported.includes(component) ? [] : [`"${path}" does not export it`]
}

function textFaults({ component }: InstalledComponent): string[] {
  const { title, summary, description, examples } = component
  const words = title.split(" ").length
  return [
    ...(words > 3 || /\.$/.test(title) || title.trim() === "" ? ["the title is not one to three words"] : []),
    ...(/^[A-Z].*[^.]\.$/s.test(summary) && !summary.includes("\n")
      ? []
      : ["the summary is not one sentence that ends in a period"]),
    ...(description === "" || description?.trim() !== description ? ["the description has blanks around it"] : []),
    ...(examples.length === 0 ? ["there is no example"] : []),
    ...examples.flatMap(({ title }) =>
      /[^.\s]$/.test(title) ? [] : [`example "${title}" has a title that is no title`],
    ),
  ]
}

function descriptionFaults({ place, schema }: Option): string[] {
  const { description } = schema
  if (typeof description !== "string" || description === "") return [`"${place}": there is no description`]
  return /[^.]\.$/.test(description) ? [] : [`"${place}": the description does not end in a period`]
}

/** Counts of the thing that they are named after, and numbers that have no unit. */
const UNITLESS = new Set(["rows", "splits", "distinct", "seed", "port", "level", "nullShare"])
const UNIT = /(Ms|Bytes|Rows|Percent|Characters)$/

function unitFaults({ name, place, schema }: Option): string[] {
  const isNumber = [schema.type].flat().some((type) => type === "integer" || type === "number")
  if (!isNumber || UNIT.test(name) || UNITLESS.has(name)) return []
  return [`"${place}": the name of a number ends in its unit, such as Ms, Bytes, Rows, Percent`]
}

/** Words that would say what another word of ours says already. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  table: ["tableName", "tables", "targetTable", "sourceTable"],
  schema: ["schemaName"],
  database: ["databaseName", "dbName", "db", "catalog"],
  query: ["sql", "querySql", "statement", "select"],
  where: ["filter", "condition", "predicate"],
  columns: ["fields", "columnNames", "columnList"],
  keyColumns: ["keys", "primaryKey", "pk", "uniqueKey", "keyFields"],
  splitColumn: ["splitKey", "splitPk", "partitionColumn"],
  splits: ["partitions", "parallelism", "channels", "concurrency"],
  batchRows: ["batchSize", "chunkSize", "fetchSize", "chunkRows", "fetchRows"],
  batchBytes: ["chunkBytes", "byteSize"],
  path: ["file", "filePath", "fileName", "filename", "paths", "directory"],
  delimiter: ["delim", "separator", "fieldDelimiter", "sep"],
  quote: ["quoteChar", "quoteCharacter"],
  escape: ["escapeChar", "escapeCharacter"],
  encoding: ["charset", "charSet", "characterSet"],
  header: ["hasHeader", "firstRowIsHeader"],
  compression: ["compress", "codec"],
  mode: ["writeMode", "writeStrategy", "loadMode"],
  before: ["preSql", "pre", "beforeSql"],
  after: ["postSql", "post", "afterSql"],
  timeoutMs: ["timeout", "timeoutSeconds", "timeoutMillis"],
  user: ["username", "userName", "login"],
  password: ["pass", "passwd", "pwd"],
  host: ["hostname", "hostName", "server", "address"],
  dataSource: ["datasource", "connection", "connectionName"],
  rows: ["rowCount", "count", "limit"],
  tls: ["ssl", "sslMode"],
  tlsCa: ["sslCa", "ca", "caCertificate"],
  nullValue: ["nullFormat", "nullString", "nullText"],
  timeZone: ["timezone", "tz"],
}
const wordFor = new Map(Object.entries(SYNONYMS).flatMap(([word, others]) => others.map((other) => [other, word])))

function wordFaults({ name, place }: Option): string[] {
  const word = wordFor.get(name)
  if (word !== undefined) return [`"${place}": the word is "${word}"`]
  return /^[a-z][a-zA-Z0-9]*$/.test(name) ? [] : [`"${place}" is not in camel case`]
}

function markFaults({ name, place, schema }: Option): string[] {
  const isSecret = /password|passphrase|secret|token|credential|(private|api|access)key/i.test(name)
  const isSql = ["query", "where", "before", "after"].includes(name)
  const items = (schema.items ?? {}) as Schema
  return [
    ...(isSecret && schema["x-secret"] !== true ? [`"${place}": a secret is not marked with "x-secret"`] : []),
    ...(schema["x-secret"] === true && "default" in schema ? [`"${place}": a secret has a default`] : []),
    ...(isSql && schema.format !== "sql" && items.format !== "sql"
      ? [`"${place}": SQL is not marked with "format": "sql"`]
      : []),
  ]
}

/** What core/host/config.ts looks at, and what only people and forms read. */
const CHECKED = [
  "type",
  "enum",
  "oneOf",
  "anyOf",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "minItems",
]
const LIMITS = ["minimum", "maximum", "minLength", "maxLength", "pattern", "default"]
const SHOWN = ["description", "examples", "format", "x-secret", "x-dataSource", "title"]
const KEYWORDS = new Set([...CHECKED, ...LIMITS, ...SHOWN])

function keywordFaults({ place, schema }: Option): string[] {
  const unknown = Object.keys(schema).filter((keyword) => !KEYWORDS.has(keyword))
  const isOpen = ["type", "enum", "oneOf", "anyOf"].every((keyword) => schema[keyword] === undefined)
  return [
    ...unknown.map((keyword) => `"${place}": nothing checks "${keyword}"`),
    ...(isOpen ? [`"${place}": says nothing of the values it takes`] : []),
  ]
}

function closedFaults(schema: Schema, place = "the configuration"): string[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>)
  const isOpen = schema.properties !== undefined && schema.additionalProperties !== false
  const alternatives = [schema.oneOf ?? [], schema.anyOf ?? [], schema.items ?? []].flat() as Schema[]
  return [
    ...(isOpen ? [`${place} allows additional properties`] : []),
    ...properties.flatMap(([name, option]) => closedFaults(option, `"${name}"`)),
    ...alternatives.flatMap((one) => closedFaults(one, place)),
  ]
}

function defaultFaults({ component }: InstalledComponent): string[] {
  return Object.entries(component.config.properties).flatMap(([name, option]) => {
    if (option.default === undefined) return []
    const alone: ConfigSchema = { type: "object", additionalProperties: false, properties: { [name]: option } }
    const result = decodeConfig(alone, { [name]: option.default })
    return "config" in result
      ? []
      : result.problems.map(({ message }) => `"${name}": the default is refused: ${message}`)
  })
}

function exampleFaults({ component }: InstalledComponent): string[] {
  return component.examples.flatMap(({ title, config }) => {
    const result = decodeConfig(component.config, config)
    return "config" in result ? [] : result.problems.map(({ message }) => `example "${title}": ${message}`)
  })
}

function identityFaults({ name, version, engine, components }: Plugin): string[] {
  return [
    ...(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) ? [] : [`the name "${name}" is not in lower case with hyphens`]),
    ...(/^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/.test(version) ? [] : [`the version "${version}" is not semantic`]),
    ...(engine === 1 ? [] : [`the engine is ${String(engine)}, not 1`]),
    ...(components.length === 0 ? ["it has no component"] : []),
    ...(existsSync(join(import.meta.dir, name, "plugin.ts")) ? [] : [`there is no "plugins/${name}/plugin.ts"`]),
  ]
}

function permissionFaults({ permissions, components }: Plugin): string[] {
  const { network, files, ...others } = permissions
  const options = components.flatMap((component) => optionsOf({ component }).map(({ name }) => name))
  const needsFiles = options.includes("path")
  const writes = components.some(({ kind }) => kind === "output" || kind === "database")
  const hasServers = components.some(({ kind }) => kind === "database") && options.includes("host")
  const faults = Object.keys(others).map((name) => `asks for "${name}", which is no permission`)
  if (network === "dataSource" && !hasServers)
    faults.push("asks for the network of data sources, of which it has no type")
  if (network === undefined && hasServers) faults.push(`needs the network: "network": "dataSource"`)
  if (Array.isArray(network) && !network.every((address) => /^[^\s:*]+:\d+$/.test(address)))
    faults.push("names a network address that is not host:port")
  if (needsFiles !== (files !== undefined))
    faults.push(needsFiles ? "needs files" : "asks for files that no option names")
  if (files === "write" && !writes) faults.push("asks to write files and has nothing that writes")
  return faults
}

const bad: InstalledComponent = {
  plugin: { name: "bad", version: "1", engine: 1, permissions: {}, components: [] },
  component: {
    kind: "input",
    id: "Bad_Source",
    title: "Bad source",
    summary: "no sentence",
    config: {
      type: "object",
      additionalProperties: false,
      properties: {
        tableName: { type: "string", default: 1, description: "No period" },
        apiToken: { type: "string", maxItems: 1, description: "A secret." },
        query: { description: "SQL." },
        list: { type: "object", description: "Open.", properties: { retry: { type: "integer" } } },
      },
    },
    examples: [],
    plan: () => Promise.reject(new Error("never planned")),
    open: () => Promise.reject(new Error("never opened")),
  },
}

function faultsOfBad(rule: keyof typeof componentRules): readonly string[] {
  return componentRules[rule]!(bad)
}
