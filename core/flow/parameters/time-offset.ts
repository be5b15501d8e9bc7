import { addMonths, dayMs, hourMs, isWritable, minuteMs, secondMs, type Wall } from "./calendar.ts"
import type { Fault } from "./problem.ts"
import type { Zone } from "./zone.ts"

/** One step on the calendar (months, days) or on the clock (milliseconds). Whole numbers, so nothing drifts. */
export interface TimeOffset {
  readonly months: number
  readonly days: number
  readonly milliseconds: number
  /** As written: `y M w d h m s`, or empty for days. */
  readonly unit: string
}

/**
 * Reads `-1`, `+7*1`, `-1/24/60`, `-1M+2d`: a sign, numbers joined by `*` and `/`, a unit; days where there is none.
 * The arithmetic is exact: what is not a whole number of milliseconds (or months) is refused.
 */
export function parseOffsets(text: string): readonly TimeOffset[] | Fault {
  const offsets: TimeOffset[] = []
  let at = 0
  while (at < text.length) {
    term.lastIndex = at
    const match = term.exec(text)
    const [whole, sign, product, unit] = match ?? []
    if (whole === undefined || sign === undefined || product === undefined || unit === undefined) {
      return { fault: `"${text.slice(at).trim()}" is not an offset`, hint: "Write an offset such as -1d or +1/24" }
    }
    const offset = offsetOf(sign, product, unit)
    if ("fault" in offset) return offset
    offsets.push(offset)
    at = term.lastIndex
  }
  return offsets
}

/** The business date moves on the calendar alone: a day has 24 hours, whatever clocks did. */
export function moveWall(wall: Wall, offsets: readonly TimeOffset[]): Wall | Fault {
  let moved = wall
  for (const { months, days, milliseconds } of offsets) {
    moved = (months === 0 ? moved : addMonths(moved, months)) + days * dayMs + milliseconds
    if (!isWritable(moved)) return outside
  }
  return moved
}

/** A point in time: months and whole days keep the time of day in the zone, hours and less are elapsed time. */
export function moveInstant(instant: number, offsets: readonly TimeOffset[], zone: Zone): number | Fault {
  let moved = instant
  for (const { months, days, milliseconds } of offsets) {
    if (months !== 0 || days !== 0) {
      const wall = addMonths(zone.wallAt(moved), months) + days * dayMs
      if (!isWritable(wall)) return outside
      moved = zone.instantAt(wall)
    }
    moved += milliseconds
    if (!isWritable(zone.wallAt(moved))) return outside
  }
  return moved
}

function offsetOf(sign: string, product: string, unit: string): TimeOffset | Fault {
  const value = fractionOf(product)
  const written = `${sign}${product.replaceAll(/\s/g, "")}${unit}`
  if (value === undefined) return { fault: `"${written}" divides by zero`, hint: "Divide by another number" }
  if (!Object.hasOwn(units, unit)) {
    return {
      fault: `"${unit}" in "${written}" is not a unit`,
      hint: "Use y for years, M for months, w for weeks, d for days, h for hours, m for minutes or s for seconds",
    }
  }
  const { step, size } = units[unit as keyof typeof units /* an own key of `units` */]
  // Whole days are days of the calendar; a fraction such as 1/24 means elapsed hours.
  const whole = wholeNumber(value, BigInt(size), sign)
  if (whole !== undefined) return { months: 0, days: 0, milliseconds: 0, [step]: whole, unit }
  const elapsed = step === "days" ? wholeNumber(value, BigInt(size) * BigInt(dayMs), sign) : undefined
  if (elapsed !== undefined) return { months: 0, days: 0, milliseconds: elapsed, unit }
  const smallest = step === "months" ? "months" : "milliseconds"
  return {
    fault: `"${written}" is not a whole number of ${smallest}, or is out of range`,
    hint: "Write an offset that comes out even, such as -1/24 or -90m",
  }
}

interface Fraction {
  readonly over: bigint
  readonly under: bigint
}

function wholeNumber({ over, under }: Fraction, size: bigint, sign: string): number | undefined {
  const total = over * size
  if (total % under !== 0n || total / under > furthest) return undefined
  const amount = Number(total / under)
  return sign === "-" && amount !== 0 ? -amount : amount
}

/** The product as a fraction; undefined when it divides by zero. */
function fractionOf(product: string): Fraction | undefined {
  let over = 1n
  let under = 1n
  for (const [, operator, digits = "", decimals = ""] of product.matchAll(/([*/]?)\s*(\d+)(?:\.(\d+))?/g)) {
    const amount = BigInt(digits + decimals)
    const scale = 10n ** BigInt(decimals.length)
    over *= operator === "/" ? scale : amount
    under *= operator === "/" ? amount : scale
  }
  return under === 0n ? undefined : { over, under }
}

const term = /\s*([+-])\s*(\d+(?:\.\d+)?(?:\s*[*/]\s*\d+(?:\.\d+)?)*)\s*([A-Za-z]*)\s*/y

const units = {
  y: { step: "months", size: 12 },
  M: { step: "months", size: 1 },
  w: { step: "days", size: 7 },
  d: { step: "days", size: 1 },
  "": { step: "days", size: 1 },
  h: { step: "milliseconds", size: hourMs },
  m: { step: "milliseconds", size: minuteMs },
  s: { step: "milliseconds", size: secondMs },
} as const

/** Larger than any distance between two writable dates, in any unit, and still exact as a number. */
const furthest = 1_000_000_000_000_000n

const outside: Fault = { fault: "the offset leads outside the years 0001 to 9999", hint: "Use a smaller offset" }
