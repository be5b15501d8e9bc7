import type { Recurrence } from "../../../../core/server/schedules/recurrence.ts"
import type { ScheduleDraft } from "../../../../core/server/schedules/timing.ts"

/** A schedule while it is typed: every kind of recurrence keeps what was chosen for it. */
export interface ScheduleForm {
  readonly name: string
  readonly kind: Recurrence["kind"]
  /** Times of day, one after another. */
  readonly at: string
  readonly weekdays: readonly string[]
  readonly days: readonly string[]
  readonly from: string
  readonly to: string
  readonly every: string
  readonly hours: readonly string[]
  readonly minute: string
  readonly expression: string
  readonly timeZone: string
  readonly mode: ScheduleDraft["mode"]
  readonly missed: ScheduleDraft["missed"]
  readonly effectiveFrom: string
  readonly effectiveTo: string
  readonly environment: ScheduleDraft["environment"]
  readonly parameters: Readonly<Record<string, string>>
}

export function newForm(timeZone: string): ScheduleForm {
  return {
    ...{ name: "", kind: "daily", at: "02:00", weekdays: ["1"], days: ["1"], from: "00:00", to: "23:59", every: "1" },
    ...{ hours: ["8"], minute: "0", expression: "0 2 * * *", timeZone, mode: "normal", missed: "once" },
    ...{ effectiveFrom: "", effectiveTo: "", environment: "prod", parameters: {} },
  }
}

export function formOf(draft: ScheduleDraft): ScheduleForm {
  const { name, recurrence, timeZone, mode, missed, effectiveFrom, effectiveTo, environment, parameters } = draft
  return {
    ...newForm(timeZone),
    ...{ name, kind: recurrence.kind, mode, missed, environment, parameters },
    ...{ effectiveFrom: effectiveFrom ?? "", effectiveTo: effectiveTo ?? "" },
    ...("at" in recurrence && { at: recurrence.at.join(" ") }),
    ...("weekdays" in recurrence && { weekdays: recurrence.weekdays.map(String) }),
    ...("days" in recurrence && { days: recurrence.days.map(String) }),
    ...("from" in recurrence && { from: recurrence.from, to: recurrence.to }),
    ...("everyHours" in recurrence && { every: String(recurrence.everyHours) }),
    ...("everyMinutes" in recurrence && { every: String(recurrence.everyMinutes) }),
    ...("hours" in recurrence && { hours: recurrence.hours.map(String), minute: String(recurrence.minute) }),
    ...("expression" in recurrence && { expression: recurrence.expression }),
  }
}

export function recurrenceOf(form: ScheduleForm): Recurrence {
  const at = form.at.split(/[\s,;]+/).filter(Boolean)
  const { kind, from, to } = form
  switch (kind) {
    case "daily":
      return { kind, at }
    case "weekly":
      return { kind, weekdays: numbers(form.weekdays), at }
    case "monthly":
      return {
        kind,
        days: [
          ...numbers(form.days.filter((day) => day !== "last")),
          ...(form.days.includes("last") ? ["last" as const] : []),
        ],
        at,
      }
    case "hourly":
      return { kind, from, to, everyHours: Number(form.every) }
    case "hours":
      return { kind, hours: numbers(form.hours), minute: Number(form.minute) }
    case "minutely":
      return { kind, from, to, everyMinutes: Number(form.every) }
    case "cron":
      return { kind, expression: form.expression.trim() }
  }
}

export function draftOf(form: ScheduleForm): ScheduleDraft {
  const { name, timeZone, mode, missed, environment, parameters } = form
  return {
    ...{ name: name.trim(), timeZone: timeZone.trim(), mode, missed, environment, parameters },
    recurrence: recurrenceOf(form),
    effectiveFrom: form.effectiveFrom || null,
    effectiveTo: form.effectiveTo || null,
  }
}

function numbers(texts: readonly string[]): readonly number[] {
  return texts.map(Number).sort((a, b) => a - b)
}
