import { type FileHandle, open } from "node:fs/promises"
import type { Transform } from "node:stream"
import { createGunzip, createZstdDecompress } from "node:zlib"
import { ZstdFrame } from "./zstd-frames.ts"

const chunkBytes = 262_144

/** The bytes of a file in chunks of fresh memory. The descriptor is closed when the consumer stops, early or not. */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, "r")
  let ahead: Promise<Uint8Array> | undefined
  try {
    ahead = readChunk(handle)
    for (;;) {
      const chunk = await ahead
      ahead = undefined
      if (chunk.length === 0) return
      // The disk works while the consumer does. Its error, if any, is met at the next turn.
      ahead = readChunk(handle)
      ahead.catch(() => {})
      yield chunk
    }
  } finally {
    await ahead?.catch(() => {})
    await handle.close()
  }
}

async function readChunk(handle: FileHandle): Promise<Uint8Array> {
  const chunk = new Uint8Array(chunkBytes)
  const { bytesRead } = await handle.read(chunk, 0, chunkBytes, null)
  return bytesRead === chunkBytes ? chunk : chunk.subarray(0, bytesRead)
}

/** What a gzip archive holds, all its members. */
export function readGzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return decompress(source, createGunzip({ chunkSize: chunkBytes }))
}

/** What a zstd archive holds, all its frames. */
export async function* readZstd(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunk: Uint8Array = new Uint8Array(0)
  let at = 0
  async function more(): Promise<boolean> {
    while (at >= chunk.length) {
      const next = await source.next()
      if (next.done) return false
      chunk = next.value
      at = 0
    }
    return true
  }
  async function* nextFrame(): AsyncGenerator<Uint8Array> {
    const frame = new ZstdFrame()
    while (!frame.done) {
      if (!(await more())) throw Object.assign(new Error("unexpected end of archive"), { code: "Z_BUF_ERROR" })
      const from = at
      at = frame.take(chunk, from)
      yield chunk.subarray(from, at)
    }
  }
  try {
    let first = true
    while (first || (await more())) {
      first = false
      yield* decompress(nextFrame(), createZstdDecompress({ chunkSize: chunkBytes }))
    }
  } finally {
    await source.return(undefined)
  }
}

async function* decompress(source: AsyncIterable<Uint8Array>, stream: Transform): AsyncGenerator<Uint8Array> {
  const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()))
  // The consumer may have left by then; whoever still reads the stream gets the error from it.
  stream.on("error", () => {})
  const feeding = feed(source, stream, closed)
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } finally {
    stream.destroy()
    await feeding
  }
}

async function feed(source: AsyncIterable<Uint8Array>, stream: Transform, closed: Promise<void>): Promise<void> {
  try {
    for await (const chunk of source) {
      const taken = new Promise<void>((resolve) => stream.write(chunk, () => resolve()))
      await Promise.race([taken, closed])
      if (stream.destroyed) return
    }
    stream.end()
  } catch (error) {
    stream.destroy(error as Error)
  }
}
