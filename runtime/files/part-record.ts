import { join } from "node:path"
import type { Part } from "../../core/contract/index.ts"
import { type Disk, isAbsent, syncFolder, writeSmall } from "./disk.ts"

/** What stands in the folder of parts:
 *
 * | name | is |
 * |---|---|
 * | `<split>.<fence>-<attempt>-<random>.tmp` | a part that is being written, worth nothing |
 * | the same with `.note` | what belongs to that part, durable before the part gets its name |
 * | the same with `.part` | a committed part: there is its note, too |
 * | `<number>.<fence>.final` | a file to be published, complete |
 * | `publish.json` | the decision to publish, and which files under which names |
 */
export const DECISION = "publish.json"

/** A committed part and its file. */
export interface StoredPart {
  readonly part: Part
  readonly stem: string
}

/** The decision to publish: from now on there is only one outcome. */
export interface Decision {
  /** Names in the folder of parts, what they become in the folder above, and by what the file can be told there. */
  readonly files: readonly { readonly from: string; readonly to: string; readonly inode: string }[]
  readonly parts: readonly Part[]
}

export async function writeNote(disk: Disk, path: string, part: Part, bytes: number): Promise<void> {
  await writeSmall(disk, path, JSON.stringify({ version: 1, ...part, bytes }))
}

export async function writeDecision(disk: Disk, folder: string, decision: Decision, fence: number): Promise<void> {
  const made = join(folder, `publish.${fence}.tmp`)
  await writeSmall(disk, made, JSON.stringify({ version: 1, ...decision }))
  await syncFolder(disk, folder)
  await disk.rename(made, join(folder, DECISION))
  await syncFolder(disk, folder)
}

/** What a folder of parts holds when it is taken over; whatever counts for nothing is removed from it. */
export async function recover(
  disk: Disk,
  folder: string,
): Promise<{ readonly parts: readonly StoredPart[]; readonly decision?: Decision }> {
  // Sources of renames first: an attempt that has lost the folder may have one under way, see `claimFolder`.
  for (const name of await disk.readdir(folder)) {
    if (name.endsWith(".tmp")) await disk.rm(join(folder, name), { force: true })
  }
  const names = await disk.readdir(folder)
  const decision = names.includes(DECISION) ? await readDecision(disk, folder) : undefined
  if (decision !== undefined) return { parts: [], decision }
  const bySplit = new Map<string, StoredPart>()
  // Of two parts of one split the later try's counts: a crash came before the other was removed.
  for (const name of names.filter((each) => each.endsWith(".part")).sort(byTry)) {
    const stem = name.slice(0, -".part".length)
    const part = await readPart(disk, folder, stem)
    if (part !== undefined) bySplit.set(part.split, { part, stem })
  }
  const kept = new Set([...bySplit.values()].map(({ stem }) => stem))
  for (const name of names) {
    const stem = name.replace(/\.(part|note)$/, "")
    if (!kept.has(stem)) await disk.rm(join(folder, name), { force: true })
  }
  return { parts: [...bySplit.values()] }
}

/** Undefined for a part that the system has lost after a power failure, or a part of it: nobody was told that it is there. */
async function readPart(disk: Disk, folder: string, stem: string): Promise<Part | undefined> {
  try {
    const note = JSON.parse(await disk.readFile(join(folder, `${stem}.note`), "utf8")) as Part & { version: number }
    const { version, bytes, split, written, note: text } = note as typeof note & { bytes: number }
    const { size } = await disk.stat(join(folder, `${stem}.part`))
    return version === 1 && size === bytes ? { split, written, note: text } : undefined
  } catch (error) {
    if (isAbsent(error) || error instanceof SyntaxError) return undefined
    throw error
  }
}

async function readDecision(disk: Disk, folder: string): Promise<Decision> {
  return JSON.parse(await disk.readFile(join(folder, DECISION), "utf8")) as Decision
}

function byTry(a: string, b: string): number {
  const [fence, attempt] = tryOf(a)
  const [otherFence, otherAttempt] = tryOf(b)
  return fence - otherFence || attempt - otherAttempt || (a < b ? -1 : 1)
}

function tryOf(name: string): readonly [number, number] {
  const [, fence, attempt] = /\.(\d+)-(\d+)-[0-9a-f]+\.part$/.exec(name) ?? []
  return [Number(fence ?? 0), Number(attempt ?? 0)]
}
