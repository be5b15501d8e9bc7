import type { Columns, TableInfo, TableName } from "../../contract/index.ts"
import type { RunEvent } from "../../events/events.ts"
import type { PreviewedParameter } from "../../flow/parameters/index.ts"
import type { FlowProblem } from "../../flow/problem.ts"
import type { RunReport } from "../../run/report.ts"
import type { Settlement } from "../../store/quarantine.ts"
import type { RunOverrides } from "../../store/run-record.ts"
import type { FolderPolicy } from "../sources/folders.ts"
import type { OpenSource } from "../sources/source-registry.ts"
import type { CheckedFlow } from "./workbench.ts"

/** What every order brings along: a worker has nothing of its own. */
export interface Brought {
  /** Data sources that the flow may use, secrets in clear. */
  readonly sources: readonly OpenSource[]
  /** Where its files may lie; relative paths start from the first folder. */
  readonly files: FolderPolicy
}

/** A flow as a worker plans it. */
export interface FlowOrder extends Brought {
  readonly document: string
  /** What the flow is called in the store of runs, whatever its document says; null: nothing is kept under a name. */
  readonly name?: string | null
  /** Settings that take the place of its own. */
  readonly overrides?: RunOverrides
  readonly parameters: Readonly<Record<string, string>>
  readonly bizdate?: string
  readonly scheduledAt?: string
}

/** A run that is recorded. */
export interface RunOfOrder extends Brought {
  readonly run: string
  readonly name?: string | null
  readonly overrides?: RunOverrides
}

/** A look at one data source. */
export interface SourceOrder extends Brought {
  /** Its name, among those that were brought. */
  readonly source: string
}

/** What a worker can be told to do, by name. */
export interface Orders {
  /** Plans a flow and runs it, under this id. */
  readonly run: FlowOrder & { readonly run: string }
  /** Goes on with a run; begins it, if it was never recorded. */
  readonly resume: FlowOrder & { readonly run: string; readonly newSnapshot: boolean; readonly force: boolean }
  /** Gives up the run `of`, and begins it anew under the id `run`. */
  readonly restart: RunOfOrder & { readonly of: string; readonly force: boolean }
  /** Removes what a dead run has left, and records it as cancelled. */
  readonly close: RunOfOrder & { readonly force: boolean }
  /** Writes rejected rows of a run. `assignments` as `headrace quarantine replay --set` takes them. */
  readonly replay: RunOfOrder & {
    readonly step?: string
    readonly assignments: readonly string[]
    /** Only these, as they are here: lines of JSON. */
    readonly rows?: string
  }
  readonly check: FlowOrder
  readonly plan: FlowOrder
  readonly preview: FlowOrder & { readonly step?: string; readonly rows: number }
  readonly parameters: FlowOrder
  /** Makes the tables that are missing at its outputs, and moves no row. */
  readonly createTables: FlowOrder
  readonly testConnection: SourceOrder
  readonly tables: SourceOrder & { readonly schema?: string; readonly text?: string }
  readonly columns: SourceOrder & { readonly table: TableName }
}

export type OrderKind = keyof Orders

/** Whether an order moves rows, and not only looks. */
export function movesRows(kind: OrderKind): boolean {
  return MOVES.has(kind)
}

const MOVES: ReadonlySet<OrderKind> = new Set<OrderKind>(["run", "resume", "restart", "close", "replay"])

/** What comes of it. */
export interface Answers {
  readonly run: RunReport
  readonly resume: RunReport
  readonly restart: RunReport
  readonly close: ClosedRun
  readonly replay: readonly ReplayedRows[]
  readonly check: CheckedFlow
  /** As `headrace plan --json` prints it. */
  readonly plan: unknown
  readonly preview: ShownRows
  readonly parameters: {
    readonly bizdate: string
    readonly scheduledAt: string
    readonly parameters: readonly PreviewedParameter[]
  }
  readonly createTables: CreatedTables
  readonly testConnection: { readonly server: string; readonly durationMs: number }
  readonly tables: readonly TableName[]
  readonly columns: TableInfo
}

/** Tables that outputs of a flow have made, one by one. */
export interface CreatedTables {
  readonly tables: readonly {
    readonly step: string
    readonly dataSource: string
    readonly statements: readonly string[]
  }[]
  readonly warnings: readonly FlowProblem[]
}

export interface ClosedRun {
  readonly report: RunReport
  /** What could not be removed, one line each. */
  readonly troubles: readonly string[]
}

/** What became of the rejected rows of one step. */
export interface ReplayedRows extends Settlement {
  readonly step: string
  readonly report?: RunReport
  readonly trouble?: string
  readonly incomplete: number
}

/** The first rows at places of a flow, as canonical text. */
export interface ShownRows {
  readonly shown: readonly {
    readonly step: string
    readonly columns: Columns
    readonly rows: readonly (readonly (string | null)[])[]
  }[]
  readonly rejections: readonly {
    readonly step: string
    readonly row: number
    readonly column?: string
    readonly reason: string
    readonly position?: string
  }[]
  /** There may be more rows. */
  readonly isCut: boolean
  /** Why it could not go on. */
  readonly failure?: { readonly message: string; readonly hint?: string; readonly step?: string }
}

/** What a worker tells while it works. Secrets are masked. */
export type Told =
  | { readonly kind: "event"; readonly event: RunEvent }
  | {
      readonly kind: "log"
      readonly at: number
      readonly level: "debug" | "info" | "warn" | "error"
      readonly text: string
    }
