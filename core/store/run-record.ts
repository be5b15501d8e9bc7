import type { Columns } from "../contract/index.ts"
import type { OpenedInput } from "../run/journal.ts"
import type { RunReport, SplitReceipt } from "../run/report.ts"

/** What is recorded of a run's state. One that says `running` while its process is gone was interrupted. */
export type RunStatus = RunReport["status"] | "running"

/** The process that works on a run. */
export interface Owner {
  readonly pid: number
  /** When the process began, in words of its machine: tells it from a later one of the same number. Absent: unknown. */
  readonly start?: string
  readonly host: string
}

/** Where a flow came from, as it was read: what somebody needs to run it again. */
export interface FlowOrigin {
  /** The document's text. */
  readonly document: string
  /** SHA-256 of the text. */
  readonly hash: string
  /** File that it was read from; absent: the standard input, or a command that made it. */
  readonly path?: string
  /** Folder that relative paths in it start from. */
  readonly base: string
  /** Settings that the call gave in the place of the flow's own. */
  readonly overrides: RunOverrides
}

/** Settings of a call. */
export interface RunOverrides {
  readonly parallel?: number
  readonly errorLimit?: number
}

/** What a step was planned to take and to give. */
export interface RecordedStep {
  readonly id: string
  readonly use: string
  readonly kind: "input" | "transform" | "router" | "output"
  readonly input: Columns
  readonly output: Columns
  /** What comes and goes before columns that nobody uses are left out. */
  readonly offered: { readonly input: Columns; readonly output: Columns }
  /** Names of its data sources. */
  readonly dataSources: readonly string[]
  /**
   * Of an output, what rows are that come again: `appends` has them twice, `merges` has them once, `stages` shows nothing
   * before the run has ended, and takes it back if it does not.
   */
  readonly writes?: "appends" | "merges" | "stages"
}

/** What tells one data source from another of the same name: its type and where it leads, never a secret. */
export interface SourceFingerprint {
  readonly name: string
  readonly type: string
  readonly place: Readonly<Record<string, string | number>>
}

/** A run before it begins. */
export interface NewRun {
  readonly id: string
  /** Name of the flow, if it has one. */
  readonly flow?: string
  readonly origin: FlowOrigin
  readonly parameters: Readonly<Record<string, string>>
  readonly bizdate: string
  readonly scheduledAt: string
  readonly steps: readonly RecordedStep[]
  readonly sources: readonly SourceFingerprint[]
  readonly owner: Owner
  /** The run whose rejected rows it writes. */
  readonly replayOf?: string
}

/** A run as it is recorded. Times are milliseconds since 1970. */
export interface RunRecord extends NewRun {
  /** The number of its last attempt. */
  readonly fence: number
  readonly status: RunStatus
  /** True when what it left unfinished at its targets was removed: it cannot go on. */
  readonly isDiscarded: boolean
  /** Of a replay: true when the fate of every row that it took is recorded. */
  readonly isSettled: boolean
  readonly startedAt: number
  /** When the last attempt began. */
  readonly attemptAt: number
  readonly endedAt?: number
  /** Of the last attempt, if it has ended. */
  readonly report?: RunReport
}

/** A line of the list of runs. */
export interface RunSummary
  extends Pick<
    RunRecord,
    "id" | "flow" | "fence" | "status" | "isDiscarded" | "startedAt" | "attemptAt" | "endedAt" | "owner" | "replayOf"
  > {
  /** Rows that outputs have committed, as far as it is known. */
  readonly written: number
  readonly rejected: number
}

/** How far a run has come: what a resumed attempt begins with. */
export interface RunProgress {
  readonly inputs: readonly OpenedInput[]
  /** Splits that every output has committed. */
  readonly receipts: readonly SplitReceipt[]
  /** Splits that were begun and are not among the receipts. */
  readonly begun: readonly { readonly split: string; readonly attempt: number }[]
}

/** How far a flow has read an input that loads by a growing column. */
export interface Mark {
  readonly step: string
  readonly dataSource: string
  readonly mark: string
  readonly run: string
}

/** An earlier run of a flow that did not succeed, with what stays of it at its outputs. */
export interface Unfinished {
  readonly run: RunSummary & Pick<RunRecord, "steps">
  readonly committed: readonly CommittedRows[]
}

export interface CommittedRows {
  readonly step: string
  readonly rows: number
  readonly splits: number
}

/** What outputs have committed according to receipts. */
export function committedRows(receipts: readonly SplitReceipt[]): readonly CommittedRows[] {
  const found = new Map<string, CommittedRows>()
  for (const { step, written } of receipts.flatMap(({ outputs }) => outputs)) {
    const before = found.get(step) ?? { step, rows: 0, splits: 0 }
    found.set(step, { step, rows: before.rows + written, splits: before.splits + 1 })
  }
  return [...found.values()].filter(({ rows }) => rows > 0)
}
