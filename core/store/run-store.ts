import { Context } from "effect"
import type { OpenedInput, Rejection } from "../run/journal.ts"
import type { RunReport, SplitReceipt } from "../run/report.ts"
import type { Mark, NewRun, Owner, RecordedStep, RunProgress, RunRecord, RunSummary, Unfinished } from "./run-record.ts"

/** One attempt at a run. */
export interface Attempt {
  readonly id: string
  readonly fence: number
}

/** How an attempt ended. */
export interface Ending {
  readonly report: RunReport
  /** Data source of each input that has a mark, by step; marks advance with a success. */
  readonly markSources: Readonly<Record<string, string>>
  /** What it left unfinished at its targets was removed. */
  readonly isDiscarded?: boolean
}

/**
 * What Headrace remembers of runs. Whatever resolves is durable. Everything rejects with a failure of reason `resource`
 * where the place is full, `permission` where it cannot be written, `conflict` where somebody else holds it too long.
 *
 * What an attempt writes is refused with reason `cancelled` as soon as a later attempt has claimed the run.
 */
export class RunStore extends Context.Service<
  RunStore,
  {
    /**
     * Records a run before it begins. `judge` sees the earlier runs of the flow that did not succeed since the last one
     * that did, newest first, and throws to refuse: nobody can begin another one in between.
     */
    register(run: NewRun, judge?: (earlier: readonly Unfinished[]) => void): Promise<void>
    find(id: string): Promise<RunRecord | undefined>
    /** Newest first. */
    list(filter: {
      readonly flow?: string
      readonly statuses?: readonly string[]
      readonly limit?: number
    }): Promise<readonly RunSummary[]>
    progress(id: string): Promise<RunProgress>
    /** Takes a run for a new attempt, if its last one is still `fence`: its number is one more. False: somebody was faster. */
    claim(run: Attempt, owner: Owner): Promise<boolean>
    /** The steps were planned anew, because a source has new columns. */
    planned(run: Attempt, steps: readonly RecordedStep[]): Promise<void>
    inputOpened(run: Attempt, input: OpenedInput): Promise<void>
    /**
     * Rows of earlier tries of the split are forgotten, but for those of the steps `kept`. Durable with the next call
     * that is: where none came, nothing has happened.
     */
    splitStarted(run: Attempt, split: string, attempt: number, kept: readonly string[]): Promise<void>
    splitCommitted(run: Attempt, receipt: SplitReceipt): Promise<void>
    /** Puts rejected rows into quarantine. */
    keep(run: Attempt, rejections: readonly Rejection[]): Promise<void>
    finish(run: Attempt, ending: Ending): Promise<void>
    marks(flow: string): Promise<readonly Mark[]>
  }
>()("core/store/RunStore") {}
