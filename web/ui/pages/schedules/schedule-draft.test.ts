import { expect, test } from "bun:test"
import type { Recurrence } from "../../../../core/server/schedules/recurrence.ts"
import { draftOf, formOf, newForm } from "./schedule-draft.ts"

test.each<Recurrence>([
  { kind: "daily", at: ["02:30", "14:30"] },
  { kind: "weekly", weekdays: [1, 7], at: ["06:00"] },
  { kind: "monthly", days: [1, 15, "last"], at: ["00:15"] },
  { kind: "hourly", from: "08:00", to: "18:00", everyHours: 2 },
  { kind: "hours", hours: [8, 20], minute: 5 },
  { kind: "minutely", from: "08:00", to: "18:00", everyMinutes: 15 },
  { kind: "cron", expression: "0 4 * * 1" },
])("schedule-draft gives back the recurrence $kind that it was given", (recurrence) => {
  const draft = {
    ...draftOf(newForm("Europe/Berlin")),
    ...{ name: "nightly", recurrence, effectiveFrom: "2026-12-01", effectiveTo: null, parameters: { a: "1" } },
  }
  expect(draftOf(formOf(draft))).toEqual(draft)
})

test("schedule-draft takes times of day as people write them down", () => {
  expect(draftOf({ ...newForm("UTC"), at: " 02:30, 14:30;16:00 " }).recurrence).toEqual({
    kind: "daily",
    at: ["02:30", "14:30", "16:00"],
  })
})
