import { type RequestError, refuse } from "../request-error.ts"
import type { SourceUse } from "../sources/source-registry.ts"
import { type DraftStep, hasTemplate } from "./flow-document.ts"
import type { FileUse } from "./flow-library.ts"

type Access = "read" | "write"

/** The data sources that steps use, each once for each access. Their names are written out: a run may not choose others. */
export function sourceUses(steps: readonly DraftStep[]): readonly SourceUse[] | RequestError {
  const found = new Map<string, SourceUse>()
  for (const step of steps) {
    for (const option of sourceOptions(step)) {
      const name = Object.hasOwn(step.config, option) ? step.config[option] : undefined
      if (typeof name !== "string" || name === "") continue
      if (hasTemplate(name)) {
        const message = `Step "${step.id}" takes the name of its data source from a parameter`
        const hint = "Write the name out; a data source can be a pair for production and development"
        const pointer = `${step.pointer}/config/${option}`
        return refuse("invalid", message, { hint, problems: [{ step: step.id, pointer, message, hint }] })
      }
      for (const access of accessOf(step)) found.set(`${access} ${name}`, { name, access })
    }
  }
  return [...found.values()]
}

/** Options that name a data source: those that are marked, or the one that is called so where nothing is known. */
function sourceOptions({ component }: DraftStep): readonly string[] {
  if (component === undefined) return ["dataSource"]
  return Object.entries(component.config.properties).flatMap(([option, property]) =>
    typeof property["x-dataSource"] === "string" ? [option] : [],
  )
}

/** The files that steps name, by the option that all plugins call `path`. */
export function fileUses(steps: readonly DraftStep[]): readonly FileUse[] {
  return steps.flatMap((step) => {
    const { path } = Object.hasOwn(step.config, "path") ? step.config : { path: undefined }
    const paths = Array.isArray(path) ? path.map((one, i) => [one, `/${i}`] as const) : [[path, ""] as const]
    return paths.flatMap(([one, place]) =>
      typeof one === "string"
        ? accessOf(step).map((access) => ({
            ...{ step: step.id, pointer: `${step.pointer}/config/path${place}`, path: one, access },
          }))
        : [],
    )
  })
}

/** An output writes, everything else reads; a component that nobody knows may do both. */
function accessOf({ component }: DraftStep): readonly Access[] {
  if (component === undefined) return ["read", "write"]
  return component.kind === "output" ? ["write"] : ["read"]
}
