/** One thing that was measured, and what is wanted of it. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: "ms" | "MB" | "%" | "runs/s" | "ratio"
  /** At most; at least, where `isLeast`. */
  readonly limit: number
  readonly isLeast?: boolean
  /** What else there is to know. */
  readonly note?: string
}

export function isMissed({ value, limit, isLeast }: Figure): boolean {
  return isLeast === true ? value < limit : value > limit
}

export function figureLine(figure: Figure): string {
  const { name, value, unit, limit, isLeast, note } = figure
  const shown = (number: number) => (unit === "ratio" ? number.toFixed(2) : String(Math.round(number * 10) / 10))
  const verdict = isMissed(figure) ? "missed" : "ok"
  const wanted = `${isLeast ? "at least" : "at most"} ${shown(limit)}`
  return [name.padEnd(44), `${shown(value)} ${unit}`.padStart(14), `  ${wanted}: ${verdict}`, note && `  (${note})`]
    .filter((part) => part !== undefined)
    .join("")
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
