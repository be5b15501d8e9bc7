/** `1 234 567`: the thin space of ISO 80000 would not survive every terminal. */
export function count(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, " ")
}

export function rows(value: number): string {
  return value === 1 ? "1 row" : `${count(value)} rows`
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`
  for (const [size, unit] of UNITS) if (value < size * 1000) return `${digits(value / size)} ${unit}`
  return `${digits(value / 1e12)} TB`
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const minutes = Math.floor(whole / 60)
  const rest = String(whole % 60).padStart(2, "0")
  if (minutes < 60) return `${minutes} min ${rest} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`
}

/** Rows in a second, or nothing where the time was too short to say. */
export function rate(value: number, ms: number): string {
  return ms < 1 || value === 0 ? "" : `${count((value * 1000) / ms)}/s`
}

function digits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value.toFixed(1)
}

const UNITS: readonly (readonly [number, string])[] = [
  [1e3, "kB"],
  [1e6, "MB"],
  [1e9, "GB"],
]
