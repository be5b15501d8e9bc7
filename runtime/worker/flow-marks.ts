import { Clock, Effect } from "effect"
import { makeBatches } from "../../core/batch/index.ts"
import { markValue } from "../../core/database/mark-value.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import { failure } from "../../core/host/failure.ts"
import { byHand, type Judge, Marks } from "../../core/store/marks.ts"
import type { RunRecord } from "../../core/store/run-record.ts"
import { RunStore } from "../../core/store/run-store.ts"
import { stateOf } from "../store/process-owner.ts"
import { asked } from "../store/store.ts"
import { typeText } from "./plan-json.ts"
import { markSourcesOf } from "./run-record.ts"
import { findRun, refused, stepsOf, storedFlow } from "./stored-run.ts"

/** Sets the mark of a step by hand; a run of the flow says what the step reads. Gives the mark that was there. */
export const setMark = Effect.fnUntraced(function* (run: RunRecord, step: string, given: string) {
  const marks = yield* Marks
  const flow = run.flow! // it was found by that name
  const inputs = yield* markedInputs(run)
  const names = inputs.map(({ id }) => id)
  const input = inputs.find(({ id }) => id === step)
  if (input === undefined) {
    const near = closestName(step, names)
    const hint = names.length === 0 ? "It has no such step" : `It has ${names.join(", ")}`
    return yield* refused(
      `Cannot set a mark: step "${step}" of flow "${flow}" does not load by a growing column`,
      near === undefined ? hint : `Did you mean "${near}"?`,
    )
  }
  const { column: name } = (input.config as { readonly incremental: { readonly column: string } }).incremental
  const column = run.steps.find(({ id }) => id === step)?.offered.output.find((each) => each.name === name)
  const mark = given.trim()
  const batches = makeBatches({ rows: 1, bytes: 1 })
  if (column !== undefined && markValue(mark, column.type, batches) === undefined)
    return yield* refused(
      `Cannot set the mark to "${mark}": it is no value of column "${name}", which is ${typeText(column.type)}`,
    )
  const [before] = (yield* asked(() => marks.list(flow))).filter((each) => each.step === step)
  const dataSource = markSourcesOf(inputs)[step]!
  const by = byHand(yield* Clock.currentTimeMillis)
  yield* asked(() => marks.set({ flow, step, dataSource, mark, run: by }, refuseRunning(flow)))
  const appends = run.steps.flatMap(({ id, writes }) => (writes === "appends" ? [id] : []))
  return { mark, before: before?.mark, appends }
})

/** Forgets marks of a flow: its next run reads everything. */
export const dropMarks = Effect.fnUntraced(function* (flow: string, step: string | undefined) {
  const marks = yield* Marks
  return yield* asked(() => marks.drop(flow, step, refuseRunning(flow)))
})

/** Fails where there is nothing to drop, and names what there is. */
export const marksToDrop = Effect.fnUntraced(function* (flow: string, step: string | undefined) {
  const marks = yield* Marks
  const all = yield* asked(() => marks.list())
  const found = all.filter((each) => each.flow === flow && (step === undefined || each.step === step))
  if (found.length > 0) return found
  const of = step === undefined ? "" : ` at step "${step}"`
  const near = closestName(
    flow,
    all.map((each) => each.flow).filter((name) => name !== flow),
  )
  const hint = near === undefined ? 'Run "headrace marks list" to see what there is' : `Did you mean "${near}"?`
  return yield* refused(`Flow "${flow}" has no mark${of}`, hint)
})

/** A run that goes on, or that can be resumed after its process has died, would set the mark once more. */
function refuseRunning(flow: string): Judge {
  return ([run]) => {
    if (run === undefined) return
    const isDead = stateOf(run) === "interrupted"
    const what = isDead ? `run ${run.id} was interrupted` : `run ${run.id} is going on (pid ${run.owner.pid})`
    const hint = isDead ? `Finish it: headrace resume ${run.id}. Or give it up` : "Wait for it, or end it"
    throw failure("conflict", `Cannot change a mark of flow "${flow}": ${what}, and sets it at its end`, {
      retryable: false,
      hint: `${hint}: headrace cancel ${run.id}`,
    })
  }
}

/** The newest run of a flow. */
export const newestRunOf = Effect.fnUntraced(function* (flow: string) {
  const store = yield* RunStore
  const runs = yield* asked(() => store.list({ flow }))
  const last = runs.find(({ replayOf }) => replayOf === undefined)
  if (last === undefined) {
    const all = yield* asked(() => store.list({ limit: MOST_RUNS }))
    const near = closestName(
      flow,
      all.flatMap((run) => run.flow ?? []),
    )
    return yield* refused(
      `Cannot set a mark: no run of a flow "${flow}" is known`,
      near === undefined ? "A mark belongs to a flow that has run once" : `Did you mean "${near}"?`,
    )
  }
  return yield* findRun(last.id)
})

/** The steps that load by a mark. */
const markedInputs = Effect.fnUntraced(function* (run: RunRecord) {
  const steps = yield* stepsOf(run, yield* storedFlow(run))
  return steps.filter(
    ({ component, config }) =>
      component.kind === "input" && (config as { readonly incremental?: unknown } | null)?.incremental !== undefined,
  )
})

const MOST_RUNS = 500
