import { Clock, Effect } from "effect"
import { defaultDates, type ParameterProblem, resolveParameters } from "../../core/flow/parameters/index.ts"
import { flowError } from "../../core/flow/problem.ts"
import type { FlowRequest } from "./run-flow.ts"
import { makeRunId } from "./run-id.ts"

/** The values that parameters and date expressions of a flow have for a day. */
export const flowParameters = Effect.fnUntraced(function* ({ flow, parameters, ...given }: FlowRequest) {
  const { timeZone } = flow.settings
  const dates = defaultDates({ ...given, now: yield* Clock.currentTimeMillis, timeZone })
  if (dates.problems !== undefined) return yield* refused(dates.problems)
  const { bizdate, scheduledAt } = dates
  const builtins = { flow: flow.name ?? "", run: given.runId ?? (yield* makeRunId) }
  const resolved = resolveParameters({ document: flow, given: parameters, bizdate, scheduledAt, timeZone, builtins })
  if (resolved.problems !== undefined) return yield* refused(resolved.problems)
  return { bizdate, scheduledAt, preview: resolved.preview }
})

function refused(problems: readonly ParameterProblem[]) {
  return flowError(problems.map(({ message, hint }) => ({ message, ...(hint === undefined ? {} : { hint }) })))
}
