import type { Session, TableColumn, Vector } from "../../core/contract/index.ts"
import { keepsNumbers } from "./mysql-json.ts"
import { isOpaque } from "./mysql-types.ts"

/** Writes one column's values in the text format of LOAD DATA: tab, newline, backslash and NUL are escaped. */
export interface Encoder {
  /** The most bytes that `write` may need for this row. */
  size(row: number): number
  /**
   * Writes a present value at `at`; returns the position after it, or -1 when MySQL has no such value, or would put
   * another one in its place without a word.
   */
  write(row: number, target: Uint8Array, at: number): number
}

/** The encoder of one vector, made once per batch. */
export function encoderOf(
  vector: Vector,
  column: TableColumn,
  session: Pick<Session, "batches" | "adjusted">,
): Encoder {
  const view = session.batches.text(vector)
  const declared = column.native?.type ?? ""
  switch (vector.storage) {
    case "bit": {
      const { values } = vector
      return fixed(1, (row, target, at) => {
        target[at] = 0x30 + ((values[row >>> 3]! >>> (row & 7)) & 1)
        return at + 1
      })
    }
    case "float32":
    case "float64": {
      const { values } = vector
      const places = /^(?:float|double|real)\(\d+,(\d+)\)/i.exec(declared)?.[1]
      return fixed(32, (row, target, at) => {
        const value = values[row]!
        if (!Number.isFinite(value) || (places !== undefined && Number(value.toFixed(+places)) !== value)) return -1
        // Counted where the server has one zero only.
        if (value === 0 && Object.is(value, -0)) session.adjusted("negativeZero", column.name, 1)
        return view.write(row, target, at)
      })
    }
    case "int16":
      return /^year\b/i.test(declared) ? years(vector.values) : view
    case "int32": {
      const { values } = vector
      if (vector.type.kind !== "date") return view
      return fixed(20, (row, target, at) => {
        const day = values[row]!
        return day >= FIRST_DAY && day <= LAST_DAY ? view.write(row, target, at) : -1
      })
    }
    case "int64": {
      const { type, words } = vector
      if (type.kind !== "timestamp") return view
      const zone = type.zone ? 3 : 0
      return fixed(40, (row, target, at) => {
        if (!isMoment(words[row * 2]!, words[row * 2 + 1]!)) return -1
        return view.write(row, target, at) - zone
      })
    }
    case "bytes":
      return textual(vector.offsets, vector.data, vector.type.kind, column, declared)
    default:
      return view
  }
}

