import { Effect } from "effect"
import { type OutputSum, outputSumsOf } from "../../run/output-sum.ts"
import type { RunReport, SplitReceipt } from "../../run/report.ts"
import type { RecordedStep, RunProgress, RunRecord } from "../../store/run-record.ts"
import { RunStore } from "../../store/run-store.ts"
import type { Job } from "./dispatcher.ts"
import { storeCall } from "./store-call.ts"

/** What the engine knows of a run. */
export interface RunDetail {
  /** As they were planned. */
  readonly steps: readonly RecordedStep[]
  readonly inputs: readonly { readonly step: string; readonly splits: number; readonly oneSnapshot: boolean }[]
  readonly splits: { readonly all: number; readonly committed: number }
  /** Of the splits that are committed, the first of them. */
  readonly receipts: readonly SplitReceipt[]
  /** What came of the rows at each output, over all receipts. */
  readonly outputs: readonly OutputSum[]
  /** Of the last attempt, if it has ended. */
  readonly report?: Omit<RunReport, "receipts">
  readonly attempts: number
}

/** Undefined where the engine has not begun. */
export const runDetail = Effect.fnUntraced(function* ({ id }: Pick<Job, "id">) {
  const store = yield* RunStore
  const run = yield* storeCall(() => store.find(id))
  if (run === undefined) return undefined
  return detailOf(run, yield* storeCall(() => store.progress(id)))
})

function detailOf(run: RunRecord, { inputs, receipts }: RunProgress): RunDetail {
  const { receipts: _, ...report } = run.report ?? ({} as Partial<RunReport>) // without one, nothing is shown
  const splits = inputs.reduce((sum, input) => sum + input.splits.length, 0)
  return {
    steps: run.steps,
    inputs: inputs.map(({ step, splits: { length }, oneSnapshot }) => ({ step, splits: length, oneSnapshot })),
    splits: { all: splits, committed: receipts.length },
    receipts: receipts.slice(0, MOST_RECEIPTS),
    outputs: outputSumsOf(
      receipts,
      run.steps.flatMap(({ id, kind }) => (kind === "output" ? [id] : [])),
    ),
    ...(run.report === undefined ? {} : { report: report as Omit<RunReport, "receipts"> }),
    attempts: run.fence,
  }
}

const MOST_RECEIPTS = 500
