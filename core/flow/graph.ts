import type { ComponentKind } from "../contract/index.ts"
import { closestName } from "./closest-name.ts"
import type { Flow, FlowHop } from "./flow-schema.ts"
import type { FlowProblem } from "./problem.ts"

/** The steps in an order in which every step comes after its predecessors. */
export interface Graph {
  readonly order: readonly string[]
  readonly outgoing: ReadonlyMap<string, readonly FlowHop[]>
  readonly incoming: ReadonlyMap<string, readonly FlowHop[]>
}

/** Checks that the steps and hops make a flow. `kindOf` is undefined for an unknown component. */
export function checkGraph(
  flow: Flow,
  kindOf: (use: string) => ComponentKind | undefined,
): { graph: Graph; problems: readonly FlowProblem[] } {
  const problems: FlowProblem[] = []
  const ids = flow.steps.map((step) => step.id)
  for (const [i, id] of ids.entries()) {
    if (ids.indexOf(id) !== i)
      problems.push({
        step: id,
        pointer: `/steps/${i}`,
        message: `Two steps are called "${id}"`,
        hint: "Rename one of them",
      })
  }
  const hops = flow.hops.filter((hop, i) => knownEnds(hop, i, ids, problems))
  const outgoing = new Map(ids.map((id) => [id, hops.filter((hop) => hop.from === id)]))
  const incoming = new Map(ids.map((id) => [id, hops.filter((hop) => hop.to === id)]))
  const graph = { order: sorted(ids, hops, problems), outgoing, incoming }
  for (const step of flow.steps) {
    const kind = kindOf(step.use)
    if (kind !== undefined) problems.push(...ends(step.id, kind, graph), ...sending(step.id, kind, graph))
  }
  const kinds = flow.steps.map((step) => kindOf(step.use))
  if (!kinds.includes(undefined)) {
    if (!kinds.includes("input"))
      problems.push({ message: "The flow has no input", hint: "Add a step that reads rows" })
    if (!kinds.includes("output"))
      problems.push({ message: "The flow has no output", hint: "Add a step that writes rows" })
  }
  return { graph, problems }
}

function knownEnds(hop: FlowHop, i: number, ids: readonly string[], problems: FlowProblem[]): boolean {
  for (const end of ["from", "to"] as const) {
    if (ids.includes(hop[end])) continue
    const near = closestName(hop[end], ids)
    problems.push({
      pointer: `/hops/${i}/${end}`,
      message: `The hop from "${hop.from}" to "${hop.to}" names an unknown step: "${hop[end]}"`,
      hint: near === undefined ? `There are ${ids.join(", ")}` : `Did you mean "${near}"?`,
    })
    return false
  }
  return true
}

/** Topological order (Kahn 1962); what is left over lies on a cycle, or behind one. */
function sorted(ids: readonly string[], hops: readonly FlowHop[], problems: FlowProblem[]): readonly string[] {
  const open = new Map(ids.map((id) => [id, hops.filter((hop) => hop.to === id).length]))
  const order: string[] = []
  const ready = ids.filter((id) => open.get(id) === 0)
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    order.push(id)
    for (const hop of hops) {
      if (hop.from !== id) continue
      const left = open.get(hop.to)! - 1
      open.set(hop.to, left)
      if (left === 0) ready.push(hop.to)
    }
  }
  const rest = ids.filter((id) => !order.includes(id))
  if (rest.length > 0) {
    const path = cycle(rest, hops)
    problems.push({
      step: path[0]!,
      message: `The steps form a cycle: ${path.join(" → ")}`,
      hint: "Remove one of these hops",
    })
  }
  return order
}

function cycle(rest: readonly string[], hops: readonly FlowHop[]): readonly string[] {
  const path: string[] = []
  // Every step that is left has a predecessor that is left, so walking backwards must come round.
  for (let id = rest[0]!; ; id = hops.find((hop) => hop.to === id && rest.includes(hop.from))!.from) {
    const seen = path.indexOf(id)
    path.push(id)
    if (seen >= 0) return path.slice(seen).toReversed()
  }
}

function ends(id: string, kind: ComponentKind, graph: Graph): FlowProblem[] {
  const into = graph.incoming.get(id)!.length
  const out = graph.outgoing.get(id)!.length
  if (kind === "database")
    return [
      { step: id, message: `Step "${id}" uses a database type, which is no step`, hint: "Use its input or output" },
    ]
  if (into === 0 && out === 0)
    return [{ step: id, message: `Step "${id}" is not connected to any other`, hint: "Add a hop, or remove the step" }]
  const problems: FlowProblem[] = []
  if (kind === "input" && into > 0)
    problems.push({ step: id, message: `Input "${id}" has a predecessor: ${graph.incoming.get(id)![0]!.from}` })
  if (kind !== "input" && into === 0)
    problems.push({ step: id, message: `Step "${id}" gets no rows: no hop leads to it` })
  if (kind === "output" && out > 0)
    problems.push({ step: id, message: `Output "${id}" has a successor: ${graph.outgoing.get(id)![0]!.to}` })
  if (kind !== "output" && out === 0)
    problems.push({ step: id, message: `Step "${id}" sends its rows nowhere`, hint: "Add a hop to an output" })
  return problems
}

function sending(id: string, kind: ComponentKind, graph: Graph): FlowProblem[] {
  const hops = graph.outgoing.get(id)!
  if (kind === "router") return []
  const methods = new Set(hops.map((hop) => hop.send))
  const unknown = [...methods].find((send) => send !== undefined && send !== "copy" && send !== "round-robin")
  if (unknown !== undefined) {
    return [{ step: id, message: `Step "${id}" cannot send by "${unknown}"`, hint: "Choose copy or round-robin" }]
  }
  if (hops.length < 2) return []
  if (methods.has(undefined)) {
    return [
      {
        step: id,
        message: `Step "${id}" has ${hops.length} successors and no sending method`,
        hint: 'Set "send" to copy or round-robin on each of its hops',
      },
    ]
  }
  return methods.size > 1
    ? [{ step: id, message: `Step "${id}" mixes sending methods`, hint: "Set the same on each of its hops" }]
    : []
}
