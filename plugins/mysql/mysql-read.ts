import type { Batch, BatchBuilder, Column, ColumnBuilder, ReadRequest, Session } from "../../core/contract/index.ts"
import { type Decode, decoderOf } from "./mysql-decode.ts"
import { quote } from "./mysql-dialect.ts"
import { fieldText } from "./mysql-fields.ts"
import { type Link, lengthAt, valuesOf } from "./mysql-link.ts"
import type { WireField } from "./mysql-wire.ts"

/** Streams a SELECT as batches; the socket is not read while the consumer lags behind. */
export async function* readBatches(link: Link, request: ReadRequest, session: Session): AsyncGenerator<Batch> {
  const reader = new Reader(link, request, session)
  const onAbort = () => reader.fail(session.failure("cancelled", "Cannot read rows: the run was cancelled"))
  if (session.signal.aborted) onAbort()
  session.signal.addEventListener("abort", onAbort, { once: true })
  try {
    if (!session.signal.aborted) reader.start()
    for (let batch = await reader.next(); batch; batch = await reader.next()) {
      yield batch
      reader.recycle(batch)
    }
  } finally {
    session.signal.removeEventListener("abort", onAbort)
    await reader.stop()
  }
}

/** The statement that is sent: FLOAT loses digits in the text protocol, a DOUBLE of the same value and sign does not. */
export function exactSql(sql: string, columns: readonly Column[]): string {
  if (!columns.some((column) => column.type.kind === "float32")) return sql
  const items = columns.map(({ name, type }) =>
    type.kind === "float32" ? `headrace_q.${quote(name)} * 1e0 AS ${quote(name)}` : `headrace_q.${quote(name)}`,
  )
  return `SELECT ${items.join(", ")} FROM (${sql.replace(/;\s*$/, "")}\n) AS headrace_q`
}

class Reader {
  readonly #link: Link
  readonly #request: ReadRequest
  readonly #session: Session
  readonly #builder: BatchBuilder
  readonly #zero: ZeroDates
  readonly #ready: Batch[] = []
  #readyBytes = 0
  #paused = false
  #statement: Promise<void> | undefined
  #running = false
  #failure: unknown
  #wake: (() => void) | undefined
  #fields: readonly WireField[] = []
  #decoders: Decode[] = []
  /** Position of the row at hand in the split. */
  #row = 0

  constructor(link: Link, request: ReadRequest, session: Session) {
    this.#link = link
    this.#request = request
    this.#session = session
    this.#builder = session.batches.builder(request.columns)
    this.#zero = new ZeroDates(request, session)
  }

