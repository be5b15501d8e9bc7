import { failure } from "../host/failure.ts"
import type { OutputReceipt, StepCount } from "./report.ts"

/** What is kept with a commit, for a run that is resumed: enough to write the split's receipt again. */
export interface CommitNote {
  readonly attempt: number
  readonly read: number
  readonly steps: readonly StepCount[]
  readonly output: OutputReceipt
}

export function noteText(note: CommitNote): string {
  return JSON.stringify({ version: 1, ...note })
}

/** Fails when somebody has changed what an output kept. */
export function readNote(text: string): CommitNote {
  try {
    const note = JSON.parse(text) as CommitNote & { readonly version: number }
    if (note.version === 1) return note
  } catch {}
  throw failure("data", "Cannot read what an earlier attempt has noted beside its commit", {
    hint: "Look at the ledger of the target; a later version of Headrace may have written it",
  })
}
