import type { Component, ComponentKind, Database, Plugin } from "../contract/index.ts"
import { databaseInput } from "../database/database-input.ts"
import { databaseOutput } from "../database/database-output.ts"
import { closestName } from "../flow/closest-name.ts"

/** A component and where it comes from. */
export interface InstalledComponent {
  readonly component: Component
  readonly plugin: Plugin
  /** The database type that it was derived from, if it was. */
  readonly derivedFrom?: string
}

/** Every component that flows can use, by id. */
export interface Components {
  readonly all: readonly InstalledComponent[]
  get(id: string): InstalledComponent | undefined
  /** The id of one of these kinds that a misspelt one most likely means. */
  nearest(id: string, kinds?: readonly ComponentKind[]): string | undefined
}

/** Lists the components of plugins, deriving an input and an output from every database. Throws when two share an id. */
export function makeComponents(plugins: readonly Plugin[]): Components {
  const byId = new Map<string, InstalledComponent>()
  const add = (installed: InstalledComponent) => {
    const { id } = installed.component
    const other = byId.get(id)
    if (other !== undefined) {
      throw new Error(
        `Cannot install component "${id}" of plugin "${installed.plugin.name}": plugin "${other.plugin.name}" has one of this id`,
      )
    }
    byId.set(id, installed)
  }
  for (const plugin of plugins) {
    for (const component of plugin.components) {
      add({ component, plugin })
      if (component.kind !== "database") continue
      const database: Database = component
      add({ component: databaseInput(database), plugin, derivedFrom: database.id })
      add({ component: databaseOutput(database), plugin, derivedFrom: database.id })
    }
  }
  const all = [...byId.values()].toSorted((a, b) => a.component.id.localeCompare(b.component.id))
  return {
    all,
    get: (id) => byId.get(id),
    nearest: (id, kinds) =>
      closestName(
        id,
        all.flatMap(({ component }) => (kinds === undefined || kinds.includes(component.kind) ? [component.id] : [])),
      ),
  }
}
