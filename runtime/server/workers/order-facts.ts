import { makeComponents } from "../../../core/host/components.ts"
import type { OpenSource } from "../../../core/server/sources/source-registry.ts"
import { plugins } from "../../../plugins/registry.gen.ts"
import { schemaOf } from "../../sources/data-sources.ts"
import { makeSecrets } from "../../sources/secrets.ts"
import type { Order } from "../../worker/channel/worker-calls.ts"

/** The runs that whoever carries out an order may touch. */
export function runsOf({ order }: Order): readonly string[] {
  const named = order as { readonly run?: string; readonly of?: string } // orders that have them are about runs
  return [named.run, named.of].filter((id) => id !== undefined)
}

/** Takes the secrets of an order out of what its worker prints or dies of. */
export function maskOf({ order }: Order): (text: string) => string {
  const secrets = makeSecrets()
  const sources = "source" in order ? [order.source] : order.sources
  for (const source of sources) for (const secret of secretsOf(source)) secrets.add(secret)
  return secrets.mask
}

/** What a plugin on disk calls secret is not known here: of its types every text is taken for one. */
function secretsOf({ type, settings }: OpenSource): readonly string[] {
  const schema = schemaOf(type, builtIn)
  return Object.entries(settings).flatMap(([option, value]) => {
    if (typeof value !== "string" || value === "") return []
    return schema === undefined || schema.properties[option]?.["x-secret"] === true ? [value] : []
  })
}

const builtIn = makeComponents(plugins)
