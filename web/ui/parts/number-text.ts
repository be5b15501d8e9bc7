const grouped = new Intl.NumberFormat("en")
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })

/** 1234567 as 1,234,567. */
export function numberText(value: number | bigint | null | undefined): string {
  return value === null || value === undefined ? "–" : grouped.format(value)
}

export function compactText(value: number): string {
  return value < 10_000 ? grouped.format(Math.round(value)) : compact.format(value)
}

export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"]
  const at = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** at
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}

/** As precise as it matters: 340 ms, 4.2 s, 3 min 4 s, 2 h 5 min. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const hours = Math.floor(seconds / 3600)
  return `${hours} h ${Math.floor((seconds % 3600) / 60)} min`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`
}
