import { describe, expect, test } from "bun:test"
import { isFault } from "./problem.ts"
import { readClock } from "./run-dates.ts"
import { evaluateTime, parseTimeExpression } from "./time-expression.ts"

const shanghai = { bizdate: "2024-03-31", scheduledAt: "2024-04-01T08:30:15.250", timeZone: "Asia/Shanghai" }
const berlin = { bizdate: "2024-03-31", scheduledAt: "2024-03-31T03:30:00", timeZone: "Europe/Berlin" }
const autumn = { bizdate: "2024-10-27", scheduledAt: "2024-10-27T02:30:00+01:00", timeZone: "Europe/Berlin" }
const leap = { bizdate: "2024-02-29", scheduledAt: "2024-03-01T00:00:00", timeZone: "UTC" }

describe("parameters read the business date", () => {
  test.each([
    ["yyyyMMdd", "20240331"],
    ["yyyy-MM-dd", "2024-03-31"],
    ["yy/MM", "24/03"],
    ["yyyyMMdd-1", "20240330"],
    ["yyyyMMdd - 1", "20240330"],
    ["yyyyMMdd+1", "20240401"],
    ["yyyy-MM-dd-1d", "2024-03-30"],
    ["yyyyMMdd-7*1", "20240324"],
    ["yyyyMMdd+7*1", "20240407"],
    ["yyyyMMdd-2w", "20240317"],
    ["yyyyMM-1M", "202402"],
    ["yyyyMMdd-1M", "20240229"],
    ["yyyyMMdd-13M", "20230228"],
    ["yyyyMMdd+1M", "20240430"],
    ["yyyyMMdd-1y", "20230331"],
    ["yyyyMMdd-0.5y", "20230930"],
    ["yyyyMMdd-1M-1d", "20240228"],
    ["yyyyMMdd-1d-1M", "20240229"],
    ["HHmmss", "000000"],
    ["HHmmss-1/24/60", "235900"],
    ["yyyyMMddHHmmss-1/24", "20240330230000"],
    ["yyyyMMddHHmmss-1/24/60/60", "20240330235959"],
    ["HH:mm:ss.SSS-0.001s", "23:59:59.999"],
    ["yyyyMMdd HH:mi-90m", "20240330 22:30"],
    ["yyyyMMdd-1/3*3", "20240330"],
    ["yyyyMMdd-1.5", "20240329"],
    ["yyyy-MM-dd'T'HH:mm", "2024-03-31T00:00"],
    ["yyyy''MM", "2024'03"],
    ["'day-1: 'dd", "day-1: 31"],
    ["mi", "00"],
    ["yyyyMM'm'", "202403m"],
    ["yyyy_MM", "2024_03"],
    ["dd-0", "31"],
  ])("%s is %s", (text, expected) => expect(business(text, shanghai)).toBe(expected))

  test.each([
    ["yyyyMMdd-1y", "20230228"],
    ["yyyyMMdd+4y", "20280229"],
    ["yyyyMMdd-1M", "20240129"],
    ["yyyyMMdd+1d", "20240301"],
    ["yyyyMMdd-366", "20230228"],
  ])("%s of a leap day is %s", (text, expected) => expect(business(text, leap)).toBe(expected))

  test("no clock change touches it", () => {
    expect(business("yyyyMMddHHmm-1/24", berlin)).toBe("202403302300")
    expect(business("yyyyMMddHHmm+3h", berlin)).toBe("202403310300")
  })
})

describe("parameters read the scheduled time", () => {
  test.each([
    ["yyyyMMddHHmmss", "20240401083015"],
    ["SSS", "250"],
    ["HH-1/24", "07"],
    ["yyyyMMdd HH-9/24", "20240331 23"],
    ["yyyyMMdd-1", "20240331"],
    ["yyyyMMdd-1M", "20240301"],
    ["HH:mm:ss+15s", "08:30:30"],
    ["HH:mm-31m", "07:59"],
  ])("%s is %s", (text, expected) => expect(scheduled(text, shanghai)).toBe(expected))

  test.each([
    // 03:30 CEST is 01:30 UTC; an hour of elapsed time before it clocks showed 01:30 CET.
    [berlin, "HH:mm-1h", "01:30"],
    [berlin, "HH:mm-1/24", "01:30"],
    [berlin, "yyyyMMdd HH:mm-1d", "20240330 03:30"],
    [berlin, "yyyyMMdd HH:mm-24h", "20240330 02:30"],
    [berlin, "yyyyMMdd HH:mm-24/24", "20240330 03:30"],
    [berlin, "yyyyMMdd HH:mm-1d+1d-1h", "20240331 01:30"],
    [autumn, "HH:mm", "02:30"],
    [autumn, "HH:mm-1h", "02:30"],
    [autumn, "HH:mm-2h", "01:30"],
    [autumn, "HH:mm+1h", "03:30"],
    // The day after, back to a day that had 02:30 twice: the first of them.
    [autumn, "HH:mm+1d-1d-1h", "01:30"],
  ])("%o %s is %s", (dates, text, expected) => expect(scheduled(text, dates)).toBe(expected))

  test("a day's step into the spring gap moves forward by the gap", () => {
    const before = { bizdate: "2024-03-29", scheduledAt: "2024-03-30T02:30:00", timeZone: "Europe/Berlin" }
    expect(scheduled("yyyyMMdd HH:mm+1d", before)).toBe("20240331 03:30")
  })
})

