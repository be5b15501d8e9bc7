import type { Batch, Frame, LoadRequest, Session, TextView, Vector } from "../../core/contract/index.ts"
import { type Decoder, decoderOf, int32At } from "./binary-read.ts"
import { appendColumns } from "./binary-rows.ts"
import { type Encoder, encodedBytes, encoderOf, int32, type NulPolicy } from "./binary-write.ts"
import type { Chunk } from "./chunk.ts"
import { hexOf } from "./copy-batches.ts"
import { HEADER_BYTES, MESSAGE_BYTES, seal } from "./copy-message.ts"

/** Encodes batches for COPY in one of its two formats. */
export interface TupleFormat {
  readonly name: "binary" | "text"
  /** Appends whole CopyData messages. */
  encode(batch: Batch, request: LoadRequest, session: Session, chunk: Chunk): void
  /** Each row of the chunk. */
  rows(chunk: Chunk): Uint8Array[]
  /** A row as text, for the rejected-rows list. */
  record(row: Uint8Array, request: LoadRequest, session: Session): Record<string, string | null>
}

/** Frames hold messages already. */
export function appendFrame(frame: Frame, chunk: Chunk): void {
  chunk.reserve(frame.data.length)
  chunk.data.set(frame.data, chunk.used)
  const { firstRow } = frame
  chunk.append(chunk.used + frame.data.length, frame.rows, (n) => firstRow + n)
}

export const binaryFormat: TupleFormat = {
  name: "binary",
  encode(batch, request, session, chunk) {
    const nul = nulPolicy(request)
    const count = batch.vectors.length
    const staged = request.mode !== "append"
    if (!staged) {
      const end = appendColumns(batch, request, chunk)
      if (end >= 0) return appendBatch(batch, chunk, end, undefined)
    }
    const fields = staged ? count + 1 : count
    const encoders = encodersOf(batch, request, session, nul)
    const validity = batch.vectors.map((vector) => vector.validity)
    let room = HEADER_BYTES + batch.rows * (2 + count * 4 + 12)
    for (const vector of batch.vectors) room += encodedBytes(vector, nul)
    chunk.reserve(room + Math.ceil(room / MESSAGE_BYTES) * HEADER_BYTES)
    const out = chunk.data
    const kept: number[] | undefined = mayRefuse(batch) ? [] : undefined
    let message = chunk.used
    let at = message + HEADER_BYTES
    for (let row = 0; row < batch.rows; row++) {
      if (at - message >= MESSAGE_BYTES) {
        seal(out, message, at)
        message = at
        at += HEADER_BYTES
      }
      const start = at
      out[at] = fields >> 8
      out[at + 1] = fields
      at += 2
      for (let i = 0; i < count; i++) {
        const bits = validity[i]
        if (bits !== undefined && ((bits[row >>> 3]! >>> (row & 7)) & 1) === 0) {
          at = int32(out, at, -1)
          continue
        }
        const next = encoders[i]!(row, out, at)
        if (next < 0) {
          refuse(batch, row, i, session)
          at = start
          break
        }
        at = next
      }
      if (at === start) continue
      if (staged) at = int64(out, int32(out, at, 8), place(batch, row))
      kept?.push(row)
    }
    appendBatch(batch, chunk, sealed(out, message, at), kept)
  },
  rows(chunk) {
    const rows: Uint8Array[] = []
    eachMessage(chunk, (data, start, end) => {
      for (let at = start; at < end; ) {
        const first = at
        const fields = (data[at]! << 8) | data[at + 1]!
        at += 2
        for (let i = 0; i < fields; i++) at += 4 + Math.max(int32At(data, at), 0)
        rows.push(data.subarray(first, at))
      }
    })
    return rows
  },
  record(row, request, session) {
    const record: Record<string, string | null> = {}
    let at = 2
    for (const column of request.columns) {
      const length = int32At(row, at)
      at += 4
      if (length < 0) record[column.name] = null
      else {
        const decoder = decoderOf(column.type, column.native?.type ?? "")
        record[column.name] =
          decoder === undefined
            ? `\\x${hexOf(row.subarray(at, at + length))}`
            : decoded(decoder, column, row, at, length, session)
        at += length
      }
    }
    return record
  },
}

function decoded(
  decoder: Decoder,
  column: LoadRequest["columns"][number],
  row: Uint8Array,
  at: number,
  length: number,
  session: Session,
) {
  const builder = session.batches.builder([column], { rows: 1 })
  if (!decoder(builder.columns[0]!, row, at, length)) return `\\x${hexOf(row.subarray(at, at + length))}`
  builder.endRow()
  return session.batches.valueText(builder.finish().vectors[0]!, 0)
}

