/**
 * What a value means, independent of the system that stores it.
 *
 * A logical type decides the physical layout of a column (see {@link Vector}) and its canonical text (see
 * {@link TextView}). Every conversion between systems goes through exactly one of these types.
 *
 * | kind | layout | canonical text |
 * |---|---|---|
 * | boolean | bit | `true`, `false` |
 * | int16, int32, int64, uint64 | the integer | `-12` |
 * | float32, float64 | IEEE 754 | shortest text that reads back the same; `NaN`, `Infinity`, `-Infinity` |
 * | decimal | its text | `-12.50`, never an exponent; `NaN`, `Infinity`, `-Infinity` where the source has them |
 * | string, json, interval, native | UTF-8 | itself |
 * | bytes | bytes | `\x` and two lower-case hex digits a byte |
 * | date | int32, days since 1970-01-01 | `2024-02-29`, `0044-03-15 BC`, `infinity`, `-infinity` |
 * | time | int64, microseconds since midnight, 24:00:00 allowed | `23:59:59.000001` |
 * | timestamp | int64, microseconds since 1970-01-01 00:00:00 | `2024-02-29 12:00:00.5`; with zone `…+00` |
 * | uuid | 16 bytes | `123e4567-e89b-12d3-a456-426614174000` |
 *
 * Dates and timestamps use the extreme values of their integer for `infinity` (largest) and `-infinity` (smallest).
 */
export type LogicalType =
  | { readonly kind: "boolean" }
  | { readonly kind: "int16" }
  | { readonly kind: "int32" }
  | { readonly kind: "int64" }
  | { readonly kind: "uint64" }
  | { readonly kind: "float32" }
  | { readonly kind: "float64" }
  | DecimalType
  | StringType
  | BytesType
  | { readonly kind: "date" }
  | TimeType
  | TimestampType
  | { readonly kind: "interval" }
  | { readonly kind: "json" }
  | { readonly kind: "uuid" }
  | NativeType

/** An exact decimal. Without precision it is unconstrained: any number of digits on both sides of the point. */
export interface DecimalType {
  readonly kind: "decimal"
  /** Significant digits, 1 and up. */
  readonly precision?: number
  /** Digits after the point; given whenever `precision` is. */
  readonly scale?: number
}

/** Text. */
export interface StringType {
  readonly kind: "string"
  /** The most characters (code points, not bytes) a value may have; absent: unlimited. */
  readonly length?: number
  /** True for blank-padded types such as `char(n)`. */
  readonly fixed?: boolean
}

/** Binary data. */
export interface BytesType {
  readonly kind: "bytes"
  /** The most bytes a value may have; absent: unlimited. */
  readonly length?: number
}

/** A time of day without a zone. */
export interface TimeType {
  readonly kind: "time"
  /** Digits of the second's fraction, 0 to 6; absent: 6. */
  readonly precision?: number
}

/** A point in time. */
export interface TimestampType {
  readonly kind: "timestamp"
  /** True: an instant, stored as UTC. False: a wall clock that belongs to no zone. The two never mix silently. */
  readonly zone: boolean
  /** Digits of the second's fraction, 0 to 6; absent: 6. */
  readonly precision?: number
}

/** Anything else (arrays, ranges, enums, geometry, …), carried as the text that the same system reads back exactly. */
export interface NativeType {
  readonly kind: "native"
  /** The database type's id, such as `postgres`. */
  readonly system: string
  /** The type as that system writes it, such as `int4range` or `text[]`. */
  readonly name: string
}

export type TypeKind = LogicalType["kind"]

/** One column of a stream or a table. */
export interface Column {
  readonly name: string
  readonly type: LogicalType
  /** False: a NULL in it is an error. */
  readonly nullable: boolean
  /** How the system it comes from declares it, such as `numeric(12,2)`; decides whether bytes can be forwarded unread. */
  readonly native?: { readonly system: string; readonly type: string }
  readonly comment?: string
  /** The characters that its text can hold, such as `utf8mb3`; absent: all of Unicode. */
  readonly characterSet?: string
  /** Position in the primary key of the table that it comes from, counted from 1; absent: not part of it. */
  readonly key?: number
}

export type Columns = readonly Column[]
