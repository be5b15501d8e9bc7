import type { ConfigSchema, Database, Permissions, Plugin } from "../../core/contract/index.ts"
import { decodeConfig } from "../../core/host/config.ts"
import type { DeclaredComponent } from "../../core/server/components/catalogue.ts"

/** What a plugin says of itself without being executed. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly engine: number
  /** The bundled module, relative to the manifest. */
  readonly main: string
  readonly title?: string
  readonly license?: string
  readonly permissions: Permissions
  readonly components: readonly ManifestComponent[]
}

/** What follows the schema is for documentation, and for the input and output that are made from a database type. */
export interface ManifestComponent extends DeclaredComponent {}

/** Version of the contract in `core/contract`. */
export const ENGINE = 1

/** Checks a manifest; a list of what is wrong with it otherwise. */
export function readManifest(value: unknown): Manifest | { readonly faults: readonly string[] } {
  const decoded = decodeConfig(manifestSchema, value)
  if ("problems" in decoded)
    return {
      faults: decoded.problems.map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`)),
    }
  // The schema has just proved the shape.
  const manifest = decoded.config as unknown as Manifest
  const faults: string[] = []
  if (manifest.engine !== ENGINE) faults.push(`it is written for engine ${manifest.engine}, this is engine ${ENGINE}`)
  const outside = manifest.main.startsWith("/") || manifest.main.split(/[/\\]/).includes("..")
  if (outside) faults.push(`its main module "${manifest.main}" lies outside its folder`)
  const ids = manifest.components.map((component) => component.id)
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice !== undefined) faults.push(`it has two components with the id "${twice}"`)
  return faults.length > 0 ? { faults } : manifest
}

/** The manifest that a plugin's module amounts to. */
export function manifestOf(plugin: Plugin, main: string): Manifest {
  const { name, version, engine, permissions, components, title, license } = plugin
  return {
    name,
    version,
    engine,
    main,
    ...(title === undefined ? {} : { title }),
    ...(license === undefined ? {} : { license }),
    permissions,
    components: components.map((component): ManifestComponent => {
      const { kind, id, title, summary, config, description, examples } = component
      const { inputOptions, outputOptions }: Partial<Database> = component.kind === "database" ? component : {}
      return {
        ...{ kind, id, title, summary, config, examples },
        ...(description && { description }),
        ...(inputOptions && { inputOptions }),
        ...(outputOptions && { outputOptions }),
      }
    }),
  }
}

/** Where manifest and module differ: whoever consented to the one must not get the other. */
export function differences(manifest: Manifest, plugin: Plugin): readonly string[] {
  const actual = manifestOf(plugin, manifest.main)
  const faults: string[] = []
  for (const key of ["name", "version", "engine", "permissions"] as const) {
    if (canonical(manifest[key]) !== canonical(actual[key]))
      faults.push(`"${key}" is ${canonical(manifest[key])} in the manifest and ${canonical(actual[key])} in the module`)
  }
  const declared = new Map(manifest.components.map((component) => [component.id, component]))
  for (const component of actual.components) {
    const other = declared.get(component.id)
    declared.delete(component.id)
    if (other === undefined) faults.push(`component "${component.id}" is not in the manifest`)
    else if (canonical(other) !== canonical(asFarAs(other, component)))
      faults.push(`component "${component.id}" differs from the one in the manifest`)
  }
  for (const id of declared.keys()) faults.push(`component "${id}" of the manifest is not in the module`)
  return faults
}

/** A manifest may leave out what only documentation needs. */
function asFarAs(other: ManifestComponent, component: ManifestComponent): Partial<ManifestComponent> {
  return Object.fromEntries(
    Object.entries(component).filter(([key]) => REQUIRED.includes(key) || Object.hasOwn(other, key)),
  )
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

const REQUIRED: readonly string[] = ["kind", "id", "title", "summary", "config"]
const text = { type: "string", minLength: 1 }
const manifestSchema: ConfigSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name", "version", "engine", "main", "components"],
  properties: {
    $schema: { type: "string", description: "Address of this schema, for editors." },
    name: {
      ...text,
      pattern: "^[a-z0-9]+(-[a-z0-9]+)*$",
      description: "Name of the plugin: lower-case letters, digits, hyphens.",
    },
    version: { ...text, pattern: "^\\d+\\.\\d+\\.\\d+([-+].+)?$", description: "Semantic version." },
    engine: { type: "integer", description: "Version of the contract that it is written for." },
    main: { ...text, description: "The bundled module, relative to the manifest." },
    title: { ...text, description: "What a person calls it." },
    license: { ...text, description: "SPDX licence expression." },
    permissions: {
      type: "object",
      additionalProperties: false,
      default: {},
      description: "What it needs.",
      properties: {
        network: {
          oneOf: [
            { type: "string", enum: ["dataSource"] },
            { type: "array", items: { type: "string" } },
          ],
          description: "`dataSource`, or a list of host:port.",
        },
        files: { enum: ["read", "write"], description: "Files that the plan names may be read, or read and written." },
      },
    },
    components: {
      type: "array",
      minItems: 1,
      description: "Its components.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["kind", "id", "title", "summary", "config"],
        properties: {
          kind: { enum: ["input", "transform", "router", "output", "database"], description: "What it is." },
          id: { ...text, pattern: "^[a-z0-9]+(-[a-z0-9]+)*$", description: "Its id." },
          title: { ...text, description: "What a person calls it." },
          summary: { ...text, description: "One sentence." },
          config: {
            type: "object",
            required: ["type", "properties"],
            properties: {
              type: { enum: ["object"], description: "An object." },
              properties: { type: "object", description: "The options." },
            },
            description: "JSON Schema of its options.",
          },
          description: { type: "string", description: "Its behaviour, limits and traps, in Markdown." },
          examples: {
            type: "array",
            items: {
              type: "object",
              additionalProperties: false,
              required: ["title", "config"],
              properties: {
                title: { ...text, description: "What it shows." },
                config: { type: "object", description: "The options." },
              },
            },
            description: "Options as somebody may use them.",
          },
          inputOptions: { type: "object", description: "Of a database: further options of its input." },
          outputOptions: { type: "object", description: "Of a database: further options of its output." },
        },
      },
    },
  },
}
