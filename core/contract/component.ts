import type { Batch, Frame } from "./batch.ts"
import type { Session } from "./session.ts"
import type { Columns } from "./type.ts"

/**
 * A component's options as JSON Schema (draft 2020-12, one object). Forms, documentation, completion and checks are
 * drawn from it, and the host fills in every `default` before the component sees its configuration.
 *
 * Rules that the conformance suite holds every component to: each option has a `description` that ends in a period;
 * a number has its unit in its name (`timeoutMs`, `batchRows`, `maxBytes`); names come from one vocabulary
 * (`dataSource`, `table`, `query`, `columns`, `keyColumns`, `where`, `splitColumn`, `batchRows`, `batchBytes`,
 * `path`, …); `additionalProperties` is false.
 *
 * Keywords of ours: `"format": "sql"` marks SQL text, in which parameters are bound or quoted instead of pasted;
 * `"x-secret": true` marks a secret, which is encrypted at rest and masked everywhere; `"x-dataSource": "<type>"`
 * marks the name of a data source, which the host replaces by a {@link DataSource} before the component sees it.
 */
export interface ConfigSchema {
  readonly type: "object"
  readonly properties: Readonly<Record<string, ConfigProperty>>
  readonly required?: readonly string[]
  readonly additionalProperties: false
  readonly [keyword: string]: unknown
}
export interface ConfigProperty {
  readonly description: string
  readonly default?: unknown
  readonly [keyword: string]: unknown
}

/** A named connection with its settings, secrets in clear: never log it. */
export interface DataSource<S = unknown> {
  readonly name: string
  /** The database type's id, such as `postgres`. */
  readonly type: string
  readonly settings: S
}

/** What every component says of itself. `C` is its configuration with defaults filled in. */
export interface ComponentBase {
  /** `<system>-<kind>` for inputs and outputs, a verb for transforms, the system for databases. Also its file's name. */
  readonly id: string
  /** What a person calls it: two or three words. */
  readonly title: string
  /** One sentence. */
  readonly summary: string
  /** Markdown: behaviour, limits, traps. Shown with the options. */
  readonly description?: string
  readonly config: ConfigSchema
  readonly examples: readonly { readonly title: string; readonly config: unknown }[]
}

/** Something found while planning. `error` stops the plan; `lossy` needs consent (`allowLossy`); `warning` is shown. */
export interface Issue {
  readonly severity: "error" | "lossy" | "warning"
  readonly column?: string
  readonly message: string
  readonly hint?: string
}

/**
 * Reads rows.
 *
 * `plan` is called often (check, plan, forms) and must be cheap and read-only. It is called twice for a run: first for
 * all columns, then with those that the steps behind really use, in the order they want.
 */
export interface Input<C = unknown> extends ComponentBase {
  readonly kind: "input"
  plan(config: C, request: InputRequest, session: Session): Promise<InputPlan>
  /** Takes the snapshot and fixes the splits. */
  open(config: C, request: OpenRequest, session: Session): Promise<Source>
}
export interface InputRequest {
  /** Only these columns, in this order. Absent: all, in the source's order. */
  readonly columns?: readonly string[]
}
export interface InputPlan {
  /** The static schema. It holds for every row, or the row is rejected. */
  readonly columns: Columns
  /** Wire encodings in which it can give exactly these columns, best first. Batches are always possible. */
  readonly encodings: readonly string[]
  /** What is evaluated at the source, how it will be split, what cannot be guaranteed: lines for `headrace plan`. */
  readonly notes: readonly string[]
  readonly issues: readonly Issue[]
  readonly estimatedRows?: number
  /**
   * The names of all columns of the source, where the flow asks for all of them, so that one that is added before the
   * run begins is noticed. Absent: new columns are of no concern.
   */
  readonly seen?: readonly string[]
}
export interface OpenRequest {
  readonly columns: readonly string[]
  /** What the plan promised of these columns, for a source that may have changed since. Absent: there was no plan. */
  readonly planned?: Columns
  /** {@link InputPlan.seen} of the plan: `session.settings.schemaDrift` says what becomes of columns that are not among them. */
  readonly seen?: readonly string[]
  /** Give frames in this encoding. Absent: batches. */
  readonly encoding?: string
  /** How many splits can be read at the same time. The source may offer more splits, or fewer. */
  readonly parallel: number
  /** Splits of an interrupted run, to be read again as they were. */
  readonly splits?: readonly Split[]
  /** Where the last run that succeeded ended, for an input that loads by a growing column; see {@link Source.mark}. */
  readonly mark?: string
}

/** A range of an input, and the unit of parallelism, retry, commit and resume. Serialisable. */
export interface Split {
  /** Unique in the input; the same range has the same id in a resumed run. */
  readonly id: string
  /** For people: `id < 1000`, `pages 0-511`, `orders.csv`. */
  readonly label: string
  /** Whatever the input needs to read it again. JSON. */
  readonly state: unknown
  /**
   * True when the range means the same rows only within one snapshot, such as a range of pages: an interrupted run
   * cannot go on with the others of its splits under a new one.
   */
  readonly volatile?: boolean
}

/** An opened input. */
export interface Source extends AsyncDisposable {
  readonly splits: readonly Split[]
  /** True when all splits see one state of the data. Otherwise `consistencyNote` says what that means. */
  readonly oneSnapshot: boolean
  /**
   * True when a split gives the same rows whenever it is read, such as rows that follow from a seed: no snapshot is lost
   * with a process, and an interrupted run goes on without asking.
   */
  readonly lasting?: boolean
  readonly consistencyNote?: string
  /** How far this source reads, as canonical text: what the next run gets as its mark once this one has succeeded. */
  readonly mark?: string
  /**
   * The rows of one split. Called once per attempt; several splits may be read at the same time. Stops, and frees what
   * it holds, when the consumer returns early or `session.signal` aborts.
   */
  read(split: Split, session: Session): AsyncIterable<Batch | Frame>
}

