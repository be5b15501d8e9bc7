/** What `readDecimal` found, in the plain form: written before it returns. */
export const decimal = { text: new Uint8Array(64), length: 0 }

const SPECIALS = ["nan", "infinity", "-infinity"]
const SPELLED = ["NaN", "Infinity", "-Infinity"].map((text) => new TextEncoder().encode(text))

/**
 * Reads a decimal into its plain form: no plus sign, no exponent, no superfluous leading zeros, exactly `scale` digits
 * after the point when a scale is given. False when it is not a decimal or does not fit.
 *
 * `round` is for casts, which follow SQL: digits beyond the scale are rounded half away from zero instead of refused.
 */
export function readDecimal(
  source: Uint8Array,
  start: number,
  end: number,
  type: { readonly precision?: number; readonly scale?: number },
  round = false,
): boolean {
  if (isPlain(source, start, end, type)) {
    if (end - start > decimal.text.length) decimal.text = new Uint8Array((end - start) * 2)
    for (let i = start; i < end; i++) decimal.text[i - start] = source[i]!
    decimal.length = end - start
    return true
  }
  let at = start
  const minus = source[at] === 0x2d
  if (minus || source[at] === 0x2b) at++
  if (at >= end) return false
  let exponent = 0
  let stop = end
  let point = -1
  for (let i = at; i < end; i++) {
    const byte = source[i]!
    if (byte >= 0x30 && byte <= 0x39) continue
    if (byte === 0x2e && point < 0) {
      point = i
      continue
    }
    if ((byte === 0x65 || byte === 0x45) && i > at) {
      stop = i
      exponent = readExponent(source, i + 1, end)
      if (Number.isNaN(exponent)) return false
      break
    }
    return readSpecial(source, start, end)
  }
  const digits = stop - at - (point < 0 ? 0 : 1)
  if (digits < 1) return false
  return write(source, at, stop, point < 0 ? stop : point, exponent, minus, type, round)
}

/** The usual case, already in the plain form: nothing to mend, nothing too long. */
function isPlain(
  source: Uint8Array,
  start: number,
  end: number,
  { precision, scale }: { readonly precision?: number; readonly scale?: number },
): boolean {
  if (precision === undefined || scale === undefined || scale > precision) return false
  const first = source[start] === 0x2d ? start + 1 : start
  const point = scale > 0 ? end - scale - 1 : end
  const whole = point - first
  // A leading zero, also the one of -0.00, takes the long way; so does a whole number that is too long.
  if (whole < 1 || whole > precision - scale || source[first] === 0x30) return false
  for (let at = first; at < end; at++) {
    const byte = source[at]!
    if (at === point ? byte !== 0x2e : byte < 0x30 || byte > 0x39) return false
  }
  return true
}

function write(
  source: Uint8Array,
  first: number,
  stop: number,
  point: number,
  exponent: number,
  minus: boolean,
  type: { readonly precision?: number; readonly scale?: number },
  round: boolean,
): boolean {
  /** Digit at position `i` counted from the first written digit; 0 outside. */
  const digitAt = (i: number): number => {
    if (i < 0) return 0
    const index = first + i < point ? first + i : first + i + 1
    return index < stop ? source[index]! - 0x30 : 0
  }
  const count = stop - first - (point < stop ? 1 : 0)
  const whole = point - first + exponent
  let lead = 0
  while (lead < count && lead < whole && digitAt(lead) === 0) lead++
  let last = count
  const fraction = Math.max(0, count - whole)
  const scale = type.scale ?? fraction
  let up = false
  if (fraction > scale) {
    const cut = whole + scale
    for (let i = Math.max(cut, 0); i < count; i++) {
      if (digitAt(i) === 0) continue
      if (!round) return false
      break
    }
    up = cut >= 0 && digitAt(cut) >= 5
    last = Math.max(cut, 0)
  }
  const wholeDigits = Math.max(whole - lead, 0)
  const size = 3 + Math.max(wholeDigits, 1) + scale
  if (size > 200_000) return false
  if (decimal.text.length < size) decimal.text = new Uint8Array(size * 2)
  const out = decimal.text
  let to = 1
  let significant = 0
  if (wholeDigits === 0) out[to++] = 0x30
  for (let i = lead; i < whole; i++) {
    const digit = i < last ? digitAt(i) : 0
    if (significant > 0 || digit !== 0) significant++
    out[to++] = 0x30 + digit
  }
  if (scale > 0) {
    out[to++] = 0x2e
    for (let i = whole; i < whole + scale; i++) out[to++] = 0x30 + (i < last ? digitAt(i) : 0)
  }
  let from = 1
  if (up && increment(out, 1, to)) {
    out[0] = 0x31
    from = 0
    significant++
  }
  if (type.precision !== undefined && !fits(out, from, to, significant, type.precision, scale)) return false
  let zero = true
  for (let i = from; i < to; i++) if (out[i] !== 0x30 && out[i] !== 0x2e) zero = false
  const negative = minus && !zero
  if (negative) out.copyWithin(1, from, to)
  else out.copyWithin(0, from, to)
  if (negative) out[0] = 0x2d
  decimal.length = to - from + (negative ? 1 : 0)
  return true
}

/** A scale beyond the precision, as in decimal(3,5), leaves room only for the last digits of the fraction. */
function fits(out: Uint8Array, start: number, end: number, whole: number, precision: number, scale: number): boolean {
  if (scale <= precision) return whole <= precision - scale
  for (let i = start; i < end - precision; i++) if (out[i] !== 0x30 && out[i] !== 0x2e) return false
  return true
}

/** Adds one to the last digit; true when it carries out of the first. */
function increment(out: Uint8Array, start: number, end: number): boolean {
  for (let i = end - 1; i >= start; i--) {
    if (out[i] === 0x2e) continue
    if (out[i] !== 0x39) {
      out[i] = out[i]! + 1
      return false
    }
    out[i] = 0x30
  }
  return true
}

function readExponent(source: Uint8Array, start: number, end: number): number {
  let at = start
  const minus = source[at] === 0x2d
  if (minus || source[at] === 0x2b) at++
  if (at >= end || end - at > 6) return Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = source[at]! - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return minus ? -value : value
}

function readSpecial(source: Uint8Array, start: number, end: number): boolean {
  if (end - start > 9) return false
  const text = String.fromCharCode(...source.subarray(start, end)).toLowerCase()
  const index = SPECIALS.indexOf(text)
  if (index < 0) return false
  decimal.text.set(SPELLED[index]!)
  decimal.length = SPELLED[index]!.length
  return true
}
