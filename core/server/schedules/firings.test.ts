import { expect, test } from "bun:test"
import { zoneNamed } from "../../flow/parameters/zone.ts"
import { nextFirings, type Timing } from "./firings.ts"
import { patternOf } from "./pattern.ts"
import type { Recurrence } from "./recurrence.ts"

test("schedules fire once for an hour that spring leaves out, and once for one that autumn repeats", () => {
  const daily = { kind: "daily", at: ["02:30"] } as const
  // On 2026-03-29, Berlin goes from 02:00 to 03:00; on 2026-10-25, from 03:00 to 02:00.
  expect(fired(daily, "Europe/Berlin", "2026-03-28T00:00:00Z", 3)).toEqual([
    "2026-03-28T01:30:00.000Z",
    "2026-03-29T01:30:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ])
  expect(fired(daily, "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual([
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ])
})

test("schedules of many times a day keep to the wall where clocks change", () => {
  const often = { kind: "minutely", from: "01:30", to: "03:30", everyMinutes: 30 } as const
  expect(fired(often, "Europe/Berlin", "2026-03-29T00:00:00Z", 5)).toEqual([
    "2026-03-29T00:30:00.000Z",
    // 02:00 and 02:30 do not exist: they are 03:00 and 03:30, which fire once each.
    "2026-03-29T01:00:00.000Z",
    "2026-03-29T01:30:00.000Z",
    "2026-03-29T23:30:00.000Z",
    "2026-03-30T00:00:00.000Z",
  ])
  expect(fired(often, "Europe/Berlin", "2026-10-24T23:00:00Z", 5)).toEqual([
    "2026-10-24T23:30:00.000Z",
    "2026-10-25T00:00:00.000Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-25T02:00:00.000Z",
    "2026-10-25T02:30:00.000Z",
  ])
})

test("schedules know the last day of a month, leap days and weekdays", () => {
  const last = { kind: "monthly", days: ["last"], at: ["23:00"] } as const
  expect(fired(last, "UTC", "2028-01-31T23:00:00Z", 2)).toEqual([
    "2028-02-29T23:00:00.000Z",
    "2028-03-31T23:00:00.000Z",
  ])
  const leap = { kind: "cron", expression: "0 12 29 2 *" } as const
  expect(fired(leap, "UTC", "2096-02-29T12:00:00Z", 1)).toEqual(["2104-02-29T12:00:00.000Z"])
  const weekly = { kind: "weekly", weekdays: [7, 1], at: ["06:00"] } as const
  expect(fired(weekly, "UTC", "2026-11-28T00:00:00Z", 3)).toEqual([
    "2026-11-29T06:00:00.000Z",
    "2026-11-30T06:00:00.000Z",
    "2026-12-06T06:00:00.000Z",
  ])
})

test("schedules read cron with five and six fields, and Quartz's question mark", () => {
  expect(fired({ kind: "cron", expression: "0 0 1 * * ?" }, "Asia/Shanghai", "2026-11-28T00:00:00Z", 1)).toEqual([
    "2026-11-28T17:00:00.000Z",
  ])
  expect(fired({ kind: "cron", expression: "*/15 9-10 * * mon-fri" }, "UTC", "2026-11-28T00:00:00Z", 2)).toEqual([
    "2026-11-30T09:00:00.000Z",
    "2026-11-30T09:15:00.000Z",
  ])
  // Both restricted: the first of a month, or a Monday.
  expect(fired({ kind: "cron", expression: "0 0 1 * 1" }, "UTC", "2026-11-28T00:00:00Z", 2)).toEqual([
    "2026-11-30T00:00:00.000Z",
    "2026-12-01T00:00:00.000Z",
  ])
})

test("schedules keep to their effective days, and end where no day can come", () => {
  const daily = { kind: "daily", at: ["00:00"] } as const
  const effective = { from: "2026-12-01", to: "2026-12-02" }
  expect(fired(daily, "Asia/Shanghai", "2026-11-28T00:00:00Z", 9, effective)).toEqual([
    "2026-11-30T16:00:00.000Z",
    "2026-12-01T16:00:00.000Z",
  ])
  expect(fired({ kind: "cron", expression: "0 0 31 2 *" }, "UTC", "2026-11-28T00:00:00Z", 9)).toEqual([])
})

test("schedules say what is wrong with a recurrence", () => {
  expect(patternOf({ kind: "hourly", from: "10:00", to: "09:00", everyHours: 1 })).toEqual({
    problem: "The times of a day end before they begin: from 10:00 to 09:00",
  })
  expect(patternOf({ kind: "cron", expression: "61 * * * *" })).toMatchObject({
    problem: expect.stringContaining('Cannot read "61 * * * *" as cron'),
  })
})

function fired(
  recurrence: Recurrence,
  zone: string,
  after: string,
  count: number,
  effective: Pick<Timing, "from" | "to"> = { from: null, to: null },
): string[] {
  const pattern = patternOf(recurrence)
  if ("problem" in pattern) throw new Error(pattern.problem)
  const timing = { pattern, zone: zoneNamed(zone)!, ...effective }
  return nextFirings(timing, Date.parse(after), count).map((instant) => new Date(instant).toISOString())
}
