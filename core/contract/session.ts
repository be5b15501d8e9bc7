import type { Batches } from "./batch.ts"
import type { Failure, FailureOptions, FailureReason } from "./failure.ts"
import type { Files } from "./files.ts"

/**
 * What the host gives to a component for one call: the only way to the outside besides its own driver.
 * Plugins hold no state in modules; two runs may use one plugin at the same time.
 */
export interface Session {
  /**
   * Aborted when the call must end: cancel, deadline, or a failure elsewhere in the run. A component stops reading,
   * cancels what runs on the server, closes, and lets its promise settle; the host waits for that and then kills.
   */
  readonly signal: AbortSignal
  readonly log: Log
  readonly batches: Batches
  readonly files: Files
  /** Values of the flow's parameters, resolved and typed. Options of `format: "sql"` still hold `${name}`: bind or quote, never paste. */
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly settings: RunSettings
  /**
   * Identity of this run, for ownership marks and for fencing. `fence` is 1 at first and larger each time the run is
   * resumed: a larger one makes every smaller one of the same run void.
   */
  readonly run: { readonly id: string; readonly fence: number }
  /**
   * Hands over a row that cannot be read or written. The run counts it, keeps it with its reason, and goes on while
   * the limit allows; beyond it this throws a failure that the component must let pass.
   */
  reject(row: RejectedRow): void
  /**
   * An output calls this when its rows have ended, right before it commits them: what was rejected is durable when it
   * resolves. It rejects when rows cannot be kept; the output then rolls back.
   */
  sealed(): Promise<void>
  /** A transform that drops rows on purpose says how many: rows that vanish without a word fail the run. */
  filtered(rows: number): void
  /** A transform that makes more rows than it was given says how many more. */
  made(rows: number): void
  /** Counts values that were changed by a declared policy (`zeroDates: "null"`, …); shown in the receipt under `policy`. */
  adjusted(policy: string, column: string, values: number): void
  failure(reason: FailureReason, message: string, options?: FailureOptions): Failure
}

/** Log lines carry fields, never secrets. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** A resolved parameter. Dates are ISO text, numbers are text: exactness holds here as well. */
export interface ParameterValue {
  readonly type: "string" | "integer" | "decimal" | "date" | "timestamp" | "boolean"
  readonly value: string
}

/** Settings of the run that components need to know. */
export interface RunSettings {
  /** Rows in a batch at most. */
  readonly batchRows: number
  /** Bytes in a batch, about. */
  readonly batchBytes: number
  /** Bytes that a component may hold in buffers of its own for one split. */
  readonly bufferBytes: number
  /**
   * Bytes of forwarded rows that a load may keep, for one split, until the server has taken them: four times `bufferBytes`
   * for all splits that run at the same time, and `bufferBytes` at least. Few large pieces are taken faster than many.
   */
  readonly loadBytes: number
  /** IANA name of the zone that time-of-day conversions use. */
  readonly timeZone: string
  readonly connectTimeoutMs: number
  readonly connectRetries: number
  /** Limit of one statement of planning, preparation or completion; the host sees to it, see {@link Connection}. */
  readonly statementTimeoutMs: number
  /**
   * What becomes of columns that a source has and the plan, or a target, has not: `fail` refuses them when they appear
   * after the plan, `ignore` goes on without them, `addColumns` adds them to the targets.
   */
  readonly schemaDrift: "fail" | "addColumns" | "ignore"
}

/** A row that could not be read or written. */
export interface RejectedRow {
  /** Position in the split, counted from 0 at the input. */
  readonly row: number
  /** The column that is to blame, where that is known. */
  readonly column?: string
  /** The value as canonical text or as the source wrote it; NULL is null; binary as `\x…`. */
  readonly value?: string | null
  /** One sentence: what is wrong with it. */
  readonly reason: string
  /** The system's own code, such as an SQLSTATE. */
  readonly code?: string
  /** The whole row by column name, as text, so that it can be mended and replayed. */
  readonly record?: Readonly<Record<string, string | null>>
  /** Where it stands in the source, such as `orders.csv:120`. */
  readonly position?: string
}
