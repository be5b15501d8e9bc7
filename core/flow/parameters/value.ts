import type { ParameterValue } from "../../contract/index.ts"
import { maxValueLength, type ParameterDeclaration, type ParameterType } from "./declaration.ts"
import { type Fault, isFault } from "./problem.ts"
import { parseFormat, printFormat } from "./time-format.ts"
import { canonicalTimestamp, readDay, readWall } from "./time-text.ts"

/**
 * A text as value of a declared parameter, in canonical form.
 *
 * | type | takes | becomes |
 * |---|---|---|
 * | string | anything | itself |
 * | integer | `42`, `-007` | `42`, `-7`, of any size |
 * | decimal | `12.50`, `.5` | `12.50`, `0.5`, never an exponent |
 * | date | `2024-01-31`, `20240131` | `2024-01-31` |
 * | timestamp | ISO, a date alone, `yyyyMMddHHmmss` | `2024-01-31 08:00:00.5`; with an offset UTC, `2024-01-31 00:00:00.5+00` |
 * | boolean | `true`, `false`, `1`, `0` | `true`, `false` |
 */
export function readValue(text: string, declaration: ParameterDeclaration): ParameterValue | Fault {
  const long = lengthFault(text)
  if (long !== undefined) return long
  const { type, format } = declaration
  const value = readers[type](text)
  if (value === undefined) return { fault: `"${text}" is not ${expected[type].what}`, hint: expected[type].hint }
  return format === undefined ? { type, value } : formatted(text, format)
}

export function lengthFault(text: string): Fault | undefined {
  if (text.length <= maxValueLength) return undefined
  const length = [...text].length
  if (length <= maxValueLength) return undefined
  return { fault: `the value has ${length} characters, and ${maxValueLength} are allowed`, hint: "Shorten the value" }
}

/** A date or timestamp in the declared format; the clock is printed as it was given, whatever its offset. */
function formatted(text: string, format: string): ParameterValue | Fault {
  const parsed = parseFormat(format)
  if (isFault(parsed)) return parsed
  const wall = readWall(text)
  return wall === undefined
    ? { fault: `"${text}" is not a date`, hint: expected.date.hint }
    : { type: "string", value: printFormat(parsed, wall) }
}

const readers: Readonly<Record<ParameterType, (text: string) => string | undefined>> = {
  string: (text) => text,
  integer: (text) => {
    const match = /^([+-]?)0*(\d+)$/.exec(text)
    return match === null ? undefined : signed(match[1], match[2] ?? "")
  },
  decimal: (text) => {
    const match = /^([+-]?)0*(\d*)(?:\.(\d*))?$/.exec(text)
    if (match === null || !/\d/.test(text)) return undefined
    const fraction = match[3] ?? ""
    return signed(match[1], (match[2] || "0") + (fraction === "" ? "" : `.${fraction}`))
  },
  date: (text) => {
    if (readDay(text) === undefined) return undefined
    return text.includes("-") ? text : `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`
  },
  timestamp: canonicalTimestamp,
  boolean: (text) => (/^(true|1)$/i.test(text) ? "true" : /^(false|0)$/i.test(text) ? "false" : undefined),
}

function signed(sign: string | undefined, digits: string): string {
  return sign === "-" && /[1-9]/.test(digits) ? `-${digits}` : digits
}

const expected: Readonly<Record<ParameterType, { readonly what: string; readonly hint: string }>> = {
  string: { what: "a text", hint: "Write a text" },
  integer: { what: "an integer", hint: "Write digits only, such as 42 or -7" },
  decimal: { what: "a decimal", hint: "Write digits and a point, such as 12.50, without an exponent" },
  date: { what: "a date", hint: "Write it as 2024-01-31 or 20240131" },
  timestamp: { what: "a timestamp", hint: "Write it as 2024-01-31 08:00:00, with +08:00 behind it for an offset" },
  boolean: { what: "a boolean", hint: "Write true or false" },
}
