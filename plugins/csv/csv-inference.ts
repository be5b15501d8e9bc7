import type { LogicalType } from "../../core/contract/index.ts"

/** What the values of a column seen so far allow. */
export type Guess = "nothing" | "boolean" | "integer" | "decimal" | "date" | "timestamp" | "instant" | "text"

/**
 * The guess once `value` is seen as well. It never takes for a number, date or boolean what would be written back
 * differently or means something else: leading zeros, a plus sign, exponents and mixed forms make a column text.
 */
export function refine(guess: Guess, value: string): Guess {
  if (guess === "text") return guess
  const seen = classify(value)
  if (guess === "nothing" || guess === seen) return seen
  const isNumber = (each: Guess) => each === "integer" || each === "decimal"
  return isNumber(guess) && isNumber(seen) ? "decimal" : "text"
}

export function guessedType(guess: Guess): LogicalType {
  switch (guess) {
    case "boolean":
    case "date":
    case "decimal":
      return { kind: guess }
    case "integer":
      return { kind: "int64" }
    case "timestamp":
      return { kind: "timestamp", zone: false }
    case "instant":
      return { kind: "timestamp", zone: true }
    default:
      return { kind: "string" }
  }
}

function classify(value: string): Guess {
  if (value === "true" || value === "false") return "boolean"
  if (/^-?(0|[1-9]\d*)$/.test(value)) return fitsInt64(value) ? "integer" : "decimal"
  if (/^-?(0|[1-9]\d*)\.\d+$/.test(value)) return "decimal"
  const moment = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.\d{1,6})?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(
    value,
  )
  if (moment === null) return "text"
  const [, year, month, day, hour, minute, second, zone] = moment
  if (!isDate(Number(year), Number(month), Number(day))) return "text"
  if (hour === undefined) return "date"
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return "text"
  return zone === undefined ? "timestamp" : "instant"
}

function fitsInt64(value: string): boolean {
  const digits = value.replace("-", "")
  if (digits.length !== 19) return digits.length < 19
  return digits <= (value.startsWith("-") ? "9223372036854775808" : "9223372036854775807")
}

function isDate(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31)
}
