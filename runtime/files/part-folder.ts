import { createHash, randomBytes } from "node:crypto"
import { basename, dirname, join } from "node:path"
import type { Failure, PartsOwner } from "../../core/contract/index.ts"
import { codeOf, type Disk, isAbsent, syncFolder } from "./disk.ts"
import { makeFileFailure } from "./file-failure.ts"

/** Where the parts of a file stand: `.orders.csv.headrace-<run>+<step>+<fence>` beside it. */
export interface Place {
  readonly target: string
  readonly folder: string
  /** What the names of all attempts at the run begin with; the fence follows. */
  readonly prefix: string
}

export function placeOf(target: string, { run, step }: PartsOwner): Place {
  // No id is written with a plus sign, so that no run can be taken for another one.
  const owner = `${shortName(run.id, 48)}+${shortName(step, 32)}`
  return { target, folder: dirname(target), prefix: `.${shortBase(basename(target))}.headrace-${owner}+` }
}

/**
 * The folder of this attempt, taken over from an earlier one where there is one.
 *
 * Why an earlier attempt that is still alive can commit nothing any more. Whatever it commits, a part or the decision to
 * publish or a final file, takes effect by one rename whose source it has made before in the folder of its own fence,
 * and it never makes that folder again. Taking over renames the folder, so every path that it knows leads nowhere from
 * then on: its renames fail, however long ago it has looked whether it may go on. One call that had found the folder
 * before and was not yet through may still take effect inside of it. That is why `openParts` first removes all sources
 * of such renames and then looks what is there: a rename that came before is seen, and one that comes later has lost
 * its source. Another call of it needs the path, and fails.
 *
 * An attempt that has looked around, found nothing, and makes its folder only after a later one has made its own, sees
 * that one when it looks again, or is seen by it: both look after they have made theirs.
 */
export async function claimFolder(disk: Disk, place: Place, fence: number): Promise<string> {
  const own = pathOf(place, String(fence))
  for (;;) {
    const found = await attemptsAt(disk, place)
    if (found.some((attempt) => attempt.fence > fence)) throw takenOver(place)
    const earlier = found.filter((attempt) => attempt.fence < fence && !attempt.isVoid)
    const isOurs = found.some((attempt) => attempt.fence === fence && !attempt.isVoid)
    if (isOurs && earlier.length === 0) {
      for (const attempt of found) if (attempt.isVoid) await disk.rm(attempt.path, { recursive: true, force: true })
      await syncFolder(disk, place.folder)
      return own
    }
    const latest = earlier.reduce<Attempt | undefined>(
      (a, b) => (a === undefined || b.fence > a.fence ? b : a),
      undefined,
    )
    if (isOurs) for (const attempt of earlier) await voidFolder(disk, place, attempt)
    else if (latest === undefined) await raced(disk.mkdir(own), "EEXIST")
    else await raced(disk.rename(latest.path, own), "ENOENT")
  }
}

/** Removes what attempts up to a fence have left, each folder at one stroke: what is half removed counts for nothing. */
export async function discardFolders(disk: Disk, place: Place, upTo: number): Promise<void> {
  const found = (await attemptsAt(disk, place)).filter(({ fence }) => fence <= upTo)
  for (const attempt of found) {
    if (attempt.isVoid) await disk.rm(attempt.path, { recursive: true, force: true })
    else await voidFolder(disk, place, attempt)
  }
  if (found.length > 0) await syncFolder(disk, place.folder)
}

export function takenOver({ target }: Place): Failure {
  return makeFileFailure("conflict", `Cannot write "${target}": a later attempt at this run has taken over`, {
    retryable: false,
  })
}

/** An id as a part of a file's name: readable, and never that of another id. */
export function shortName(id: string, most: number): string {
  const name = encodeURIComponent(id).replaceAll("*", "%2A")
  if (name.length <= most && !name.startsWith(".")) return name
  return `${name.replace(/^\./, "_").slice(0, most - 17)}-${hashOf(id)}`
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16)
}

interface Attempt {
  readonly path: string
  readonly fence: number
  /** Given up, and being removed. */
  readonly isVoid: boolean
}

async function attemptsAt(disk: Disk, place: Place): Promise<Attempt[]> {
  const names = await disk.readdir(place.folder).catch((error): string[] => {
    if (isAbsent(error)) return []
    throw error
  })
  return names.flatMap((name) => {
    const match = name.startsWith(place.prefix) && /^(\d+)(~.*)?$/.exec(name.slice(place.prefix.length))
    if (!match) return []
    return [{ path: join(place.folder, name), fence: Number(match[1]), isVoid: match[2] !== undefined }]
  })
}

async function voidFolder(disk: Disk, place: Place, attempt: Attempt): Promise<void> {
  const name = pathOf(place, `${attempt.fence}~${randomBytes(4).toString("hex")}`)
  if (await raced(disk.rename(attempt.path, name), "ENOENT")) await disk.rm(name, { recursive: true, force: true })
}

/** False when another process was faster. */
async function raced(change: Promise<unknown>, lost: string): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    if (codeOf(error) === lost) return false
    throw error
  }
}

function pathOf({ folder, prefix }: Place, rest: string): string {
  return join(folder, prefix + rest)
}

/** Names may have 255 bytes, and hidden ones have to hold more than the file's. */
export function shortBase(name: string): string {
  if (new TextEncoder().encode(name).length <= 80) return name
  return `${[...name].slice(0, 15).join("")}-${hashOf(name)}`
}