/** Turns rows into rows. Every split passes through an instance of its own, so state never crosses splits. */
export interface Transform<C = unknown> extends ComponentBase {
  readonly kind: "transform"
  /**
   * True when it reads a batch only until it asks for the next one, and keeps nothing of it but copies. Where all steps
   * behind an input do so, the memory of batches goes round. Absent: batches are its own for as long as it likes.
   */
  readonly letsGo?: boolean
  /** Pure: no input, no output, no clock. Called with every input column first, then again with what successors use. */
  plan(config: C, request: TransformRequest, session: Pick<Session, "failure" | "parameters">): TransformPlan
  /** Yields batches whose columns are exactly `shape.output`. `shape.input` holds what its plan required, maybe more. */
  apply(config: C, shape: TransformShape, batches: AsyncIterable<Batch>, session: Session): AsyncIterable<Batch>
}
export interface TransformRequest {
  readonly input: Columns
  /** The output columns that successors use. Absent: all. */
  readonly wanted?: readonly string[]
}
export interface TransformPlan {
  readonly columns: Columns
  /** The input columns that these outputs are made from. */
  readonly requires: readonly string[]
  readonly issues: readonly Issue[]
  readonly notes?: readonly string[]
}
export interface TransformShape {
  readonly input: Columns
  readonly output: Columns
}

/** Sends every row to one of its branches; hops name the branch in `send`. */
export interface Router<C = unknown> extends ComponentBase {
  readonly kind: "router"
  plan(config: C, request: TransformRequest, session: Pick<Session, "failure" | "parameters">): RouterPlan
  /** The branch of each row as a position in the plan's `branches`; 255 filters the row out. */
  route(config: C, batch: Batch, session: Session): Uint8Array
}
export interface RouterPlan {
  readonly branches: readonly string[]
  readonly requires: readonly string[]
  readonly issues: readonly Issue[]
}

/** Writes rows. */
export interface Output<C = unknown> extends ComponentBase {
  readonly kind: "output"
  /** As {@link Transform.letsGo}, of what `write` is given. */
  readonly letsGo?: boolean
  /** Looks at the target and changes nothing. */
  plan(config: C, input: Columns, session: Session): Promise<OutputPlan>
  /**
   * Prepares the target: creates a missing table, runs preparation statements. In a resumed run (`session.run.fence` is
   * above 1) it finds what the earlier attempt left, does nothing twice, and makes that attempt unable to commit.
   */
  open(config: C, request: SinkRequest, session: Session): Promise<Sink>
  /**
   * Removes what a run that died left unfinished at the target, and only that: staged data, a table that it created
   * and never filled. Called instead of `open`, for a run that nobody will resume. Absent: it leaves nothing.
   */
  discard?(config: C, request: { readonly step: string }, session: Session): Promise<void>
  /**
   * How much a run that nobody works on has committed: asked before another run begins whose rows would be there twice.
   * Makes its attempts unable to commit any more. Absent, or undefined: nobody knows but the host.
   */
  committed?(
    config: C,
    request: { readonly step: string },
    session: Session,
  ): Promise<{ readonly splits: number; readonly rows: number } | undefined>
}
export interface OutputPlan {
  /** The input columns it writes, in the order in which it would like them. */
  readonly uses: readonly string[]
  /** Encodings that it can take for exactly these columns, best first. */
  readonly encodings: readonly string[]
  readonly issues: readonly Issue[]
  readonly notes: readonly string[]
  /** Statements that `open` would run to make the target, such as CREATE TABLE. */
  readonly creates?: readonly string[]
}
export interface SinkRequest {
  /** What the batches or frames hold. */
  readonly input: Columns
  readonly encoding?: string
  /** How many splits will be written in this run. */
  readonly splits: number
  /** Id of the step, unique in the flow: two outputs of one run may have the same target. */
  readonly step: string
}

/** An opened output. */
export interface Sink extends AsyncDisposable {
  /**
   * Writes one split in one transaction and resolves after the commit. On failure nothing of the split stays. Several
   * splits may be written at the same time. Rejects through `session.reject` what the target refuses, and awaits
   * `session.sealed()` right before the commit.
   */
  write(split: SplitRef, rows: AsyncIterable<Batch | Frame>, session: Session): Promise<WriteReceipt>
  /**
   * What this run has committed of a split, in this attempt or in an earlier one; asked before a split is written
   * again. Absent: the sink cannot tell, so a split is never tried twice.
   */
  committed?(split: string, session: Session): Promise<CommittedSplit | undefined>
  /** All splits are committed: completion statements, making staged data visible. Called again after a crash, it does nothing twice. */
  finish(session: Session): Promise<void>
  /** The run failed or was cancelled: removes what is not committed, such as staged data or a table it created. */
  abort(session: Session): Promise<void>
}

/** A split as outputs know it: unique in the run. */
export interface SplitRef {
  readonly id: string
  readonly attempt: number
  /** What the host wants kept beside the commit: some lines of text. Call it when the rows have ended. */
  note(): string
}
export interface CommittedSplit extends WriteReceipt {
  /** What `note()` gave at the commit. */
  readonly note: string
}
export interface WriteReceipt {
  readonly written: number
  /** `exactly-once`: repeating the split writes nothing twice. `at-least-once`: it may. */
  readonly guarantee: "exactly-once" | "at-least-once"
}
