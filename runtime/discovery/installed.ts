import { Effect } from "effect"
import type { Plugin } from "../../core/contract/index.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import { type Components, makeComponents } from "../../core/host/components.ts"
import { discover, type FoundPlugin, idsOf } from "./discover.ts"

export interface InstalledOptions {
  readonly builtIn: readonly Plugin[]
  readonly folders: readonly string[]
  /** Names of plugins on disk whose code may run with all the rights of this process. */
  readonly unconfined: readonly string[]
  readonly warn: (message: string) => void
}

/** The components whose code is loaded, and the plugins that are known by their manifest only. */
export interface Installed {
  readonly components: Components
  readonly all: readonly FoundPlugin[]
  readonly refused: readonly FoundPlugin[]
}

/** Finds plugins and loads those that may run: the built-in ones, and those that the user trusts by name. */
export const install = Effect.fnUntraced(function* (options: InstalledOptions): Effect.fn.Return<Installed, FlowError> {
  const { found, faults } = discover(options.builtIn, options.folders)
  for (const fault of faults) options.warn(fault)
  const onDisk = found.filter((plugin) => plugin.folder !== undefined)
  for (const name of options.unconfined) {
    const names = onDisk.map((plugin) => plugin.manifest.name)
    if (names.includes(name)) continue
    const near = closestName(name, names)
    const places = options.folders.join(", ")
    return yield* flowError([
      {
        message: `There is no plugin "${name}" to run unconfined`,
        hint: near === undefined ? `Plugins are looked for in ${places}` : `Did you mean "${near}"?`,
      },
    ])
  }
  const trusted = (plugin: FoundPlugin) =>
    plugin.folder === undefined || options.unconfined.includes(plugin.manifest.name)
  const loaded: Plugin[] = []
  for (const plugin of found.filter(trusted)) {
    if (plugin.folder !== undefined)
      options.warn(`Plugin "${plugin.manifest.name}" runs unconfined, with all your rights: ${plugin.folder}`)
    loaded.push(
      yield* Effect.tryPromise({
        try: () => plugin.load(),
        catch: (error) => flowError([{ message: (error as Error).message, hint: "Install the plugin anew" }]),
      }),
    )
  }
  return { components: makeComponents(loaded), all: found, refused: found.filter((plugin) => !trusted(plugin)) }
})

/** The plugin on disk that has the component but may not run. */
export function refusedPlugin(installed: Installed, id: string): string | undefined {
  return installed.refused.find((plugin) => idsOf(plugin.manifest).includes(id))?.manifest.name
}

/** What to say of a component that is there but may not be used. */
export function refusal(name: string): { readonly message: string; readonly hint: string } {
  return {
    message: `plugin "${name}" is not built in, and its code is not run without your consent`,
    hint: `If you trust it with all your rights, add --unconfined ${name}`,
  }
}
