import { Context } from "effect"
import type { ComponentBase, ComponentKind, ConfigSchema, Permissions } from "../../contract/index.ts"
import { derivedInput, derivedOutput } from "../../database/derived.ts"
import type { DatabaseText } from "../../database/options.ts"
import { closestName } from "../../flow/closest-name.ts"

/** A plugin as its manifest describes it; its code has not run. */
export interface DeclaredPlugin {
  readonly name: string
  readonly version: string
  readonly title?: string
  readonly license?: string
  readonly permissions: Permissions
  readonly isBuiltIn: boolean
  readonly components: readonly DeclaredComponent[]
}

/** A component as a manifest describes it. */
export interface DeclaredComponent
  extends Omit<ComponentBase, "examples">,
    Pick<DatabaseText, "inputOptions" | "outputOptions"> {
  readonly kind: ComponentKind
  readonly examples?: ComponentBase["examples"]
}

/** A component that flows or data sources can name. */
export interface KnownComponent extends ComponentBase {
  readonly kind: ComponentKind
  readonly plugin: Omit<DeclaredPlugin, "components">
  /** The database type that it was made from, if it was. */
  readonly derivedFrom?: string
}

/** What is installed, as far as it can be told without running code of a plugin. */
export class Catalogue extends Context.Service<
  Catalogue,
  {
    readonly all: readonly KnownComponent[]
    get(id: string): KnownComponent | undefined
    /** Options of a data source of this type. */
    databaseSchema(type: string): ConfigSchema | undefined
    /** The id of one of these kinds that a misspelt one most likely means. */
    nearest(id: string, kinds: readonly ComponentKind[]): string | undefined
  }
>()("core/server/components/Catalogue") {}

/** Lists the components of plugins, with the input and the output that every database type has. */
export function makeCatalogue(plugins: readonly DeclaredPlugin[]): Catalogue["Service"] {
  const byId = new Map<string, KnownComponent>()
  for (const { components, ...plugin } of plugins) {
    for (const { inputOptions, outputOptions, examples = [], ...component } of components) {
      byId.set(component.id, { ...component, examples, plugin })
      if (component.kind !== "database") continue
      const database = { ...component, ...(inputOptions && { inputOptions }), ...(outputOptions && { outputOptions }) }
      for (const derived of [derivedInput(database), derivedOutput(database)])
        byId.set(derived.id, { ...derived, plugin, derivedFrom: component.id })
    }
  }
  const all = [...byId.values()].toSorted((a, b) => a.id.localeCompare(b.id))
  return {
    all,
    get: (id) => byId.get(id),
    databaseSchema(type) {
      const found = byId.get(type)
      return found?.kind === "database" ? found.config : undefined
    },
    nearest: (id, kinds) =>
      closestName(
        id,
        all.flatMap((component) => (kinds.includes(component.kind) ? [component.id] : [])),
      ),
  }
}
