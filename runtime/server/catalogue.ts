import { join } from "node:path"
import { Effect, Layer } from "effect"
import type { Plugin } from "../../core/contract/index.ts"
import { Catalogue, makeCatalogue } from "../../core/server/components/catalogue.ts"
import { plugins } from "../../plugins/registry.gen.ts"
import { discover, type FoundPlugin } from "../discovery/discover.ts"
import { Settings } from "../settings.ts"

/** What is installed: what is built in, and the manifests of plugins on disk. No code of these is run here. */
export const catalogueLayer: Layer.Layer<Catalogue, never, Settings> = Layer.effect(
  Catalogue,
  Effect.gen(function* () {
    const { home } = yield* Settings
    const { found, faults } = discover(plugins, [join(home, "plugins")])
    for (const fault of faults) yield* Effect.logWarning(fault)
    return makeCatalogue(found.map(declared))
  }),
)

/** Of the plugins that are built in. */
export function builtInCatalogue(builtIn: readonly Plugin[] = plugins): Catalogue["Service"] {
  return makeCatalogue(discover(builtIn, []).found.map(declared))
}

function declared({ manifest, folder }: FoundPlugin) {
  const { main, engine, ...plugin } = manifest
  return { ...plugin, isBuiltIn: folder === undefined }
}
