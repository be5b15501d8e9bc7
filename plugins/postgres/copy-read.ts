import type { Batch, Column, Columns, Frame, ReadRequest, Session } from "../../core/contract/index.ts"
import { CSV_RECORDS } from "../_sql/csv-records.ts"
import { TAB_SEPARATED } from "../_sql/tab-separated.ts"
import { type Decoder, decoderOf, readText } from "./binary-read.ts"
import { BatchRows } from "./copy-batches.ts"
import { BinaryFrames, COPY_BINARY, CsvFrames, TextFrames } from "./copy-frames.ts"
import { Inbox, type Rows } from "./copy-inbox.ts"
import { isTextual } from "./csv-mender.ts"
import type { Link } from "./postgres-connection.ts"
import { quoteIdentifier } from "./postgres-dialect.ts"
import { hasPortableBinary } from "./type-map.ts"

/** Encodings of text: every message is a row, and there is no signature. */
const TEXTS = new Set<string | undefined>([TAB_SEPARATED, CSV_RECORDS])

/** Enough to keep the socket busy while the consumer works; more would only wait. */
const INBOX_BYTES = 2_097_152

/** Encodings in which these columns can be read; text that may be any bytes cannot be forwarded as UTF-8. */
export function readEncodings(columns: Columns, server: Pick<Link, "anyBytes" | "version">): readonly string[] {
  return [
    ...(columns.every(readsAsBytes) ? [COPY_BINARY] : []),
    ...(server.anyBytes ? [] : [TAB_SEPARATED]),
    ...(readsAsCsv(columns, server) ? [CSV_RECORDS] : []),
  ]
}

/** Whether the column's bytes can be forwarded to another server. */
export function readsAsBytes(column: Column): boolean {
  return column.native?.system === "postgres" && hasPortableBinary(column.native.type)
}

/** Whether the server's CSV of these columns is, or can be mended to be, that of the CSV output. */
function readsAsCsv(columns: Columns, { anyBytes, version }: Pick<Link, "anyBytes" | "version">): boolean {
  // Of a single field the server quotes `\\.`, for readers of old.
  if (anyBytes || (columns.length === 1 && isTextual(columns[0]!.type))) return false
  return columns.every(({ type, native }) => {
    if (decoderOf(type, native?.type ?? "") === undefined) return VERBATIM.has(type.kind)
    // Half-way between two short texts the server takes another one than we do.
    if (type.kind === "float32") return false
    // Before version 12 a float has as many digits as may be needed, not as few as suffice.
    return type.kind !== "float64" || version >= 120000
  })
}

/** Kinds whose text batches take as it is when they ask for it, as they do for domains. */
const VERBATIM = new Set<string>(["boolean", "int16", "int32", "int64", "string", "interval", "native"])

/** Streams a SELECT through COPY. Memory: what `bufferBytes` allows, plus one socket read. */
export async function* read(link: Link, request: ReadRequest, session: Session): AsyncGenerator<Batch | Frame> {
  const { statement, rows } = copying(link, request, session)
  const limit = Math.min(session.settings.bufferBytes, INBOX_BYTES)
  const inbox = new Inbox(link.wire, rows, {
    limit,
    binary: !TEXTS.has(request.encoding),
    patient: request.encoding === CSV_RECORDS,
  })
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

/** What is asked of the server, and what becomes of its answer. */
function copying(
  link: Link,
  request: ReadRequest,
  session: Session,
): { readonly statement: string; readonly rows: Rows } {
  const { sql, columns, encoding } = request
  if (encoding === COPY_BINARY)
    return { statement: `COPY (${sql}) TO STDOUT (FORMAT binary)`, rows: new BinaryFrames() }
  const decoders = columns.map((column) => columnDecoder(column, link.anyBytes))
  if (encoding === CSV_RECORDS) {
    const list = columns.map((column, i) => csvText(column, decoders[i]))
    return {
      statement: `COPY (${selecting(request, list)}) TO STDOUT (FORMAT csv)`,
      rows: new CsvFrames(columns, session),
    }
  }
  if (encoding === TAB_SEPARATED) {
    const list = columns.map((column, i) => tabSeparated(column, decoders[i]))
    return { statement: `COPY (${selecting(request, list)}) TO STDOUT (FORMAT text)`, rows: new TextFrames() }
  }
  const list = columns.map(({ name }, i) => {
    const quoted = quoteIdentifier(name)
    return decoders[i] === undefined ? `${quoted}::text` : quoted
  })
  const statement = `COPY (${selecting(request, list)}) TO STDOUT (FORMAT binary)`
  return { statement, rows: new BatchRows(request.columns, decoders, session) }
}

/** A column as {@link TAB_SEPARATED} has it; whatever batches ask for as text is that text here. */
function tabSeparated({ name, type }: Column, decoder: Decoder | undefined): string {
  const quoted = quoteIdentifier(name)
  if (type.kind === "boolean") return `${quoted}::int4`
  if (type.kind === "bytes") return `encode(${quoted}, 'hex')`
  if (type.kind === "timestamp" && type.zone) return `${quoted} AT TIME ZONE 'UTC'`
  return decoder === undefined ? `${quoted}::text` : quoted
}

/** A column as {@link CSV_RECORDS} has it, but for what is mended afterwards. */
function csvText({ name, type }: Column, decoder: Decoder | undefined): string {
  const quoted = quoteIdentifier(name)
  if (decoder === undefined) return `${quoted}::text`
  // A cast costs the server more.
  return type.kind === "boolean" ? `CASE WHEN ${quoted} THEN 'true' WHEN NOT ${quoted} THEN 'false' END` : quoted
}

function selecting({ sql, columns }: ReadRequest, list: readonly string[]): string {
  if (columns.every(({ name }, i) => list[i] === quoteIdentifier(name))) return sql
  return `SELECT ${list.join(", ")} FROM (${sql}) AS source`
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