function textual(offsets: Int32Array, data: Uint8Array, kind: string, column: TableColumn, declared: string): Encoder {
  if (kind === "bytes") return hex(offsets, data, Number(/^binary\((\d+)\)/i.exec(declared)?.[1] ?? 0))
  if (isOpaque(column.type)) return checked(offsets, data, isHex)
  if (kind === "decimal") return checked(offsets, data, isNumber)
  const time = kind === "interval" ? /^time\b(?:\((\d)\))?/i.exec(declared) : null
  if (time) return checked(offsets, data, isTime(Number(time[1] ?? 0)))
  const check = /^(?:enum|set)\(/i.test(declared) ? isMember(declared) : declared === "json" ? keepsNumbers : undefined
  return {
    size: (row) => (offsets[row + 1]! - offsets[row]!) * 2,
    write(row, target, at) {
      const start = offsets[row]!
      const end = offsets[row + 1]!
      return check?.(data, start, end) === false ? -1 : writeEscaped(data, start, end, target, at)
    },
  }
}

/** The server takes 0 to 99, however written, for years of this or the last century; only `0000` stays what it is. */
function years(values: Int16Array): Encoder {
  return fixed(4, (row, target, at) => {
    let rest = values[row]!
    if (rest !== 0 && (rest < 1901 || rest > 2155)) return -1
    for (let to = at + 3; to >= at; to--) {
      target[to] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    return at + 4
  })
}

/** A number that is no member is taken for the position of one, so it must be stopped here. */
function isMember(declared: string): (data: Uint8Array, start: number, end: number) => boolean {
  const members = new Set([...declared.matchAll(/'((?:[^']|'')*)'/g)].map(([, text]) => text!.replaceAll("''", "'")))
  return (data, start, end) => {
    const first = data[start]!
    if (start === end || first > 0x39) return true
    const text = decoder.decode(data.subarray(start, end))
    return members.has(text) || !/^\s*[-+]?\d+\s*$/.test(text)
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

function writeEscaped(data: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let to = at
  for (let from = start; from < end; from++) {
    const byte = data[from]!
    const letter = byte > 0x5c ? 0 : ESCAPES[byte]!
    if (letter === 0) target[to++] = byte
    else {
      target[to++] = 0x5c
      target[to++] = letter
    }
  }
  return to
}

/** Letter that stands for a byte behind a backslash. */
const ESCAPES = new Uint8Array(128)
ESCAPES[0x00] = 0x30
ESCAPES[0x09] = 0x74
ESCAPES[0x0a] = 0x6e
ESCAPES[0x5c] = 0x5c

/** Text that needs no escapes once `check` has passed it. */
function checked(
  offsets: Int32Array,
  data: Uint8Array,
  check: (data: Uint8Array, start: number, end: number) => boolean,
): Encoder {
  return {
    size: (row) => offsets[row + 1]! - offsets[row]!,
    write(row, target, at) {
      const start = offsets[row]!
      const end = offsets[row + 1]!
      if (!check(data, start, end)) return -1
      let to = at
      for (let from = start; from < end; from++) target[to++] = data[from]!
      return to
    },
  }
}

/** `width`: of a BINARY, which pads what is shorter. */
function hex(offsets: Int32Array, data: Uint8Array, width: number): Encoder {
  return {
    size: (row) => (offsets[row + 1]! - offsets[row]!) * 2,
    write(row, target, at) {
      if (offsets[row + 1]! - offsets[row]! < width) return -1
      let to = at
      for (let from = offsets[row]!; from < offsets[row + 1]!; from++) {
        const byte = data[from]!
        target[to++] = DIGITS[byte >>> 4]!
        target[to++] = DIGITS[byte & 15]!
      }
      return to
    },
  }
}

const DIGITS = new TextEncoder().encode("0123456789ABCDEF")

function fixed(size: number, write: Encoder["write"]): Encoder {
  return { size: () => size, write }
}

function isHex(data: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % 2 !== 0) return false
  for (let at = start; at < end; at++) {
    const byte = data[at]! | 0x20
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false
  }
  return true
}

/** Anything but `NaN` and the infinities. */
function isNumber(data: Uint8Array, start: number, end: number): boolean {
  return data[end - 1]! <= 0x39 && end > start
}

/** `[-]h…h:mm:ss[.ffffff]` of at most 838:59:59, with no digit that a TIME of this precision would round away. */
function isTime(precision: number): (data: Uint8Array, start: number, end: number) => boolean {
  return (data, start, end) => {
    if (end - start > 17) return false
    const match = TIME.exec(String.fromCharCode(...data.subarray(start, end)))
    if (!match) return false
    const [hours, clock, fraction] = [Number(match[1]), match[2]!, match[3] ?? ""]
    if (/[1-9]/.test(fraction.slice(precision + 1))) return false
    return hours < 838 || (hours === 838 && !(clock === "59:59" && /[1-9]/.test(fraction)))
  }
}

const TIME = /^-?(\d{1,3}):([0-5]\d:[0-5]\d)(\.\d{1,6})?$/

function isMoment(low: number, high: number): boolean {
  if (high <= FIRST_HIGH || high >= LAST_HIGH) {
    if (high < FIRST_HIGH || high > LAST_HIGH) return false
    if (high === FIRST_HIGH && low >>> 0 < FIRST_LOW) return false
    if (high === LAST_HIGH && low >>> 0 > LAST_LOW) return false
  }
  return true
}

/** 0001-01-01 and 9999-12-31: the years that MySQL writes with four digits. */
const FIRST_DAY = -719_162
const LAST_DAY = 2_932_896
const FIRST_MICROS = BigInt(FIRST_DAY) * 86_400_000_000n
const LAST_MICROS = BigInt(LAST_DAY + 1) * 86_400_000_000n - 1n
const FIRST_HIGH = Number(FIRST_MICROS >> 32n)
const FIRST_LOW = Number(FIRST_MICROS & 0xffff_ffffn)
const LAST_HIGH = Number(LAST_MICROS >> 32n)
const LAST_LOW = Number(LAST_MICROS & 0xffff_ffffn)
