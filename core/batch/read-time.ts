import { DATE_INFINITY, DATE_MINUS_INFINITY, daysFromCivil, isCivil } from "./calendar.ts"

/** What the readers here found; written before they return. `offset` is seconds east of UTC, NaN where none is written. */
export const moment = { days: 0, seconds: 0, micros: 0, offset: Number.NaN, infinite: 0 }

/** Position after the last thing read; -1 after a failure. */
let at = 0

/** `[-]yyyy[y…]-mm-dd[ BC]`, `infinity`, `-infinity`. */
export function readDate(source: Uint8Array, start: number, end: number): boolean {
  if (readInfinity(source, start, end)) {
    moment.days = moment.infinite > 0 ? DATE_INFINITY : DATE_MINUS_INFINITY
    return true
  }
  const stop = withoutEra(source, start, end)
  return readDay(source, start, stop, stop !== end) && at === stop
}

/** `hh:mm[:ss[.ffffff]]`, up to 24:00:00. */
export function readTime(source: Uint8Array, start: number, end: number): boolean {
  return readClock(source, start, end) && at === end
}

/** A date, `T` or a space, a time, and maybe a zone offset. A date alone is its midnight. */
export function readTimestamp(source: Uint8Array, start: number, end: number): boolean {
  if (readInfinity(source, start, end)) return true
  const stop = withoutEra(source, start, end)
  if (!readDay(source, start, stop, stop !== end)) return false
  moment.seconds = 0
  moment.micros = 0
  moment.offset = Number.NaN
  if (at === stop) return true
  const separator = source[at]
  if (separator !== 0x20 && separator !== 0x54 && separator !== 0x74) return false
  if (!readClock(source, at + 1, stop)) return false
  return at === stop || (readOffset(source, at, stop) && at === stop)
}

function readInfinity(source: Uint8Array, start: number, end: number): boolean {
  moment.infinite = 0
  const minus = source[start] === 0x2d
  const first = source[minus ? start + 1 : start]
  if (first !== 0x69 && first !== 0x49) return false
  const text = String.fromCharCode(...source.subarray(minus ? start + 1 : start, end)).toLowerCase()
  if (text !== "infinity") return false
  moment.infinite = minus ? -1 : 1
  return true
}

function withoutEra(source: Uint8Array, start: number, end: number): number {
  return end - start > 3 && source[end - 1] === 0x43 && source[end - 2] === 0x42 && source[end - 3] === 0x20
    ? end - 3
    : end
}

function readDay(source: Uint8Array, start: number, end: number, beforeChrist: boolean): boolean {
  let year = 0
  at = start
  while (at < end && source[at]! >= 0x30 && source[at]! <= 0x39) year = year * 10 + (source[at++]! - 0x30)
  const digits = at - start
  if (digits < 4 || digits > 7 || source[at] !== 0x2d || at + 6 > end || source[at + 3] !== 0x2d) return false
  const month = pair(source, at + 1)
  const day = pair(source, at + 4)
  at += 6
  if (beforeChrist) {
    if (year === 0) return false
    year = 1 - year
  }
  if (year === 0 && !beforeChrist) return false
  if (!isCivil(year, month, day)) return false
  moment.days = daysFromCivil(year, month, day)
  return true
}

function readClock(source: Uint8Array, start: number, end: number): boolean {
  if (start + 5 > end || source[start + 2] !== 0x3a) return false
  const hours = pair(source, start)
  const minutes = pair(source, start + 3)
  let seconds = 0
  let micros = 0
  at = start + 5
  if (at < end && source[at] === 0x3a) {
    if (at + 3 > end) return false
    seconds = pair(source, at + 1)
    at += 3
    if (at < end && source[at] === 0x2e) {
      const first = ++at
      for (; at < end; at++) {
        const digit = source[at]! - 0x30
        if (digit < 0 || digit > 9) break
        if (at - first < 6) micros = micros * 10 + digit
        else if (digit !== 0) return false
      }
      if (at === first) return false
      for (let place = at - first; place < 6; place++) micros *= 10
    }
  }
  if (hours < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return false
  if (hours > 23 && !(hours === 24 && minutes === 0 && seconds === 0 && micros === 0)) return false
  moment.seconds = hours * 3600 + minutes * 60 + seconds
  moment.micros = micros
  return true
}

function readOffset(source: Uint8Array, start: number, end: number): boolean {
  at = start
  if (source[at] === 0x20) at++
  const sign = source[at]
  if ((sign === 0x5a || sign === 0x7a) && at + 1 === end) {
    moment.offset = 0
    at++
    return true
  }
  if (sign !== 0x2b && sign !== 0x2d) return false
  at++
  let seconds = 0
  for (let unit = 3600; unit >= 1 && at < end; unit /= 60) {
    if (source[at] === 0x3a) at++
    if (at + 2 > end) return false
    const value = pair(source, at)
    if (value < 0 || value > 59) return false
    seconds += value * unit
    at += 2
  }
  if (seconds >= 16 * 3600) return false
  moment.offset = sign === 0x2d ? -seconds : seconds
  return true
}

/** Two digits as a number, or -1. */
function pair(source: Uint8Array, start: number): number {
  const tens = source[start]! - 0x30
  const ones = source[start + 1]! - 0x30
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones
}
