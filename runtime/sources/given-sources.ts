import { Effect } from "effect"
import type { DataSource } from "../../core/contract/index.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import type { Components } from "../../core/host/components.ts"
import type { DataSources } from "../../core/host/services.ts"
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
  readonly refused: (type: string) => { readonly message: string; readonly hint: string } | undefined
}

/**
 * The data sources that came with an order, and no others. A setting is what it says: whoever may write a data source of a
 * server may not read its files and environment by it.
 */
export function makeGivenSources(options: GivenSourcesOptions): DataSources["Service"] {
  const { sources, components, secrets, base } = options
  const names = sources.map(({ name }) => name)
  return {
    names,
    get: Effect.fnUntraced(function* (name: string): Effect.fn.Return<DataSource, FlowError> {
      const found = sources.find((source) => source.name === name)
      if (found === undefined) {
        const near = closestName(name, names)
        const hint = near === undefined ? {} : { hint: `Did you mean "${near}"?` }
        return yield* flowError([{ message: `There is no data source "${name}"`, ...hint }])
      }
      const { type } = found
      const schema = schemaOf(type, components)
      if (schema === undefined) return yield* flowError([unknownType(name, type, options)])
      return yield* checkedSource({ name, type, settings: placed(found.settings, base) }, schema, secrets)
    }),
  }
}

function placed(settings: unknown, base: string): unknown {
  if (!isObject(settings) || typeof settings.path !== "string") return settings
  return { ...settings, path: located(base, settings.path) }
}
