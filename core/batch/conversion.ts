import type { LogicalType } from "../contract/index.ts"

/**
 * How a conversion treats values. `exact`: every value arrives as it was. `checked`: a value that does not fit rejects
 * its row. `lossy`: something is rounded or dropped, which needs consent. `impossible`: there is no such conversion.
 */
export type Fidelity = "exact" | "checked" | "lossy" | "impossible"

/** True when the same bytes serve both types, so that a cast is only a new label. */
export function sameLayout(from: LogicalType, to: LogicalType): boolean {
  if (from.kind === "native" && to.kind === "native") return from.system === to.system
  if (from.kind === to.kind) {
    if (from.kind === "decimal" && to.kind === "decimal") {
      return to.precision === undefined || (to.precision === from.precision && to.scale === from.scale)
    }
    if (from.kind === "string" && to.kind === "string") return holds(to.length, from.length)
    if (from.kind === "bytes" && to.kind === "bytes") return holds(to.length, from.length)
    if (from.kind === "time" && to.kind === "time") return (to.precision ?? 6) >= (from.precision ?? 6)
    if (from.kind === "timestamp" && to.kind === "timestamp") return (to.precision ?? 6) >= (from.precision ?? 6)
    return true
  }
  return to.kind === "string" && to.length === undefined && TEXTUAL.has(from.kind)
}

function holds(target: number | undefined, source: number | undefined): boolean {
  return target === undefined || (source !== undefined && source <= target)
}

const TEXTUAL = new Set<string>(["json", "interval", "native", "decimal"])
const INTEGER_DIGITS: Readonly<Record<string, number>> = { int16: 5, int32: 10, int64: 19, uint64: 20 }
const INTEGER_RANK: Readonly<Record<string, number>> = { int16: 1, int32: 2, int64: 3, uint64: 4 }
const FLOAT_DIGITS: Readonly<Record<string, number>> = { float32: 24, float64: 53 }
const INTEGER_BITS: Readonly<Record<string, number>> = { int16: 15, int32: 31, int64: 63, uint64: 64 }

/** What happens to values on the way from one type to the other, and why, in words, where it is not `exact`. */
export function fidelity(from: LogicalType, to: LogicalType): { readonly level: Fidelity; readonly why?: string } {
  if (from.kind === "timestamp" && to.kind === "timestamp" && from.zone !== to.zone) {
    return lossy(from.zone ? "the zone is dropped, the UTC wall clock stays" : "the wall clock is taken as UTC")
  }
  if (sameLayout(from, to)) return EXACT
  if (to.kind === "string")
    return to.length === undefined ? EXACT : checked(`text longer than ${to.length} characters is rejected`)
  if (from.kind === "string") return checked(`text that is no ${to.kind} is rejected`)
  if (to.kind === "native")
    return TEXTUAL.has(from.kind) ? checked(`text that is no ${to.name} is rejected`) : IMPOSSIBLE
  if (from.kind === to.kind) return narrowing(from, to)
  if (from.kind in INTEGER_RANK) return fromInteger(from.kind, to)
  if (from.kind in FLOAT_DIGITS) return fromFloat(from.kind, to)
  if (from.kind === "decimal") return fromDecimal(from.scale, to)
  if (from.kind === "boolean") return to.kind in INTEGER_RANK || to.kind === "decimal" ? EXACT : IMPOSSIBLE
  if (from.kind === "date")
    return to.kind === "timestamp" && !to.zone
      ? checked("a date beyond the year 294246 is rejected")
      : to.kind === "timestamp"
        ? lossy("midnight is taken as UTC")
        : IMPOSSIBLE
  if (from.kind === "timestamp" && to.kind === "date") return lossy("the time of day is dropped")
  if (from.kind === "timestamp" && to.kind === "time") return lossy("the date is dropped")
  if (from.kind === "time" && to.kind === "interval") return EXACT
  if (from.kind === "interval" && to.kind === "time") return checked("an interval that is no time of day is rejected")
  return IMPOSSIBLE
}

const EXACT = { level: "exact" } as const
const IMPOSSIBLE = { level: "impossible" } as const

function lossy(why: string): { level: Fidelity; why: string } {
  return { level: "lossy", why }
}

function checked(why: string): { level: Fidelity; why: string } {
  return { level: "checked", why }
}

function narrowing(from: LogicalType, to: LogicalType): { level: Fidelity; why?: string } {
  if (from.kind === "decimal" && to.kind === "decimal") {
    const scale = to.scale ?? 0
    if (from.scale === undefined || from.scale > scale)
      return lossy(`digits beyond ${scale} decimal places are rounded`)
    const whole = (to.precision ?? 0) - scale
    return (from.precision ?? Number.POSITIVE_INFINITY) - from.scale <= whole
      ? EXACT
      : checked(`a number with more than ${whole} digits before the point is rejected`)
  }
  if (from.kind === "bytes") return checked("a value that is too long is rejected")
  return lossy("fractions of a second are rounded")
}

function fromInteger(from: string, to: LogicalType): { level: Fidelity; why?: string } {
  if (to.kind in INTEGER_RANK) {
    if (to.kind === "uint64") return checked("a negative number is rejected")
    return INTEGER_RANK[from]! < INTEGER_RANK[to.kind]! ? EXACT : checked(`a number outside ${to.kind} is rejected`)
  }
  if (to.kind === "decimal") {
    const whole = to.precision === undefined ? Number.POSITIVE_INFINITY : to.precision - (to.scale ?? 0)
    return whole >= INTEGER_DIGITS[from]! ? EXACT : checked(`a number with more than ${whole} digits is rejected`)
  }
  if (to.kind in FLOAT_DIGITS) {
    return FLOAT_DIGITS[to.kind]! >= INTEGER_BITS[from]! ? EXACT : lossy(`${to.kind} does not hold every ${from}`)
  }
  return to.kind === "boolean" ? checked("a number other than 0 and 1 is rejected") : IMPOSSIBLE
}

function fromFloat(from: string, to: LogicalType): { level: Fidelity; why?: string } {
  if (from === "float32" && to.kind === "float64") return EXACT
  if (to.kind === "float32") return lossy("digits that float32 does not hold are rounded")
  // Decimals have no zero below zero; it is the same number.
  if (to.kind === "decimal" && to.precision === undefined) return EXACT
  if (to.kind === "decimal" || to.kind in INTEGER_RANK) return lossy("fractions are rounded")
  return IMPOSSIBLE
}

function fromDecimal(scale: number | undefined, to: LogicalType): { level: Fidelity; why?: string } {
  if (to.kind in FLOAT_DIGITS) return lossy(`${to.kind} does not hold every decimal`)
  if (to.kind === "boolean") return checked("a number other than 0 and 1 is rejected")
  if (!(to.kind in INTEGER_RANK)) return IMPOSSIBLE
  return scale === 0 ? checked(`a number outside ${to.kind} is rejected`) : lossy("fractions are rounded")
}
