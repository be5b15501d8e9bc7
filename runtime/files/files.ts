import { rename, rm, stat } from "node:fs/promises"
import { resolve } from "node:path"
import type { Compression, FileInfo, Files, FileWriter } from "../../core/contract/index.ts"
import { fileFailure, makeFileFailure } from "./file-failure.ts"
import { readBytes, readGzip, readZstd } from "./file-reader.ts"
import { createFile } from "./file-writer.ts"
import { glob, pathExists } from "./glob.ts"

export interface FilesOptions {
  /** Folder that relative paths start from. */
  readonly base: string
  /** Which absolute paths may be touched; absent: all. */
  readonly allow?: (path: string, mode: "read" | "write") => boolean
}

/** The file service over the machine's file system. */
export function makeFiles({ base, allow = () => true }: FilesOptions): Files {
  function locate(action: string, path: string, mode: "read" | "write"): string {
    const located = resolve(base, path)
    if (allow(located, mode)) return located
    throw makeFileFailure("permission", `Cannot ${action} "${located}": the flow does not name this path`, {
      hint: "Name the path in the options of a step",
    })
  }
  return { list, read, create, rename: move, exists, remove }

  async function list(pattern: string): Promise<readonly FileInfo[]> {
    const absolute = resolve(base, pattern)
    return attempt("list", absolute, async () => {
      const found: FileInfo[] = []
      for (const path of await glob(absolute)) {
        const info = await stat(path)
        if (info.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" })
        found.push({ path: locate("read", path, "read"), bytes: info.size })
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
    return createFile(located, compressionOf(located, options.compression))
  }

  async function exists(path: string): Promise<boolean> {
    const located = locate("read", path, "read")
    return attempt("read", located, () => pathExists(located))
  }

  async function move(path: string, to: string): Promise<void> {
    const from = locate("rename", path, "write")
    const target = locate("write", to, "write")
    await attempt("rename", from, () => rename(from, target))
  }

  async function remove(path: string): Promise<void> {
    const located = locate("remove", path, "write")
    await attempt("remove", located, () => rm(located, { force: true }))
  }
}

/** What `auto` means for a path. */
function compressionOf(path: string, compression: Compression = "auto"): "none" | "gzip" | "zstd" {
  if (compression !== "auto") return compression
  if (/\.gz(ip)?$/i.test(path)) return "gzip"
  return /\.zst(d)?$/i.test(path) ? "zstd" : "none"
}

async function attempt<A>(action: string, path: string, work: () => Promise<A>): Promise<A> {
  try {
    return await work()
  } catch (error) {
    throw fileFailure(action, path, error)
  }
}
