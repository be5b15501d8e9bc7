import type { Batch, Columns, Frame, LoadRequest, Session, TableColumn, WriteMode } from "../../core/contract/index.ts"
import { hasEncoder } from "./binary-write.ts"
import { qualified } from "./catalog.ts"
import { Chunk } from "./chunk.ts"
import { COPY_BINARY } from "./copy-frames.ts"
import { COPY_DATA, message } from "./copy-message.ts"
import { readsAsBytes } from "./copy-read.ts"
import { type CopyStream, openCopy } from "./copy-stream.ts"
import { blamesRow } from "./failures.ts"
import { merge, numberFrom, ORDINAL, STAGE, STAGE_NAME, stageStatements } from "./merge.ts"
import type { Link } from "./postgres-connection.ts"
import { quoteIdentifier } from "./postgres-dialect.ts"
import { lineOf, refersToOwnTable, refusal } from "./refusal.ts"
import { appendFrame, binaryFormat, type TupleFormat, textFormat } from "./tuple.ts"

/** Bytes are forwarded where both sides declare the same types; a wider text is the same bytes as well. */
export function loadEncodings(request: {
  readonly columns: readonly TableColumn[]
  readonly mode: WriteMode
  readonly input: Columns
}): readonly string[] {
  const same = request.columns.every((column, i) => {
    const from = request.input[i]
    if (from === undefined || !readsAsBytes(from)) return false
    return (
      from.native!.type === column.native?.type ||
      (column.native?.type === "text" && from.native!.type.startsWith("character varying"))
    )
  })
  return same ? [COPY_BINARY] : []
}

/** Loads rows inside the open transaction; a merge mode goes through a temporary table. */
export async function load(
  link: Link,
  request: LoadRequest,
  rows: AsyncIterable<Batch | Frame>,
  session: Session,
): Promise<{ readonly written: number }> {
  const staged = request.mode !== "append"
  const binary = request.columns.every((column) => hasEncoder(column.type, column.native?.type ?? ""))
  try {
    // What a constraint checks at the commit could no longer be traced to a row there.
    await link.run("SET CONSTRAINTS ALL IMMEDIATE")
    if (staged) await link.run(stageStatements(request))
    const copy = new Copy(link, request, binary, staged, session)
    for await (const item of rows) {
      session.signal.throwIfAborted()
      await copy.add(item)
    }
    const copied = await copy.end()
    return { written: staged ? copied - (await merge(link, request, session)) : copied }
  } catch (error) {
    // Not even ROLLBACK is heard while a COPY is in progress.
    if (link.wire.asked) await link.destroy()
    throw link.fail("write", error)
  }
}

/**
 * COPY in chunks, each under a savepoint. While the server takes one, the next is on its way, so that it never waits for
 * us. A chunk is kept until the server has taken it: after an error the rows before the bad one are sent again, the bad
 * one is rejected, and the rest follows.
 */
class Copy {
  readonly #link: Link
  readonly #request: LoadRequest
  readonly #session: Session
  readonly #staged: boolean
  #format: TupleFormat
  #stream: CopyStream | undefined
  /** Absent between two chunks: memory of an earlier one may come back before the next begins. */
  #chunk: Chunk | undefined
  #spare: Chunk | undefined
  /** Chunks that are sent to their end; what has been said to them, or will be. */
  #sent: { readonly chunk: Chunk; readonly refusal: Promise<Refusal | undefined> }[] = []
  /** Bytes of a chunk; known with the first item. */
  #limit = 0
  #isFirst = true
  #framed = false
  #saved = false
  #written = 0
  #orphans: (TupleRow & { readonly error: unknown })[] = []
  #orphanBytes = 0

  constructor(link: Link, request: LoadRequest, binary: boolean, staged: boolean, session: Session) {
    this.#link = link
    this.#request = request
    this.#session = session
    this.#staged = staged
    this.#format = binary ? binaryFormat : textFormat
  }

