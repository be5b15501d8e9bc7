import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { readFlowName } from "../../core/server/flows/flow-name.ts"
import { openJsonFile } from "./credentials.ts"

/** What a file and a server last agreed on. */
export interface Pulled {
  readonly flow: string
  readonly version: number
  /** SHA-256 of the document, in hex. */
  readonly hash: string
}

/** Which version of a flow a file follows, by server and path. Throws where that cannot be read or written. */
export interface PulledFlows {
  find(url: string, path: string): Pulled | undefined
  keep(url: string, path: string, pulled: Pulled): void
  forget(url: string, path: string): void
}

export function openPulledFlows(home: string): PulledFlows {
  const file = openJsonFile<Pulled>(join(home, "pulled.json"))
  const keyOf = (url: string, path: string) => `${url} ${path}`
  return {
    find: (url, path) => file.read().get(keyOf(url, path)),
    keep: (url, path, pulled) => file.change((entries) => entries.set(keyOf(url, path), pulled)),
    forget: (url, path) => file.change((entries) => entries.delete(keyOf(url, path))),
  }
}

/** Where a flow lies in a folder. Whoever made up the name, it is a file right in there. */
export function flowPath(folder: string, name: string): { readonly path: string } | { readonly fault: string } {
  const read = readFlowName(name)
  if ("fault" in read) return read
  const path = resolve(folder, `${read.name}.json`)
  return dirname(path) === resolve(folder) ? { path } : { fault: "The name leads out of the folder" }
}

/** The flow that a file is, by its name. */
export function flowOfFile(path: string): ReturnType<typeof readFlowName> {
  return readFlowName(basename(path).replace(/\.json$/i, ""))
}

/** The bytes of a file; undefined where there is none. */
export function bytesOf(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined
    throw error
  }
}

/** Writes a file as a whole or not at all. A link that is in its place is replaced, not followed. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = join(dirname(path), `.${crypto.randomUUID()}.part`)
  try {
    writeFileSync(unfinished, bytes)
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

export function hashOfBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}
