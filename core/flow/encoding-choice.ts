import type { BoundStep } from "./bind.ts"
import type { FlowSettings } from "./flow-schema.ts"
import type { Graph } from "./graph.ts"
import type { Planned } from "./plan.ts"
import { sameNames } from "./plan-checks.ts"

/** An input forwards bytes when every successor is an output that takes the same encoding of exactly its columns. */
export function negotiate(
  steps: readonly BoundStep[],
  graph: Graph,
  planned: ReadonlyMap<string, Planned>,
  settings: FlowSettings,
): ReadonlyMap<string, string> {
  const chosen = new Map<string, string>()
  if (!settings.forwarding) return chosen
  for (const step of steps) {
    const input = planned.get(step.id)!
    if (input.kind !== "input") continue
    const hops = graph.outgoing.get(step.id)!
    const successors = hops.map((hop) => planned.get(hop.to)!)
    const takes = (encoding: string) =>
      successors.every(
        (successor, i) =>
          successor.kind === "output" &&
          successor.plan.encodings.includes(encoding) &&
          graph.incoming.get(hops[i]!.to)!.length === 1 &&
          sameNames(successor.plan.uses, input.plan.columns),
      )
    const dealt = hops.some((hop) => hop.send === "round-robin")
    const encoding = dealt ? undefined : input.plan.encodings.find(takes)
    if (encoding === undefined) continue
    chosen.set(step.id, encoding)
    for (const hop of hops) chosen.set(hop.to, encoding)
  }
  return chosen
}
