/** The two halves of the 64-bit integer that {@link readTimestamp} has read. */
export const halves = { low: 0, high: 0 }

/** Days since 1970-01-01 of `yyyy-mm-dd` at `start`; NaN when it is not written so or is no day. */
export function readDate(source: Uint8Array, start: number, end: number): number {
  if (end - start !== 10 || source[start + 4] !== 0x2d || source[start + 7] !== 0x2d) return Number.NaN
  const year = two(source, start) * 100 + two(source, start + 2)
  return days(year, two(source, start + 5), two(source, start + 8))
}

/** Reads `yyyy-mm-dd hh:mm:ss[.ffffff]` as microseconds since 1970 into {@link halves}. False when it is none. */
export function readTimestamp(source: Uint8Array, start: number, end: number): boolean {
  const size = end - start
  if (size < 19 || size > 26 || source[start + 10] !== 0x20) return false
  const day = readDate(source, start, start + 10)
  if (source[start + 13] !== 0x3a || source[start + 16] !== 0x3a) return false
  const hour = two(source, start + 11)
  const minute = two(source, start + 14)
  const second = two(source, start + 17)
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return false
  const micros = size === 19 ? 0 : fraction(source, start + 19, end)
  const seconds = day * 86_400 + hour * 3600 + minute * 60 + second
  if (!(seconds > -1e12 && micros >= 0)) return false
  // 1e6 = 15625 * 64, and seconds * 15625 still is a safe integer where seconds * 1e6 is not.
  const units = seconds * 15_625
  let high = Math.floor(units / 67_108_864)
  let low = (units - high * 67_108_864) * 64 + micros
  if (low >= 4_294_967_296) {
    low -= 4_294_967_296
    high++
  }
  halves.low = low
  halves.high = high
  return true
}

/** True when month or day is zero, as in `0000-00-00`, `2010-00-00 12:00:00`. */
export function isZeroDate(source: Uint8Array, start: number, end: number): boolean {
  if (end - start < 10) return false
  return two(source, start + 5) === 0 || two(source, start + 8) === 0
}

function fraction(source: Uint8Array, start: number, end: number): number {
  if (source[start] !== 0x2e || end - start < 2) return -1
  let value = 0
  let unit = 100_000
  for (let at = start + 1; at < end; at++) {
    const digit = source[at]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value += digit * unit
    unit /= 10
  }
  return value
}

/** Two decimal digits; NaN when they are none. */
function two(source: Uint8Array, at: number): number {
  const tens = source[at]! - 0x30
  const ones = source[at + 1]! - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** The year 0 is none of ours: MySQL has it, but its days do not exist. */
function days(year: number, month: number, day: number): number {
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return Number.NaN
  if (day > 28 && day > monthDays(year, month)) return Number.NaN
  // Years that begin in March make the leap day the last one. Day 0 of this count is 0000-03-01.
  const y = month <= 2 ? year - 1 : year
  const shifted = month <= 2 ? month + 9 : month - 3
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)
  return y * 365 + leaps + Math.floor((153 * shifted + 2) / 5) + day - 1 - 719_468
}

function monthDays(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
