import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Plugin } from "../../core/contract/index.ts"
import { readJson } from "../../core/flow/json-position.ts"
import { differences, type Manifest, manifestOf, readManifest } from "./manifest.ts"

/** A plugin that was found; its code has not run. */
export interface FoundPlugin {
  readonly manifest: Manifest
  /** Folder of a plugin on disk; absent: it is built in. */
  readonly folder?: string
  /** Runs its code. Rejects when module and manifest disagree. */
  load(): Promise<Plugin>
}

export interface Discovery {
  readonly found: readonly FoundPlugin[]
  /** Why a folder is no plugin that can be used, one sentence each. */
  readonly faults: readonly string[]
}

/** Built-in plugins first, then those in the folders; a name or a component's id that is taken makes the later one a fault. */
export function discover(builtIn: readonly Plugin[], folders: readonly string[]): Discovery {
  const found: FoundPlugin[] = builtIn.map((plugin) => ({
    manifest: manifestOf(plugin, "plugin.ts"),
    load: async () => plugin,
  }))
  const faults: string[] = []
  for (const folder of folders.flatMap((parent) => pluginFolders(parent, faults))) {
    const result = readPlugin(folder)
    const clash = "faults" in result ? result.faults : clashes(result.manifest, found)
    if ("faults" in result || clash.length > 0) faults.push(`Cannot use the plugin in "${folder}": ${clash.join("; ")}`)
    else found.push(result)
  }
  return { found, faults }
}

/** Ids that a component takes: a database comes with its input and its output. */
export function idsOf(manifest: Manifest): readonly string[] {
  return manifest.components.flatMap(({ kind, id }) =>
    kind === "database" ? [id, `${id}-input`, `${id}-output`] : [id],
  )
}

function pluginFolders(folder: string, faults: string[]): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map((entry) => join(folder, entry.name))
      .toSorted()
  } catch (error) {
    const { code = "unknown error" } = error as { code?: string }
    if (code !== "ENOENT") faults.push(`Cannot look for plugins in "${folder}": ${code}`)
    return []
  }
}

function readPlugin(folder: string): FoundPlugin | { readonly faults: readonly string[] } {
  let text: string
  try {
    text = readFileSync(join(folder, "plugin.json"), "utf8")
  } catch (error) {
    return { faults: [`its plugin.json cannot be read: ${(error as { code?: string }).code ?? "unknown error"}`] }
  }
  const json = readJson(text)
  if ("fault" in json) {
    const { line, column, message } = json.fault
    return { faults: [`plugin.json, line ${line}, column ${column}: ${message}`] }
  }
  const manifest = readManifest(json.value)
  if ("faults" in manifest) return manifest
  return { manifest, folder, load: () => load(manifest, folder) }
}

function clashes(manifest: Manifest, others: readonly FoundPlugin[]): readonly string[] {
  const { name } = manifest
  if (others.some((other) => other.manifest.name === name)) return [`a plugin called "${name}" is installed already`]
  const taken = new Map(others.flatMap((other) => idsOf(other.manifest).map((id) => [id, other.manifest.name])))
  const id = idsOf(manifest).find((each) => taken.has(each))
  return id === undefined ? [] : [`its component "${id}" has the id of one of plugin "${taken.get(id)}"`]
}

async function load(manifest: Manifest, folder: string): Promise<Plugin> {
  const module = (await import(pathToFileURL(join(folder, manifest.main)).href)) as { default?: Plugin }
  const plugin = module.default
  if (plugin === undefined || !Array.isArray(plugin.components))
    throw new Error(`Cannot load plugin "${manifest.name}": "${manifest.main}" has no plugin as its default export`)
  const faults = differences(manifest, plugin)
  if (faults.length > 0) throw new Error(`Cannot load plugin "${manifest.name}": ${faults.join("; ")}`)
  return plugin
}
