import { dayMs, isWritable, type Wall } from "./calendar.ts"
import type { Outcome, ParameterProblem } from "./problem.ts"
import type { RunClock } from "./time-expression.ts"
import { printFormat } from "./time-format.ts"
import { readDay, readInstant } from "./time-text.ts"
import { zoneNamed } from "./zone.ts"

/** What a run is for (`bizdate`) and when it is due (`scheduledAt`). */
export interface RunDates {
  /** `yyyy-MM-dd`. */
  readonly bizdate: string
  /** ISO, in UTC, such as `2024-01-31T16:00:00.000Z`. */
  readonly scheduledAt: string
}

/** What is known when dates are asked for. */
export interface RunDatesRequest {
  /** `yyyy-MM-dd` or `yyyyMMdd`. */
  readonly bizdate?: string
  /** ISO; without an offset it is a wall clock in `timeZone`. */
  readonly scheduledAt?: string
  /** The present, in milliseconds since 1970-01-01 00:00 UTC. Used only for what the others leave open. */
  readonly now: number
  /** IANA name. */
  readonly timeZone: string
}

/**
 * Fills in the date that is not given.
 *
 * - neither: the business date is yesterday, the scheduled time today at 00:00;
 * - only `scheduledAt`: the business date is the day before, in the zone;
 * - only `bizdate`: the scheduled time is 00:00 of the day after; for today's date it is today at 00:00, since a run
 *   is never due in the future;
 * - both: they stay as they are.
 */
export function defaultDates(request: RunDatesRequest): Outcome<RunDates> {
  const zone = zoneNamed(request.timeZone)
  if (zone === undefined) return { problems: [unknownZone(request.timeZone)] }
  const bizdate = request.bizdate === undefined ? undefined : readDay(request.bizdate)
  if (bizdate === undefined && request.bizdate !== undefined) return { problems: [badDay(request.bizdate)] }
  const scheduled = request.scheduledAt === undefined ? undefined : readInstant(request.scheduledAt, zone)
  if (scheduled === undefined && request.scheduledAt !== undefined)
    return { problems: [badInstant(request.scheduledAt)] }
  const today = dayOf(zone.wallAt(request.now))
  const business = bizdate ?? (scheduled === undefined ? today : dayOf(zone.wallAt(scheduled))) - dayMs
  const due = scheduled ?? zone.instantAt(business === today ? today : business + dayMs)
  if (!isWritable(business) || !isWritable(due)) return { problems: [outOfRange] }
  return { bizdate: printFormat(dayFormat, business), scheduledAt: `${printFormat(instantFormat, due)}Z` }
}

/** The dates as {@link RunClock}, checked. */
export function readClock(dates: RunDates & { readonly timeZone: string }): Outcome<{ readonly clock: RunClock }> {
  const zone = zoneNamed(dates.timeZone)
  if (zone === undefined) return { problems: [unknownZone(dates.timeZone)] }
  const business = readDay(dates.bizdate)
  const scheduled = readInstant(dates.scheduledAt, zone)
  const problems: ParameterProblem[] = []
  if (business === undefined) problems.push(badDay(dates.bizdate))
  if (scheduled === undefined) problems.push(badInstant(dates.scheduledAt))
  if (business === undefined || scheduled === undefined) return { problems }
  return { clock: { business, scheduled, zone } }
}

function dayOf(wall: Wall): Wall {
  return Math.floor(wall / dayMs) * dayMs
}

function unknownZone(name: string): ParameterProblem {
  return {
    reason: "date",
    message: `Cannot use time zone "${name}": it is not known`,
    hint: "Write an IANA name such as Asia/Shanghai or UTC",
  }
}

function badDay(text: string): ParameterProblem {
  return {
    reason: "date",
    message: `Cannot read business date "${text}": it is not a date`,
    hint: "Write it as 2024-01-31 or 20240131",
    parameter: "bizdate",
  }
}

function badInstant(text: string): ParameterProblem {
  return {
    reason: "date",
    message: `Cannot read scheduled time "${text}": it is not a time`,
    hint: "Write it as 2024-01-31T08:00:00, or with an offset as 2024-01-31T08:00:00+08:00",
  }
}

const outOfRange: ParameterProblem = {
  reason: "date",
  message: "Cannot derive the dates of the run: they lie outside the years 0001 to 9999",
}

const dayFormat = [{ field: "yyyy" }, { literal: "-" }, { field: "MM" }, { literal: "-" }, { field: "dd" }] as const
const instantFormat = [
  ...dayFormat,
  { literal: "T" },
  { field: "HH" },
  { literal: ":" },
  { field: "mm" },
  { literal: ":" },
  { field: "ss" },
  { literal: "." },
  { field: "SSS" },
] as const
