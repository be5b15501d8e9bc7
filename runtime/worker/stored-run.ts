import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { bindSteps } from "../../core/flow/bind.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { resolveParameters } from "../../core/flow/parameters/index.ts"
import { flowError } from "../../core/flow/problem.ts"
import { readFlow } from "../../core/flow/read-flow.ts"
import type { FlowOrigin, RunOverrides, RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { lifeOf } from "../store/process-owner.ts"
import { asked } from "../store/store.ts"
import { hashOf, withSettings } from "./flow-origin.ts"

/** A run by its id; what is nearest to an unknown one is named. */
export const findRun = Effect.fnUntraced(function* (id: string) {
  const store = yield* RunStore
  const run = yield* asked(() => store.find(id))
  if (run !== undefined) return run
  const recent = yield* asked(() => store.list({ limit: MOST_NAMES }))
  const near = closestName(
    id,
    recent.map((each) => each.id),
  )
  const hint = near === undefined ? 'Run "headrace runs" to see what there is' : `Did you mean "${near}"?`
  return yield* refused(`There is no run "${id}"`, hint)
})

/** The flow of a run as it was read, with the settings of the call. */
export const storedFlow = Effect.fnUntraced(function* (run: RunRecord, overrides: RunOverrides = {}) {
  const flow = yield* readFlow(run.origin.document, `the flow of run ${run.id}`)
  return withSettings(flow, { ...run.origin.overrides, ...overrides })
})

/** Whether the file that the flow was read from has another content now. One that is gone has not. */
export function hasChanged({ path, hash }: FlowOrigin): boolean {
  if (path === undefined) return false
  try {
    return hashOf(readFileSync(path, "utf8")) !== hash
  } catch {
    return false
  }
}

/** Refuses to touch a run that somebody works on, unless `force` says that nobody really does. */
export const refuseBusy = Effect.fnUntraced(function* (action: string, run: RunRecord, force: boolean) {
  const { id, status, owner } = run
  if (status !== "running" || force) return
  const life = lifeOf(owner)
  if (life === "alive")
    return yield* refused(
      `Cannot ${action} run ${id}: process ${owner.pid} is working on it`,
      `Wait for it, or end it with "headrace cancel ${id}". If it hangs, --force takes the run from it`,
    )
  if (life === "elsewhere")
    return yield* refused(
      `Cannot ${action} run ${id}: process ${owner.pid} on "${owner.host}" works on it, and only that machine can tell whether it still does`,
      "Make sure that it is gone, then add --force",
    )
})

/** The outputs of a run, ready to be called, without a look at any system. */
export const outputsOf = Effect.fnUntraced(function* (run: RunRecord, flow: Flow) {
  const { steps, parameters } = yield* boundSteps(run, flow)
  return { parameters, outputs: steps.filter(({ component }) => component.kind === "output") }
})

/** The steps of a run as its parameters make them. */
export const stepsOf = Effect.fnUntraced(function* (run: RunRecord, flow: Flow) {
  return (yield* boundSteps(run, flow)).steps
})

const boundSteps = Effect.fnUntraced(function* (run: RunRecord, flow: Flow) {
  const { bizdate, scheduledAt, parameters } = run
  const resolved = resolveParameters({
    document: flow,
    given: parameters,
    bizdate,
    scheduledAt,
    timeZone: flow.settings.timeZone,
    builtins: { flow: flow.name ?? "", run: run.id },
  })
  if (resolved.problems !== undefined)
    return yield* flowError(
      resolved.problems.map(({ message, hint }) => ({ message, ...(hint === undefined ? {} : { hint }) })),
    )
  return { parameters: resolved.values, steps: yield* bindSteps(flow, resolved.values) }
})

/** Something that cannot be done with a run. Nothing was touched. */
export function refused(message: string, hint?: string) {
  return flowError([{ message, ...(hint === undefined ? {} : { hint }) }])
}

const MOST_NAMES = 500
