import { type Wall, type WallFields, wallFields } from "./calendar.ts"
import { type Fault, isFault } from "./problem.ts"

/** A date format: fields and the text between them. */
export type TimeFormat = readonly FormatPart[]
export type FormatPart = { readonly field: Field } | { readonly literal: string }
export type Field = keyof typeof fields

/**
 * Reads a format. Letters are fields and nothing else: `yyyy yy MM dd HH mm ss SSS`, and `mi` for a minute that is
 * unmistakable. Text with letters or digits stands in single quotes, `''` is a quote; other characters stand for
 * themselves. `mm` must follow `HH` or precede `ss`, so that a month can never be read as a minute.
 */
export function parseFormat(text: string): TimeFormat | Fault {
  const parts: FormatPart[] = []
  let at = 0
  while (at < text.length) {
    const part = partAt(text, at)
    if (isFault(part)) return part
    parts.push(part.part)
    at = part.end
  }
  if (!parts.some((part) => "field" in part)) {
    return { fault: `"${text}" has no date field`, hint: "Write a format such as yyyyMMdd" }
  }
  return minuteFault(parts) ?? parts
}

export function printFormat(format: TimeFormat, wall: Wall): string {
  const values = wallFields(wall)
  return format.map((part) => ("field" in part ? fields[part.field](values) : part.literal)).join("")
}

/** True when the format shows an hour, a minute, a second or a fraction. */
export function showsTime(format: TimeFormat): boolean {
  return format.some((part) => "field" in part && timeFields.has(part.field))
}

/** True when the format shows a year, a month or a day. */
export function showsDate(format: TimeFormat): boolean {
  return format.some((part) => "field" in part && !timeFields.has(part.field))
}

function partAt(text: string, at: number): { readonly part: FormatPart; readonly end: number } | Fault {
  const char = text.charAt(at)
  if (char === "'") return quotedAt(text, at)
  if (!/[\p{L}\p{N}]/u.test(char)) return { part: { literal: char }, end: at + 1 }
  if (text.startsWith("mi", at)) return { part: { field: "mi" }, end: at + 2 }
  let end = at + 1
  while (text.charAt(end) === char && !text.startsWith("mi", end)) end++
  const run = text.slice(at, end)
  if (Object.hasOwn(fields, run)) return { part: { field: run as Field /* an own key of `fields` */ }, end }
  const meant = Object.hasOwn(meanings, char.toLowerCase()) ? meanings[char.toLowerCase()] : undefined
  if (meant === undefined) {
    return { fault: `"${run}" is not a date field`, hint: `Put literal text in single quotes: '${run}'` }
  }
  return { fault: `"${run}" is not a date field`, hint: `Write ${meant}` }
}

function quotedAt(text: string, at: number): { readonly part: FormatPart; readonly end: number } | Fault {
  let literal = ""
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] !== "'") literal += text[i]
    else if (text[i + 1] === "'") literal += text[i++]
    else return { part: { literal: i === at + 1 ? "'" : literal }, end: i + 1 }
  }
  return { fault: "a single quote is not closed", hint: "Write '' for a quote" }
}

function minuteFault(parts: TimeFormat): Fault | undefined {
  const found = parts.flatMap((part, at) => ("field" in part ? [{ field: part.field, at }] : []))
  for (const [i, { field, at }] of found.entries()) {
    const beside = found[i - 1]?.field === "HH" || found[i + 1]?.field === "ss"
    if (field === "mm" && !beside) {
      return {
        fault: `"mm" is the minute, but stands neither after "HH" nor before "ss"`,
        hint: `Write "${withField(parts, at, "MM")}" for the month, or "${withField(parts, at, "mi")}" for the minute`,
      }
    }
    if (field === "MM" && beside) {
      return {
        fault: `"MM" is the month, but stands where the minute is expected`,
        hint: `Write "${withField(parts, at, "mm")}"`,
      }
    }
  }
  return undefined
}

function withField(parts: TimeFormat, at: number, field: Field): string {
  return parts.map((part, i) => (i === at ? field : "field" in part ? part.field : quoted(part.literal))).join("")
}

function quoted(literal: string): string {
  return /[\p{L}\p{N}']/u.test(literal) ? `'${literal.replaceAll("'", "''")}'` : literal
}

const fields = {
  yyyy: ({ year }: WallFields) => padded(year, 4),
  yy: ({ year }: WallFields) => padded(year % 100, 2),
  MM: ({ month }: WallFields) => padded(month, 2),
  dd: ({ day }: WallFields) => padded(day, 2),
  HH: ({ hour }: WallFields) => padded(hour, 2),
  mm: ({ minute }: WallFields) => padded(minute, 2),
  mi: ({ minute }: WallFields) => padded(minute, 2),
  ss: ({ second }: WallFields) => padded(second, 2),
  SSS: ({ millisecond }: WallFields) => padded(millisecond, 3),
}

const timeFields: ReadonlySet<string> = new Set(["HH", "mm", "mi", "ss", "SSS"])

const meanings: Readonly<Record<string, string>> = {
  y: "yyyy or yy for the year",
  m: "MM for the month, or mm for the minute",
  d: "dd for the day of the month",
  h: "HH for the hour (00 to 23)",
  s: "ss for the second, or SSS for the millisecond",
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0")
}
