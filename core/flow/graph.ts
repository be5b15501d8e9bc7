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
  const ids = new Set<string>()
  for (const [i, { id }] of flow.steps.entries()) {
    if (ids.has(id))
      problems.push({
        step: id,
        pointer: `/steps/${i}`,
        message: `Two steps are called "${id}"`,
        hint: "Rename one of them",
      })
    ids.add(id)
  }
  const hops = flow.hops.filter((hop, i) => knownEnds(hop, i, ids, problems))
  problems.push(...repeated(hops))
  const leaving = Map.groupBy(hops, (hop) => hop.from)
  const arriving = Map.groupBy(hops, (hop) => hop.to)
  const outgoing = new Map([...ids].map((id) => [id, leaving.get(id) ?? []]))
  const incoming = new Map([...ids].map((id) => [id, arriving.get(id) ?? []]))
  const graph = { order: sorted(outgoing, incoming, problems), outgoing, incoming }
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

function knownEnds(hop: FlowHop, i: number, ids: ReadonlySet<string>, problems: FlowProblem[]): boolean {
  for (const end of ["from", "to"] as const) {
    if (ids.has(hop[end])) continue
    const near = closestName(hop[end], ids)
    problems.push({
      pointer: `/hops/${i}/${end}`,
      message: `The hop from "${hop.from}" to "${hop.to}" names an unknown step: "${hop[end]}"`,
      hint: near === undefined ? `There are ${listed(ids)}` : `Did you mean "${near}"?`,
    })
    return false
  }
  return true
}

function listed(ids: ReadonlySet<string>): string {
  const shown = [...ids].slice(0, 20).join(", ")
  return ids.size > 20 ? `${shown} and ${ids.size - 20} more` : shown
}

/** A hop that is there twice would write every row twice. */
function repeated(hops: readonly FlowHop[]): FlowProblem[] {
  const seen = new Set<string>()
  return hops.flatMap(({ from, to, send }) => {
    const key = JSON.stringify([from, to, send])
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [{ step: from, message: `Two hops lead from "${from}" to "${to}"`, hint: "Remove one of them" }]
  })
}

/** Topological order (Kahn 1962); what is left over lies on a cycle, or behind one. */
function sorted(outgoing: Graph["outgoing"], incoming: Graph["incoming"], problems: FlowProblem[]): readonly string[] {
  const open = new Map([...incoming].map(([id, hops]) => [id, hops.length]))
  const order = [...open.keys()].filter((id) => open.get(id) === 0)
  // The list grows while it is walked.
  for (const id of order) {
    for (const hop of outgoing.get(id)!) {
      const left = open.get(hop.to)! - 1
      open.set(hop.to, left)
      if (left === 0) order.push(hop.to)
    }
  }
  const rest = new Set(open.keys()).difference(new Set(order))
  if (rest.size > 0) {
    const path = cycle(rest, incoming)
    problems.push({
      step: path[0]!,
      message: `The steps form a cycle: ${path.join(" → ")}`,
      hint: "Remove one of these hops",
    })
  }
  return order
}

function cycle(rest: ReadonlySet<string>, incoming: Graph["incoming"]): readonly string[] {
  const path: string[] = []
  let id = [...rest][0]!
  // Every step that is left has a predecessor that is left, so walking backwards must come round.
  for (;;) {
    const seen = path.indexOf(id)
    path.push(id)
    if (seen >= 0) return path.slice(seen).toReversed()
    id = incoming.get(id)!.find((hop) => rest.has(hop.from))!.from
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
