import { gbBytes, gbTable } from "./csv-gb18030.ts"

/** Encodings that files may have. `latin1` is the real ISO-8859-1, not the windows-1252 that browsers take it for. */
export const encodings = ["utf-8", "gbk", "gb18030", "latin1", "windows-1252", "utf-16le", "utf-16be"] as const
export type Encoding = (typeof encodings)[number]

/**
 * Turns chunks of any encoding into UTF-8. A byte order mark is dropped; `auto` goes by it and takes UTF-8 without one.
 * UTF-8 passes unchecked. A byte that is wrong in another encoding becomes three bytes that are wrong in UTF-8, so that
 * only its own row is rejected; {@link showBytes} turns them back.
 */
export async function* decodeChunks(
  chunks: AsyncIterable<Uint8Array>,
  wanted: Encoding | "auto",
  mismatch: (seen: Encoding) => Error,
): AsyncGenerator<Uint8Array> {
  let decoder: Decoder | undefined
  let started = false
  let head: Uint8Array = new Uint8Array(0)
  for await (const next of chunks) {
    let chunk = next
    if (!started) {
      chunk = joined(head, next)
      head = chunk.slice()
      if (head.length < 3) continue
      started = true
      ;[decoder, chunk] = begin(chunk, wanted, mismatch)
    }
    const decoded = decoder === undefined ? chunk : decoder(chunk, false)
    if (decoded.length > 0) yield decoded
  }
  if (!started) {
    ;[decoder, head] = begin(head, wanted, mismatch)
    if (decoder === undefined && head.length > 0) yield head
    if (decoder !== undefined) yield decoder(head, true)
    return
  }
  if (decoder !== undefined) yield decoder(new Uint8Array(0), true)
}

/** A field as text, its invalid bytes as `\xff`, and these bytes in hex; undefined when there are none. */
export function showBytes(bytes: Uint8Array): { readonly text: string; readonly invalid: string | undefined } {
  let text = ""
  const invalid: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length > 0) {
      text += utf8.decode(bytes.subarray(at, at + length))
      at += length
      continue
    }
    const isMark = bytes[at] === 0xff && (bytes[at + 1]! & 0xf0) === 0x80 && (bytes[at + 2]! & 0xf0) === 0x80
    const hex = (isMark ? ((bytes[at + 1]! & 15) << 4) | (bytes[at + 2]! & 15) : bytes[at]!)
      .toString(16)
      .padStart(2, "0")
    text += `\\x${hex}`
    invalid.push(hex)
    at += isMark ? 3 : 1
  }
  return { text, invalid: invalid.length === 0 ? undefined : invalid.join(" ") }
}

/** Writes a code point to `target`; returns the position after it, or -1 when the encoding lacks it. */
export type Encoder = (code: number, target: Uint8Array, at: number) => number

/** Absent for UTF-8. */
export function makeEncoder(encoding: Encoding): Encoder | undefined {
  switch (encoding) {
    case "utf-8":
      return undefined
    case "utf-16le":
    case "utf-16be":
      return utf16Encoder(encoding === "utf-16le")
    case "latin1":
      return (code, target, at) => (code > 255 ? -1 : put(target, at, code))
    case "windows-1252": {
      const bytes = new Map([...windows1252()].map((code, byte) => [code, byte]))
      return (code, target, at) => {
        const byte = bytes.get(code)
        return byte === undefined ? -1 : put(target, at, byte)
      }
    }
    default:
      return gbEncoder(encoding)
  }
}

type Decoder = (chunk: Uint8Array, final: boolean) => Uint8Array

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
const wrong = -1
const incomplete = -2

function begin(
  chunk: Uint8Array,
  wanted: Encoding | "auto",
  mismatch: (seen: Encoding) => Error,
): [Decoder | undefined, Uint8Array] {
  const [mark, length] = byteOrderMark(chunk)
  const encoding = wanted === "auto" ? (mark ?? "utf-8") : wanted
  // These bytes cannot begin UTF-8: every row would be rejected.
  if (encoding === "utf-8" && mark !== undefined && mark !== "utf-8") throw mismatch(mark)
  return [makeDecoder(encoding), mark === encoding ? chunk.subarray(length) : chunk]
}

function byteOrderMark(bytes: Uint8Array): [Encoding | undefined, number] {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return ["utf-8", 3]
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return ["utf-16le", 2]
  return bytes[0] === 0xfe && bytes[1] === 0xff ? ["utf-16be", 2] : [undefined, 0]
}

function makeDecoder(encoding: Encoding): Decoder | undefined {
  switch (encoding) {
    case "utf-8":
      return undefined
    case "utf-16le":
    case "utf-16be":
      return streaming(utf16Reader(encoding === "utf-16le"))
    case "latin1":
      return streaming(byteReader(Int32Array.from({ length: 256 }, (_, byte) => byte)))
    case "windows-1252":
      return streaming(byteReader(windows1252()))
    default:
      return streaming(gbReader())
  }
}

/** How many bytes the reader's last code point took, or how many are wrong. */
const read = { length: 1 }
type Reader = (bytes: Uint8Array, at: number) => number

