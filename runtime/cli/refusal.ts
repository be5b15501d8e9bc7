import { Effect } from "effect"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import type { PluginError } from "../../core/host/failure.ts"
import { advised } from "../worker/advice.ts"
import { exitCodes, failureCode, Stop } from "./exit-code.ts"
import { Screen } from "./screen.ts"

/** With `--json`, what is wrong with a flow is a result as well: one object on the standard output. */
export function asJson(json: boolean) {
  return <A, E, R>(effect: Effect.Effect<A, E | FlowError | PluginError, R>) => {
    if (!json) return effect
    return Effect.catchIf(effect, isRefusal, (error) =>
      Effect.gen(function* () {
        const screen = yield* Screen
        const problems = error._tag === "FlowError" ? error.problems : [problemOf(error)]
        screen.out(screen.mask(JSON.stringify({ status: "refused", problems }, null, 2)))
        return yield* new Stop({ code: error._tag === "FlowError" ? exitCodes.usage : failureCode(error.reason) })
      }),
    )
  }
}

function isRefusal(error: unknown): error is FlowError | PluginError {
  const tag = (error as { _tag?: unknown } | null)?._tag
  return tag === "FlowError" || tag === "PluginError"
}

function problemOf(error: PluginError) {
  return { ...advised(error), reason: error.reason }
}

/** A problem of the call itself. */
export function usage(message: string, hint?: string): FlowError {
  return flowError([{ message, ...(hint === undefined ? {} : { hint }) }])
}
