import { Effect } from "effect"
import type { Output, Session } from "../../core/contract/index.ts"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { runSettings } from "../../core/flow/plan.ts"
import { cancellable } from "../../core/host/component-call.ts"
import { Machine } from "../../core/host/services.ts"
import { makeSession, noRows } from "../../core/host/session.ts"
import type { CommittedRows, RunRecord } from "../../core/store/run-record.ts"
import { outputsOf } from "./stored-run.ts"

/** The run as the attempt that looks after it: its number makes all earlier ones void at the targets. */
export interface Left {
  readonly run: RunRecord
  readonly flow: Flow
  readonly fence: number
}

/** Removes what a run has left unfinished at its outputs; gives what could not be removed, one line each. */
export const discardOutputs = Effect.fnUntraced(function* (left: Left) {
  const results = yield* eachOutput(left, (output, config, step, session) =>
    output.discard?.(config, { step }, session),
  )
  return results.flatMap(({ step, result }) =>
    result._tag === "Failure" ? [`output "${step}" could not be cleaned up: ${result.failure.message}`] : [],
  )
})

/** What a run has committed by the word of its targets. Outputs that cannot tell are left out. */
export const committedAt = Effect.fnUntraced(function* (left: Left) {
  const results = yield* eachOutput(left, (output, config, step, session) =>
    output.committed?.(config, { step }, session),
  )
  const found: CommittedRows[] = []
  for (const { step, result } of results) {
    if (result._tag === "Failure") return yield* Effect.fail(result.failure)
    if (result.success !== undefined) found.push({ step, ...result.success })
  }
  return found
})

type Call<A> = (output: Output, config: unknown, step: string, session: Session) => Promise<A> | undefined

const eachOutput = Effect.fnUntraced(function* <A>({ run, flow, fence }: Left, call: Call<A>) {
  const machine = yield* Machine
  const { outputs, parameters } = yield* outputsOf(run, flow)
  const usual = runSettings(flow.settings)
  const settings = { ...usual, statementTimeoutMs: Math.min(usual.statementTimeoutMs, MOST_MS) }
  const sessionFor = (signal: AbortSignal) =>
    makeSession({ ...machine, ...noRows, signal, settings, parameters, run: { id: run.id, fence }, reject })
  return yield* Effect.forEach(outputs, ({ id: step, component, config }) => {
    // Output's own, as `outputsOf` gives them.
    const output = component as Output
    const calling = cancellable(
      async (signal) => await call(output, config, step, sessionFor(signal)),
      flow.settings.cancelTimeoutMs,
      step,
    )
    return Effect.map(Effect.result(calling), (result) => ({ step, result }))
  })
})

function reject(): never {
  throw new TypeError("Nothing is rejected where no rows flow")
}

/** Somebody is waiting: what takes longer than that is told, and can be tried again. */
const MOST_MS = 60_000
