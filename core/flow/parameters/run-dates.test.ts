import { describe, expect, test } from "bun:test"
import { defaultDates, type RunDatesRequest } from "./run-dates.ts"

const now = Date.parse("2024-03-10T17:00:00Z")

describe("parameters take default dates", () => {
  const shanghai = { now, timeZone: "Asia/Shanghai" }
  test.each([
    ["neither is given", shanghai, "2024-03-10", "2024-03-10T16:00:00.000Z"],
    ["neither is given, in UTC", { now, timeZone: "UTC" }, "2024-03-09", "2024-03-10T00:00:00.000Z"],
    ["a business date", { ...shanghai, bizdate: "20240228" }, "2024-02-28", "2024-02-28T16:00:00.000Z"],
    ["a leap day", { ...shanghai, bizdate: "2024-02-29" }, "2024-02-29", "2024-02-29T16:00:00.000Z"],
    ["today's date", { ...shanghai, bizdate: "2024-03-11" }, "2024-03-11", "2024-03-10T16:00:00.000Z"],
    ["a future date", { ...shanghai, bizdate: "2024-03-20" }, "2024-03-20", "2024-03-20T16:00:00.000Z"],
    ["a wall clock", { ...shanghai, scheduledAt: "2024-03-01T08:00" }, "2024-02-29", "2024-03-01T00:00:00.000Z"],
    ["an instant", { ...shanghai, scheduledAt: "2024-02-29T17:00:00Z" }, "2024-02-29", "2024-02-29T17:00:00.000Z"],
    [
      "both",
      { ...shanghai, bizdate: "2020-01-01", scheduledAt: "2024-03-01 08:00:00.1239-05:00" },
      "2020-01-01",
      "2024-03-01T13:00:00.123Z",
    ],
    // Clocks in Sao Paulo went from 00:00 to 01:00 that night.
    [
      "a day without midnight",
      { now, timeZone: "America/Sao_Paulo", bizdate: "2018-11-03" },
      "2018-11-03",
      "2018-11-04T03:00:00.000Z",
    ],
    [
      "a day of 25 hours",
      { now, timeZone: "Europe/Berlin", bizdate: "2024-10-27" },
      "2024-10-27",
      "2024-10-27T23:00:00.000Z",
    ],
    [
      "an odd zone",
      { now, timeZone: "Asia/Kathmandu", bizdate: "2024-01-01" },
      "2024-01-01",
      "2024-01-01T18:15:00.000Z",
    ],
    // Samoa had no 30 December 2011.
    [
      "a day that was left out",
      { now, timeZone: "Pacific/Apia", bizdate: "2011-12-29" },
      "2011-12-29",
      "2011-12-30T10:00:00.000Z",
    ],
  ] satisfies [string, RunDatesRequest, string, string][])("from %s", (_, request, bizdate, scheduledAt) =>
    expect(defaultDates(request)).toEqual({ bizdate, scheduledAt }),
  )
})

describe("parameters refuse dates", () => {
  test.each([
    [{ bizdate: "2023-02-29" }, `Cannot read business date "2023-02-29"`],
    [{ bizdate: "2024-1-1" }, `Cannot read business date "2024-1-1"`],
    [{ bizdate: "" }, `Cannot read business date ""`],
    [{ scheduledAt: "tomorrow" }, `Cannot read scheduled time "tomorrow"`],
    [{ scheduledAt: "2024-01-01T25:00" }, `Cannot read scheduled time "2024-01-01T25:00"`],
    [{ scheduledAt: "2024-01-01T10:00+99:00" }, `Cannot read scheduled time`],
    [{ timeZone: "Mars/Olympus" }, `Cannot use time zone "Mars/Olympus"`],
    [{ bizdate: "9999-12-31" }, "0001 to 9999"],
  ])("%o", (request, message) => {
    const dates = defaultDates({ now, timeZone: "UTC", ...request })
    expect(dates.problems?.[0]?.message).toContain(message)
    expect(dates.problems?.[0]?.reason).toBe("date")
  })
})
