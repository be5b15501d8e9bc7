/** Proleptic Gregorian calendar arithmetic; the algorithms are Howard Hinnant's (chrono-compatible low-level date algorithms). */

/** Days since 1970-01-01 of a date; year 0 is 1 BC. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146097 + dayOfEra - 719468
}

/** Result of {@link civilFromDays}; written before it returns. */
export const civil = { year: 0, month: 0, day: 0 }

export function civilFromDays(days: number): void {
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const dayOfEra = z - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const mp = Math.floor((5 * dayOfYear + 2) / 153)
  civil.day = dayOfYear - Math.floor((153 * mp + 2) / 5) + 1
  civil.month = mp < 10 ? mp + 3 : mp - 9
  civil.year = yearOfEra + era * 400 + (civil.month <= 2 ? 1 : 0)
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether the date exists. */
export function isCivil(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  if (month === 2 && day === 29) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= MONTH_DAYS[month - 1]!
}

/** `infinity` and `-infinity` of dates: the extreme values of int32. */
export const DATE_INFINITY = 2147483647
export const DATE_MINUS_INFINITY = -2147483648
/** Microseconds in a day. */
export const DAY_MICROS = 86_400_000_000
