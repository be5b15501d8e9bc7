import type { FailureReason } from "../contract/index.ts"

/** Rows through one step. For an output `rowsOut` is what was written. */
export interface StepCount {
  readonly step: string
  readonly kind: "input" | "transform" | "router" | "output"
  readonly rowsIn: number
  readonly rowsOut: number
  readonly rejected: number
  /** Rows that the step dropped on purpose. */
  readonly filtered: number
  /** Rows that the step added to those it was given. */
  readonly made: number
  readonly bytes: number
}

/** What one split left at one output: `read + made = written + rejected + filtered`. */
export interface OutputReceipt {
  readonly step: string
  readonly received: number
  readonly written: number
  /** Rows rejected on the way to this output, and by it. */
  readonly rejected: number
  /** Rows that did not come to this output on purpose: filtered by a step, or sent another way. */
  readonly filtered: number
  readonly made: number
  readonly guarantee: "exactly-once" | "at-least-once"
}

/** Tries are numbered over the whole life of a run, each attempt at it from a round number on. */
const TRIES = 100

export function firstTry(fence: number): number {
  return (fence - 1) * TRIES + 1
}

/** A try for people: `3`, or `2.1` for the first try of the second attempt at the run. */
export function shownTry(attempt: number): string {
  const [before, nth] = [Math.floor((attempt - 1) / TRIES), ((attempt - 1) % TRIES) + 1]
  return before === 0 ? String(nth) : `${before + 1}.${nth}`
}

/** What one split left. */
export interface SplitReceipt {
  readonly split: string
  readonly label: string
  /** The try that succeeded; see {@link shownTry}. */
  readonly attempt: number
  /** Rows that the input read, those that it rejected among them. */
  readonly read: number
  readonly steps: readonly StepCount[]
  readonly outputs: readonly OutputReceipt[]
}

/** A failed run says why, and what would fix it. */
export interface RunFailure {
  readonly message: string
  readonly reason: FailureReason
  /** The system's own code, or one of Headrace's. */
  readonly code?: string
  readonly step?: string
  readonly hint?: string
}

/** What a run leaves: read = written + rejected + filtered, for every split and output. */
export interface RunReport {
  readonly runId: string
  /** 1, or more when the run was resumed. */
  readonly fence: number
  readonly status: "succeeded" | "failed" | "cancelled"
  readonly startedAt: string
  readonly durationMs: number
  readonly steps: readonly StepCount[]
  /** Committed splits only. */
  readonly receipts: readonly SplitReceipt[]
  readonly splits: number
  readonly rejected: number
  /** Tries of splits that failed and were repeated. */
  readonly retries: number
  /** Values changed by a declared policy. */
  readonly adjusted: readonly {
    readonly step: string
    readonly policy: string
    readonly column: string
    readonly values: number
  }[]
  /** How far each input that loads by a growing column has read, by step. */
  readonly marks: Readonly<Record<string, string>>
  readonly notes: readonly string[]
  readonly failure?: RunFailure
}
