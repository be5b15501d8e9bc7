import type { Columns, Issue, RouterPlan } from "../contract/index.ts"
import type { PluginError } from "../host/failure.ts"
import type { BoundStep } from "./bind.ts"
import { closestName } from "./closest-name.ts"
import type { Flow } from "./flow-schema.ts"
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

/**
 * What a step that reads by a mark needs of its flow. Known by the option's name, whatever the component: a name for
 * the flow, under which the mark is kept, and outputs that take a row again without doubling it.
 */
export function checkIncrements(
  flow: Flow,
  steps: readonly BoundStep[],
  graph: Graph,
): { readonly problems: readonly FlowProblem[]; readonly warnings: readonly FlowProblem[] } {
  const problems: FlowProblem[] = []
  const warnings: FlowProblem[] = []
  for (const step of steps) {
    if (step.component.kind !== "input") continue
    const increment = optionOf(step, "incremental") as Readonly<Record<string, string>> | undefined
    if (increment === undefined || isGiven(increment.from) || isGiven(increment.to)) continue
    if (!isGiven(flow.name)) {
      const message = `Step "${step.id}" loads by a mark, and the flow has no name to keep the mark under`
      problems.push({ step: step.id, message, hint: 'Give the flow a "name" that stays the same' })
    }
    for (const output of outputsBehind(step.id, steps, graph)) {
      const mode = optionOf(output, "mode")
      if (mode === "append" && isGiven(increment.overlap)) {
        const message = `Step "${step.id}" reads rows again within the overlap, so output "${output.id}" needs mode updateRows or overwriteRows`
        problems.push({ step: output.id, message, hint: 'Set its "mode", or leave out the overlap' })
      }
      if (mode === "replaceTable") {
        const message = `Step "${step.id}" reads only what is new, and output "${output.id}" keeps nothing else: it replaces the table`
        warnings.push({ step: output.id, message, hint: "Append or update to keep what was loaded before" })
      }
    }
  }
  return { problems, warnings }
}

function isGiven(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== ""
}

function optionOf({ config }: BoundStep, name: string): unknown {
  return typeof config === "object" && config !== null ? (config as Readonly<Record<string, unknown>>)[name] : undefined
}

function outputsBehind(id: string, steps: readonly BoundStep[], graph: Graph): readonly BoundStep[] {
  const reached = new Set([id])
  // A set may grow while it is walked.
  for (const from of reached) for (const { to } of graph.outgoing.get(from) ?? []) reached.add(to)
  return steps.filter((step) => reached.has(step.id) && step.component.kind === "output")
}
