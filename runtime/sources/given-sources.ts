import { lookup } from "node:dns/promises"
import { isIP } from "node:net"
import { Effect } from "effect"
import type { DataSource } from "../../core/contract/index.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import type { Components } from "../../core/host/components.ts"
import type { DataSources } from "../../core/host/services.ts"
import { hostRefusal } from "../../core/server/sources/host-policy.ts"
import type { OpenSource } from "../../core/server/sources/source-registry.ts"
import { checkedSource, schemaOf, unknownType } from "./data-sources.ts"
import { located } from "./secret-reference.ts"
import type { Secrets } from "./secrets.ts"
import { isObject } from "./sources-file.ts"

export interface GivenSourcesOptions {
  readonly sources: readonly OpenSource[]
  readonly components: Components
  readonly secrets: Secrets["Service"]
  /** Folder from which a relative `path` starts. */
  readonly base: string
  /** Whether a file may be touched. */
  readonly isOpen: (path: string) => boolean
  readonly refused: (type: string) => { readonly message: string; readonly hint: string } | undefined
}

/**
 * The data sources that came with an order, and no others. A setting is what it says: whoever may write a data source of a
 * server may not read its files and environment by it.
 */
export function makeGivenSources(options: GivenSourcesOptions): DataSources["Service"] {
  const { sources } = options
  const names = sources.map(({ name }) => name)
  for (const { secrets } of sources) for (const secret of secrets) options.secrets.add(secret)
  const checked = new Map<string, DataSource>()
  return {
    names,
    get: Effect.fnUntraced(function* (name: string): Effect.fn.Return<DataSource, FlowError> {
      const known = checked.get(name)
      if (known !== undefined) return known
      const found = sources.find((source) => source.name === name)
      if (found === undefined) {
        const near = closestName(name, names)
        const hint = near === undefined ? {} : { hint: `Did you mean "${near}"?` }
        return yield* flowError([{ message: `There is no data source "${name}"`, ...hint }])
      }
      const source = yield* open(found, options)
      checked.set(name, source)
      return source
    }),
  }
}

const open = Effect.fnUntraced(function* (source: OpenSource, options: GivenSourcesOptions) {
  const { name, type } = source
  const schema = schemaOf(type, options.components)
  if (schema === undefined) return yield* flowError([unknownType(name, type, options)])
  const given = { name, type, settings: placed(source.settings, options.base) }
  const refusal = pathRefusal(given.settings, options) ?? (yield* Effect.promise(() => refusalOf(source)))
  if (refusal !== undefined)
    return yield* flowError([
      {
        message: `Cannot use data source "${name}": ${refusal}`,
        hint: "An administrator sets where data sources may be",
      },
    ])
  return yield* checkedSource(given, schema, options.secrets)
})

/** A name may lead anywhere: only whoever resolves it knows. */
async function refusalOf({ settings, hosts }: OpenSource): Promise<string | undefined> {
  const { host, port } = settings
  if (typeof host !== "string" || host === "") return undefined
  const place = { host, ...(typeof port === "number" ? { port } : {}) }
  if (isIP(host) !== 0 || host.startsWith("/")) return hostRefusal(hosts, place)
  // One that cannot be resolved cannot be reached either, and the driver says that better.
  const found = await lookup(host, { all: true }).catch(() => [])
  return hostRefusal(hosts, { ...place, addresses: found.map(({ address }) => address) })
}

/** A link on the disk may lead out of the folders that are open. */
function pathRefusal(settings: unknown, { isOpen }: GivenSourcesOptions): string | undefined {
  if (!isObject(settings) || typeof settings.path !== "string" || !settings.path.startsWith("/")) return undefined
  return isOpen(settings.path) ? undefined : `"${settings.path}" lies outside of the folders that are open`
}

function placed(settings: unknown, base: string): unknown {
  if (!isObject(settings) || typeof settings.path !== "string") return settings
  return { ...settings, path: located(base, settings.path) }
}
