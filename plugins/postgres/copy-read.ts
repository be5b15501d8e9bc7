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
import type { Link } from "./postgres-connection.ts"
import { quoteIdentifier } from "./postgres-dialect.ts"
import { hasPortableBinary } from "./type-map.ts"

/** Tuples of `COPY … (FORMAT binary)`, without signature and trailer. */
export const COPY_BINARY = "postgres-copy-binary"

/** Signature and flags, before the length of the header extension. */
const SIGNATURE_BYTES = 15
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
  const pending = link.sql.unsafe(statement)
  let inbox: Inbox | undefined
  const stop = () => {
    // The driver counts a COPY as done when it begins, and would not cancel it.
    Object.assign(pending, { active: true })
    void Promise.resolve(pending.cancel()).catch(() => undefined)
    inbox?.discard()
  }
  session.signal.addEventListener("abort", stop, { once: true })
  const early = earlyFailure(pending as unknown as Opening)
  let ended = false
  try {
    session.signal.throwIfAborted()
    const stream = (await pending.readable()) as unknown as RowStream
    if (early.error !== undefined) throw early.error
    const rows: Rows = framed ? new FrameRows() : new BatchRows(request, decoders, session)
    inbox = new Inbox(stream, rows, Math.min(session.settings.bufferBytes, INBOX_BYTES))
    for (;;) {
      const next = await inbox.next()
      if (next === undefined) break
      yield next
      rows.recycle?.(next)
    }
    ended = true
  } catch (error) {
    ended = true
    throw link.fail("read", error)
  } finally {
    session.signal.removeEventListener("abort", stop)
    // Whoever stops early leaves a COPY in progress: it is cancelled, and the connection is of no further use.
    if (!ended) stop()
    if (!ended || session.signal.aborted) {
      await inbox?.ended()
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

/** What the driver calls with the stream once the server has answered. */
interface Opening {
  resolve(stream: RowStream): void
}

/**
 * The server may hold back its answer to COPY until the first rows. When it fails instead, stream and failure come in
 * one packet, and the stream has failed before an `await` for it returns: nobody would listen, and the process would end.
 */
function earlyFailure(opening: Opening): { error: unknown } {
  const early: { error: unknown } = { error: undefined }
  const resolve = opening.resolve
  opening.resolve = (stream) => {
    // Called once more at the statement's end: what is thrown there would leave the connection busy for ever.
    opening.resolve = resolve
    stream.on("error", (error) => {
      early.error ??= error
    })
    resolve(stream)
  }
  return early
}

function withCasts(request: ReadRequest, decoders: readonly (Decoder | undefined)[]): string {
  if (decoders.every((decoder) => decoder !== undefined)) return request.sql
  const list = request.columns.map((column, i) => {
    const name = quoteIdentifier(column.name)
    return decoders[i] === undefined ? `${name}::text` : name
  })
  return `SELECT ${list.join(", ")} FROM (${request.sql}) AS source`
}

/** The parts of the driver's COPY stream that are used: it gives one chunk a row, which `push` would each send through a queue of its own. */
interface RowStream {
  push(chunk: Uint8Array | null): boolean
  read(): Uint8Array | null
  _read(size: number): void
  on(event: "error", listener: (error: unknown) => void): void
  on(event: "close", listener: () => void): void
}

interface Rows {
  /** Takes a tuple; returns what became full. */
  take(tuple: Uint8Array, start: number): Batch | Frame | undefined
  rest(): Batch | Frame | undefined
  /** The consumer has asked for the next item, so this one's memory is free. */
  recycle?(item: Batch | Frame): void
}

/** Takes rows straight from the socket's callback and hands over batches; pauses the socket when too many wait. */
class Inbox {
  readonly #stream: RowStream
  readonly #rows: Rows
  readonly #limit: number
  readonly #ready: (Batch | Frame)[] = []
  #bytes = 0
  #started = false
  #paused = false
  #done = false
  #discarding = false
  #error: unknown
  #wake: (() => void) | undefined

  constructor(stream: RowStream, rows: Rows, limit: number) {
    this.#stream = stream
    this.#rows = rows
    this.#limit = limit
    // What arrived with the very first packet is already in the stream's own queue.
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) this.#take(chunk)
    stream.push = (chunk) => this.#push(chunk)
    stream.on("error", (error) => {
      this.#error ??= error
      this.#finish()
    })
    stream.on("close", () => this.#finish())
    stream._read(0)
  }

  async next(): Promise<Batch | Frame | undefined> {
    for (;;) {
      const next = this.#ready.shift()
      if (next !== undefined) {
        this.#bytes -= next.bytes
        if (this.#paused && this.#bytes <= this.#limit / 2) {
          this.#paused = false
          this.#stream._read(0)
        }
        return next
      }
      if (this.#error !== undefined) throw this.#error
      if (this.#done) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Throws away what still comes: a server that cannot send does not notice that it is cancelled. */
  discard(): void {
    this.#discarding = true
    this.#ready.length = 0
    if (!this.#done) this.#stream._read(0)
  }

  /** Resolves when the server has stopped sending. */
  async ended(): Promise<void> {
    while (!this.#done) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #push(chunk: Uint8Array | null): boolean {
    if (this.#discarding && chunk !== null) return true
    if (chunk === null) {
      this.#finish()
      return false
    }
    try {
      this.#take(chunk)
    } catch (error) {
      // A full reject limit is thrown here, inside the driver's socket callback: it must reach the reader instead.
      this.#error ??= error
      this.#finish()
      return false
    }
    if (this.#bytes < this.#limit) return true
    this.#paused = true
    return false
  }

  #take(chunk: Uint8Array): void {
    let start = 0
    if (!this.#started) {
      this.#started = true
      start = SIGNATURE_BYTES + 4 + int32At(chunk, SIGNATURE_BYTES)
      if (start >= chunk.length) return
    }
    // The trailer is a field count of -1.
    if (chunk[start] === 0xff && chunk[start + 1] === 0xff) return
    const full = this.#rows.take(chunk, start)
    if (full !== undefined) this.#ship(full)
  }

  #finish(): void {
    if (!this.#done) {
      this.#done = true
      const rest = this.#error === undefined && !this.#discarding ? this.#rows.rest() : undefined
      if (rest !== undefined) this.#ship(rest)
    }
    this.#wake?.()
  }

  #ship(item: Batch | Frame): void {
    this.#ready.push(item)
    this.#bytes += item.bytes
    this.#wake?.()
  }
}

/** Gathers tuples into frames, in memory that goes round. */
class FrameRows implements Rows {
  readonly #free: Uint8Array<ArrayBufferLike>[] = []
  #data: Uint8Array<ArrayBufferLike> = new Uint8Array(FRAME_BYTES)
  #used = 0
  #rows = 0
  #firstRow = 0

  take(tuple: Uint8Array, start: number): Frame | undefined {
    const size = tuple.length - start
    const full = this.#used + size > this.#data.length && this.#used > 0 ? this.rest() : undefined
    if (size > this.#data.length) this.#data = new Uint8Array(size)
    this.#data.set(start === 0 ? tuple : tuple.subarray(start), this.#used)
    this.#used += size
    this.#rows++
    return full
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

  take(tuple: Uint8Array, start: number): Batch | undefined {
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
        return undefined
      }
      at += length
    }
    this.#builder.endRow()
    return this.#builder.full ? this.#builder.finish() : undefined
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
