import type { FailureReason } from "../../contract/index.ts"
import type { RunReport } from "../../run/report.ts"
import type { FlowProperties } from "../../store/tables/flow-tables.ts"
import type { StopReason } from "./dispatch-context.ts"
import type { JobRow } from "./job-row.ts"
import type { WorkerError } from "./worker-pool.ts"

/** What comes of an attempt at a job. */
export type Ending =
  | {
      readonly kind: "ended"
      readonly status: "succeeded" | "failed" | "cancelled"
      readonly message: string | null
      /** Nobody has cleaned up behind the run. */
      readonly isLeft: boolean
    }
  /** Tried again, as a resumption. */
  | { readonly kind: "again"; readonly waitMs: number; readonly message: string; readonly isRetry: boolean }

export interface EndingContext {
  readonly row: Pick<JobRow, "retry" | "timeoutMs">
  readonly properties: FlowProperties
  readonly stop: StopReason | undefined
}

/** What a report means for its job. */
export function endingOf(report: Pick<RunReport, "status" | "failure">, context: EndingContext): Ending {
  const { status, failure } = report
  if (status === "succeeded") return { kind: "ended", status, message: null, isLeft: false }
  if (status === "cancelled") return stopped(context, false)
  const message = failure === undefined ? "The run failed" : hinted(failure)
  return failed(message, isWorthwhile(failure?.reason), context)
}

/** What it means that a worker has left no report. */
export function endingOfError(error: WorkerError, context: EndingContext): Ending {
  const { kind, reason } = error
  const message = hinted(error)
  // A stop that came after it had failed by itself has not ended it.
  if (kind === "cancelled" || kind === "killed") return stopped(context, kind === "killed")
  if (context.stop === "handover") return { kind: "again", waitMs: 0, message, isRetry: false }
  if (kind === "crashed") {
    const { onCrash, retries } = context.properties
    const isTried = onCrash === "resume" && context.row.retry < Math.max(retries, LEAST_RESUMPTIONS)
    if (isTried) return { kind: "again", waitMs: CRASH_WAIT_MS, message, isRetry: true }
    return { kind: "ended", status: "failed", message, isLeft: true }
  }
  if (kind === "memory") return { kind: "ended", status: "failed", message, isLeft: true }
  return failed(message, kind === "unavailable" || (kind === "failed" && isWorthwhile(reason)), context)
}

/** What it means that the server itself could not begin. */
export function failed(message: string, isWorthwhile: boolean, { row, properties }: EndingContext): Ending {
  if (isWorthwhile && row.retry < properties.retries)
    return { kind: "again", waitMs: properties.retryMinutes * 60_000, message, isRetry: true }
  return { kind: "ended", status: "failed", message, isLeft: false }
}

function stopped({ stop, row }: EndingContext, isLeft: boolean): Ending {
  if (stop === "handover") return { kind: "again", waitMs: 0, message: "The server was stopped", isRetry: false }
  if (stop === "timeout") {
    const message = `The run was stopped: it took longer than ${hours(row.timeoutMs ?? 0)}`
    return { kind: "ended", status: "failed", message, isLeft }
  }
  return { kind: "ended", status: "cancelled", message: null, isLeft }
}

/** Failures that may have passed a while later. */
function isWorthwhile(reason: FailureReason | undefined): boolean {
  return reason !== undefined && PASSING.has(reason)
}

function hinted({ message, hint }: { readonly message: string; readonly hint?: string }): string {
  return hint === undefined ? message : `${message}. ${hint}`
}

function hours(ms: number): string {
  return ms >= 3_600_000 ? `${+(ms / 3_600_000).toFixed(2)} h` : `${+(ms / 60_000).toFixed(2)} min`
}

const PASSING: ReadonlySet<FailureReason> = new Set<FailureReason>([
  "connection",
  "conflict",
  "timeout",
  "resource",
  "protocol",
  "unknown",
])
/** A flow that says "resume" gets this even without retries: a crash may be nobody's fault. */
const LEAST_RESUMPTIONS = 1
const CRASH_WAIT_MS = 1000
