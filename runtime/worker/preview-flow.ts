import type { ComponentKind } from "../../core/contract/index.ts"
import type { Flow, FlowHop, FlowStep } from "../../core/flow/flow-schema.ts"

/** Id of the component that takes the place of outputs; no flow can name it, because ids have no colon. */
export const COLLECTOR = "headrace:collector"

/** A flow that writes nothing, and what each of its collectors shows. */
export interface PreviewFlow {
  readonly flow: Flow
  /** The step whose rows a collector shows, by the id of the collector; others only drain. */
  readonly shows: ReadonlyMap<string, string>
}

/**
 * Puts a collector in the place of every output; with `step`, keeps what leads to that step and collects what comes out of
 * it (into it, for an output or a router). Rows that would go elsewhere still leave, so that dealt and routed rows stay the same.
 */
export function previewFlow(
  flow: Flow,
  step: string | undefined,
  kindOf: (use: string) => ComponentKind | undefined,
): PreviewFlow {
  const isOutput = ({ use }: FlowStep) => kindOf(use) === "output"
  if (step === undefined) {
    const outputs = flow.steps.filter(isOutput).map(({ id }) => id)
    const steps = flow.steps.map((each) => (isOutput(each) ? collector(each.id) : each))
    return { flow: { ...flow, steps }, shows: new Map(outputs.map((id) => [id, id])) }
  }
  const target = flow.steps.find(({ id }) => id === step)!
  const kind = kindOf(target.use)
  const kept = ancestors(step, flow.hops)
  const inPlace = kind === "output" || kind === "router"
  const steps = flow.steps
    .filter(({ id }) => kept.has(id) || (id === step && !inPlace))
    .map((each) => (isOutput(each) ? collector(each.id) : each))
  const hops: FlowHop[] = []
  const shown = inPlace ? step : unique("preview", flow)
  steps.push(collector(shown))
  for (const [i, hop] of flow.hops.entries()) {
    if (hop.from === step) continue
    if (!kept.has(hop.from)) continue
    if (kept.has(hop.to) || hop.to === step) hops.push(hop)
    else {
      const drain = unique(`drain-${i}`, flow)
      steps.push(collector(drain))
      hops.push({ ...hop, to: drain })
    }
  }
  if (!inPlace) hops.push({ from: step, to: shown })
  return { flow: { ...flow, steps, hops }, shows: new Map([[shown, step]]) }
}

function collector(id: string): FlowStep {
  return { id, use: COLLECTOR, config: { place: id } }
}

function ancestors(step: string, hops: readonly FlowHop[]): ReadonlySet<string> {
  const found = new Set<string>()
  const open = [step]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const { from, to } of hops) {
      if (to !== id || found.has(from)) continue
      found.add(from)
      open.push(from)
    }
  }
  return found
}

function unique(wanted: string, flow: Flow): string {
  let id = wanted
  while (flow.steps.some((step) => step.id === id)) id = `${id}-`
  return id
}
