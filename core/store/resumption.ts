import type { Columns, Split } from "../contract/index.ts"
import { failure } from "../host/failure.ts"
import type { OpenedInput } from "../run/journal.ts"
import type {
  CommittedRows,
  RecordedStep,
  RunProgress,
  RunSummary,
  SourceFingerprint,
  Unfinished,
} from "./run-record.ts"

/** Ledgers forget their rows after so long. */
export const RESUMABLE_MS = 30 * 24 * 3600 * 1000

/**
 * Refuses another run of a flow that goes on where its last run ended, while an earlier run has left rows that it would
 * load again: one that goes on or was interrupted, or one that failed after it had appended some.
 */
export function refuseBeside(
  earlier: readonly Unfinished[],
  stateOf: (run: RunSummary) => "running" | "interrupted" | "succeeded" | "failed" | "cancelled",
): void {
  for (const { run, committed } of earlier) {
    const state = stateOf(run)
    const message = `Cannot run flow "${run.flow}": it goes on where its last run ended, and run ${run.id}`
    if (state === "running") {
      throw failure("conflict", `${message} is going on (pid ${run.owner.pid})`, {
        retryable: false,
        hint: `Wait for it, or end it: headrace cancel ${run.id}`,
      })
    }
    const hint = `Finish it: headrace resume ${run.id}. Or give it up: headrace cancel ${run.id}`
    if (state === "interrupted") throw failure("conflict", `${message} was interrupted`, { retryable: false, hint })
    const appended = unrepeatable(run.steps, committed)
    if (appended.length > 0)
      throw failure(
        "conflict",
        `${message} ${state === "failed" ? state : `was ${state}`} after it had committed ${shownRows(appended)}`,
        {
          retryable: false,
          hint,
        },
      )
  }
}

/** Outputs at which rows would be there twice, were they written again. */
export function unrepeatable(
  steps: readonly RecordedStep[],
  committed: readonly CommittedRows[],
): readonly CommittedRows[] {
  return committed.filter(({ step }) => (steps.find(({ id }) => id === step)?.writes ?? "appends") === "appends")
}

/** Such as `10 rows at output "write"`. */
export function shownRows(committed: readonly CommittedRows[]): string {
  return committed.map(({ step, rows }) => `${rows} ${rows === 1 ? "row" : "rows"} at output "${step}"`).join(" and ")
}

/** An input of which some splits are committed: the others can be read only as the source is now. */
export interface LostSnapshot {
  readonly step: string
  readonly committed: number
  readonly splits: number
  /** Splits that mean other rows under another snapshot: they cannot be read any more. */
  readonly volatile: readonly Split[]
}

/** The inputs whose state of the data has gone with the process that had pinned it. */
export function lostSnapshots({ inputs, receipts }: RunProgress): readonly LostSnapshot[] {
  const done = new Set(receipts.map(({ split }) => split))
  return inputs.flatMap(({ step, splits, oneSnapshot }) => {
    const left = splits.filter(({ id }) => !done.has(`${step}/${id}`))
    const volatile = left.filter((split) => split.volatile === true)
    const isMixed = left.length > 0 && left.length < splits.length
    if (!isMixed || (!oneSnapshot && volatile.length === 0)) return []
    return [{ step, committed: splits.length - left.length, splits: splits.length, volatile }]
  })
}

/** What is different in how an input gives its columns now; undefined when nothing is. */
export function columnsDiffer({ columns }: OpenedInput, now: Columns | undefined): string | undefined {
  if (now === undefined) return "the flow has no such input"
  const before = columns.map(({ name, type }) => ({ name, type: JSON.stringify(type) }))
  const after = new Map(now.map(({ name, type }) => [name, JSON.stringify(type)]))
  for (const { name, type } of before) {
    if (!after.has(name)) return `column "${name}" is gone`
    if (after.get(name) !== type) return `column "${name}" is of another type`
  }
  const extra = now.find(({ name }) => !before.some((column) => column.name === name))
  if (extra !== undefined) return `column "${extra.name}" is new`
  return now.every(({ name }, i) => before[i]?.name === name) ? undefined : "the columns are in another order"
}

/** What is different in where data sources lead; undefined when nothing is. */
export function sourcesDiffer(
  before: readonly SourceFingerprint[],
  now: readonly SourceFingerprint[],
): string | undefined {
  for (const { name, type, place } of before) {
    const found = now.find((source) => source.name === name)
    if (found === undefined) return `data source "${name}" is not used any more`
    if (found.type !== type) return `data source "${name}" was of type ${type}, now it is of type ${found.type}`
    for (const option of new Set([...Object.keys(place), ...Object.keys(found.place)])) {
      if (place[option] !== found.place[option])
        return `the ${option} of data source "${name}" was ${shown(place[option])}, now it is ${shown(found.place[option])}`
    }
  }
  return undefined
}

function shown(value: string | number | undefined): string {
  return value === undefined ? "not set" : `"${value}"`
}
