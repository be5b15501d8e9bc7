import type { Wall } from "./calendar.ts"
import { type Fault, isFault } from "./problem.ts"
import { parseFormat, printFormat, showsDate, showsTime, type TimeFormat } from "./time-format.ts"
import { moveInstant, moveWall, parseOffsets, type TimeOffset } from "./time-offset.ts"
import type { Zone } from "./zone.ts"

/** The two clocks that templates read: `${…}` the business date, `$[…]` the scheduled time. */
export interface RunClock {
  /** The business date at 00:00. */
  readonly business: Wall
  /** The scheduled time, in milliseconds since 1970-01-01 00:00 UTC. */
  readonly scheduled: number
  readonly zone: Zone
}

/** A format and its offsets, such as `yyyyMMdd-1d`. */
export interface TimeExpression {
  readonly format: TimeFormat
  readonly offsets: readonly TimeOffset[]
}

/** Reads a time expression: a format, then offsets. A sign followed by a digit begins the offsets. */
export function parseTimeExpression(text: string): TimeExpression | Fault {
  if (text.length > longestExpression) return { fault: `it is longer than ${longestExpression} characters` }
  const split = offsetStart(text)
  const formatText = text.slice(0, split).trimEnd()
  if (/[+-]$/.test(formatText)) {
    return { fault: `no number follows "${formatText.slice(-1)}"`, hint: "Write an offset such as -1d" }
  }
  const format = parseFormat(formatText)
  if (isFault(format)) return format
  const offsets = parseOffsets(text.slice(split))
  if (isFault(offsets)) return offsets
  return unitFault(format, offsets) ?? { format, offsets }
}

/** The text that the expression stands for. */
export function evaluateTime(
  expression: TimeExpression,
  base: "business" | "scheduled",
  clock: RunClock,
): { readonly text: string } | Fault {
  const { format, offsets } = expression
  if (base === "business") {
    const wall = moveWall(clock.business, offsets)
    return typeof wall === "number" ? { text: printFormat(format, wall) } : wall
  }
  const instant = moveInstant(clock.scheduled, offsets, clock.zone)
  return typeof instant === "number" ? { text: printFormat(format, clock.zone.wallAt(instant)) } : instant
}

function offsetStart(text: string): number {
  const start = /^(?:[^'+-]|'[^']*'|[+-](?!\s*\d))*/.exec(text)?.[0].length ?? 0
  return text[start] === "'" ? text.length : start
}

/** `m` and `M` are one key apart, so the format has to show what the unit moves. */
function unitFault(format: TimeFormat, offsets: readonly TimeOffset[]): Fault | undefined {
  for (const { unit } of offsets) {
    if (unit === "m" && !showsTime(format)) {
      return { fault: `"m" means minutes, and the format shows no time`, hint: `Write "M" for months` }
    }
    if (unit === "M" && !showsDate(format)) {
      return { fault: `"M" means months, and the format shows no date`, hint: `Write "m" for minutes` }
    }
  }
  return undefined
}

const longestExpression = 100
