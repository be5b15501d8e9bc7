import { Cause } from "effect"
import { FlowError } from "../../../core/flow/problem.ts"
import { PluginError } from "../../../core/host/failure.ts"
import { maskedJson } from "../../sources/secrets.ts"
import { advised } from "../advice.ts"
import type { OrderFailure } from "../channel/worker-calls.ts"

/** Why an order was not carried out, for whoever gave it. */
export function orderFailure(cause: Cause.Cause<unknown>, mask: (text: string) => string): OrderFailure {
  if (Cause.hasInterruptsOnly(cause)) return { kind: "cancelled", message: "It was cancelled" }
  return maskedJson(kindOf(Cause.squash(cause)), mask)
}

function kindOf(error: unknown): OrderFailure {
  if (error instanceof FlowError) {
    const { problems, message } = error
    const hint = problems[0]?.hint
    return { kind: "refused", message, problems, ...(hint === undefined ? {} : { hint }) }
  }
  if (error instanceof PluginError) {
    const { reason, code } = error
    return { kind: "failed", reason, ...advised(error), ...(code === undefined ? {} : { code }) }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { kind: "defect", message: `This is a fault in Headrace: ${message}` }
}
