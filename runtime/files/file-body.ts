import type { FileHandle } from "node:fs/promises"
import type { Transform } from "node:stream"
import { constants, createGzip, createZstdCompress } from "node:zlib"
import type { Compression } from "../../core/contract/index.ts"

/** Bytes after which the disk begins to write them, so that little is left to wait for at the end. */
const FLUSH_BYTES = 33_554_432

/** The bytes of a file that is being written, compressed on the way. */
export class FileBody {
  /** Bytes on disk. */
  bytes = 0
  readonly #handle: FileHandle
  readonly #stream: Transform | undefined
  #compressed: Uint8Array[] = []
  #error: unknown
  #isClosed = false
  #unflushed = 0
  #flushing: Promise<void> | undefined

  constructor(handle: FileHandle, compression: "none" | "gzip" | "zstd") {
    this.#handle = handle
    this.#stream = compressor(compression)
    this.#stream?.on("data", (chunk: Uint8Array) => this.#compressed.push(chunk))
    this.#stream?.on("error", (error) => {
      this.#error = error
    })
  }

  async write(data: Uint8Array): Promise<void> {
    const stream = this.#stream
    if (stream === undefined) return this.#store(data)
    await new Promise<void>((resolve) => stream.write(data, () => resolve()))
    await this.#storeCompressed()
  }

  /** Makes the bytes durable and closes the file. */
  async finish(): Promise<void> {
    const stream = this.#stream
    if (stream !== undefined) {
      await new Promise<void>((resolve) => {
        stream.once("end", () => resolve())
        stream.once("error", () => resolve())
        stream.end()
      })
      await this.#storeCompressed()
    }
    await this.#flushing
    if (this.#error !== undefined) throw this.#error
    await this.#handle.sync()
    await this.#handle.close()
    this.#isClosed = true
  }

  /** Closes the file, whatever is in it. */
  async drop(): Promise<void> {
    this.#stream?.destroy()
    await this.#flushing
    if (!this.#isClosed) await this.#handle.close().catch(() => {})
    this.#isClosed = true
  }

  async #storeCompressed(): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    const chunks = this.#compressed
    this.#compressed = []
    for (const chunk of chunks) await this.#store(chunk)
  }

  async #store(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; ) {
      const { bytesWritten } = await this.#handle.write(data, at, data.length - at, null)
      at += bytesWritten
      this.bytes += bytesWritten
      this.#unflushed += bytesWritten
    }
    if (this.#error !== undefined) throw this.#error
    if (this.#unflushed >= FLUSH_BYTES && this.#flushing === undefined) this.#flushing = this.#flush()
  }

  /** Never rejects: a failure, which the system tells once, is that of the next call. */
  async #flush(): Promise<void> {
    this.#unflushed = 0
    try {
      await this.#handle.datasync()
    } catch (error) {
      this.#error = error
    }
    this.#flushing = undefined
  }
}

/** What `auto` means for a path. */
export function compressionOf(path: string, compression: Compression = "auto"): "none" | "gzip" | "zstd" {
  if (compression !== "auto") return compression
  if (/\.gz(ip)?$/i.test(path)) return "gzip"
  return /\.zst(d)?$/i.test(path) ? "zstd" : "none"
}

function compressor(compression: "none" | "gzip" | "zstd"): Transform | undefined {
  if (compression === "gzip") return createGzip()
  if (compression === "zstd") return createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  return undefined
}