/** The text format: slower on the server, but it takes every type as it is written. */
export const textFormat: TupleFormat = {
  name: "text",
  encode(batch, request, session, chunk) {
    const nul = nulPolicy(request)
    const views = batch.vectors.map((vector) => session.batches.text(vector))
    const staged = request.mode !== "append"
    const kept: number[] = []
    chunk.reserve(HEADER_BYTES)
    let message = chunk.used
    let at = message + HEADER_BYTES
    for (let row = 0; row < batch.rows; row++) {
      if (at - message >= MESSAGE_BYTES) {
        chunk.reserve(HEADER_BYTES, at)
        seal(chunk.data, message, at)
        message = at
        at += HEADER_BYTES
      }
      const start = at
      for (let i = 0; i < views.length; i++) {
        // Every byte may become two, and a NUL three; then the separator.
        const room = views[i]!.size(row) * 4 + 4
        if (at + room > chunk.data.length) chunk.reserve(room, at)
        const out = chunk.data
        if (i > 0) out[at++] = TAB
        const next = textField(batch.vectors[i]!, views[i]!, row, out, at, nul, () =>
          session.adjusted("nulCharacters", request.columns[i]!.name, 1),
        )
        if (next < 0) {
          refuse(batch, row, i, session)
          at = start - 1
          break
        }
        at = next
      }
      if (at < start) {
        at = start
        continue
      }
      if (staged) {
        chunk.reserve(32, at)
        chunk.data[at++] = TAB
        at = digits(chunk.data, at, place(batch, row))
      }
      chunk.data[at++] = LINE
      kept.push(row)
    }
    appendBatch(batch, chunk, sealed(chunk.data, message, at), kept)
  },
  rows(chunk) {
    const rows: Uint8Array[] = []
    eachMessage(chunk, (data, start, end) => {
      // A line feed inside a value is always escaped, so every bare one ends a row.
      for (let at = start; at < end; ) {
        const first = at
        at = data.indexOf(LINE, at) + 1
        rows.push(data.subarray(first, at))
      }
    })
    return rows
  },
  record(row, request) {
    const fields = decoder.decode(row.subarray(0, row.length - 1)).split("\t")
    return Object.fromEntries(request.columns.map((column, i) => [column.name, unescaped(fields[i] ?? "")]))
  },
}

/** The end of the messages once the last is closed; one without rows is none. */
function sealed(out: Uint8Array, message: number, at: number): number {
  if (at === message + HEADER_BYTES) return message
  seal(out, message, at)
  return at
}

function eachMessage({ data, used }: Chunk, visit: (data: Uint8Array, start: number, end: number) => void): void {
  for (let at = 0; at < used; ) {
    const end = at + 1 + int32At(data, at + 1)
    visit(data, at + HEADER_BYTES, end)
    at = end
  }
}

const TAB = 9
const LINE = 10
const decoder = new TextDecoder()
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v" }

function unescaped(field: string): string | null {
  return field === "\\N" ? null : field.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)
}

function textField(
  vector: Vector,
  view: TextView,
  row: number,
  out: Uint8Array,
  at: number,
  nul: NulPolicy,
  adjusted: () => void,
): number {
  if (vector.validity !== undefined && ((vector.validity[row >>> 3]! >>> (row & 7)) & 1) === 0) {
    out[at] = 0x5c
    out[at + 1] = 0x4e
    return at + 2
  }
  // Write the value behind the room that its escaped form can take, then copy it forward.
  const size = view.size(row)
  const from = at + size * 3
  const end = view.write(row, out, from)
  let to = at
  let changed = false
  for (let i = from; i < end; i++) {
    const byte = out[i]!
    if (byte === 0x5c || byte === TAB || byte === LINE || byte === 13) {
      out[to++] = 0x5c
      out[to++] = byte === TAB ? 0x74 : byte === LINE ? 0x6e : byte === 13 ? 0x72 : byte
      continue
    }
    if (byte === 0) {
      if (nul === "reject") return -1
      changed = true
      if (nul === "strip") continue
      out[to++] = 0xef
      out[to++] = 0xbf
      out[to++] = 0xbd
      continue
    }
    out[to++] = byte
  }
  if (changed) adjusted()
  return to
}

function encodersOf(batch: Batch, request: LoadRequest, session: Session, nul: NulPolicy): Encoder[] {
  return batch.vectors.map((vector, i) => {
    const column = request.columns[i]!
    return encoderOf(vector, column.native?.type ?? "", nul, () => session.adjusted("nulCharacters", column.name, 1))
  })
}

export function nulPolicy(request: LoadRequest): NulPolicy {
  return (request.options.nulCharacters as NulPolicy | undefined) ?? "reject"
}

/** Only text and timestamps can hold what PostgreSQL does not. */
function mayRefuse(batch: Batch): boolean {
  return batch.vectors.some((vector) => vector.storage === "bytes" || vector.type.kind === "timestamp")
}

function refuse(batch: Batch, row: number, i: number, session: Session): void {
  const column = batch.columns[i]!
  const text =
    column.type.kind === "timestamp"
      ? "PostgreSQL's timestamps begin in 4713 BC"
      : "PostgreSQL's text holds no NUL character (U+0000)"
  session.reject({
    row: session.batches.position(batch, row),
    column: column.name,
    value: session.batches.valueText(batch.vectors[i]!, row),
    reason: text,
    record: session.batches.record(batch, row),
  })
}

/** `kept` names the rows that were not refused; absent: all. */
function appendBatch(batch: Batch, chunk: Chunk, end: number, kept: readonly number[] | undefined): void {
  const { firstRow, positions } = batch
  const at = (row: number) => (positions === undefined ? firstRow + row : positions[row]!)
  if (kept === undefined || kept.length === batch.rows) chunk.append(end, batch.rows, at)
  else chunk.append(end, kept.length, (n) => at(kept[n]!))
}

function place({ positions, firstRow }: Batch, row: number): number {
  return positions === undefined ? firstRow + row : positions[row]!
}

function int64(out: Uint8Array, at: number, value: number): number {
  return int32(out, int32(out, at, Math.floor(value / 4294967296)), value % 4294967296)
}

function digits(out: Uint8Array, at: number, value: number): number {
  let unit = 1
  while (unit * 10 <= value) unit *= 10
  let to = at
  for (; unit >= 1; unit /= 10) out[to++] = 0x30 + (Math.floor(value / unit) % 10)
  return to
}
