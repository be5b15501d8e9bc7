import type { Column, Columns, LogicalType } from "./type.ts"

/**
 * Some thousand rows in columns: the unit that travels between steps. Layout is Apache Arrow's, so a batch becomes
 * Arrow IPC without copying. A batch is immutable once built: steps share it, nobody writes to it. Where every step that
 * it comes to lets go of batches (`letsGo`), its memory is used again once the next one is asked for.
 */
export interface Batch {
  readonly encoding?: undefined
  readonly columns: Columns
  readonly rows: number
  readonly vectors: readonly Vector[]
  /** What it occupies, for back-pressure and for the receipt. */
  readonly bytes: number
  /** Position of its first row in the split, counted from 0 at the input; used to name rejected rows. */
  readonly firstRow: number
  /** Position of each row, where rows in between were rejected or filtered; absent: consecutive from `firstRow`. */
  readonly positions?: Float64Array
}

/**
 * Rows as bytes in a named wire encoding (`postgres-copy-binary`, …), forwarded unread when input and output agree
 * on the encoding and no step between them needs values. A frame always holds whole rows, without the stream's header
 * or trailer. Its memory is the reader's: it is valid until the next item is asked for, and whoever keeps it copies it.
 */
export interface Frame {
  readonly encoding: string
  readonly rows: number
  readonly data: Uint8Array
  readonly bytes: number
  readonly firstRow: number
}

/** What every vector has. `validity` is a bitmap, least significant bit first, 1 = present; absent = no NULLs. */
interface VectorBase {
  readonly type: LogicalType
  readonly length: number
  readonly nulls: number
  readonly validity: Uint8Array | undefined
}

/** boolean: one bit a value. */
export interface BitVector extends VectorBase {
  readonly storage: "bit"
  readonly values: Uint8Array
}
/** int16. */
export interface Int16Vector extends VectorBase {
  readonly storage: "int16"
  readonly values: Int16Array
}
/** int32, date. */
export interface Int32Vector extends VectorBase {
  readonly storage: "int32"
  readonly values: Int32Array
}
/**
 * int64, uint64, time, timestamp. `words` is the same memory in 32-bit halves, low half first: two numbers per
 * value, far faster than a bigint where the bits are only moved. An int64 never becomes a `number`.
 */
export interface Int64Vector extends VectorBase {
  readonly storage: "int64"
  readonly values: BigInt64Array
  readonly words: Int32Array
}
export interface Float32Vector extends VectorBase {
  readonly storage: "float32"
  readonly values: Float32Array
}
export interface Float64Vector extends VectorBase {
  readonly storage: "float64"
  readonly values: Float64Array
}
/** string, bytes, decimal, json, interval, native: value i is `data[offsets[i] .. offsets[i+1])`. */
export interface BytesVector extends VectorBase {
  readonly storage: "bytes"
  readonly offsets: Int32Array
  readonly data: Uint8Array
}
/** uuid: 16 bytes a value. */
export interface UuidVector extends VectorBase {
  readonly storage: "uuid"
  readonly data: Uint8Array
}
export type Vector =
  | BitVector
  | Int16Vector
  | Int32Vector
  | Int64Vector
  | Float32Vector
  | Float64Vector
  | BytesVector
  | UuidVector

/**
 * Collects one column. Call exactly one method per row; which ones fit follows from the type (see {@link Vector}).
 * A call that does not fit the storage throws: that is a bug in the plugin, not bad data.
 */
export interface ColumnBuilder {
  readonly type: LogicalType
  null(): void
  boolean(value: boolean): void
  /** int16, int32, date (days). The caller guarantees the range. */
  int(value: number): void
  /** int64, uint64, time, timestamp: the two halves of the 64-bit integer, as signed or unsigned 32-bit numbers. */
  int64(low: number, high: number): void
  bigint(value: bigint): void
  /** float32, float64. */
  float(value: number): void
  /** Storage "bytes" and uuid (16 bytes): copies `source[start .. end)` as it is. The caller guarantees valid UTF-8 for text. */
  bytes(source: Uint8Array, start: number, end: number): void
  /** Storage "bytes": encodes a JavaScript string as UTF-8. */
  text(value: string): void
  /**
   * Any type: reads the canonical text `source[start .. end)` (see {@link LogicalType}) and appends the value.
   * Returns false, appending nothing, when that is not a value of the type: out of range, too long, malformed,
   * more digits than the type holds, malformed UTF-8. Besides the canonical form it takes what databases print: `t`/`f`/`1`/`0` for
   * booleans, `T` between date and time, any zone offset, exponents in decimals, upper-case hex.
   */
  parse(source: Uint8Array, start: number, end: number): boolean
}

