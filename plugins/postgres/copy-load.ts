import type { Batch, Columns, Frame, LoadRequest, Session, TableColumn, WriteMode } from "../../core/contract/index.ts"
import { hasEncoder } from "./binary-write.ts"
import { qualified } from "./catalog.ts"
import { Chunk } from "./chunk.ts"
import { COPY_BINARY, readsAsBytes } from "./copy-read.ts"
import { blamesRow, serverError } from "./failures.ts"
import { merge, STAGE, stageStatements } from "./merge.ts"
import type { Link } from "./postgres-connection.ts"
import { quoteIdentifier } from "./postgres-dialect.ts"
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
    if (staged) await link.run(stageStatements(request))
    const copy = new Copy(link, request, binary, staged, session)
    for await (const item of rows) {
      session.signal.throwIfAborted()
      await copy.add(item)
    }
    const copied = await copy.end()
    return { written: staged ? copied - (await merge(link, request, session)) : copied }
  } catch (error) {
    throw link.fail("write", error)
  }
}

const SIGNATURE = new Uint8Array([80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0])
const TRAILER = new Uint8Array([255, 255])

/**
 * COPY in chunks, each under a savepoint. A chunk is kept until the server has taken it: after an error the rows before
 * the bad one are sent again, the bad one is rejected, and the rest follows.
 */
class Copy {
  readonly #link: Link
  readonly #request: LoadRequest
  readonly #session: Session
  readonly #staged: boolean
  readonly #binary: boolean
  #format: TupleFormat
  #stream: CopyStream | undefined
  readonly #chunk: Chunk
  #written = 0

  constructor(link: Link, request: LoadRequest, binary: boolean, staged: boolean, session: Session) {
    this.#link = link
    this.#request = request
    this.#session = session
    this.#staged = staged
    this.#binary = binary
    this.#format = binary ? binaryFormat : textFormat
    this.#chunk = new Chunk(session.settings.bufferBytes + session.settings.batchBytes)
  }

  async add(item: Batch | Frame): Promise<void> {
    this.#format = item.encoding !== undefined || this.#binary ? binaryFormat : textFormat
    const chunk = this.#chunk
    const start = chunk.used
    if (item.encoding === undefined) this.#format.encode(item, this.#request, this.#session, chunk)
    else appendFrame(item, chunk)
    if (chunk.used === start) return
    try {
      this.#stream ??= await this.#open()
      await this.#stream.write(chunk.data.subarray(start, chunk.used))
      if (chunk.used < this.#session.settings.bufferBytes) return
    } catch (error) {
      return await this.#mend(error)
    }
    await this.#flush()
  }

  /** Rows that reached the table, or the stage. */
  async end(): Promise<number> {
    await this.#flush()
    return this.#written
  }

  async #flush(): Promise<void> {
    if (this.#stream === undefined) return
    try {
      await this.#stream.end()
      await this.#link.run("RELEASE SAVEPOINT headrace")
    } catch (error) {
      return await this.#mend(error)
    }
    this.#written += this.#chunk.rows
    this.#chunk.clear()
    this.#stream = undefined
  }

  async #open(): Promise<CopyStream> {
    await this.#link.run("SAVEPOINT headrace")
    const columns = this.#request.columns.map((column) => quoteIdentifier(column.name)).join(", ")
    const target = this.#staged ? STAGE : qualified(this.#request.table)
    return await openCopy(
      this.#link,
      `COPY ${target} (${columns}) FROM STDIN (FORMAT ${this.#format.name})`,
      this.#session.signal,
      this.#format,
    )
  }

