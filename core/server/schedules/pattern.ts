import { Cron, Result } from "effect"
import { dayMs, hourMs, minuteMs, secondMs, wallFields } from "../../flow/parameters/calendar.ts"
import type { Recurrence } from "./recurrence.ts"

/** A recurrence, made ready to be asked: which days, and at what times of them. */
export interface Pattern {
  /** `day` is midnight, as a wall clock. */
  isOn(day: number): boolean
  /** Milliseconds after midnight, ascending, each once. */
  readonly times: readonly number[]
}

/** Or what is wrong with it. */
export function patternOf(recurrence: Recurrence): Pattern | { readonly problem: string } {
  switch (recurrence.kind) {
    case "daily":
      return { isOn: () => true, times: timesOf(recurrence.at) }
    case "weekly": {
      const days = new Set(recurrence.weekdays)
      return { isOn: (day) => days.has(weekdayOf(day) || 7), times: timesOf(recurrence.at) }
    }
    case "monthly": {
      const days = new Set<number | "last">(recurrence.days)
      return {
        isOn: (day) => days.has(wallFields(day).day) || (days.has("last") && wallFields(day + dayMs).day === 1),
        times: timesOf(recurrence.at),
      }
    }
    case "hours":
      return {
        isOn: () => true,
        times: ascending(recurrence.hours.map((hour) => hour * hourMs + recurrence.minute * minuteMs)),
      }
    case "hourly":
      return ranged(recurrence.from, recurrence.to, recurrence.everyHours * hourMs)
    case "minutely":
      return ranged(recurrence.from, recurrence.to, recurrence.everyMinutes * minuteMs)
    case "cron":
      return cronPattern(recurrence.expression)
  }
}

function ranged(from: string, to: string, everyMs: number): Pattern | { readonly problem: string } {
  const [first, last] = [timeOf(from), timeOf(to)]
  if (last < first) return { problem: `The times of a day end before they begin: from ${from} to ${to}` }
  const times: number[] = []
  for (let time = first; time <= last; time += everyMs) times.push(time)
  return { isOn: () => true, times }
}

function cronPattern(expression: string): Pattern | { readonly problem: string } {
  const fields = expression.trim().split(/\s+/)
  const parsed = Cron.parse(fields.map((field) => (field === "?" ? "*" : field)).join(" "))
  if (Result.isFailure(parsed)) return { problem: `Cannot read "${expression}" as cron: ${parsed.failure.message}` }
  const { seconds, minutes, hours, days, months, weekdays } = parsed.success
  const [dayField = "*", , weekdayField = "*"] = fields.slice(-3)
  // As in cron(8): where both are restricted, one of them is enough, unless one begins with a star.
  const needsBoth = [dayField, weekdayField].some((field) => field.startsWith("*") || field === "?")
  const times: number[] = []
  for (const hour of orAll(hours, 24))
    for (const minute of orAll(minutes, 60))
      for (const second of orAll(seconds, 60)) times.push(hour * hourMs + minute * minuteMs + second * secondMs)
  return {
    isOn(day) {
      const fields = wallFields(day)
      if (months.size > 0 && !months.has(fields.month)) return false
      const isDay = days.size === 0 || days.has(fields.day)
      const isWeekday = weekdays.size === 0 || weekdays.has(weekdayOf(day))
      return needsBoth ? isDay && isWeekday : isDay || isWeekday
    },
    times: ascending(times),
  }
}

/** An empty set is a star. */
function orAll(values: ReadonlySet<number>, count: number): Iterable<number> {
  return values.size > 0 ? values : Array.from({ length: count }, (_, i) => i)
}

/** 0 is Sunday. */
function weekdayOf(day: number): number {
  return (((day / dayMs + 4) % 7) + 7) % 7
}

function timesOf(texts: readonly string[]): readonly number[] {
  return ascending(texts.map(timeOf))
}

function timeOf(text: string): number {
  return Number(text.slice(0, 2)) * hourMs + Number(text.slice(3, 5)) * minuteMs
}

function ascending(times: readonly number[]): readonly number[] {
  return [...new Set(times)].sort((a, b) => a - b)
}
