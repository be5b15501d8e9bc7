import type { SQLInputValue } from "node:sqlite"
import type { Batches, LogicalType, TableColumn, TextView, Vector } from "../../core/contract/index.ts"
import { type Affinity, affinity } from "./declared-type.ts"
import { instantSuffix } from "./dialect.ts"

/** What becomes of a NaN, which SQLite takes for NULL. */
export type NanPolicy = "reject" | "null" | "text"

/** How a column's values reach SQLite. */
export interface Binding {
  /** What stands for the value in the statement. */
  readonly placeholder: string
  /** The reason why a value is refused. */
  readonly refusal: string
  /** Values of one vector; undefined refuses a value. The bytes it gives are valid until the next row. */
  values(vector: Vector): (row: number) => SQLInputValue | undefined
}

export interface BindingOptions {
  readonly batches: Batches
  /** Text goes in as UTF-8 bytes; a database that keeps UTF-16 would take them for UTF-16. */
  readonly utf8: boolean
  readonly nan: NanPolicy
  /** Counts a value that was changed. */
  adjusted(policy: string, values: number): void
}

/**
 * Integers are bound as bigints, because a number always arrives as REAL; text is bound as bytes, which spares a string
 * per value. A column whose declared type has numeric affinity gets only what SQLite gives back unchanged.
 */
export function binding(column: TableColumn, declared: string, options: BindingOptions): Binding {
  const kept = affinity(declared)
  const { type } = column
  switch (type.kind) {
    case "boolean":
      return plain(
        (vector) => (row) => (vector.storage === "bit" && (vector.values[row >>> 3]! >>> (row & 7)) & 1 ? 1n : 0n),
      )
    case "int16":
    case "int32":
      return plain((vector) => {
        const values = vector.storage === "int16" || vector.storage === "int32" ? vector.values : misfit(vector)
        return (row) => BigInt(values[row]!)
      })
    case "int64":
      return plain((vector) => {
        const { values } = vector.storage === "int64" ? vector : misfit(vector)
        return (row) => values[row]!
      })
    case "float32":
    case "float64":
      return float(options)
    case "bytes":
      return plain((vector) => {
        const { data, offsets } = vector.storage === "bytes" ? vector : misfit(vector)
        return (row) => data.subarray(offsets[row]!, offsets[row + 1]!)
      })
    case "uint64":
    case "decimal":
    case "json":
    case "string":
      return kept === "text" || kept === "blob" ? text(type, options) : numeric(type, kept, declared, options)
    default:
      return text(type, options)
  }
}

function plain(values: Binding["values"]): Binding {
  return { placeholder: "?", refusal: "the value does not fit", values }
}

function float({ nan, adjusted }: BindingOptions): Binding {
  return {
    placeholder: "?",
    refusal: "SQLite turns NaN into NULL: set the option `nan`",
    values(vector) {
      const values = vector.storage === "float64" || vector.storage === "float32" ? vector.values : misfit(vector)
      return (row) => {
        const value = values[row]!
        if (value === 0) {
          if (Object.is(value, -0)) adjusted("negativeZero", 1)
          return 0
        }
        if (!Number.isNaN(value)) return value
        if (nan === "reject") return undefined
        adjusted("nan", 1)
        return nan === "null" ? null : "NaN"
      }
    },
  }
}

function text(type: LogicalType, { batches, utf8 }: BindingOptions): Binding {
  const isInstant = type.kind === "timestamp" && type.zone
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  return {
    placeholder: utf8 ? "CAST(? AS TEXT)" : "?",
    refusal: "the value does not fit",
    values(vector) {
      const bytes = isInstant ? instantBytes(batches.text(vector)) : textBytes(vector, batches)
      return utf8 ? bytes : (row) => decoder.decode(bytes(row))
    },
  }
}

function textBytes(vector: Vector, batches: Batches): (row: number) => Uint8Array {
  if (vector.storage === "bytes") {
    const { data, offsets } = vector
    return (row) => data.subarray(offsets[row]!, offsets[row + 1]!)
  }
  return written(batches.text(vector), (_, end) => end)
}

function instantBytes(view: TextView): (row: number) => Uint8Array {
  const suffix = new TextEncoder().encode(instantSuffix)
  return written(view, (buffer, end) => {
    if (buffer[end - 3] !== 0x2b) return end
    buffer.set(suffix, end)
    return end + suffix.length
  })
}

function written(view: TextView, finish: (buffer: Uint8Array, end: number) => number): (row: number) => Uint8Array {
  let buffer = new Uint8Array(64)
  return (row) => {
    const size = view.size(row) + instantSuffix.length
    if (size > buffer.length) buffer = new Uint8Array(size * 2)
    return buffer.subarray(0, finish(buffer, view.write(row, buffer, 0)))
  }
}

/** Text in a column that SQLite makes a number of where it can: only if the number says the same. */
function numeric(type: LogicalType, kept: Affinity, declared: string, { batches }: BindingOptions): Binding {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  return {
    placeholder: "?",
    refusal: `SQLite does not keep every digit of it in a column declared ${declared}: a declared type with TEXT in it does`,
    values(vector) {
      const bytes = textBytes(vector, batches)
      return (row) => {
        const value = decoder.decode(bytes(row))
        return type.kind === "string" ? asIs(value) : asNumber(value, kept)
      }
    },
  }
}

function asIs(text: string): string | undefined {
  if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text)) return text
  return /^(?:0|-?[1-9]\d*)$/.test(text) && isInt64(BigInt(text)) ? text : undefined
}

function asNumber(text: string, kept: Affinity): SQLInputValue | undefined {
  const [, sign, whole, fraction = "", exponent] = /^(-?)(\d+)(?:\.(\d+))?(e[+-]?\d+)?$/i.exec(text) ?? []
  if (whole === undefined) return text
  const digits = significant(whole + fraction)
  if (/^0*$/.test(fraction) && exponent === undefined && kept !== "real") {
    const integer = BigInt(`${sign}${whole}`)
    if (isInt64(integer)) return integer
  }
  const float = Number(text)
  if (!Number.isFinite(float) || (float === 0 && digits !== "")) return undefined
  // Fifteen digits always come back from a double; with more, the shortest text that means it must be the same.
  if (digits.length <= 15) return float
  return significant(String(Math.abs(float)).replace(/e.*$/, "").replace(".", "")) === digits ? float : undefined
}

/** Digits without zeros on either side, which only say where the point is. */
function significant(digits: string): string {
  return digits.replace(/^0+/, "").replace(/0+$/, "")
}

function isInt64(value: bigint): boolean {
  return value === BigInt.asIntN(64, value)
}

function misfit(vector: Vector): never {
  throw new TypeError(`Cannot write a vector of ${vector.storage} as ${vector.type.kind}`)
}
