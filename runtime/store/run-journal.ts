import type { Journal, Rejection } from "../../core/run/journal.ts"
import type { Attempt, RunStore } from "../../core/store/run-store.ts"
import { maskedJson } from "../sources/secrets.ts"

export interface JournalOptions {
  readonly store: RunStore["Service"]
  readonly run: Attempt
  /** The run in whose name rejected rows wait; another one for a replay. */
  readonly origin: string
  /** Data source of each input, by step. */
  readonly markSources: Readonly<Record<string, string>>
  /** Takes secrets out of what is kept. */
  readonly mask: (text: string) => string
}

/** The journal of an attempt over the run store. Rejected rows are gathered and written some thousand at a time. */
export function makeRunJournal({ store, run, origin, markSources, mask }: JournalOptions): Journal["Service"] {
  let rows: Rejection[] = []
  let characters = 0
  /** Characters that the store has not kept yet. */
  let waiting = 0
  let writing: Promise<void> = Promise.resolve()
  /** The latest try of each split: one that was given up may still hand over rows. */
  const tries = new Map<string, number>()
  let fault: { readonly error: unknown } | undefined

  function flush(): void {
    if (rows.length === 0) return
    const batch = rows
    const size = characters
    rows = []
    characters = 0
    waiting += size
    writing = writing.then(async () => {
      await keep(batch)
      waiting -= size
    })
  }

  /** Never rejects: what went wrong is the `fault`, and nothing is written after it. */
  async function keep(batch: readonly Rejection[]): Promise<void> {
    if (fault !== undefined) return
    try {
      await store.keep(run, batch)
    } catch (error) {
      fault ??= { error }
    }
  }

  async function flushed(): Promise<void> {
    flush()
    await writing
    if (fault !== undefined) throw fault.error
  }

  return {
    inputOpened: (input) => store.inputOpened(run, input),
    async splitStarted(split, attempt, kept) {
      tries.set(split, attempt)
      await flushed()
      await store.splitStarted(run, split, attempt, kept)
    },
    reject(rejection) {
      if (rejection.attempt < (tries.get(rejection.split) ?? 0)) return
      // What cannot be kept must not be dropped without a word: the run ends.
      if (fault !== undefined) throw fault.error
      rows.push(rejection)
      characters += weightOf(rejection)
      if (characters >= MOST_CHARACTERS) flush()
    },
    async room() {
      if (waiting > MOST_WAITING) await writing
    },
    sealed: flushed,
    splitCommitted: (receipt) => store.splitCommitted(run, receipt),
    async finished(report) {
      await flushed().catch((error) => {
        // A run that has failed already says why, and that is worth more.
        if (report.status === "succeeded") throw error
      })
      await store.finish(run, { report: maskedJson(report, mask), markSources })
      return report.rejected === 0 ? [] : [`rejected rows: headrace quarantine show ${origin}`]
    },
  }
}

/** Characters that a row occupies, about. */
function weightOf({ record, reason, value }: Rejection): number {
  let characters = ROW_CHARACTERS + reason.length + (value?.length ?? 0)
  for (const name in record) characters += name.length + (record[name]?.length ?? 0)
  return characters
}

/** Written at a time. */
const MOST_CHARACTERS = 1_048_576
const MOST_WAITING = 8 * MOST_CHARACTERS
const ROW_CHARACTERS = 100
