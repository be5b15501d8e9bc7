import { Effect } from "effect"
import type { ConfigSchema, DataSource } from "../../core/contract/index.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import { type FlowError, type FlowProblem, flowError } from "../../core/flow/problem.ts"
import type { Components } from "../../core/host/components.ts"
import { decodeConfig } from "../../core/host/config.ts"
import type { DataSources } from "../../core/host/services.ts"
import { resolveSecrets } from "./secret-reference.ts"
import type { Secrets } from "./secrets.ts"
import type { SourceEntry, SourcesFile } from "./sources-file.ts"

export interface DataSourcesOptions {
  /** The file that was found; undefined when there is none. */
  readonly file: SourcesFile | undefined
  /** Files that were looked for, for the hint when there is none. */
  readonly lookedFor: readonly string[]
  readonly components: Components
  readonly secrets: Secrets["Service"]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folder from which the path of an undeclared SQLite file starts. */
  readonly base: string
  readonly warn: (message: string) => void
  /** Why a database type that a plugin has may not be used, if so. */
  readonly refused: (type: string) => { readonly message: string; readonly hint: string } | undefined
}

/** The data sources of a file; a name that ends like an SQLite file and is not declared is that file. */
export function makeDataSources(options: DataSourcesOptions): DataSources["Service"] {
  const entries = options.file?.entries ?? {}
  const warned = new Set<string>()
  return {
    names: Object.keys(entries),
    get: Effect.fnUntraced(function* (name: string): Effect.fn.Return<DataSource, FlowError> {
      const found = entryOf(name, options)
      if (found === undefined) return yield* flowError([unknownSource(name, options)])
      const schema = schemaOf(found.type, options.components)
      if (schema === undefined) return yield* flowError([unknownType(name, found.type, options)])
      const { environment, secrets } = options
      const resolved = resolveSecrets(found.settings, schema, { name, folder: found.folder, environment })
      for (const secret of resolved.secrets) secrets.add(secret)
      const { file } = options
      if (file?.isOpen && resolved.literal.length > 0 && !warned.has(name)) {
        warned.add(name)
        const held = resolved.literal.join(", ")
        options.warn(
          `"${file.path}" holds the ${held} of data source "${name}", and others can read it: run chmod 600, or use { "env": … }`,
        )
      }
      if (resolved.problems.length > 0) return yield* flowError(resolved.problems)
      return yield* checkedSource({ name, type: found.type, settings: resolved.settings }, schema, secrets)
    }),
  }
}

/** A data source with its settings checked and completed by defaults; its secrets are kept out of messages from here on. */
export function checkedSource(
  { name, type, settings }: DataSource,
  schema: ConfigSchema,
  secrets: Secrets["Service"],
): Effect.Effect<DataSource, FlowError> {
  const decoded = decodeConfig(schema, settings)
  if ("problems" in decoded)
    return flowError(
      decoded.problems.map((problem) => ({ ...problem, message: `Data source "${name}": ${problem.message}` })),
    )
  for (const [option, property] of Object.entries(schema.properties)) {
    const value = decoded.config[option]
    if (property["x-secret"] === true && typeof value === "string" && value !== property.default) secrets.add(value)
  }
  return Effect.succeed({ name, type, settings: decoded.config })
}

/** True for a name that stands for an SQLite file where no data source is called so. */
export function isSqlitePath(name: string): boolean {
  return /\.(db|sqlite|sqlite3)$/i.test(name)
}

function entryOf(name: string, { file, base }: DataSourcesOptions): (SourceEntry & { folder: string }) | undefined {
  const entries = file?.entries ?? {}
  if (file !== undefined && Object.hasOwn(entries, name)) return { ...entries[name]!, folder: file.folder }
  return isSqlitePath(name) ? { type: "sqlite", settings: { path: name }, folder: base } : undefined
}

function unknownSource(name: string, { file, lookedFor }: DataSourcesOptions): FlowProblem {
  const message = `There is no data source "${name}"`
  if (file === undefined) return { message, hint: `Describe it in ${lookedFor.join(" or ")}, or pass --sources FILE` }
  const names = Object.keys(file.entries)
  const near = closestName(name, names)
  if (near !== undefined) return { message, hint: `Did you mean "${near}"?` }
  return { message, hint: names.length === 0 ? `Add it to ${file.path}` : `"${file.path}" has ${names.join(", ")}` }
}

export function schemaOf(type: string, components: Components): ConfigSchema | undefined {
  const component = components.get(type)?.component
  return component?.kind === "database" ? component.config : undefined
}

/** What to say of a data source whose type no component has. */
export function unknownType(
  name: string,
  type: string,
  { components, refused }: Pick<DataSourcesOptions, "components" | "refused">,
): FlowProblem {
  const reason = refused(type)
  if (reason !== undefined)
    return { message: `Data source "${name}" cannot be of type "${type}": ${reason.message}`, hint: reason.hint }
  const near = components.nearest(type, ["database"])
  const known = components.all.flatMap(({ component }) => (component.kind === "database" ? [component.id] : []))
  return {
    message: `Data source "${name}" is of an unknown type: "${type}"`,
    hint: near === undefined ? `There are ${known.join(", ")}` : `Did you mean "${near}"?`,
  }
}