/** Cuts characters that cross chunks out of the reader's sight. */
function streaming(readCode: Reader): Decoder {
  let rest: Uint8Array = new Uint8Array(0)
  return (chunk, final) => {
    const bytes = joined(rest, chunk)
    // A byte gives three at most: as a mark, or as U+0800 and above.
    const target = new Uint8Array(bytes.length * 3 + 3)
    let to = 0
    let at = 0
    while (at < bytes.length) {
      let code = readCode(bytes, at)
      if (code === incomplete) {
        if (!final) break
        code = wrong
        read.length = bytes.length - at
      }
      if (code === wrong) for (let index = 0; index < read.length; index++) to = putMark(target, to, bytes[at + index]!)
      else to = putUtf8(target, to, code)
      at += read.length
    }
    rest = bytes.slice(at)
    return target.subarray(0, to)
  }
}

function byteReader(codes: Int32Array): Reader {
  return (bytes, at) => {
    read.length = 1
    return codes[bytes[at]!]!
  }
}

function utf16Reader(little: boolean): Reader {
  const unit = (bytes: Uint8Array, at: number) =>
    little ? bytes[at]! | (bytes[at + 1]! << 8) : (bytes[at]! << 8) | bytes[at + 1]!
  return (bytes, at) => {
    if (at + 1 >= bytes.length) return incomplete
    const first = unit(bytes, at)
    read.length = 2
    if (first < 0xd800 || first > 0xdfff) return first
    if (first > 0xdbff) return wrong
    if (at + 3 >= bytes.length) return incomplete
    const second = unit(bytes, at + 2)
    if (second < 0xdc00 || second > 0xdfff) return wrong
    read.length = 4
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
  }
}

function gbReader(): Reader {
  const table = gbTable()
  const four = new TextDecoder("gb18030", { fatal: true })
  return (bytes, at) => {
    const lead = bytes[at]!
    read.length = 1
    if (lead < 0x80) return lead
    if (lead === 0x80) return 0x20ac
    if (lead === 0xff) return wrong
    if (at + 1 >= bytes.length) return incomplete
    const trail = bytes[at + 1]!
    if (trail >= 0x40) {
      const code = trail === 0xff ? 0 : table[(lead - 0x81) * 192 + trail - 0x40]!
      // As browsers do: an ASCII byte behind a wrong one is itself again.
      if (code === 0) return wrong
      read.length = 2
      return code
    }
    if (trail < 0x30 || trail > 0x39) return wrong
    if (at + 3 >= bytes.length) return incomplete
    try {
      const code = four.decode(bytes.subarray(at, at + 4)).codePointAt(0)!
      read.length = 4
      return code
    } catch {
      return wrong
    }
  }
}

function gbEncoder(encoding: "gbk" | "gb18030"): Encoder {
  return (code, target, at) => {
    if (code < 0x80) return put(target, at, code)
    // The sign that GBK got later than its table.
    if (encoding === "gbk" && code === 0x20ac) return put(target, at, 0x80)
    const bytes = gbBytes(code, encoding === "gb18030")
    if (bytes === 0) return -1
    let to = at
    if (bytes > 0xffff) {
      to = put(target, to, bytes >>> 24)
      to = put(target, to, (bytes >>> 16) & 255)
    }
    return put(target, put(target, to, (bytes >>> 8) & 255), bytes & 255)
  }
}

function utf16Encoder(little: boolean): Encoder {
  const unit = (target: Uint8Array, at: number, value: number) => {
    target[at] = little ? value & 255 : value >>> 8
    target[at + 1] = little ? value >>> 8 : value & 255
    return at + 2
  }
  return (code, target, at) => {
    if (code < 0x10000) return unit(target, at, code)
    const high = 0xd800 + ((code - 0x10000) >>> 10)
    return unit(target, unit(target, at, high), 0xdc00 + ((code - 0x10000) & 0x3ff))
  }
}

/** The code point of every byte; -1 where windows-1252 has none. */
function windows1252(): Int32Array {
  const codes = Int32Array.from({ length: 256 }, (_, byte) => byte)
  const decoder = new TextDecoder("windows-1252")
  for (let byte = 0x80; byte < 0xa0; byte++) {
    const code = decoder.decode(Uint8Array.of(byte)).charCodeAt(0)
    codes[byte] = code === byte ? wrong : code
  }
  return codes
}

/** Length of the well-formed UTF-8 sequence at `at`; 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  const length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0
  if (at + length > bytes.length) return 0
  for (let index = 1; index < length; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1]!
  if (lead === 0xe0 && second < 0xa0) return 0
  if (lead === 0xed && second > 0x9f) return 0
  if (lead === 0xf0 && second < 0x90) return 0
  return lead === 0xf4 && second > 0x8f ? 0 : length
}

function putMark(target: Uint8Array, at: number, byte: number): number {
  return put(target, put(target, put(target, at, 0xff), 0x80 | (byte >>> 4)), 0x80 | (byte & 15))
}

function putUtf8(target: Uint8Array, at: number, code: number): number {
  if (code < 0x80) return put(target, at, code)
  let to = at
  if (code < 0x800) to = put(target, to, 0xc0 | (code >>> 6))
  else {
    if (code < 0x10000) to = put(target, to, 0xe0 | (code >>> 12))
    else {
      to = put(target, to, 0xf0 | (code >>> 18))
      to = put(target, to, 0x80 | ((code >>> 12) & 63))
    }
    to = put(target, to, 0x80 | ((code >>> 6) & 63))
  }
  return put(target, to, 0x80 | (code & 63))
}

function put(target: Uint8Array, at: number, byte: number): number {
  target[at] = byte
  return at + 1
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