  start(): void {
    this.#running = true
    const { sql, columns } = this.#request
    this.#statement = this.#link
      .guard("Cannot read rows", () =>
        this.#link.wire.run(exactSql(sql, columns), {
          fields: (fields) => this.#safely(() => this.#prepare(fields)),
          row: (buffer, start, end) => this.#safely(() => this.#take(buffer, start, end)),
        }),
      )
      .then(() => this.#safely(() => this.#flush()))
      .catch((cause) => this.fail(cause))
      .finally(() => {
        this.#running = false
        this.#wake?.()
      })
  }

  async next(): Promise<Batch | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const batch = this.#ready.shift()
      if (batch) {
        this.#readyBytes -= batch.bytes
        if (this.#paused && this.#readyBytes <= this.#limit() / 2) {
          this.#paused = false
          this.#link.wire.resume()
        }
        return batch
      }
      if (!this.#running) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The consumer has asked for the next batch. */
  recycle(batch: Batch): void {
    this.#builder.recycle(batch)
  }

  fail(cause: unknown): void {
    this.#failure ??= cause
    this.#ready.length = 0
    this.#wake?.()
  }

  /** Nothing runs on the server for this read afterwards. */
  async stop(): Promise<void> {
    if (!this.#running) return
    this.fail(new Error("the reader has stopped"))
    await this.#link.stop()
    await this.#statement
  }

  /** What is thrown inside of the driver would end up in the driver. */
  #safely(work: () => void): void {
    if (this.#failure !== undefined) return
    try {
      work()
    } catch (cause) {
      this.fail(cause)
    }
  }

  #limit(): number {
    const { bufferBytes, batchBytes } = this.#session.settings
    return Math.max(Math.min(bufferBytes - batchBytes, READY_BYTES), 1)
  }

  #prepare(fields: readonly WireField[]): void {
    const { columns } = this.#request
    if (fields.length !== columns.length) {
      const seen = `the statement returns ${fields.length} columns, not ${columns.length}`
      throw this.#session.failure("config", `Cannot read rows: ${seen}`)
    }
    this.#fields = fields
    this.#decoders = columns.map((column, i) =>
      decoderOf(column, fields[i]!, this.#builder.columns[i]!, (builder) => this.#zero.take(i, builder)),
    )
  }

  #take(buffer: Uint8Array, start: number, end: number): void {
    const decoders = this.#decoders
    const builder = this.#builder
    const { columns } = this.#request
    let at = start
    for (let i = 0; i < decoders.length; i++) {
      let size = buffer[at++]!
      if (size === 0xfb) {
        if (!columns[i]!.nullable) {
          this.#reject(i, buffer, start, end, "it is NULL in a column that is NOT NULL")
          return
        }
        builder.columns[i]!.null()
        continue
      }
      if (size > 0xfb) {
        const bytes = size === 0xfc ? 2 : size === 0xfd ? 3 : 8
        size = lengthAt(buffer, at, bytes)
        at += bytes
      }
      if (!decoders[i]!(buffer, at, at + size)) {
        this.#reject(i, buffer, start, end)
        return
      }
      at += size
    }
    builder.endRow()
    this.#row++
    this.#zero.endRow()
    if (builder.full) this.#flush()
  }

  #flush(): void {
    this.#zero.report()
    if (this.#builder.rows === 0) return
    const batch = this.#builder.finish()
    this.#ready.push(batch)
    this.#readyBytes += batch.bytes
    if (!this.#paused && this.#readyBytes >= this.#limit()) {
      this.#paused = true
      this.#link.wire.pause()
    }
    this.#wake?.()
  }

  #reject(index: number, buffer: Uint8Array, start: number, end: number, why?: string): void {
    this.#builder.discardRow()
    const zero = this.#zero.discardRow()
    const { columns } = this.#request
    const texts = this.#fields.map(fieldText)
    const values = valuesOf(buffer, start, end, (from, to, i) => texts[i]!(buffer, from, to))
    const column = columns[index]!
    this.#session.reject({
      row: this.#row++,
      column: column.name,
      value: values[index] ?? null,
      reason: why ?? zero ?? `it is not a ${column.type.kind}, or does not fit into this one`,
      code: "22000",
      record: Object.fromEntries(columns.map(({ name }, i) => [name, values[i] ?? null])),
    })
  }
}

/** The policy for `0000-00-00` and its kin, and the count of what it has changed. */
class ZeroDates {
  readonly #policy: string
  readonly #literal: Uint8Array
  readonly #request: ReadRequest
  readonly #session: Session
  readonly #counts: number[]
  #touched: number[] = []
  #refused: string | undefined

  constructor(request: ReadRequest, session: Session) {
    this.#policy = String(request.options.zeroDates ?? "null")
    this.#literal = new TextEncoder().encode(this.#policy)
    this.#request = request
    this.#session = session
    this.#counts = request.columns.map(() => 0)
  }

  take(index: number, builder: ColumnBuilder): boolean {
    if (this.#policy === "reject") return this.#refuse("it is a zero date")
    if (this.#policy !== "null") {
      if (!builder.parse(this.#literal, 0, this.#literal.length)) {
        return this.#refuse(`it is a zero date, and "${this.#policy}" is no value of the column`)
      }
    } else if (this.#request.columns[index]!.nullable) builder.null()
    else return this.#refuse("it is a zero date, and NULL does not fit into a column that is NOT NULL")
    this.#touched.push(index)
    return true
  }

  endRow(): void {
    if (this.#touched.length === 0) return
    for (const index of this.#touched) this.#counts[index]!++
    this.#touched = []
  }

  /** Why the row was refused, if by this policy. */
  discardRow(): string | undefined {
    const refused = this.#refused
    this.#touched = []
    this.#refused = undefined
    return refused
  }

  report(): void {
    for (const [index, count] of this.#counts.entries()) {
      if (count > 0) this.#session.adjusted("zeroDates", this.#request.columns[index]!.name, count)
      this.#counts[index] = 0
    }
  }

  #refuse(reason: string): false {
    this.#refused = reason
    return false
  }
}

/** Batches that wait for the consumer: enough to keep the socket busy, more would only wait. */
const READY_BYTES = 2_097_152
