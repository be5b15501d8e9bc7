const CHUNK = 1_000_000_000

/**
 * Appends the decimal that `text[start .. end)` spells as `limbs.length` 16-bit halves, lowest first, in two's
 * complement. False when it is no number, or has more digits than precision and scale allow.
 */
export function readDecimal(
  text: Uint8Array,
  start: number,
  end: number,
  type: { readonly precision: number; readonly scale: number },
  limbs: Uint16Array,
): boolean {
  limbs.fill(0)
  const negative = text[start] === 0x2d
  let digits = 0
  let fraction = -1
  let chunk = 0
  let power = 1
  for (let at = negative ? start + 1 : start; at < end; at++) {
    const byte = text[at]!
    if (byte === 0x2e && fraction < 0) {
      fraction = 0
      continue
    }
    const digit = byte - 0x30
    if (digit < 0 || digit > 9) return false
    if (fraction >= 0 && fraction++ >= type.scale) {
      if (digit !== 0) return false
      continue
    }
    take(digit)
  }
  for (let missing = type.scale - Math.max(fraction, 0); missing > 0; missing--) take(0)
  if (power > 1) multiplyAdd(limbs, power, chunk)
  if (negative) negate(limbs)
  return digits <= type.precision

  function take(digit: number): void {
    if (digits > 0 || digit > 0) digits++
    chunk = chunk * 10 + digit
    power *= 10
    if (power < CHUNK) return
    multiplyAdd(limbs, power, chunk)
    chunk = 0
    power = 1
  }
}

/** Writes the number that `limbs` hold to `target` at `at`, with `scale` digits after the point; uses up `limbs`. */
export function writeDecimal(limbs: Uint16Array, scale: number, target: Uint8Array, at: number): number {
  let to = at
  if ((limbs.at(-1)! & 0x8000) !== 0) {
    negate(limbs)
    target[to++] = 0x2d
  }
  let count = 0
  let high = limbs.length
  for (;;) {
    while (high > 0 && limbs[high - 1] === 0) high--
    if (high === 0) break
    let rest = 0
    for (let i = high - 1; i >= 0; i--) {
      const part = rest * 65536 + limbs[i]!
      limbs[i] = Math.floor(part / CHUNK)
      rest = part % CHUNK
    }
    for (let i = 0; i < 9; i++) {
      DIGITS[count++] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
  }
  while (count > 0 && DIGITS[count - 1] === 0x30) count--
  // A scale below zero leaves out zeros at the end.
  if (count > 0 && scale < 0) {
    for (let i = count - 1; i >= 0; i--) target[to++] = DIGITS[i]!
    return to + zeros(target, to, -scale)
  }
  while (count < Math.max(scale, 0) + 1) DIGITS[count++] = 0x30
  for (let i = count - 1; i >= 0; i--) {
    target[to++] = DIGITS[i]!
    if (i === scale && i > 0) target[to++] = 0x2e
  }
  return to
}

/** Characters that a decimal of so many limbs takes at most, besides the zeros of its scale. */
export const MOST_CHARACTERS = 90

const DIGITS = new Uint8Array(512)

function zeros(target: Uint8Array, at: number, count: number): number {
  target.fill(0x30, at, at + count)
  return count
}

function multiplyAdd(limbs: Uint16Array, factor: number, addend: number): void {
  let carry = addend
  for (let i = 0; i < limbs.length; i++) {
    const value = limbs[i]! * factor + carry
    limbs[i] = value % 65536
    carry = Math.floor(value / 65536)
  }
}

function negate(limbs: Uint16Array): void {
  let carry = 1
  for (let i = 0; i < limbs.length; i++) {
    const value = (~limbs[i]! & 0xffff) + carry
    limbs[i] = value & 0xffff
    carry = value >>> 16
  }
}
