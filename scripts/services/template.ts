import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { cacheFolder } from "./account.ts"

/**
 * A folder that is made once per machine and then copied: `build` fills it, later calls find it. `key` names everything
 * that its content depends on.
 */
export function template(name: string, key: string, build: (folder: string) => void): string {
  const place = join(cacheFolder(), `${name}-${Bun.hash(key).toString(36)}`)
  if (isComplete(place)) return join(place, "content")
  const draft = `${place}.${process.pid}`
  remove(draft)
  mkdirSync(join(draft, "content"), { recursive: true })
  try {
    build(join(draft, "content"))
    writeFileSync(join(draft, "count"), String(count(draft)))
    discard(place)
    renameSync(draft, place)
  } catch (cause) {
    remove(draft)
    // Unless another process was faster.
    if (!isComplete(place)) throw cause
  }
  return join(place, "content")
}

/** Cleaners of temp folders take single files, so existence alone proves nothing. */
function isComplete(place: string): boolean {
  if (!existsSync(join(place, "count"))) return false
  return Number(readFileSync(join(place, "count"), "utf8")) === count(place)
}

function count(place: string): number {
  return readdirSync(join(place, "content"), { recursive: true }).length
}

/** By renaming first, so that nobody meets it half removed. */
function discard(place: string): void {
  if (!existsSync(place) || isComplete(place)) return
  const old = `${place}.${process.pid}.old`
  renameSync(place, old)
  remove(old)
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}
