import { readlinkSync, realpathSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type FolderPolicy, openPath } from "../../core/server/sources/folders.ts"

/** Judges absolute paths by where links on the disk lead them. */
export function openPaths({ folders, closed }: FolderPolicy): (path: string) => boolean {
  const real = { folders: folders.map((folder) => realPath(folder)), closed: realPath(closed) }
  return (path) => openPath(real, realPath(path)) !== undefined
}

/** A file that is still to be made lies where its folder does, or where a link leads to. */
function realPath(path: string, links = MOST_LINKS): string {
  try {
    return realpathSync(path)
  } catch {
    const folder = dirname(path)
    if (folder === path || links === 0) return path
    const target = linkAt(path)
    return target === undefined
      ? join(realPath(folder, links), basename(path))
      : realPath(resolve(folder, target), links - 1)
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

const MOST_LINKS = 40
