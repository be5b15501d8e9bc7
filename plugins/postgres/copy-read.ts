import type {
  Batch,
  BatchBuilder,
  Column,
  ColumnBuilder,
  Frame,
  ReadRequest,
  Session,
} from "../../core/contract/index.ts"
import { type Decoder, decoderOf, int32At, readText } from "./binary-read.ts"
import type { CopySink } from "./copy-tap.ts"
import type { Link } from "./postgres-connection.ts"
import { quoteIdentifier } from "./postgres-dialect.ts"
import { hasPortableBinary } from "./type-map.ts"
import type { Wire } from "./wire.ts"

/** Tuples of `COPY … (FORMAT binary)`, each in its CopyData message, without signature and trailer. */
export const COPY_BINARY = "postgres-copy-binary"

/** Signature and flags, before the length of the header extension. */
const SIGNATURE_BYTES = 15
/** A message's type and length. */
const HEADER_BYTES = 5
const TRAILER_BYTES = 7
const FRAME_BYTES = 262_144
/** Enough to keep the socket busy while the consumer works; more would only wait. */
const INBOX_BYTES = 2_097_152

/** Whether the column's bytes can be forwarded to another server. */
export function readsAsBytes(column: Column): boolean {
  return column.native?.system === "postgres" && hasPortableBinary(column.native.type)
}

/** Streams a SELECT through COPY. Memory: what `bufferBytes` allows, plus one socket read. */
export async function* read(link: Link, request: ReadRequest, session: Session): AsyncGenerator<Batch | Frame> {
  const framed = request.encoding === COPY_BINARY
  const decoders = request.columns.map((column) => (framed ? undefined : columnDecoder(column, link.anyBytes)))
  const statement = `COPY (${framed ? request.sql : withCasts(request, decoders)}) TO STDOUT (FORMAT binary)`
  const rows: Rows = framed ? new FrameRows() : new BatchRows(request, decoders, session)
  const inbox = new Inbox(link.wire, rows, Math.min(session.settings.bufferBytes, INBOX_BYTES))
  const pending = link.sql.unsafe(statement)
  tellFailure(pending as unknown as Opening, inbox)
  const stop = () => {
    link.cancel(pending)
    inbox.fail(session.signal.reason)
  }
  let whole = false
  try {
    session.signal.throwIfAborted()
    session.signal.addEventListener("abort", stop, { once: true })
    link.wire.receive(inbox)
    await pending.readable()
    for (;;) {
      const next = await inbox.next()
      if (next === undefined) break
      yield next
      rows.recycle?.(next)
    }
    whole = true
  } catch (error) {
    throw link.fail("read", error)
  } finally {
    session.signal.removeEventListener("abort", stop)
    // Whoever stops early leaves a COPY in progress: it is cancelled, and the connection is of no further use.
    if (!whole) {
      if (!session.signal.aborted) link.cancel(pending)
      await link.destroy()
    }
  }
}

/** Undefined where the value is asked for as text. */
function columnDecoder({ type, native }: Column, anyBytes: boolean): Decoder | undefined {
  const known = decoderOf(type, native?.type ?? "")
  if (!anyBytes || (type.kind !== "string" && type.kind !== "json")) return known
  return native?.type === "jsonb" ? undefined : readText
}

/** What the driver calls with a stream once the server has answered. */
interface Opening {
  resolve(stream: { on(event: "error", listener: (error: unknown) => void): void }): void
}

/**
 * The stream carries no rows here, they come by the wire, but it is told of a failure. The server may hold back its
 * answer to COPY until the first rows; when it fails instead, the stream has failed before an `await` for it returns.
 */
function tellFailure(opening: Opening, inbox: Inbox): void {
  const resolve = opening.resolve
  opening.resolve = (stream) => {
    // Called once more at the statement's end: what is thrown there would leave the connection busy for ever.
    opening.resolve = resolve
    stream.on("error", (error) => inbox.fail(error))
    resolve(stream)
  }
}

function withCasts(request: ReadRequest, decoders: readonly (Decoder | undefined)[]): string {
  if (decoders.every((decoder) => decoder !== undefined)) return request.sql
  const list = request.columns.map((column, i) => {
    const name = quoteIdentifier(column.name)
    return decoders[i] === undefined ? `${name}::text` : name
  })
  return `SELECT ${list.join(", ")} FROM (${request.sql}) AS source`
}

interface Rows {
  /** Takes the tuples of whole CopyData messages; `ship` takes what becomes full. */
  take(source: Uint8Array, start: number, end: number, ship: (item: Batch | Frame) => void): void
  /** The first tuple stands behind the signature in its message. */
  first(source: Uint8Array, start: number, end: number): void
  rest(): Batch | Frame | undefined
  /** The consumer has asked for the next item, so this one's memory is free. */
  recycle?(item: Batch | Frame): void
}

/** Takes rows straight from the socket and hands over batches; pauses the socket when too many wait. */
class Inbox implements CopySink {
  readonly #wire: Wire
  readonly #rows: Rows
  readonly #limit: number
  readonly #ready: (Batch | Frame)[] = []
  #bytes = 0
  #started = false
  #paused = false
  #done = false
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(wire: Wire, rows: Rows, limit: number) {
    this.#wire = wire
    this.#rows = rows
    this.#limit = limit
  }

