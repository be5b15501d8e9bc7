import type { Batches, LogicalType } from "../contract/index.ts"

/**
 * A value of an ordered column as a whole number of `10^-scale`: of days for a date, of seconds for a timestamp.
 * Exact, so that a mark never skips a row.
 */
export interface MarkValue {
  readonly units: bigint
  readonly scale: number
}

/** Whether a mark can be kept by a column of this type: its values have an order that is the same everywhere. */
export function isOrderable({ kind }: LogicalType): boolean {
  return ORDERED.has(kind)
}

const ORDERED = new Set<string>(["int16", "int32", "int64", "uint64", "decimal", "date", "timestamp"])

/** Reads a value of the type; undefined when it is none, or has no place on the number line (`infinity`, `NaN`). */
export function markValue(text: string, type: LogicalType, batches: Batches): MarkValue | undefined {
  const plain = canonical(text, type, batches)
  if (plain === undefined || /^-?(infinity|nan)$/i.test(plain.text)) return undefined
  if (type.kind === "date" || type.kind === "timestamp")
    return { units: plain.integer!, scale: type.kind === "date" ? 0 : 6 }
  return decimalValue(plain.text)
}

export function isAfter(a: MarkValue, b: MarkValue): boolean {
  const scale = Math.max(a.scale, b.scale)
  return rescaled(a, scale) > rescaled(b, scale)
}

/**
 * The canonical text of a value less an overlap, rounded down to what the type can hold. Undefined where the type has
 * no value that low: everything is above it.
 */
export function textBefore(
  value: MarkValue,
  overlap: MarkValue,
  type: LogicalType,
  batches: Batches,
): string | undefined {
  const scale = Math.max(value.scale, overlap.scale)
  const units = rescaled(value, scale) - rescaled(overlap, scale)
  switch (type.kind) {
    case "date":
      return units < FIRST_DAY ? undefined : textOf(type, batches, (column) => column.int(Number(units)))
    case "timestamp": {
      const micros = floored(units, 10n ** BigInt(6 - (type.precision ?? 6)))
      return micros < FIRST_DAY * DAY_MICROS ? undefined : textOf(type, batches, (column) => column.bigint(micros))
    }
    case "decimal": {
      const kept = type.scale === undefined ? scale : Math.min(scale, type.scale)
      const unit = 10n ** BigInt(scale - kept)
      return canonical(decimalText({ units: floored(units, unit) / unit, scale: kept }), type, batches)?.text
    }
    default:
      return canonical(decimalText({ units, scale }), type, batches)?.text
  }
}

/** 0001-01-01: not every database has days before it. */
const FIRST_DAY = -719_162n
const DAY_MICROS = 86_400_000_000n

/** What an overlap says, or what is wrong with it: a duration for dates and timestamps, otherwise a number. */
export function readOverlap(text: string, type: LogicalType): MarkValue | { readonly fault: string } {
  if (type.kind === "date" || type.kind === "timestamp") return readDuration(text, type.kind)
  if (type.kind === "decimal")
    return /^\d+(\.\d+)?$/.test(text) ? decimalValue(text) : { fault: "is no number, such as 10 or 0.5" }
  return /^\d+$/.test(text) ? decimalValue(text) : { fault: "is no whole number, such as 1000" }
}

const UNIT_MICROS: Readonly<Record<string, bigint>> = {
  millisecond: 1000n,
  second: 1_000_000n,
  minute: 60_000_000n,
  hour: 3_600_000_000n,
  day: DAY_MICROS,
  week: 7n * DAY_MICROS,
}

function readDuration(text: string, kind: "date" | "timestamp"): MarkValue | { readonly fault: string } {
  let micros = 0n
  if (!/^\s*\d{1,9}\s*[a-z]+(\s+\d{1,9}\s*[a-z]+)*\s*$/.test(text))
    return { fault: "is no duration, such as 15 minutes" }
  for (const [, count, unit] of text.matchAll(/(\d+)\s*([a-z]+)/g)) {
    const size = UNIT_MICROS[unit!.replace(/s$/, "")]
    if (size === undefined) return { fault: `has an unknown unit: ${unit}; there are ${UNITS}` }
    micros += BigInt(count!) * size
  }
  if (kind === "timestamp") return { units: micros, scale: 6 }
  if (micros % DAY_MICROS !== 0n) return { fault: "is not a number of whole days, and the column holds dates" }
  return { units: micros / DAY_MICROS, scale: 0 }
}

const UNITS = Object.keys(UNIT_MICROS)
  .map((unit) => `${unit}s`)
  .join(", ")

/** The value in its canonical form, by the same reader that rows go through. */
function canonical(
  text: string,
  type: LogicalType,
  batches: Batches,
): { readonly text: string; readonly integer?: bigint } | undefined {
  const bytes = new TextEncoder().encode(text.trim())
  const builder = batches.builder([{ name: "mark", type, nullable: false }])
  if (!builder.columns[0]!.parse(bytes, 0, bytes.length)) return undefined
  builder.endRow()
  const vector = builder.finish().vectors[0]!
  const read = batches.valueText(vector, 0)!
  if (vector.storage === "int64") return { text: read, integer: vector.values[0]! }
  return vector.storage === "int32" ? { text: read, integer: BigInt(vector.values[0]!) } : { text: read }
}

type Column = ReturnType<Batches["builder"]>["columns"][number]

function textOf(type: LogicalType, batches: Batches, append: (column: Column) => void): string {
  const builder = batches.builder([{ name: "mark", type, nullable: false }])
  append(builder.columns[0]!)
  builder.endRow()
  return batches.valueText(builder.finish().vectors[0]!, 0)!
}

function decimalValue(text: string): MarkValue {
  const [whole = "", fraction = ""] = text.split(".")
  return { units: BigInt(whole + fraction), scale: fraction.length }
}

function decimalText({ units, scale }: MarkValue): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0")
  const point = digits.length - scale
  return `${units < 0n ? "-" : ""}${digits.slice(0, point)}${scale === 0 ? "" : `.${digits.slice(point)}`}`
}

function rescaled({ units, scale }: MarkValue, to: number): bigint {
  return units * 10n ** BigInt(to - scale)
}

/** The largest multiple of `unit` that is not above. */
function floored(units: bigint, unit: bigint): bigint {
  const rest = units % unit
  return rest < 0n ? units - rest - unit : units - rest
}
