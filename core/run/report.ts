import type { FailureReason } from "../contract/index.ts"

/** Rows through one step. For an output `rowsOut` is what was written. */
export interface StepCount {
  readonly step: string
  readonly kind: "input" | "transform" | "router" | "output"
  readonly rowsIn: number
  readonly rowsOut: number
  readonly rejected: number
  readonly bytes: number
}

/** What one split left at one output. */
export interface SplitReceipt {
  readonly split: string
  readonly label: string
  readonly read: number
  readonly outputs: readonly {
    readonly step: string
    readonly received: number
    readonly written: number
    readonly rejected: number
  }[]
}

/** A failed run says why, and what would fix it. */
export interface RunFailure {
  readonly message: string
  readonly reason: FailureReason
  readonly step?: string
  readonly hint?: string
}

/** What a run leaves: read = written + rejected + filtered, for every split and output. */
export interface RunReport {
  readonly runId: string
  readonly status: "succeeded" | "failed" | "cancelled"
  readonly startedAt: string
  readonly durationMs: number
  readonly steps: readonly StepCount[]
  /** Committed splits only. */
  readonly receipts: readonly SplitReceipt[]
  readonly splits: number
  readonly rejected: number
  /** Values changed by a declared policy. */
  readonly adjusted: readonly {
    readonly step: string
    readonly policy: string
    readonly column: string
    readonly values: number
  }[]
  readonly notes: readonly string[]
  readonly failure?: RunFailure
}
