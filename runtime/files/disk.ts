import type * as node from "node:fs/promises"

/** What is used of the machine's file system: `node:fs/promises`, or in tests one that dies in the middle. */
export type Disk = Pick<
  typeof node,
  "chmod" | "mkdir" | "open" | "readdir" | "readFile" | "rename" | "rm" | "rmdir" | "stat"
>

/** Makes it durable that a folder's files have the names that they have. */
export async function syncFolder(disk: Disk, folder: string): Promise<void> {
  let handle: node.FileHandle
  try {
    handle = await disk.open(folder, "r")
  } catch (error) {
    if (isImpossible(error)) return
    throw error
  }
  try {
    await handle.sync()
  } catch (error) {
    if (!isImpossible(error)) throw error
  } finally {
    await handle.close()
  }
}

/** A file of a few bytes, durable but for its name. */
export async function writeSmall(disk: Disk, path: string, text: string): Promise<void> {
  const handle = await disk.open(path, "wx")
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function isThere(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.stat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

export function isAbsent(error: unknown): boolean {
  const code = codeOf(error)
  return code === "ENOENT" || code === "ENOTDIR"
}

export function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code
}

/** Systems and file systems that cannot open or flush a folder; a folder that may not be listed cannot be either. */
function isImpossible(error: unknown): boolean {
  return ["EACCES", "EBADF", "EINVAL", "EISDIR", "ENOTSUP", "EPERM"].includes(String(codeOf(error)))
}
