import type { FailureReason } from "../../core/contract/index.ts"

/** A failed component with a hint in any case: its own, or what helps against its reason as a rule. */
export function advised<F extends { readonly reason: FailureReason; readonly hint?: string; readonly message: string }>(
  failure: F,
): { readonly message: string; readonly hint?: string; readonly step?: string } {
  const { message, hint, step } = failure as F & { readonly step?: string }
  const advice = hint ?? ADVICE[failure.reason]
  return { message, ...(advice === undefined ? {} : { hint: advice }), ...(step === undefined ? {} : { step }) }
}

const ADVICE: Partial<Readonly<Record<FailureReason, string>>> = {
  connection: "Check that the server runs, and its host and port in the data source",
  authentication: "Check user and password in the data source",
  permission: "Ask the owner for the privilege, or use a data source with another user",
  missing: "Check the name; names may differ in upper and lower case",
  constraint: "Mend the data, change the target's constraint, or raise errorLimit to set such rows aside",
  conflict: "Run it again: somebody else worked on the same rows",
  timeout: "Run it again when there is less load, or raise the limit in the flow's settings",
  resource: "Free some space, or let the system allow more, and run it again",
}
