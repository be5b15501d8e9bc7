import { fromDigits, halves, negate } from "./int64.ts"

/** Reads an integer into `halves` (high signed). False when it is not one, or has more than 20 digits. */
export function readInteger(source: Uint8Array, start: number, end: number): boolean {
  let at = start
  const first = source[at]
  const minus = first === 0x2d
  if (minus || first === 0x2b) at++
  while (at < end - 1 && source[at] === 0x30) at++
  const digits = end - at
  if (digits < 1 || digits > 20) return false
  let high = 0
  const split = end - 9
  for (; at < split; at++) {
    const digit = source[at]! - 0x30
    if (digit < 0 || digit > 9) return false
    high = high * 10 + digit
  }
  let low = 0
  for (; at < end; at++) {
    const digit = source[at]! - 0x30
    if (digit < 0 || digit > 9) return false
    low = low * 10 + digit
  }
  fromDigits(high, low)
  if (minus) negate()
  return true
}

/** Whether what `readInteger` left in `halves` is an int64. */
export function fitsInt64(): boolean {
  return halves.high >= -2147483648 && halves.high <= 2147483647
}

/** Whether what `readInteger` left in `halves` is a uint64. */
export function fitsUint64(): boolean {
  return halves.high >= 0 && halves.high <= 4294967295
}

const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * Reads a float: NaN as the result means "not a number at all"; a written NaN sets `float.value` too.
 * Up to 15 digits and 22 decimal places the quotient of two exact doubles is correctly rounded (Clinger 1990). Up to 19
 * digits, of which a double has 17, it is mended by what the digits behind the fifteenth add. Everything else goes
 * through the engine's own reader.
 */
export const float = { value: 0 }
export function readFloat(source: Uint8Array, start: number, end: number): boolean {
  let at = start
  const minus = source[at] === 0x2d
  if (minus || source[at] === 0x2b) at++
  let mantissa = 0
  let digits = 0
  // The digits behind the fifteenth, and their number.
  let rest = 0
  let more = 0
  let scale = 0
  let point = false
  for (; at < end; at++) {
    const byte = source[at]!
    if (byte >= 0x30 && byte <= 0x39) {
      if (digits < 15) mantissa = mantissa * 10 + (byte - 0x30)
      else {
        rest = rest * 10 + (byte - 0x30)
        more++
      }
      if (mantissa !== 0) digits++
      if (point) scale++
      continue
    }
    if (byte !== 0x2e || point) return readLongFloat(source, start, end)
    point = true
  }
  const written = end - start - (minus || source[start] === 0x2b ? 1 : 0) - (point ? 1 : 0)
  if (written < 1) return false
  if (digits > 19 || more > scale || scale - more > 22) return readLongFloat(source, start, end)
  const value = more === 0 ? mantissa / POWERS[scale]! : quotient(mantissa, rest / POWERS[more]!, POWERS[scale - more]!)
  if (Number.isNaN(value)) return readLongFloat(source, start, end)
  float.value = minus ? -value : value
  return true
}

/**
 * `(dividend + fraction) / divisor`, correctly rounded, or NaN where that is too close to call. The dividend is an integer
 * of 15 digits, the fraction is below 1. The rounded quotient of the dividend leaves an exact remainder (Dekker 1971).
 */
function quotient(dividend: number, fraction: number, divisor: number): number {
  const first = dividend / divisor
  const product = first * divisor
  const high = upperHalf(first)
  const low = first - high
  const divisorHigh = upperHalf(divisor)
  const divisorLow = divisor - divisorHigh
  const lost = high * divisorHigh - product + high * divisorLow + low * divisorHigh + low * divisorLow
  const remainder = dividend - product - lost
  const second = (remainder + fraction) / divisor
  // What rounding may have made of the second part: far more than it can be.
  const doubt = ((Math.abs(remainder) + 1) * 2 ** -49) / divisor
  const value = first + (second - doubt)
  return value === first + (second + doubt) ? value : Number.NaN
}

/** The upper 26 bits of a double's 53. */
function upperHalf(value: number): number {
  const scaled = value * 134_217_729
  return scaled - (scaled - value)
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const SPECIAL = /^([+-]?)(nan|inf(?:inity)?)$/i

function readLongFloat(source: Uint8Array, start: number, end: number): boolean {
  if (end - start > 1000) return false
  const text = ascii(source, start, end)
  if (NUMBER.test(text)) {
    float.value = Number(text)
    // A finite number that overflows is not representable; `Infinity` has to be written as such.
    return Number.isFinite(float.value)
  }
  const special = SPECIAL.exec(text)
  if (!special) return false
  const size = special[2]!.toLowerCase() === "nan" ? Number.NaN : Number.POSITIVE_INFINITY
  float.value = special[1] === "-" ? -size : size
  return true
}

/** Bytes as characters one to one; for short ASCII only. */
export function ascii(source: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...source.subarray(start, end))
}