  async add(item: Batch | Frame): Promise<void> {
    this.#framed = item.encoding !== undefined
    if (this.#framed) this.#format = binaryFormat
    // One is filled while the server takes the other. Whoever makes batches needs the memory for those.
    const { bufferBytes, loadBytes } = this.#session.settings
    this.#limit = this.#framed ? loadBytes >> 1 : bufferBytes >> 2
    this.#chunk ??= this.#next()
    const chunk = this.#chunk
    const start = chunk.used
    if (item.encoding === undefined) this.#format.encode(item, this.#request, this.#session, chunk)
    else appendFrame(item, chunk)
    if (chunk.used === start) return
    this.#stream ??= this.#open(chunk.position(0))
    try {
      await this.#stream.write(chunk.data.subarray(start, chunk.used))
    } catch {
      // What was said is the answer to this chunk, or to the one before.
      this.#finish()
      await this.#settle()
    }
    if (chunk.used < (this.#isFirst ? Math.min(this.#limit, FIRST_BYTES) : this.#limit)) return
    this.#isFirst = false
    this.#finish()
    if (this.#sent.length > 1) await this.#confirm()
    if (this.#orphanBytes <= this.#limit) return
    await this.#settle()
    await this.#adopt()
    if (this.#orphanBytes > this.#limit) this.#giveUp()
  }

  /** Rows that reached the table, or the stage. */
  async end(): Promise<number> {
    this.#finish()
    await this.#settle()
    for (let before = 0; this.#orphans.length > 0 && this.#orphans.length !== before; ) {
      before = this.#orphans.length
      await this.#adopt()
    }
    this.#giveUp()
    return this.#written
  }

  /** Most tables are small: the first chunk does not reserve what later ones need. */
  #next(): Chunk {
    const bytes = this.#isFirst ? Math.min(this.#limit, FIRST_BYTES) : this.#limit
    const chunk = this.#spare ?? new Chunk(bytes + this.#session.settings.batchBytes)
    this.#spare = undefined
    return chunk
  }

  /** The open chunk is sent to its end, and the next begins. */
  #finish(): void {
    if (this.#stream === undefined || this.#chunk === undefined) return
    const refusal = this.#stream.end().then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    this.#sent.push({ chunk: this.#chunk, refusal })
    this.#stream = undefined
    this.#chunk = undefined
  }

  /** Waits for the word on the chunk that was sent first. */
  async #confirm(): Promise<void> {
    const [first] = this.#sent
    if (first === undefined) return
    if ((await first.refusal) !== undefined) return await this.#settle()
    this.#sent.shift()
    this.#written += first.chunk.rows
    this.#recycle(first.chunk)
  }

  #recycle(chunk: Chunk): void {
    chunk.clear()
    if (chunk.data.length >= this.#limit) this.#spare = chunk
  }

  /** Waits for the word on everything that was sent, and mends what was refused. */
  async #settle(): Promise<void> {
    const refusals = await Promise.all(this.#sent.map(({ refusal }) => refusal))
    let isBroken = false
    for (const [i, { chunk }] of this.#sent.splice(0).entries()) {
      const refusal = refusals[i]
      // Behind a refusal the server has ignored everything.
      if (isBroken) await this.#place(this.#rows(chunk))
      else if (refusal === undefined) this.#written += chunk.rows
      else await this.#mend(chunk, refusal.error)
      isBroken ||= refusal !== undefined
      this.#recycle(chunk)
    }
  }

  /** `first` is the position of the first row that will be sent. */
  #open(first: number): CopyStream {
    const columns = this.#request.columns.map((column) => quoteIdentifier(column.name))
    // A stage keeps each row's position: batches bring it along, frames are numbered from their first one.
    const numbered = this.#staged && this.#framed ? `${numberFrom(first)}; ` : ""
    if (this.#staged && !this.#framed) columns.push(ORDINAL)
    const target = this.#staged ? STAGE : qualified(this.#request.table)
    return openCopy(
      this.#link,
      `${this.#release()}${numbered}SAVEPOINT headrace; COPY ${target} (${columns.join(", ")}) FROM STDIN (FORMAT ${this.#format.name})`,
      this.#session.signal,
      this.#format,
    )
  }

  /** A savepoint whose rows are safe is given up only when the next one is needed. */
  #release(): string {
    const release = this.#saved ? "RELEASE SAVEPOINT headrace; " : ""
    this.#saved = true
    return release
  }

  async #undo(): Promise<void> {
    this.#saved = false
    await this.#link.run(UNDO)
  }

  /** Something in the chunk was refused: find it. */
  async #mend(chunk: Chunk, error: unknown): Promise<void> {
    if (!blamesRow(error)) throw error
    await this.#undo()
    await this.#sift(this.#rows(chunk), error)
  }

  #rows(chunk: Chunk): readonly TupleRow[] {
    return this.#format.rows(chunk).map((bytes, n) => ({ bytes, position: chunk.position(n) }))
  }

