/**
 * A wall clock of the proleptic Gregorian calendar: milliseconds since 1970-01-01 00:00 as if the clock stood in UTC.
 * It belongs to no zone; {@link Zone} turns it into an instant.
 */
export type Wall = number

export const secondMs = 1000
export const minuteMs = 60 * secondMs
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

export interface WallFields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

export function wallOf(fields: Partial<WallFields> & Pick<WallFields, "year" | "month" | "day">): Wall {
  const { hour = 0, minute = 0, second = 0, millisecond = 0 } = fields
  return daysOf(fields) * dayMs + hour * hourMs + minute * minuteMs + second * secondMs + millisecond
}

export function wallFields(wall: Wall): WallFields {
  const days = Math.floor(wall / dayMs)
  const rest = wall - days * dayMs
  return {
    ...dateOf(days),
    hour: Math.floor(rest / hourMs),
    minute: Math.floor(rest / minuteMs) % 60,
    second: Math.floor(rest / secondMs) % 60,
    millisecond: rest % secondMs,
  }
}

/** The same clock so many months later; the 31st becomes the month's last day where it has no 31st. */
export function addMonths(wall: Wall, months: number): Wall {
  const fields = wallFields(wall)
  const count = fields.year * 12 + fields.month - 1 + months
  const year = Math.floor(count / 12)
  const month = count - year * 12 + 1
  return wallOf({ ...fields, year, month, day: Math.min(fields.day, daysInMonth(year, month)) })
}

export function isDate(year: number, month: number, day: number): boolean {
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

/** True for the years that four digits can write. */
export function isWritable(wall: Wall): boolean {
  return wall >= firstWall && wall <= lastWall
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

// Howard Hinnant's days_from_civil and its inverse: years begin in March, so that the leap day comes last.
function daysOf({ year, month, day }: Pick<WallFields, "year" | "month" | "day">): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146097 + dayOfEra - 719468
}

function dateOf(days: number): Pick<WallFields, "year" | "month" | "day"> {
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  }
}

const firstWall = wallOf({ year: 1, month: 1, day: 1 })
const lastWall = wallOf({ year: 10000, month: 1, day: 1 }) - 1