  async next(): Promise<Batch | Frame | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      const next = this.#ready.shift()
      if (next !== undefined) {
        this.#bytes -= next.bytes
        if (this.#paused && this.#bytes <= this.#limit / 2) {
          this.#paused = false
          this.#wire.resume()
        }
        return next
      }
      if (this.#done) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  messages(source: Uint8Array, start: number, end: number): void {
    if (this.#failure !== undefined) return
    try {
      const first = this.#started ? start : this.#begin(source, start)
      // The trailer is a message of its own: a field count of -1.
      const stop = isTrailer(source, end) ? end - TRAILER_BYTES : end
      if (first < stop) this.#rows.take(source, first, stop, this.#ship)
    } catch (error) {
      // A full reject limit is thrown here, inside the socket's callback: it must reach the reader instead.
      this.fail(error)
    }
    if (this.#bytes < this.#limit || this.#paused) return
    this.#paused = true
    this.#wire.pause()
  }

  end(): void {
    this.#done = true
    const rest = this.#failure === undefined ? this.#rows.rest() : undefined
    if (rest !== undefined) this.#ship(rest)
    this.#wake?.()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#ready.length = 0
    this.#wake?.()
  }

  /** Position of the second message. */
  #begin(source: Uint8Array, start: number): number {
    this.#started = true
    const payload = start + HEADER_BYTES
    const end = start + 1 + int32At(source, start + 1)
    const tuple = payload + SIGNATURE_BYTES + 4 + int32At(source, payload + SIGNATURE_BYTES)
    if (tuple < end && !(source[tuple] === 0xff && source[tuple + 1] === 0xff)) this.#rows.first(source, tuple, end)
    return end
  }

  readonly #ship = (item: Batch | Frame): void => {
    this.#ready.push(item)
    this.#bytes += item.bytes
    this.#wake?.()
  }
}

function isTrailer(source: Uint8Array, end: number): boolean {
  return source[end - 1] === 0xff && source[end - 2] === 0xff && end >= TRAILER_BYTES && int32At(source, end - 6) === 6
}

/** Gathers messages into frames, in memory that goes round. */
class FrameRows implements Rows {
  readonly #free: Uint8Array<ArrayBufferLike>[] = []
  #data: Uint8Array<ArrayBufferLike> = new Uint8Array(FRAME_BYTES)
  #used = 0
  #rows = 0
  #firstRow = 0

  take(source: Uint8Array, start: number, end: number, ship: (frame: Frame) => void): void {
    const size = end - start
    if (this.#used + size > this.#data.length) {
      const full = this.rest()
      if (full !== undefined) ship(full)
      if (size > this.#data.length) this.#data = new Uint8Array(size)
    }
    this.#data.set(source.subarray(start, end), this.#used)
    this.#used += size
    for (let at = start; at < end; at += 1 + int32At(source, at + 1)) this.#rows++
  }

  first(source: Uint8Array, start: number, end: number): void {
    const size = end - start + 4
    if (size + 1 > this.#data.length) this.#data = new Uint8Array(size + 1)
    this.#data.set([0x64, size >>> 24, size >>> 16, size >>> 8, size])
    this.#data.set(source.subarray(start, end), HEADER_BYTES)
    this.#used = size + 1
    this.#rows = 1
  }

  rest(): Frame | undefined {
    if (this.#rows === 0) return undefined
    const data = this.#data.subarray(0, this.#used)
    const frame = { encoding: COPY_BINARY, rows: this.#rows, data, bytes: data.length, firstRow: this.#firstRow }
    this.#firstRow += this.#rows
    this.#data = this.#free.pop() ?? new Uint8Array(FRAME_BYTES)
    this.#used = 0
    this.#rows = 0
    return frame
  }

  recycle(item: Batch | Frame): void {
    if (item.encoding !== undefined && item.data.buffer.byteLength === FRAME_BYTES)
      this.#free.push(new Uint8Array(item.data.buffer))
  }
}

/** Decodes tuples into columns. */
class BatchRows implements Rows {
  readonly #request: ReadRequest
  readonly #decoders: readonly Decoder[]
  readonly #builder: BatchBuilder
  readonly #columns: readonly ColumnBuilder[]
  readonly #session: Session
  #row = 0

  constructor(request: ReadRequest, decoders: readonly (Decoder | undefined)[], session: Session) {
    this.#request = request
    this.#decoders = decoders.map((decoder) => decoder ?? readText)
    this.#builder = session.batches.builder(request.columns)
    this.#columns = this.#builder.columns
    this.#session = session
  }

  take(source: Uint8Array, start: number, end: number, ship: (batch: Batch) => void): void {
    for (let at = start; at < end; at += 1 + int32At(source, at + 1)) {
      this.first(source, at + HEADER_BYTES)
      if (this.#builder.full) ship(this.#builder.finish())
    }
  }

  first(tuple: Uint8Array, start: number): void {
    const columns = this.#columns
    const decoders = this.#decoders
    const row = this.#row++
    let at = start + 2
    for (let i = 0; i < decoders.length; i++) {
      const length = int32At(tuple, at)
      at += 4
      if (length < 0) {
        columns[i]!.null()
        continue
      }
      if (!decoders[i]!(columns[i]!, tuple, at, length)) {
        this.#reject(row, i, tuple, at, length)
        return
      }
      at += length
    }
    this.#builder.endRow()
  }

  rest(): Batch | undefined {
    return this.#builder.rows === 0 ? undefined : this.#builder.finish()
  }

  #reject(row: number, i: number, tuple: Uint8Array, at: number, length: number): void {
    const column = this.#request.columns[i]!
    this.#builder.discardRow()
    const text = this.#decoders[i] === readText
    const bytes = tuple.subarray(at, at + length)
    const value = (text ? utf8(bytes) : undefined) ?? `\\x${hexOf(bytes)}`
    this.#session.reject({
      row,
      column: column.name,
      value,
      reason: `The value does not fit the type ${column.type.kind}`,
    })
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
