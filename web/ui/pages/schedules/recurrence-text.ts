import type { Recurrence } from "../../../../core/server/schedules/recurrence.ts"

export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const

/** A recurrence in words. */
export function recurrenceText(recurrence: Recurrence): string {
  switch (recurrence.kind) {
    case "daily":
      return `Every day at ${list(recurrence.at)}`
    case "weekly":
      return `${list(recurrence.weekdays.map((day) => WEEKDAYS[day - 1] ?? day))} at ${list(recurrence.at)}`
    case "monthly":
      return `${list(recurrence.days.map((day) => (day === "last" ? "The last day" : `Day ${day}`)))} of the month at ${list(recurrence.at)}`
    case "hourly":
      return `${every(recurrence.everyHours, "hour")} from ${recurrence.from} to ${recurrence.to}`
    case "hours":
      return `At ${list(recurrence.hours.map((hour) => `${two(hour)}:${two(recurrence.minute)}`))}`
    case "minutely":
      return `${every(recurrence.everyMinutes, "minute")} from ${recurrence.from} to ${recurrence.to}`
    case "cron":
      return `Cron ${recurrence.expression}`
  }
}

function every(count: number, unit: string): string {
  return count === 1 ? `Every ${unit}` : `Every ${count} ${unit}s`
}

function list(parts: readonly (string | number)[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`
}

function two(value: number): string {
  return String(value).padStart(2, "0")
}
