import { Context } from "effect"
import type { NewRun } from "./run-record.ts"
import type { Attempt } from "./run-store.ts"

/** A rejected row as it is kept. */
export interface KeptRow {
  readonly id: number
  readonly step: string
  readonly split: string
  readonly row: number
  readonly position?: string
  readonly column?: string
  readonly value?: string | null
  readonly reason: string
  readonly code?: string
  /** The row by column name, as text. Absent: it could not be read. */
  readonly record?: Readonly<Record<string, string | null>>
  readonly status: "waiting" | "replayed" | "dropped"
  /** The replay that has taken it. */
  readonly replay?: string
  /** True when its split was committed: nobody will read the row again by resuming the run. */
  readonly isFinal: boolean
}

export interface KeptRowsFilter {
  readonly run: string
  readonly step?: string
  readonly status?: KeptRow["status"]
  /** Rows that may be replayed: waiting, final, and taken by nobody. */
  readonly isFree?: boolean
  readonly limit?: number
}

/** How many rows of a run wait for the same reason. */
export interface WaitingRows {
  readonly run: string
  readonly flow?: string
  readonly step: string
  /** Without the values of the rows. */
  readonly reason: string
  readonly rows: number
  /** Those that a replay has taken and not settled. */
  readonly held: number
}

/** A row that is to be replayed, as it will be written. */
export interface MendedRow {
  readonly id: number
  readonly record: Readonly<Record<string, string | null>>
}

/** What became of the rows that a replay took. */
export interface Settlement {
  readonly replayed: number
  /** Rejected again; they wait with the new reason. */
  readonly rejected: number
  /** Not tried; they wait as before. */
  readonly released: number
}

/**
 * Rejected rows, until somebody replays or drops them. A replay is a run of its own: it takes rows before it begins, and
 * what became of them is settled from what that run has committed, at its end or after a crash.
 */
export class Quarantine extends Context.Service<
  Quarantine,
  {
    /** Waiting rows of all runs, or of one; newest run first, most rows first; a thousand kinds at most. */
    waiting(run?: string): Promise<readonly WaitingRows[]>
    /** In the order in which they were kept, read as they are asked for. */
    rows(filter: KeptRowsFilter): AsyncIterable<KeptRow>
    /** One row of a run. */
    row(run: string, id: number): Promise<KeptRow | undefined>
    count(filter: KeptRowsFilter): Promise<number>
    /** Resolves to the number of rows; rows that a replay has taken stay. */
    drop(run: string, step?: string): Promise<number>
    /**
     * Records a replay and lets it take rows, in one transaction. Rejects, with nothing taken, where the replay's id
     * exists, where a row is not free, or where `rows` throws. Of no rows nothing is recorded.
     */
    take(replay: NewRun, rows: AsyncIterable<MendedRow>): Promise<number>
    /** The replays of a run, oldest first. */
    replays(run: string): Promise<readonly { readonly id: string; readonly isSettled: boolean }[]>
    /** Ranges of at most `size` rows that a replay has taken, by their first and last id. */
    ranges(replay: string, size: number): Promise<readonly (readonly [first: number, last: number])[]>
    /** The rows of such a range as they will be written. */
    taken(replay: string, first: number, last: number): AsyncIterable<MendedRow>
    /** Settles a replay that has ended, from its receipts; every row that was not written is free again. */
    settle(replay: Attempt, entry: ReplayEntry): Promise<Settlement>
  }
>()("core/store/Quarantine") {}

/** Where the rows of a replay enter its flow. */
export interface ReplayEntry {
  /** The step that gives them. */
  readonly input: string
  /** The step that had rejected them. */
  readonly step: string
}

/** Name of a split that replays a range of rows. */
export function rangeName(first: number, last: number): string {
  return `rows-${first}-${last}`
}

/** The range that a split of a replay stands for. */
export function rangeOf(split: string): readonly [first: number, last: number] | undefined {
  const found = /\/rows-(\d+)-(\d+)$/.exec(split)
  return found === null ? undefined : [Number(found[1]), Number(found[2])]
}
