/**
 * Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF).
 * Returns the number of code points, or -1.
 */
export function utf8Length(source: Uint8Array, start: number, end: number): number {
  let count = 0
  let at = start
  while (at < end) {
    const byte = source[at]!
    count++
    if (byte < 0x80) {
      at++
      continue
    }
    if (byte < 0xc2 || byte > 0xf4) return -1
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    if (at + more >= end) return -1
    const next = source[at + 1]!
    if ((next & 0xc0) !== 0x80) return -1
    if (byte === 0xe0 && next < 0xa0) return -1
    if (byte === 0xed && next > 0x9f) return -1
    if (byte === 0xf0 && next < 0x90) return -1
    if (byte === 0xf4 && next > 0x8f) return -1
    for (let i = 2; i <= more; i++) if ((source[at + i]! & 0xc0) !== 0x80) return -1
    at += more + 1
  }
  return count
}

/** Sixteen bytes written here by {@link readUuid}. */
export const uuid = new Uint8Array(16)

/** 32 hex digits, with or without the usual four hyphens, maybe in braces. */
export function readUuid(source: Uint8Array, start: number, end: number): boolean {
  let at = start
  let stop = end
  if (source[at] === 0x7b && source[stop - 1] === 0x7d) {
    at++
    stop--
  }
  const hyphens = stop - at === 36
  if (!hyphens && stop - at !== 32) return false
  for (let i = 0; i < 16; i++) {
    if (hyphens && (i === 4 || i === 6 || i === 8 || i === 10)) {
      if (source[at++] !== 0x2d) return false
    }
    const value = (hex(source[at]!) << 4) | hex(source[at + 1]!)
    if (value < 0) return false
    uuid[i] = value
    at += 2
  }
  return true
}

/** A hex digit's value, or a negative number that stays negative in any `|`. */
export function hex(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37
  return -2147483648
}

/** 1, 0, or -1 when it is no boolean. */
export function readBoolean(source: Uint8Array, start: number, end: number): number {
  const first = source[start]! | 0x20
  if (end - start === 1) {
    if (source[start] === 0x31 || first === 0x74) return 1
    if (source[start] === 0x30 || first === 0x66) return 0
    return -1
  }
  if (end - start === 4) return first === 0x74 && spells(source, start + 1, "rue") ? 1 : -1
  return end - start === 5 && first === 0x66 && spells(source, start + 1, "alse") ? 0 : -1
}

/** Whether the bytes are these lower-case letters, in either case. */
function spells(source: Uint8Array, start: number, letters: string): boolean {
  for (let i = 0; i < letters.length; i++) if ((source[start + i]! | 0x20) !== letters.charCodeAt(i)) return false
  return true
}

/** Whether the text is one JSON value (RFC 8259), judged without building it: numbers keep every digit. */
export function isJson(source: Uint8Array, start: number, end: number): boolean {
  const stop = jsonValue(source, jsonSpace(source, start, end), end, 0)
  return stop >= 0 && jsonSpace(source, stop, end) === end
}

function jsonSpace(source: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (source[at] === 0x20 || source[at] === 0x0a || source[at] === 0x0d || source[at] === 0x09)) at++
  return at
}

/** Position after the value that starts at `at`, or -1. */
function jsonValue(source: Uint8Array, at: number, end: number, depth: number): number {
  if (at >= end || depth > 2000) return -1
  const byte = source[at]!
  if (byte === 0x22) return jsonString(source, at, end)
  if (byte === 0x7b) return jsonList(source, at, end, 0x7d, depth)
  if (byte === 0x5b) return jsonList(source, at, end, 0x5d, depth)
  if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return jsonNumber(source, at, end)
  for (const word of WORDS) {
    if (byte === word[0] && at + word.length <= end && word.every((letter, i) => source[at + i] === letter)) {
      return at + word.length
    }
  }
  return -1
}

const WORDS = ["true", "false", "null"].map((word) => new TextEncoder().encode(word))

function jsonList(source: Uint8Array, start: number, end: number, close: number, depth: number): number {
  let at = jsonSpace(source, start + 1, end)
  if (source[at] === close && at < end) return at + 1
  while (at < end) {
    if (close === 0x7d) {
      if (source[at] !== 0x22) return -1
      at = jsonString(source, at, end)
      if (at < 0) return -1
      at = jsonSpace(source, at, end)
      if (at >= end || source[at] !== 0x3a) return -1
      at = jsonSpace(source, at + 1, end)
    }
    at = jsonValue(source, at, end, depth + 1)
    if (at < 0) return -1
    at = jsonSpace(source, at, end)
    if (at >= end) return -1
    if (source[at] === close) return at + 1
    if (source[at] !== 0x2c) return -1
    at = jsonSpace(source, at + 1, end)
  }
  return -1
}

function jsonString(source: Uint8Array, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    const byte = source[at]!
    if (byte === 0x22) return at + 1
    if (byte < 0x20) return -1
    if (byte !== 0x5c) continue
    const next = source[++at]!
    if (next === 0x75) {
      for (let i = 1; i <= 4; i++) if (at + i >= end || hex(source[at + i]!) < 0) return -1
      at += 4
      continue
    }
    if (!ESCAPES.includes(next)) return -1
  }
  return -1
}

const ESCAPES = [...new TextEncoder().encode('"\\/bfnrt')]

function jsonNumber(source: Uint8Array, start: number, end: number): number {
  let at = source[start] === 0x2d ? start + 1 : start
  at = source[at] === 0x30 && at < end ? at + 1 : digitsFrom(source, at, end)
  if (at >= 0 && at < end && source[at] === 0x2e) at = digitsFrom(source, at + 1, end)
  if (at < 0 || at >= end || (source[at]! | 0x20) !== 0x65) return at
  const signed = source[at + 1] === 0x2b || source[at + 1] === 0x2d
  return digitsFrom(source, signed ? at + 2 : at + 1, end)
}

/** Position after one or more digits, or -1. */
function digitsFrom(source: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && source[at]! >= 0x30 && source[at]! <= 0x39) at++
  return at === start ? -1 : at
}
