const PER_SECOND = 1_000_000n

/**
 * 64-bit counts of a unit (0 seconds, 1 milliseconds, 2 microseconds, 3 nanoseconds) as microseconds. `unfit` lists
 * rows that int64 cannot hold, and, unless they are cut, those with nanoseconds; `cut` counts these.
 */
export function microseconds(
  values: BigInt64Array,
  unit: number,
  isPresent: (row: number) => boolean,
  cutNanoseconds: boolean,
): { readonly values: BigInt64Array; readonly unfit: readonly number[]; readonly cut: number } {
  if (unit === 2) return { values, unfit: [], cut: 0 }
  const result = new BigInt64Array(values.length)
  const unfit: number[] = []
  let cut = 0
  const factor = unit === 0 ? PER_SECOND : 1000n
  for (let row = 0; row < values.length; row++) {
    if (!isPresent(row)) continue
    const value = values[row]!
    if (unit === 3) {
      const rest = ((value % 1000n) + 1000n) % 1000n
      result[row] = (value - rest) / 1000n
      if (rest === 0n) continue
      if (cutNanoseconds) cut++
      else unfit.push(row)
    } else {
      result[row] = value * factor
      if (result[row] !== value * factor) unfit.push(row)
    }
  }
  return { values: result, unfit, cut }
}

/** An interval as databases print it: `1 year 2 mons 3 days 04:05:06.000007`. */
export function intervalText(months: number, days: number, micros: bigint): string {
  const years = Math.trunc(months / 12)
  const rest = months % 12
  const parts: string[] = []
  if (years !== 0) parts.push(`${years} year${years === 1 ? "" : "s"}`)
  if (rest !== 0) parts.push(`${rest} mon${rest === 1 ? "" : "s"}`)
  if (days !== 0) parts.push(`${days} day${days === 1 ? "" : "s"}`)
  if (micros !== 0n || parts.length === 0) parts.push(clock(micros))
  return parts.join(" ")
}

function clock(micros: bigint): string {
  const absolute = micros < 0n ? -micros : micros
  const seconds = absolute / PER_SECOND
  const fraction = absolute % PER_SECOND
  const two = (value: bigint) => value.toString().padStart(2, "0")
  const time = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`
  const digits = fraction === 0n ? "" : `.${fraction.toString().padStart(6, "0").replace(/0+$/, "")}`
  return `${micros < 0n ? "-" : ""}${time}${digits}`
}

/** IEEE 754 half precision. */
export function fromHalf(half: number): number {
  const sign = (half & 0x8000) === 0 ? 1 : -1
  const exponent = (half >>> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
