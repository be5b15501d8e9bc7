import { Buffer } from "node:buffer"
import type { Columns, Frame, LogicalType, Session } from "../../core/contract/index.ts"

/**
 * Makes of the server's CSV records those that the CSV output would write. They differ in little that is rare: text that
 * begins with a byte order mark, large and small floats, and the timestamps that no batch holds. Native searches pass
 * over the frames; only those that may hold one of these are read.
 */
export class CsvMender {
  readonly #columns: Columns
  readonly #session: Pick<Session, "batches" | "reject">
  /** How the fields of each column are mended; absent: they need it never. */
  readonly #ways: readonly (Way | undefined)[]
  readonly #suspicions: readonly ((data: Buffer) => boolean)[]

  constructor(columns: Columns, session: Pick<Session, "batches" | "reject">) {
    this.#columns = columns
    this.#session = session
    this.#ways = columns.map(({ type }) => wayOf(type))
    this.#suspicions = [...new Set(this.#ways)].flatMap((way) => (way === undefined ? [] : [SUSPICIONS[way]]))
  }

  /** The frame, or another one in its place; undefined when all of its rows were rejected. */
  mended(frame: Frame): Frame | undefined {
    const data = Buffer.from(frame.data.buffer, frame.data.byteOffset, frame.data.length)
    if (!this.#suspicions.some((isSuspect) => isSuspect(data))) return frame
    const ways = this.#ways
    const pieces: Uint8Array[] = []
    let rows = frame.rows
    // What is neither in a piece nor dropped begins here.
    let from = 0
    let at = 0
    for (let row = frame.firstRow; at < data.length; row++) {
      const before = { at, from, pieces: pieces.length }
      let isRejected = false
      for (let i = 0; i < ways.length; i++) {
        const end = endOfField(data, at)
        const way = ways[i]
        const field = way === undefined || isRejected ? undefined : this.#field(way, i, data.subarray(at, end))
        if (field === "unfit") {
          this.#reject(row, i, data.toString("utf8", at, end))
          isRejected = true
        } else if (field !== undefined) {
          pieces.push(data.subarray(from, at), field)
          from = end
        }
        at = end + 1
      }
      if (!isRejected) continue
      rows--
      pieces.length = before.pieces
      pieces.push(data.subarray(before.from, before.at))
      from = at
    }
    if (rows === 0) return undefined
    if (from === 0) return frame
    const whole = Buffer.concat([...pieces, data.subarray(from)])
    return { ...frame, rows, data: whole, bytes: whole.length }
  }

  /** What is written in the place of a field; undefined: it stays. */
  #field(way: Way, column: number, field: Buffer): Buffer | "unfit" | undefined {
    if (way === "text") return startsWithMark(field) ? Buffer.concat([QUOTE_BYTES, field, QUOTE_BYTES]) : undefined
    const isMoment = way === "moment"
    if (!(isMoment ? field.subarray(0, LATE.length).equals(LATE) : field.includes(0x65))) return undefined
    const text = this.#canonical(column, field)
    // The last microsecond of 64 bits would be read as infinity.
    if (text === undefined || (isMoment && text !== field.toString())) return "unfit"
    return Buffer.from(text)
  }

  /** The canonical text of what the field says; undefined when no batch holds it. */
  #canonical(column: number, field: Buffer): string | undefined {
    const { batches } = this.#session
    const builder = batches.builder([this.#columns[column]!])
    if (!builder.columns[0]!.parse(field, 0, field.length)) return undefined
    builder.endRow()
    return batches.valueText(builder.finish().vectors[0]!, 0) ?? undefined
  }

  #reject(row: number, i: number, value: string): void {
    const { name, type } = this.#columns[i]!
    this.#session.reject({ row, column: name, value, reason: `The value does not fit the type ${type.kind}` })
  }
}

/** Whether values of the type can be any text. */
export function isTextual(type: LogicalType): boolean {
  return type.kind === "string" || type.kind === "native" || type.kind === "json"
}

type Way = "text" | "float" | "moment"

function wayOf(type: LogicalType): Way | undefined {
  if (isTextual(type)) return "text"
  if (type.kind === "float64") return "float"
  return type.kind === "timestamp" ? "moment" : undefined
}

const COMMA = 0x2c
const QUOTE = 0x22
const LINE_FEED = 0x0a
const QUOTE_BYTES = Buffer.of(QUOTE)

const MARK = Buffer.from("\ufeff")
/** How the years 294247 to 294276 begin. */
const LATE = Buffer.from("2942")
const LARGE = Buffer.from("e+")
const SMALL = Buffer.from("e-")

/** What a frame holds when a field may need to be mended; quoted text may hold it as well. */
const SUSPICIONS: Readonly<Record<Way, (data: Buffer) => boolean>> = {
  text: (data) => holds(data, MARK, (at) => isFieldStart(data, at)),
  // As in 1e+15, 1.5e-05 and 4.9406564584124654e-324, at the end of a field.
  float: (data) => [LARGE, SMALL].some((exponent) => holds(data, exponent, (at) => isExponent(data, at))),
  // As in 294247-01-10 04:00:54.775807.
  moment: (data) =>
    holds(data, LATE, (at) => isFieldStart(data, at) && data[at + 6] === 0x2d && data[at + 12] === 0x20),
}

function holds(data: Buffer, bytes: Buffer, isHit: (at: number) => boolean): boolean {
  for (let at = data.indexOf(bytes); at >= 0; at = data.indexOf(bytes, at + 1)) if (isHit(at)) return true
  return false
}

function isFieldStart(data: Buffer, at: number): boolean {
  return at === 0 || data[at - 1] === COMMA || data[at - 1] === LINE_FEED
}

function isExponent(data: Buffer, at: number): boolean {
  if (!isDigit(data[at - 1]) || !isDigit(data[at + 2])) return false
  let end = at + 3
  while (isDigit(data[end]) && end < at + 5) end++
  return data[end] === COMMA || data[end] === LINE_FEED
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function startsWithMark(field: Buffer): boolean {
  return field[0] === MARK[0] && field[1] === MARK[1] && field[2] === MARK[2]
}

/** Where a field's comma or the record's line feed is. */
function endOfField(data: Buffer, start: number): number {
  let at = start
  if (data[at] !== QUOTE) {
    while (data[at] !== COMMA && data[at] !== LINE_FEED) at++
    return at
  }
  // A quote within is doubled: the next one closes, or opens the rest.
  while (data[at] === QUOTE) at = data.indexOf(QUOTE, at + 1) + 1
  return at
}