  /** Something in the chunk was refused: find it. */
  async #mend(error: unknown): Promise<void> {
    this.#stream = undefined
    if (!blamesRow(error)) throw error
    await this.#link.run("ROLLBACK TO SAVEPOINT headrace")
    const chunk = this.#chunk
    const starts = this.#format.boundaries(chunk)
    const rows = Array.from({ length: chunk.rows }, (_, n) => ({
      bytes: chunk.data.subarray(starts[n], starts[n + 1]),
      position: chunk.position(n),
    }))
    this.#written += await this.#salvage(rows, error)
    chunk.clear()
  }

  /** Loads `rows`, of which at least one is refused with `error`; returns how many went in. */
  async #salvage(rows: readonly TupleRow[], error: unknown): Promise<number> {
    let written = 0
    let rest = rows
    let problem: unknown = error
    while (rest.length > 0) {
      if (problem === undefined) {
        problem = await this.#attempt(rest)
        if (problem === undefined) return written + rest.length
      }
      if (rest.length === 1) {
        this.#reject(rest[0]!, problem)
        return written
      }
      const line = lineOf(problem)
      const bad = line === undefined || line < 1 || line > rest.length ? undefined : line - 1
      if (bad === undefined) {
        // Deferred checks name no line: halve until one row is left.
        const half = rest.length >> 1
        written += await this.#salvagePart(rest.slice(0, half))
        rest = rest.slice(half)
      } else {
        if (bad > 0) written += await this.#salvagePart(rest.slice(0, bad))
        this.#reject(rest[bad]!, problem)
        rest = rest.slice(bad + 1)
      }
      problem = undefined
    }
    return written
  }

  async #salvagePart(rows: readonly TupleRow[]): Promise<number> {
    const problem = await this.#attempt(rows)
    return problem === undefined ? rows.length : await this.#salvage(rows, problem)
  }

  /** The error, when the rows were refused; nothing of them is left then. */
  async #attempt(rows: readonly TupleRow[]): Promise<unknown> {
    try {
      const stream = await this.#open()
      await stream.write(joined(rows))
      await stream.end()
      await this.#link.run("RELEASE SAVEPOINT headrace")
      return undefined
    } catch (error) {
      if (!blamesRow(error)) throw error
      await this.#link.run("ROLLBACK TO SAVEPOINT headrace")
      return error ?? new Error("unknown")
    }
  }

  #reject(row: TupleRow, error: unknown): void {
    const { message, code, column, where, detail } = serverError(error)
    const record = this.#format.record(row.bytes, this.#request, this.#session)
    const name = column ?? /, column ("?)(.+?)\1(?::|$)/.exec(where ?? "")?.[2]
    const known = name !== undefined && name in record
    this.#session.reject({
      row: row.position,
      reason: detail === undefined ? message : `${message}: ${detail}`,
      code,
      record,
      ...(known ? { column: name, value: record[name] ?? null } : {}),
    })
  }
}

interface TupleRow {
  readonly bytes: Uint8Array
  readonly position: number
}

function joined(rows: readonly TupleRow[]): Uint8Array {
  const out = new Uint8Array(rows.reduce((sum, row) => sum + row.bytes.length, 0))
  let at = 0
  for (const row of rows) {
    out.set(row.bytes, at)
    at += row.bytes.length
  }
  return out
}

/** `COPY t, line 5, column c: "x"`. */
function lineOf(error: unknown): number | undefined {
  const found = /^COPY .*?, line (\d+)/m.exec(serverError(error).where ?? "")
  return found === null ? undefined : Number(found[1])
}

/** A COPY FROM STDIN in progress. */
interface CopyStream {
  write(data: Uint8Array): Promise<void>
  end(): Promise<void>
}

async function openCopy(link: Link, statement: string, signal: AbortSignal, format: TupleFormat): Promise<CopyStream> {
  signal.throwIfAborted()
  const pending = link.sql.unsafe(statement)
  const stream = await pending.writable()
  let failed: unknown
  let finished = false
  let wake: (() => void) | undefined
  const stop = () => {
    failed ??= signal.reason ?? new Error("aborted")
    void Promise.resolve(pending.cancel()).catch(() => undefined)
    void link.destroy()
    wake?.()
  }
  const settle = (error?: unknown) => {
    if (error !== undefined && error !== null) failed ??= error
    finished = true
    signal.removeEventListener("abort", stop)
    wake?.()
  }
  signal.addEventListener("abort", stop, { once: true })
  // Behind the last byte the driver tells a failure to the query alone, which is resolved already.
  Object.assign(pending, { reject: settle })
  stream.on("error", settle)
  stream.on("finish", () => settle())
  stream.on("close", () => settle())
  stream.on("drain", () => wake?.())
  const wait = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  const write = async (data: Uint8Array) => {
    if (failed !== undefined) throw failed
    if (finished) throw new Error("The server ended the COPY early")
    if (!stream.write(data)) {
      while (stream.writableNeedDrain && !finished && failed === undefined) await wait()
    }
    if (failed !== undefined) throw failed
  }
  if (format.name === "binary") await write(SIGNATURE)
  return {
    write,
    async end() {
      if (failed === undefined && !finished) {
        if (format.name === "binary") await write(TRAILER)
        stream.end()
        while (!finished && failed === undefined) await wait()
      }
      if (failed !== undefined) throw failed
    },
  }
}
