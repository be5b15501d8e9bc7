import { randomBytes } from "node:crypto"
import { basename, dirname, join } from "node:path"
import type { FileWriter } from "../../core/contract/index.ts"
import { codeOf, type Disk, syncFolder } from "./disk.ts"
import { FileBody } from "./file-body.ts"
import { guard, makeFileFailure } from "./file-failure.ts"
import { shortBase } from "./part-folder.ts"

/** A file that appears under its name, whole, when it is committed. */
export async function createFile(disk: Disk, path: string, compression: "none" | "gzip" | "zstd"): Promise<FileWriter> {
  const folder = dirname(path)
  const part = join(folder, `.${shortBase(basename(path))}.headrace-${randomBytes(6).toString("hex")}.part`)
  return guard("write", path, async () => {
    await mustBeNoFolder(disk, path)
    await makeFolder(disk, folder)
    const handle = await disk.open(part, "wx")
    const writer = new AtomicWriter(disk, path, part, new FileBody(handle, compression))
    await keepMode(disk, path, part)
    return writer
  })
}

export async function makeFolder(disk: Disk, folder: string): Promise<void> {
  try {
    await disk.mkdir(folder, { recursive: true })
  } catch (error) {
    // A file stands where a folder should.
    if (codeOf(error) === "EEXIST") throw Object.assign(new Error(String(error)), { code: "ENOTDIR" })
    throw error
  }
}

export async function mustBeNoFolder(disk: Disk, path: string): Promise<void> {
  const existing = await disk.stat(path).catch(() => undefined)
  if (existing?.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" })
}

/** Gives a new file the permissions of the one that it will replace, where the system lets us. */
export async function keepMode(disk: Disk, path: string, part: string): Promise<void> {
  const existing = await disk.stat(path).catch(() => undefined)
  if (existing !== undefined) await disk.chmod(part, existing.mode & 0o7777).catch(() => {})
}

class AtomicWriter implements FileWriter {
  readonly #disk: Disk
  readonly #path: string
  readonly #part: string
  readonly #body: FileBody
  #state: "open" | "committed" | "aborted" = "open"

  constructor(disk: Disk, path: string, part: string, body: FileBody) {
    this.#disk = disk
    this.#path = path
    this.#part = part
    this.#body = body
  }

  write(data: Uint8Array): Promise<void> {
    return guard("write", this.#path, async () => {
      this.#mustBeOpen()
      await this.#body.write(data)
    })
  }

  commit(): Promise<void> {
    return guard("write", this.#path, async () => {
      this.#mustBeOpen()
      await this.#body.finish()
      await this.#disk.rename(this.#part, this.#path)
      this.#state = "committed"
      await syncFolder(this.#disk, dirname(this.#path))
    })
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return
    this.#state = "aborted"
    await this.#body.drop()
    await guard("remove", this.#part, () => this.#disk.rm(this.#part, { force: true }))
  }

  #mustBeOpen(): void {
    if (this.#state !== "open") throw makeFileFailure("unknown", `Cannot write "${this.#path}": it is ${this.#state}`)
  }
}
