import type { FileWriter, Session } from "../../core/contract/index.ts"

/** Where a run keeps what its splits wrote until all are there: hidden files beside the target, one a split. */
export interface Parts {
  pathOf(splitId: string): string
  /** Those of this run, an interrupted process's too, in the splits' order. */
  list(session: Session): Promise<readonly string[]>
}

export function makeParts(target: string, runId: string): Parts {
  const slash = target.lastIndexOf("/") + 1
  const prefix = `${target.slice(0, slash)}.${target.slice(slash)}.headrace-${safeName(runId, 64)}.`
  return {
    pathOf: (splitId) => `${prefix}${safeName(splitId, 100)}.part`,
    async list(session) {
      // "?" stands for itself and for every character that a pattern would take for a wildcard.
      const pattern = `${prefix.replace(/[*?[{]/g, "?")}*.part`
      const files = await session.files.list(pattern)
      const name = prefix.slice(slash)
      const own = files
        .map((file) => file.path)
        .filter((path) => path.slice(path.lastIndexOf("/") + 1).startsWith(name))
      return own.sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    },
  }
}

/** Appends a file as it is. */
export async function appendFile(path: string, writer: FileWriter, session: Session): Promise<void> {
  for await (const chunk of session.files.read(path, { compression: "none" })) {
    if (session.signal.aborted) throw session.failure("cancelled", `Cannot go on reading "${path}": it was stopped`)
    await writer.write(chunk)
  }
}

/** An id as part of a file's name; long ones keep their beginning and a hash of the whole. */
function safeName(id: string, most: number): string {
  const name = encodeURIComponent(id).replaceAll("*", "%2A")
  if (name.length <= most) return name
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(id)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return `${name.slice(0, most - 17)}-${hash.toString(16).padStart(16, "0")}`
}
