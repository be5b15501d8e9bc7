import { expect, test } from "bun:test"
import { recurrenceText } from "./recurrence-text.ts"

test("recurrence-text says in words when a schedule fires", () => {
  expect(
    [
      { kind: "daily", at: ["02:30", "14:30"] } as const,
      { kind: "weekly", weekdays: [1, 3, 7], at: ["06:00"] } as const,
      { kind: "monthly", days: [1, "last"], at: ["00:15"] } as const,
      { kind: "hourly", from: "00:00", to: "23:59", everyHours: 1 } as const,
      { kind: "hours", hours: [8, 20], minute: 5 } as const,
      { kind: "minutely", from: "08:00", to: "18:00", everyMinutes: 15 } as const,
      { kind: "cron", expression: "0 4 * * 1" } as const,
    ].map(recurrenceText),
  ).toEqual([
    "Every day at 02:30 and 14:30",
    "Mon, Wed and Sun at 06:00",
    "Day 1 and The last day of the month at 00:15",
    "Every hour from 00:00 to 23:59",
    "At 08:05 and 20:05",
    "Every 15 minutes from 08:00 to 18:00",
    "Cron 0 4 * * 1",
  ])
})
