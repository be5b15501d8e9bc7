import { Context, Layer } from "effect"
import type { Columns, RejectedRow, Split } from "../contract/index.ts"
import type { RunReport, SplitReceipt } from "./report.ts"

/** A rejected row with its place in the run. */
export interface Rejection extends RejectedRow {
  readonly runId: string
  readonly step: string
  /** Empty where the row belongs to no split. */
  readonly split: string
  /** Which try of the split it was; a row counts only if that try is the one that was committed. */
  readonly attempt: number
}

/** How an input was opened: what a resumed run needs to read the rest of it. */
export interface OpenedInput {
  readonly step: string
  readonly columns: Columns
  readonly splits: readonly Split[]
  /** True when the splits see one state of the source, which is gone with the process that has opened it. */
  readonly oneSnapshot: boolean
  readonly mark?: string
}

/**
 * What a run keeps of itself while it goes on: enough to resume it after a crash at any instant, and its rejected rows.
 * Whatever resolves is durable. The targets' ledgers are the truth about what is committed; the journal is its index.
 */
export class Journal extends Context.Service<
  Journal,
  {
    /** Before the target is touched. */
    inputOpened(input: OpenedInput): Promise<void>
    /** A split is tried (again): rows that earlier tries rejected are forgotten, but for those of the steps `kept`. */
    splitStarted(split: string, attempt: number, kept: readonly string[]): Promise<void>
    /** Takes a row at once; it may be written later. Throws when earlier ones could not be kept. */
    reject(rejection: Rejection): void
    /** Resolves once few enough rows wait to be written. Whoever may reject many asks for it between batches. */
    room(): Promise<void>
    /** Every row taken so far is durable. Rejects when one cannot be kept. */
    sealed(): Promise<void>
    /** Every output has committed the split. */
    splitCommitted(receipt: SplitReceipt): Promise<void>
    /** The end of this attempt at the run; returns lines for the report, such as where rejected rows can be read. */
    finished(report: RunReport): Promise<readonly string[]>
  }
>()("core/run/Journal") {
  /** Keeps nothing: for runs that nobody resumes, such as a preview. Rejected rows go to `reject`. */
  static readonly layerForgetful = (reject: (rejection: Rejection) => void) => {
    const nothing = async () => {}
    return Layer.succeed(Journal, {
      inputOpened: nothing,
      splitStarted: nothing,
      reject,
      room: nothing,
      sealed: nothing,
      splitCommitted: nothing,
      finished: async () => [],
    })
  }
}

/** What is known of a run that is resumed. */
export interface Resumed {
  readonly inputs: ReadonlyMap<string, OpenedInput>
  /** Splits that are left may be read from another state of a source than those that are committed. */
  readonly mayMix: boolean
}
