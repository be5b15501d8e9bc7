import { Context } from "effect"
import { type FlowError, type FlowProblem, flowError } from "../../core/flow/problem.ts"
import type { DataSources, InstalledComponents, Machine } from "../../core/host/services.ts"
import { type Installed, refusal, refusedPlugin } from "../discovery/installed.ts"

/** The plugins of this process. */
export class Plugins extends Context.Service<Plugins, Installed>()("runtime/worker/Plugins") {}

export type HostServices = Plugins | InstalledComponents | DataSources | Machine

/** A component that is there but refused is not unknown: says so instead. */
export function explainRefused(
  error: FlowError,
  steps: readonly { readonly use: string }[],
  installed: Installed,
): FlowError {
  return flowError(
    error.problems.map((problem): FlowProblem => {
      const at = /^\/steps\/(\d+)\/use$/.exec(problem.pointer ?? "")
      const use = at === null ? undefined : steps[Number(at[1])]?.use
      const reason = use === undefined ? undefined : explain(installed)(use)
      if (reason === undefined) return problem
      return { ...problem, message: `Step "${problem.step}" cannot use "${use}": ${reason.message}`, hint: reason.hint }
    }),
  )
}

/** Why a component that a plugin has may not be used, if so. */
export function explain(installed: Installed) {
  return (id: string) => {
    const name = refusedPlugin(installed, id)
    return name === undefined ? undefined : refusal(name)
  }
}
