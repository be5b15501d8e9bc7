import { dayMs } from "../../flow/parameters/calendar.ts"
import { readDay } from "../../flow/parameters/time-text.ts"
import type { Zone } from "../../flow/parameters/zone.ts"
import type { Pattern } from "./pattern.ts"

/** When a schedule fires at all. */
export interface Timing {
  readonly pattern: Pattern
  readonly zone: Zone
  /** First and last day, as yyyy-mm-dd in the zone. */
  readonly from: string | null
  readonly to: string | null
}

/**
 * The instants after `after` at which a schedule fires, ascending, endless where it is. By the clock on the wall: a time
 * that spring leaves out fires once, as much later as the clocks were put forward; a time that autumn repeats fires at
 * the first of the two only.
 */
export function* firings({ pattern, zone, from, to }: Timing, after: number): Generator<number> {
  const first = from === null ? undefined : readDay(from)
  const last = to === null ? undefined : readDay(to)
  // A day before, since a time that was left out comes later than its own day may say.
  let day = Math.floor(zone.wallAt(after) / dayMs) * dayMs - dayMs
  if (first !== undefined && day < first) day = first
  let latest = after
  for (let empty = 0; empty < MOST_EMPTY_DAYS; day += dayMs, empty++) {
    if (last !== undefined && day > last) return
    if (!pattern.isOn(day)) continue
    // What was put forward may come at, or behind, a time of its own.
    const instants = [...new Set(pattern.times.map((time) => zone.instantAt(day + time)))].sort((a, b) => a - b)
    for (const instant of instants) {
      if (instant <= latest) continue
      latest = instant
      yield instant
    }
    empty = 0
  }
}

export function nextFirings(timing: Timing, after: number, count: number): readonly number[] {
  return firings(timing, after).take(count).toArray()
}

/** Between two 29ths of February lie eight years at most. */
const MOST_EMPTY_DAYS = 366 * 9
