import { Choices } from "../../parts/choices.tsx"
import { type Option, TextField } from "../../parts/field.tsx"
import { WEEKDAYS } from "./recurrence-text.ts"
import type { ScheduleForm } from "./schedule-draft.ts"

/** When a schedule fires, by the clock on the wall. */
export function RecurrenceFields({
  form,
  set,
  error,
}: {
  readonly form: ScheduleForm
  set(part: Partial<ScheduleForm>): void
  readonly error: string | undefined
}) {
  const { kind } = form
  return (
    <>
      <Choices
        label="Recurrence"
        options={KINDS}
        value={[kind]}
        change={([chosen]) => set({ kind: KINDS.find(([one]) => one === chosen)?.[0] ?? "daily" })}
      />
      {kind === "weekly" && (
        <Choices
          many
          label="On these days"
          options={WEEKDAYS.map((day, nth): Option => [String(nth + 1), day])}
          value={form.weekdays}
          change={(weekdays) => set({ weekdays })}
        />
      )}
      {kind === "monthly" && (
        <Choices many label="On these days" options={DAYS} value={form.days} change={(days) => set({ days })} />
      )}
      {kind === "hours" && (
        <>
          <Choices many label="At these hours" options={HOURS} value={form.hours} change={(hours) => set({ hours })} />
          <TextField
            label="At this minute"
            type="number"
            min={0}
            max={59}
            value={form.minute}
            change={(minute) => set({ minute })}
          />
        </>
      )}
      {(kind === "daily" || kind === "weekly" || kind === "monthly") && (
        <TextField
          label="At"
          hint="One or several times of day, such as 02:30 14:30."
          value={form.at}
          change={(at) => set({ at })}
          error={error}
        />
      )}
      {(kind === "hourly" || kind === "minutely") && (
        <div className="pair">
          <TextField
            label={kind === "hourly" ? "Every so many hours" : "Every so many minutes"}
            type="number"
            min={1}
            value={form.every}
            change={(every) => set({ every })}
            error={error}
          />
          <TextField label="From" type="time" value={form.from} change={(from) => set({ from })} />
          <TextField label="To" type="time" value={form.to} change={(to) => set({ to })} />
        </div>
      )}
      {kind === "cron" && (
        <TextField
          label="Cron expression"
          hint="Minute, hour, day of the month, month, day of the week; six fields begin with seconds."
          value={form.expression}
          change={(expression) => set({ expression })}
          error={error}
          className="mono"
          spellCheck={false}
        />
      )}
    </>
  )
}

const KINDS = [
  ["daily", "Daily"],
  ["weekly", "Weekly"],
  ["monthly", "Monthly"],
  ["hourly", "Every n hours"],
  ["hours", "At hours"],
  ["minutely", "Every n minutes"],
  ["cron", "Cron"],
] as const
const DAYS: readonly Option[] = [
  ...Array.from({ length: 31 }, (_, nth): Option => [String(nth + 1), String(nth + 1)]),
  ["last", "Last"],
]
const HOURS: readonly Option[] = Array.from(
  { length: 24 },
  (_, hour): Option => [String(hour), String(hour).padStart(2, "0")],
)
