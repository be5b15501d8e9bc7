/** A first and a last day, in the reader's zone. */
export function DayRange({
  from,
  to,
  change,
}: {
  readonly from: string
  readonly to: string
  change(part: { readonly from?: string; readonly to?: string }): void
}) {
  return (
    <div className="row">
      <input
        type="date"
        className="input"
        aria-label="From this day on"
        value={from}
        max={to || undefined}
        onChange={(event) => change({ from: event.target.value })}
      />
      <span className="faint">to</span>
      <input
        type="date"
        className="input"
        aria-label="Until this day"
        value={to}
        min={from || undefined}
        onChange={(event) => change({ to: event.target.value })}
      />
    </div>
  )
}

export function dayStart(day: string): number {
  return new Date(`${day}T00:00:00`).getTime()
}

export function dayEnd(day: string): number {
  return new Date(`${day}T23:59:59.999`).getTime()
}
