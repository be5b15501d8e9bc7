import { Data } from "effect"

/** Something that stops a flow from running, or that its owner should know. */
export interface FlowProblem {
  /** The step it belongs to. */
  readonly step?: string
  /** JSON pointer into the flow document. */
  readonly pointer?: string
  readonly message: string
  /** What would fix it, in one sentence. */
  readonly hint?: string
  /** For programs, where one acts on it. */
  readonly code?: string
}

/** A run cannot go on, because the state of the data that it was reading is gone. */
export const SNAPSHOT_LOST = "snapshot-lost"

/** The flow cannot run. Nothing was touched. */
export class FlowError extends Data.TaggedError("FlowError")<{
  readonly message: string
  readonly problems: readonly FlowProblem[]
}> {}

export function flowError(problems: readonly FlowProblem[]): FlowError {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""
  return new FlowError({ message: `${first?.message ?? "The flow cannot run"}${more}`, problems })
}
