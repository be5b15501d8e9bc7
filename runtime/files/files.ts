import * as node from "node:fs/promises"
import { dirname, resolve } from "node:path"
import type { Compression, FileInfo, Files, FileWriter, Parts, PartsOwner } from "../../core/contract/index.ts"
import { type Disk, syncFolder } from "./disk.ts"
import { compressionOf } from "./file-body.ts"
import { fileFailure, guard, makeFileFailure } from "./file-failure.ts"
import { readBytes, readGzip, readZstd } from "./file-reader.ts"
import { createFile } from "./file-writer.ts"
import { glob, pathExists } from "./glob.ts"
import { discardFolders, placeOf } from "./part-folder.ts"
import { openParts } from "./part-store.ts"

export interface FilesOptions {
  /** Folder that relative paths start from. */
  readonly base: string
  /** Which absolute paths may be touched; absent: all. */
  readonly allow?: (path: string, mode: "read" | "write") => boolean
  /** What files are written to; absent: the machine's file system. */
  readonly disk?: Disk
}

/** The file service over the machine's file system. */
export function makeFiles({ base, allow = () => true, disk = node }: FilesOptions): Files {
  function locate(action: string, path: string, mode: "read" | "write"): string {
    const located = resolve(base, path)
    if (allow(located, mode)) return located
    throw makeFileFailure(
      "permission",
      `Cannot ${action} "${located}": it lies outside of the folders that are open to flows`,
      {
        hint: "Ask an administrator, who sets which folders are open",
      },
    )
  }
  return { list, read, create, rename: move, exists, remove, parts, discardParts }

  async function list(pattern: string): Promise<readonly FileInfo[]> {
    const absolute = resolve(base, pattern)
    return guard("list", absolute, async () => {
      const found: FileInfo[] = []
      for (const path of await glob(absolute)) {
        const info = await disk.stat(path, { bigint: true })
        if (info.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" })
        // Whole milliseconds are what Bun and Deno both know.
        const modifiedAt = new Date(Number(info.mtimeNs / 1_000_000n)).toISOString()
        found.push({ path: locate("read", path, "read"), bytes: Number(info.size), modifiedAt })
      }
      return found
    })
  }

  async function* read(path: string, options: { readonly compression?: Compression } = {}): AsyncGenerator<Uint8Array> {
    const located = locate("read", path, "read")
    try {
      const bytes = readBytes(located)
      const compression = compressionOf(located, options.compression)
      yield* compression === "gzip" ? readGzip(bytes) : compression === "zstd" ? readZstd(bytes) : bytes
    } catch (error) {
      throw fileFailure("read", located, error)
    }
  }

  async function create(path: string, options: { readonly compression?: Compression } = {}): Promise<FileWriter> {
    const located = locate("write", path, "write")
    return createFile(disk, located, compressionOf(located, options.compression))
  }

  async function exists(path: string): Promise<boolean> {
    const located = locate("read", path, "read")
    return guard("read", located, () => pathExists(located))
  }

  async function move(path: string, to: string): Promise<void> {
    const from = locate("rename", path, "write")
    const target = locate("write", to, "write")
    await guard(`rename "${from}" to`, target, async () => {
      await disk.rename(from, target)
      await syncFolder(disk, dirname(target))
    })
  }

  async function remove(path: string): Promise<void> {
    const located = locate("remove", path, "write")
    await guard("remove", located, () => disk.rm(located, { force: true }))
  }

  async function parts(path: string, owner: PartsOwner): Promise<Parts> {
    const target = locate("write", path, "write")
    return openParts({ disk, target, owner, locate: (final) => locate("write", final, "write") })
  }

  async function discardParts(path: string, owner: PartsOwner): Promise<void> {
    const target = locate("remove", path, "write")
    await guard("remove the parts of", target, () =>
      discardFolders(disk, placeOf(target, owner), Number.POSITIVE_INFINITY),
    )
  }
}
