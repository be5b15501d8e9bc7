import type { Columns, Issue, RouterPlan } from "../contract/index.ts"
import type { PluginError } from "../host/failure.ts"
import { closestName } from "./closest-name.ts"
import type { Graph } from "./graph.ts"
import type { Planned } from "./plan.ts"
import { type FlowError, type FlowProblem, flowError } from "./problem.ts"

/** One failure keeps its reason; and while a server cannot be reached, everything else is of no account. */
export function combined(failures: readonly PluginError[], problems: readonly FlowProblem[]): FlowError | PluginError {
  const unreachable = failures.find(({ reason }) => reason === "connection" || reason === "authentication")
  if (unreachable !== undefined) return unreachable
  if (failures.length === 1 && problems.length === 0) return failures[0]!
  const thrown = failures.map(({ step, message, hint }) => ({
    ...(step === undefined ? {} : { step }),
    message: step === undefined ? message : `Step "${step}": ${message}`,
    ...(hint === undefined ? {} : { hint }),
  }))
  return flowError([...problems, ...thrown])
}

/** What the columns of a step must be, so that the steps behind it can rely on them. */
export function checkColumns(planned: Planned, wanted: readonly string[] | undefined): Issue[] {
  if (planned.kind !== "input" && planned.kind !== "transform") return []
  if (planned.plan.issues.some(({ severity }) => severity === "error")) return []
  const names = planned.plan.columns.map((column) => column.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    return [{ severity: "error", column: twice, message: `Two columns are called "${twice}"`, hint: "Rename one" }]
  if (names.length === 0) return [{ severity: "error", message: "It gives no columns" }]
  if (wanted === undefined || planned.kind === "transform" || sameNames(wanted, planned.plan.columns)) return []
  const message = `Its component was asked for the columns ${wanted.join(", ")} and gives ${names.join(", ")}`
  return [{ severity: "error", message, hint: "Tell its author" }]
}

export function checkBranches(router: string, { branches }: RouterPlan, graph: Graph): FlowProblem[] {
  return graph.outgoing.get(router)!.flatMap(({ to, send }): FlowProblem[] => {
    if (send !== undefined && branches.includes(send)) return []
    const near = send === undefined ? undefined : closestName(send, branches)
    const fault = send === undefined ? "names no branch" : `names an unknown branch: "${send}"`
    const hint = near === undefined ? `Set "send" to one of ${branches.join(", ")}` : `Did you mean "${near}"?`
    return [{ step: router, message: `The hop from router "${router}" to "${to}" ${fault}`, hint }]
  })
}

export function sameNames(names: readonly string[], columns: Columns): boolean {
  return names.length === columns.length && columns.every((column, i) => column.name === names[i])
}
