import { Data } from "effect"
import type { FailureReason } from "../../core/contract/index.ts"
import type { RunReport } from "../../core/run/report.ts"

/** What a command tells the shell; `web/docs/cli.md` explains them. */
export const exitCodes = {
  ok: 0,
  /** The run started and failed; the messages say what stays committed. */
  failed: 1,
  /** A wrong argument, flow or option. Nothing was touched. */
  usage: 2,
  /** A server cannot be reached, or refuses the user. */
  connection: 3,
  /** More rows were rejected than the flow allows. */
  rejected: 4,
  /** What should be made exists already. Nothing was touched. */
  exists: 5,
  /** A fault in Headrace itself. */
  defect: 70,
  /** Cancelled by Ctrl-C. */
  cancelled: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends a command that has said everything already. */
export class Stop extends Data.TaggedError("Stop")<{ readonly code: ExitCode }> {}

export function reportCode(report: RunReport): ExitCode {
  const { status, failure, rejected } = report
  if (status === "succeeded") return exitCodes.ok
  if (status === "cancelled") return exitCodes.cancelled
  if (failure?.reason === "data" && rejected > 0) return exitCodes.rejected
  return isConnection(failure?.reason) ? exitCodes.connection : exitCodes.failed
}

/** The code for a component that fails before a run begins. */
export function failureCode(reason: FailureReason): ExitCode {
  if (reason === "exists") return exitCodes.exists
  return isConnection(reason) ? exitCodes.connection : exitCodes.usage
}

function isConnection(reason: FailureReason | undefined): boolean {
  return reason === "connection" || reason === "authentication"
}
