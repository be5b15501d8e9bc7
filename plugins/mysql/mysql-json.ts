import type { TableColumn } from "../../core/contract/index.ts"
import type { Facts } from "./mysql-link.ts"

/**
 * Columns as the server keeps them: MariaDB's JSON is a LONGTEXT and keeps every letter. MySQL's is a form of its own,
 * which knows integers of 64 bits and doubles; {@link keepsNumbers} tells what that would change.
 */
export function columnsAsKept(columns: readonly TableColumn[], { mariadb }: Pick<Facts, "mariadb">) {
  if (!mariadb) return columns
  return columns.map((column) =>
    column.native?.type === "json" ? { ...column, native: { ...column.native, type: "longtext" } } : column,
  )
}

/** False for JSON text with a number that MySQL would round without a word. */
export function keepsNumbers(data: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = data[at]!
    if (byte === QUOTE) {
      for (at++; at < end && data[at] !== QUOTE; at++) if (data[at] === BACKSLASH) at++
      continue
    }
    if (byte !== MINUS && !isDigit(byte)) continue
    const first = at
    let hasExponent = false
    for (; at < end && isOfNumber(data[at]!); at++) hasExponent ||= (data[at]! | 0x20) === LETTER_E
    // A double has 15 digits in any case.
    if ((hasExponent || at - first > 15) && !isKept(String.fromCharCode(...data.subarray(first, at)))) return false
  }
  return true
}

function isKept(number: string): boolean {
  if (/^-?\d+$/.test(number)) {
    const value = BigInt(number)
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return true
  }
  return spelled(number) === spelled(String(Number(number)))
}

/** Sign, digits and exponent in one spelling for each value. */
function spelled(number: string): string {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(number) ?? []
  if (whole === undefined) return number
  const digits = `${whole}${fraction}`.replace(/^0+/, "")
  const trimmed = digits.replace(/0+$/, "")
  if (trimmed === "") return "0"
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isOfNumber(byte: number): boolean {
  return isDigit(byte) || byte === MINUS || byte === 0x2b || byte === 0x2e || (byte | 0x20) === LETTER_E
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const LETTER_E = 0x65