  /** Loads `rows`, of which at least one is refused with `error`. */
  async #sift(rows: readonly TupleRow[], error: unknown): Promise<void> {
    if (rows.length === 1) return this.#refuse(rows[0]!, error)
    const bad = lineOf(error, this.#staged ? STAGE_NAME : this.#request.table.name) - 1
    if (!(bad >= 0 && bad < rows.length)) {
      // Foreign keys and triggers that run at the end name no line.
      const half = rows.length >> 1
      await this.#place(rows.slice(0, half))
      await this.#place(rows.slice(half))
      return
    }
    await this.#place(rows.slice(0, bad))
    this.#refuse(rows[bad]!, error)
    // Where one row is bad others may be: pieces that grow keep what is sent in vain within bounds.
    let size = PIECE_ROWS
    for (let from = bad + 1; from < rows.length; ) {
      const piece = rows.slice(from, from + size)
      from += piece.length
      size = (await this.#place(piece)) ? size * 4 : PIECE_ROWS
    }
  }

  /** True when none of the rows was refused. */
  async #place(rows: readonly TupleRow[]): Promise<boolean> {
    if (rows.length === 0) return true
    try {
      const stream = this.#open(rows[0]!.position)
      await stream.write(joined(rows))
      await stream.end()
    } catch (error) {
      if (!blamesRow(error)) throw error
      await this.#undo()
      await this.#sift(rows, error)
      return false
    }
    this.#written += rows.length
    return true
  }

  #refuse(row: TupleRow, error: unknown): void {
    if (!this.#staged && refersToOwnTable(error, this.#request.table.name)) {
      this.#orphans.push({ bytes: row.bytes.slice(), position: row.position, error })
      this.#orphanBytes += row.bytes.length
    } else this.#reject(row, error)
  }

  /** Rows whose parent has come behind them get another chance. */
  async #adopt(): Promise<void> {
    const orphans = this.#orphans
    this.#orphans = []
    this.#orphanBytes = 0
    await this.#place(orphans)
  }

  #giveUp(): void {
    for (const orphan of this.#orphans.splice(0)) this.#reject(orphan, orphan.error)
    this.#orphanBytes = 0
  }

  #reject(row: TupleRow, error: unknown): void {
    const record = this.#format.record(row.bytes, this.#request, this.#session)
    this.#session.reject(refusal(error, record, row.position))
  }
}

interface Refusal {
  readonly error: unknown
}

interface TupleRow {
  readonly bytes: Uint8Array
  readonly position: number
}

const PIECE_ROWS = 64
const FIRST_BYTES = 2_097_152
/** A savepoint outlives the return to it, and thousands of nested ones exhaust the server's memory. */
const UNDO = "ROLLBACK TO SAVEPOINT headrace; RELEASE SAVEPOINT headrace"

/** The rows in one message. */
function joined(rows: readonly TupleRow[]): Uint8Array {
  const out = new Uint8Array(rows.reduce((sum, row) => sum + row.bytes.length, 0))
  let at = 0
  for (const row of rows) {
    out.set(row.bytes, at)
    at += row.bytes.length
  }
  return message(COPY_DATA, out)
}
