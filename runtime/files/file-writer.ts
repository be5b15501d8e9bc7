import { randomBytes } from "node:crypto"
import { chmod, type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import type { Transform } from "node:stream"
import { constants, createGzip, createZstdCompress } from "node:zlib"
import type { FileWriter } from "../../core/contract/index.ts"
import { fileFailure, makeFileFailure } from "./file-failure.ts"

/** A file that appears under its name, whole, when it is committed. */
export async function createFile(path: string, compression: "none" | "gzip" | "zstd"): Promise<FileWriter> {
  const folder = dirname(path)
  const part = join(folder, `.${basename(path)}.headrace-${randomBytes(6).toString("hex")}.part`)
  return guard("write", path, async () => {
    const existing = await stat(path).catch(() => undefined)
    if (existing?.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" })
    await makeFolder(folder)
    const handle = await open(part, "wx")
    const writer = new AtomicWriter(path, part, handle, compressor(compression))
    if (existing !== undefined) await chmod(part, existing.mode & 0o7777).catch(() => {})
    return writer
  })
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    // A file stands where a folder should.
    if ((error as { code?: string }).code === "EEXIST")
      throw Object.assign(new Error(String(error)), { code: "ENOTDIR" })
    throw error
  }
}

class AtomicWriter implements FileWriter {
  #path: string
  #part: string
  #handle: FileHandle
  #stream: Transform | undefined
  #compressed: Uint8Array[] = []
  #error: unknown
  #state: "open" | "committed" | "aborted" = "open"

  constructor(path: string, part: string, handle: FileHandle, stream: Transform | undefined) {
    this.#path = path
    this.#part = part
    this.#handle = handle
    this.#stream = stream
    stream?.on("data", (chunk: Uint8Array) => this.#compressed.push(chunk))
    stream?.on("error", (error) => {
      this.#error = error
    })
  }

  write(data: Uint8Array): Promise<void> {
    return guard("write", this.#path, async () => {
      this.#mustBeOpen()
      const stream = this.#stream
      if (stream === undefined) return this.#store(data)
      await new Promise<void>((resolve) => stream.write(data, () => resolve()))
      await this.#storeCompressed()
    })
  }

  commit(): Promise<void> {
    return guard("write", this.#path, async () => {
      this.#mustBeOpen()
      const stream = this.#stream
      if (stream !== undefined) {
        await new Promise<void>((resolve) => {
          stream.once("end", () => resolve())
          stream.once("error", () => resolve())
          stream.end()
        })
        await this.#storeCompressed()
      }
      await this.#handle.sync()
      await this.#handle.close()
      await rename(this.#part, this.#path)
      this.#state = "committed"
      await syncFolder(dirname(this.#path))
    })
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return
    this.#state = "aborted"
    this.#stream?.destroy()
    // A commit that failed half-way has closed it already.
    await this.#handle.close().catch(() => {})
    await guard("remove", this.#part, () => rm(this.#part, { force: true }))
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
    }
  }

  #mustBeOpen(): void {
    if (this.#state !== "open") throw makeFileFailure("unknown", `Cannot write "${this.#path}": it is ${this.#state}`)
  }
}

function compressor(compression: "none" | "gzip" | "zstd"): Transform | undefined {
  if (compression === "gzip") return createGzip()
  if (compression === "zstd") return createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  return undefined
}

/** Makes the rename itself durable, where the system can open folders. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

async function guard<A>(action: string, path: string, work: () => Promise<A>): Promise<A> {
  try {
    return await work()
  } catch (error) {
    throw fileFailure(action, path, error)
  }
}