describe("parameters refuse", () => {
  test.each([
    ["yyyymmdd", `"mm" is the minute`, `"yyyyMMdd"`],
    ["mm", `"mm" is the minute`, `"mi"`],
    ["yyyy-mm-dd HH:mm", `"mm" is the minute`, `"yyyy-MM-dd HH:mm"`],
    ["yyyymmdd'T'HH", `"mm" is the minute`, `"yyyyMMdd'T'HH"`],
    ["HHMMss", `"MM" is the month`, `"HHmmss"`],
    ["HH:MM", `"MM" is the month`, `"HH:mm"`],
    ["YYYYMMdd", `"YYYY" is not a date field`, "yyyy"],
    ["yyyyMMDD", `"DD" is not a date field`, "dd for the day"],
    ["hhmm", `"hh" is not a date field`, "HH"],
    ["yyyyyMM", `"yyyyy" is not a date field`, "yyyy"],
    ["yyyyM", `"M" is not a date field`, "MM"],
    ["yyyy-MM-ddTHH", `"T" is not a date field`, "'T'"],
    ["yyyyMMdd2", `"2" is not a date field`, "quotes"],
    ["yyyyMMddé", `"é" is not a date field`, "quotes"],
    ["''", "no date field", "yyyyMMdd"],
    ["-1", "no date field", "yyyyMMdd"],
    ["0", `"0" is not a date field`, "quotes"],
    ["yyyy'x", "quote is not closed", "''"],
    ["yyyyMMdd-", "no number follows", "-1d"],
    ["yyyyMMdd-x", `"x" is not a date field`, "quotes"],
    ["yyyyMMdd-1D", `"D" in "-1D" is not a unit`, "d for days"],
    ["yyyyMMdd-1mo", "is not a unit", "M for months"],
    ["yyyyMMdd-1m", "the format shows no time", `"M"`],
    ["HH:mm-1M", "the format shows no date", `"m"`],
    ["yyyyMMdd-1/7", "not a whole number of milliseconds", "even"],
    ["yyyyMMdd-1/0", "divides by zero", "another"],
    ["yyyyMM-1.5M", "not a whole number of months", "even"],
    ["yyyyMMdd-1d*2", "is not an offset", "-1d"],
    ["yyyyMMdd-1.", "is not an offset", "-1d"],
    ["yyyyMMdd-99999999999999999999", "out of range", "even"],
    [`yyyyMMdd${"-1".repeat(60)}`, "longer than 100", ""],
  ])("%s", (text, fault, hint) => {
    const parsed = parseTimeExpression(text)
    if (!isFault(parsed)) throw new Error(`"${text}" was read`)
    expect(parsed.fault).toContain(fault)
    expect(parsed.hint ?? "").toContain(hint)
  })

  test.each(["yyyyMMdd-2024y", "yyyyMMdd+8000y", "yyyyMMdd+3000000d", "yyyyMMdd-800000"])(
    "%s, which leaves the years that can be written",
    (text) => {
      expect(business(text, shanghai)).toContain("0001 to 9999")
      expect(scheduled(text, shanghai)).toContain("0001 to 9999")
    },
  )
})

test("parameters add a fraction of a day as often as wanted without drift", () => {
  const tenth = Array.from({ length: 10 }, () => "+0.1").join("")
  expect(business(`yyyyMMddHHmmssSSS${tenth}`, shanghai)).toBe("20240401000000000")
  expect(business(`HHmmssSSS${"-1/24/60/60".repeat(7)}`, shanghai)).toBe("235953000")
})

test("parameters agree with Date on every day of eight centuries", () => {
  const read = readClock({ bizdate: "1700-01-01", scheduledAt: "2024-01-01", timeZone: "UTC" })
  if (read.problems !== undefined) throw new Error("unreadable")
  for (let day = 0; day < 292_000; day += 1 + (day % 29)) {
    const expected = new Date(read.clock.business + day * 86_400_000).toISOString().slice(0, 10)
    expect(business(`yyyy-MM-dd+${day}`, { bizdate: "1700-01-01", scheduledAt: "2024-01-01", timeZone: "UTC" })).toBe(
      expected,
    )
  }
})

type Dates = Parameters<typeof readClock>[0]

function business(text: string, dates: Dates): string {
  return evaluate(text, "business", dates)
}

function scheduled(text: string, dates: Dates): string {
  return evaluate(text, "scheduled", dates)
}

function evaluate(text: string, base: "business" | "scheduled", dates: Dates): string {
  const read = readClock(dates)
  if (read.problems !== undefined) throw new Error(read.problems[0]?.message)
  const parsed = parseTimeExpression(text)
  if (isFault(parsed)) throw new Error(parsed.fault)
  const result = evaluateTime(parsed, base, read.clock)
  return isFault(result) ? result.fault : result.text
}