/**
 * Builds batches row by row:
 *
 * ```ts
 * const builder = session.batches.builder(columns)
 * for (const row of rows) {
 *   builder.columns[0].int(row.id)
 *   if (!builder.columns[1].parse(row.bytes, row.start, row.end)) { builder.discardRow(); reject(row); continue }
 *   builder.endRow()
 *   if (builder.full) yield builder.finish()
 * }
 * if (builder.rows > 0) yield builder.finish()
 * ```
 */
export interface BatchBuilder {
  readonly columns: readonly ColumnBuilder[]
  /** Rows ended since the last `finish`. */
  readonly rows: number
  /** True when the batch has reached its size in rows or in bytes. */
  readonly full: boolean
  /** Ends a row. Throws when a column did not get exactly one value. */
  endRow(): void
  /**
   * Ends so many rows at once, whose values were appended column by column. They must find room up to the builder's
   * number of rows, and none of them can be discarded; their bytes are looked at only behind the last of them.
   */
  endRows(rows: number): void
  /** Forgets what the unfinished row has put into any column. A half-read row never travels on. The row still counts in `firstRow`. */
  discardRow(): void
  /** The batch so far; the builder starts afresh with other memory. */
  finish(): Batch
  /**
   * Gives back a batch of this builder, once, when its consumer has asked for the next: its memory is used again. Does
   * nothing in a run where somebody may still read it.
   */
  recycle(batch: Batch): void
}

/** Casts the vectors of one column, one after the other. */
export interface Caster {
  /** As {@link Batches.cast} does it. */
  cast(vector: Vector): { readonly vector: Vector; readonly failed: readonly number[] }
  /** Gives back what the last call has given, as {@link BatchBuilder.recycle} does. */
  recycle(vector: Vector): void
}

/** The canonical text of a column's values, for outputs that write text. Valid for one vector. */
export interface TextView {
  /** The most bytes that `write` may need for this row; 0 for NULL. */
  size(row: number): number
  /** Writes the text of a present value to `target` at `at`; returns the position after it. Room is the caller's duty. */
  write(row: number, target: Uint8Array, at: number): number
}

/** A row for people who do not care about columns. Exact: int64 is bigint; decimal, timestamp and json are text. */
export type Value = null | boolean | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, Value>>

/** The host's batch machinery, handed to plugins so that they need none of their own at run time. */
export interface Batches {
  /** `rows` and `bytes` default to the run's settings. */
  builder(columns: Columns, options?: { readonly rows?: number; readonly bytes?: number }): BatchBuilder
  text(vector: Vector): TextView
  /** True where the value is NULL. */
  isNull(vector: Vector, row: number): boolean
  /** Position of a row in the split. */
  position(batch: Batch, row: number): number
  /** A whole row by column name as canonical text, for `reject`. */
  record(batch: Batch, row: number): Record<string, string | null>
  /** One value as canonical text, or null; for messages and small jobs, not for loops. */
  valueText(vector: Vector, row: number): string | null
  /** Rows as objects, made lazily. */
  rows(batch: Batch): Iterable<Row>
  /** Objects as a batch. Throws a failure with reason `data` that names row and column when a value does not fit. */
  fromRows(columns: Columns, rows: Iterable<Row>, firstRow?: number): Batch
  /** The rows named by `indices`, in that order, each at most once, as a new batch. */
  take(batch: Batch, indices: ArrayLike<number>): Batch
  /** The same rows under other columns: positions into `batch.vectors`, with their new names. Shares memory. */
  project(batch: Batch, columns: readonly { readonly from: number; readonly column: Column }[]): Batch
  /** A column as another type. `failed` lists the rows whose value does not fit; they are NULL in `vector`. */
  cast(vector: Vector, type: LogicalType): { readonly vector: Vector; readonly failed: readonly number[] }
  /** For many batches: {@link Batches.cast} to one type, with memory that goes round. */
  caster(type: LogicalType): Caster
}
