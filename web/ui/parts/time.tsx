import { useEffect, useState } from "react"
import { durationText } from "./number-text.ts"

/** A moment in the reader's zone; in UTC when pointed at. `relative` says how long ago instead. */
export function Time({
  at,
  relative = false,
  empty = "–",
}: {
  readonly at: number | string | null | undefined
  readonly relative?: boolean
  readonly empty?: string
}) {
  const now = useNow(relative ? 20_000 : undefined)
  if (at === null || at === undefined || at === "") return <span className="faint">{empty}</span>
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return <span>{String(at)}</span>
  const utc = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`
  const text = relative ? relativeText(date.getTime() - now) : timeText(date)
  return (
    <time dateTime={date.toISOString()} title={relative ? `${timeText(date)} – ${utc}` : utc}>
      {text}
    </time>
  )
}

/** How long something took, or takes so far. */
export function Duration({ from, to }: { readonly from: number | null; readonly to: number | null }) {
  const now = useNow(from !== null && to === null ? 1000 : undefined)
  if (from === null) return <span className="faint">–</span>
  return <span className="number">{durationText((to ?? Math.max(now, from)) - from)}</span>
}

/** The present, as often as asked. */
export function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (everyMs === undefined) return
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

export function timeText(date: Date): string {
  return date.getFullYear() === new Date().getFullYear() ? thisYear.format(date) : anyYear.format(date)
}

export function relativeText(ms: number): string {
  const size = Math.abs(ms)
  for (const [unit, length] of UNITS) if (size >= length) return relativeFormat.format(Math.round(ms / length), unit)
  // Clocks differ a little.
  return ms > CLOCKS_DIFFER_MS ? "in a moment" : "just now"
}

const CLOCKS_DIFFER_MS = 5000

const UNITS = [
  ["year", 31_557_600_000],
  ["month", 2_629_800_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const
const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "long" })
const clock = {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
} as const
const thisYear = new Intl.DateTimeFormat("en-GB", clock)
const anyYear = new Intl.DateTimeFormat("en-GB", { ...clock, year: "numeric" })
