import { Effect } from "effect"
import { type FlowError, type FlowProblem, flowError } from "../../core/flow/problem.ts"
import type { PluginError } from "../../core/host/failure.ts"
import type { ServerError } from "../remote/server-client.ts"
import { advised } from "../worker/advice.ts"
import { type ExitCode, exitCodes, failureCode, Stop } from "./exit-code.ts"
import { Screen } from "./screen.ts"

/** With `--json`, what is wrong with a flow is a result as well: one object on the standard output. */
export function asJson(json: boolean) {
  return <A, E, R>(effect: Effect.Effect<A, E | FlowError | PluginError | ServerError, R>) => {
    if (!json) return effect
    return Effect.catchIf(effect, isRefusal, (error) =>
      Effect.gen(function* () {
        const screen = yield* Screen
        screen.out(screen.mask(JSON.stringify({ status: "refused", problems: problemsOf(error) }, null, 2)))
        return yield* new Stop({ code: codeOf(error) })
      }),
    )
  }
}

type Refusal = FlowError | PluginError | ServerError

function isRefusal(error: unknown): error is Refusal {
  const tag = (error as { _tag?: unknown } | null)?._tag
  return tag === "FlowError" || tag === "PluginError" || tag === "ServerError"
}

function problemsOf(error: Refusal): readonly FlowProblem[] {
  if (error._tag === "FlowError") return error.problems
  return error._tag === "ServerError"
    ? serverProblems(error)
    : [{ ...advised(error), reason: error.reason } as FlowProblem]
}

function codeOf(error: Refusal): ExitCode {
  if (error._tag === "FlowError") return exitCodes.usage
  return error._tag === "ServerError" ? serverCode(error) : failureCode(error.reason)
}

/** What a server has said: in general first, then what is wrong with a flow or with single fields. */
export function serverProblems({ message, hint, problems = [] }: ServerError): readonly FlowProblem[] {
  const whole = { message, ...(hint === undefined ? {} : { hint }) }
  return problems.some((problem) => problem.message === message) ? problems : [whole, ...problems]
}

/** A server that cannot be reached, or has trouble of its own, is no fault of the call. */
export function serverCode({ status }: ServerError): ExitCode {
  return status >= 400 && status < 500 ? exitCodes.usage : exitCodes.connection
}

/** A problem of the call itself. */
export function usage(message: string, hint?: string): FlowError {
  return flowError([{ message, ...(hint === undefined ? {} : { hint }) }])
}
