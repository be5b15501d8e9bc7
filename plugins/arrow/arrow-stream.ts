import type { RecordBatch, Schema } from "apache-arrow"
import type { Session } from "../../core/contract/index.ts"
import type { Arrow } from "./arrow-library.ts"

/** An Arrow file or stream that is being read. */
export interface ArrowReader {
  readonly schema: Schema
  /** One after another; the file is closed when the consumer stops. */
  batches(): AsyncGenerator<RecordBatch>
  close(): Promise<void>
}

const MAGIC = "ARROW1"
const MAGIC_BYTES = 8
const CONTINUATION = 0xffffffff

/**
 * Opens a file or a stream and reads its schema. A file is read from its beginning like a stream, which it contains,
 * batch by batch. Only a file that some writers make, without the schema at its beginning, has to be read whole. `label`
 * names it in messages.
 */
export async function openArrow(
  { bytes, label }: { readonly bytes: AsyncIterable<Uint8Array>; readonly label: string },
  arrow: Arrow,
  session: Session,
): Promise<ArrowReader> {
  const chunks = bytes[Symbol.asyncIterator]()
  const close = async () => void (await chunks.return?.())
  try {
    const head = await readHead(chunks)
    const isFile = new TextDecoder().decode(head.bytes.subarray(0, MAGIC.length)) === MAGIC
    if (isFile && !beginsWithSchema(head.bytes.subarray(MAGIC_BYTES), arrow)) {
      const whole = await arrow.RecordBatchReader.from(await allOf(head, chunks)).open()
      return { schema: whole.schema, batches: () => inTurn(() => whole.next() as Step), close }
    }
    const tail = new Tail()
    tail.add(head.bytes)
    const rest = restOf(isFile ? head.bytes.subarray(MAGIC_BYTES) : head.bytes, head.isAll, chunks, tail)
    const reader = await arrow.RecordBatchReader.from(rest)
    await reader.open()
    if (reader.schema === undefined) throw new Error("it holds no schema")
    const next = async () => {
      const step: Step = await reader.next()
      if (step.done !== true || !isFile) return step
      // A stream may end anywhere between two messages, a file ends with its magic.
      if (!head.isAll)
        for (let more = await chunks.next(); more.done !== true; more = await chunks.next()) tail.add(more.value)
      if (tail.text !== MAGIC) throw new Error("it ends early")
      return step
    }
    return { schema: reader.schema, batches: () => inTurn(next), close }
  } catch (error) {
    await close()
    throw readable(error)
  }

  async function* inTurn(next: () => Step | Promise<Step>): AsyncGenerator<RecordBatch> {
    try {
      for (;;) {
        const step = await next()
        if (step.done === true) return
        yield step.value
      }
    } catch (error) {
      throw readable(error)
    } finally {
      await close()
    }
  }

  /** What the library says of a file that is none, or that ends too early, in our words. */
  function readable(error: unknown): unknown {
    if (typeof (error as { reason?: unknown }).reason === "string") return error
    const message = error instanceof Error ? error.message : String(error)
    if (/codec|compress/i.test(message))
      return session.failure("unsupported", `Cannot read "${label}": its record batches are compressed`, {
        hint: "Write it without compression of its buffers; the file as a whole may be compressed",
        cause: error,
      })
    return session.failure("data", `Cannot read "${label}" as Arrow: ${message}`, { cause: error })
  }
}

type Step = IteratorResult<RecordBatch>

/** The last bytes of all that went by. */
class Tail {
  #bytes: readonly number[] = []
  add(chunk: Uint8Array): void {
    this.#bytes = [...this.#bytes, ...chunk.subarray(-MAGIC.length)].slice(-MAGIC.length)
  }
  get text(): string {
    return String.fromCharCode(...this.#bytes)
  }
}

/** The first bytes: the magic, and the first message's header where it is small enough to be in the first chunks. */
async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<{ bytes: Uint8Array; isAll: boolean }> {
  let bytes = new Uint8Array(0)
  while (bytes.length < MAGIC_BYTES + 8 || bytes.length < MAGIC_BYTES + 8 + headerBytes(bytes)) {
    const next = await chunks.next()
    if (next.done === true) return { bytes, isAll: true }
    const more = new Uint8Array(bytes.length + next.value.length)
    more.set(bytes)
    more.set(next.value, bytes.length)
    bytes = more
  }
  return { bytes, isAll: false }
}

function headerBytes(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes[0] !== MAGIC.charCodeAt(0) || view.getUint32(MAGIC_BYTES, true) !== CONTINUATION) return 0
  return Math.min(view.getInt32(MAGIC_BYTES + 4, true), 1_048_576)
}

function beginsWithSchema(bytes: Uint8Array, arrow: Arrow): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8 || view.getUint32(0, true) !== CONTINUATION) return false
  const size = view.getInt32(4, true)
  return size > 0 && arrow.Message.decode(bytes.slice(8, 8 + size)).isSchema()
}

async function allOf(
  head: { readonly bytes: Uint8Array; readonly isAll: boolean },
  chunks: AsyncIterator<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of restOf(head.bytes, head.isAll, chunks)) parts.push(part.slice())
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

async function* restOf(
  start: Uint8Array,
  isAll: boolean,
  chunks: AsyncIterator<Uint8Array>,
  tail?: Tail,
): AsyncGenerator<Uint8Array> {
  yield start
  while (!isAll) {
    const next = await chunks.next()
    if (next.done === true) return
    tail?.add(next.value)
    // The library keeps chunks until a message is whole; their memory is only lent.
    yield next.value.slice()
  }
}
