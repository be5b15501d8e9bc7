import type { PlannedStep } from "../flow/plan.ts"

/**
 * Whether the rows of an input come to one step after the other, each of which lets go of them: whoever asks for the
 * next batch has done with the one before then, and so has everybody behind.
 */
export function allLetGo(
  steps: readonly PlannedStep[],
  { component, outgoing }: Pick<PlannedStep, "component" | "outgoing">,
): boolean {
  if (component.kind === "router") return false
  if (component.kind !== "input" && component.letsGo !== true) return false
  if (component.kind === "output") return true
  const [hop] = outgoing
  if (hop === undefined || outgoing.length > 1) return false
  const next = steps.find(({ id }) => id === hop.to)
  return next !== undefined && next.incoming.length === 1 && allLetGo(steps, next)
}
