import { makeBatches } from "../batch/index.ts"
import type { Files, Log, ParameterValue, RejectedRow, RunSettings, Session } from "../contract/index.ts"
import { failure } from "./failure.ts"
import type { Parking } from "./parking.ts"

/** What the host knows when it makes a session. */
export interface SessionOptions {
  readonly signal: AbortSignal
  readonly log: Log
  readonly files: Files
  readonly parking?: Parking
  readonly settings: RunSettings
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly run: { readonly id: string; readonly fence: number }
  readonly reject: (row: RejectedRow) => void
  readonly sealed: () => Promise<void>
  readonly filtered: (rows: number) => void
  readonly made: (rows: number) => void
  readonly adjusted: (policy: string, column: string, values: number) => void
  /** Every step that rows come to lets go of them: memory goes round. */
  readonly reuse?: boolean
}

/** For a session in which no rows flow. */
export const noRows: Pick<SessionOptions, "sealed" | "filtered" | "made" | "adjusted"> = {
  sealed: async () => {},
  filtered: () => {},
  made: () => {},
  adjusted: () => {},
}

export function makeSession(options: SessionOptions): Session {
  const { reuse, ...given } = options
  const { batchRows: rows, batchBytes: bytes } = given.settings
  return { ...given, batches: makeBatches({ rows, bytes }, reuse), failure }
}
