import { isDate, isWritable, minuteMs, type Wall, wallOf } from "./calendar.ts"
import { printFormat, type TimeFormat } from "./time-format.ts"
import type { Zone } from "./zone.ts"

/** `yyyy-MM-dd` or `yyyyMMdd` as a wall clock at 00:00; undefined when it is not a date. */
export function readDay(text: string): Wall | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? /^(\d{4})(\d\d)(\d\d)$/.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  return isDate(year, month, day) ? wallOf({ year, month, day }) : undefined
}

/** ISO text as an instant; without an offset it is a wall clock in `zone`. Digits behind the millisecond are dropped. */
export function readInstant(text: string, zone: Zone): number | undefined {
  const read = timestampOf(text)
  if (read === undefined) return undefined
  const wall = read.wall + milliseconds(read)
  return read.offset === "" ? zone.instantAt(wall) : wall - offsetMs(read.offset)
}

/**
 * ISO text, or `yyyyMMddHHmmss`, as the contract writes timestamps: `yyyy-MM-dd HH:mm:ss[.f]`, and with an offset in UTC
 * as `…+00`. Undefined when it is not a timestamp.
 */
export function canonicalTimestamp(text: string): string | undefined {
  const read = timestampOf(text)
  if (read === undefined) return undefined
  const wall = read.offset === "" ? read.wall : read.wall - offsetMs(read.offset)
  if (!isWritable(wall)) return undefined
  const fraction = read.fraction.replace(/0+$/, "")
  return `${printFormat(canonical, wall)}${fraction === "" ? "" : `.${fraction}`}${read.offset === "" ? "" : "+00"}`
}

/** A date or a timestamp as the wall clock that it shows, whatever its offset. */
export function readWall(text: string): Wall | undefined {
  const read = timestampOf(text)
  return read === undefined ? readDay(text) : read.wall + milliseconds(read)
}

interface TimestampText {
  readonly fraction: string
  /** `±hh:mm`, or empty where there is none. */
  readonly offset: string
  /** Date and time as they stand, to the second. */
  readonly wall: Wall
}

function timestampOf(text: string): TimestampText | undefined {
  const match = iso.exec(text) ?? compact.exec(text)
  if (match === null) return undefined
  const [, y = "", mo = "", d = "", h = "00", mi = "00", s = "00", fraction = "", written = ""] = match
  const [year, month, day, hour, minute, second] = [y, mo, d, h, mi, s].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number, // as many as the array before it
  ]
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined
  const offset = offsetText(written)
  if (offset === undefined) return undefined
  const wall = wallOf({ year, month, day, hour, minute, second })
  return { fraction, offset, wall }
}

function milliseconds({ fraction }: TimestampText): number {
  return Number(fraction.padEnd(3, "0").slice(0, 3))
}

function offsetText(written: string): string | undefined {
  if (written === "") return ""
  if (/^z$/i.test(written)) return "+00:00"
  const digits = written.slice(1).replace(":", "").padEnd(4, "0")
  if (Number(digits.slice(0, 2)) > 15 || Number(digits.slice(2)) > 59) return undefined
  return `${written.charAt(0)}${digits.slice(0, 2)}:${digits.slice(2)}`
}

function offsetMs(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))
  return (offset.startsWith("-") ? -minutes : minutes) * minuteMs
}

const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/
const compact = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/

const canonical: TimeFormat = [
  { field: "yyyy" },
  { literal: "-" },
  { field: "MM" },
  { literal: "-" },
  { field: "dd" },
  { literal: " " },
  { field: "HH" },
  { literal: ":" },
  { field: "mm" },
  { literal: ":" },
  { field: "ss" },
]
