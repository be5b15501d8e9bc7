import type { RecordBatch, RecordBatchWriter, Schema } from "apache-arrow"
import type { Arrow } from "./arrow-library.ts"

export type ArrowFormat = "file" | "stream"

/** Encodes record batches; every call gives the bytes to write next. */
export interface ArrowEncoder {
  /** What stands before the first batch. */
  start(): Uint8Array
  batch(batch: RecordBatch): Uint8Array
  /** What stands behind the last one. */
  end(): Uint8Array
}

export function makeEncoder(schema: Schema, format: ArrowFormat, arrow: Arrow): ArrowEncoder {
  const chunks: Uint8Array[] = []
  const { RecordBatchFileWriter, RecordBatchStreamWriter, Message } = arrow

  class Stream extends RecordBatchStreamWriter {
    protected override _write(chunk: ArrayBufferView): this {
      this._position += gather(chunk, this._started)
      return this
    }
  }

  class File extends RecordBatchFileWriter {
    protected override _write(chunk: ArrayBufferView): this {
      this._position += gather(chunk, this._started)
      return this
    }
    /** The library leaves out the schema, without which a file cannot be read from its beginning. */
    protected override _writeSchema(schema: Schema): this {
      return this._writeMagic()._writePadding(2)._writeMessage(Message.from(schema))
    }
  }

  function gather(chunk: ArrayBufferView, isStarted: boolean): number {
    if (!isStarted || chunk.byteLength === 0) return 0
    chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    return chunk.byteLength
  }

  const writer: RecordBatchWriter = format === "file" ? new File() : new Stream()
  return {
    start: () => taken(() => writer.reset(undefined, schema)),
    batch: (batch) => taken(() => writer.write(batch)),
    end: () => taken(() => writer.finish()),
  }

  function taken(work: () => unknown): Uint8Array {
    work()
    const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    let at = 0
    for (const chunk of chunks.splice(0)) {
      all.set(chunk, at)
      at += chunk.length
    }
    return all
  }
}
