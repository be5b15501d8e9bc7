import type { Session } from "../../core/contract/index.ts"

/** Where a run keeps what its splits wrote until all are there: hidden files beside the target, one a split. */
export interface Parts {
  pathOf(splitId: string): string
  /** Those of this run, an interrupted process's too, in the splits' order. */
  list(session: Session): Promise<readonly string[]>
}

export function makeParts(target: string, runId: string): Parts {
  const slash = target.lastIndexOf("/") + 1
  const name = `.${target.slice(slash)}.headrace-${encodeURIComponent(runId)}.`
  const prefix = target.slice(0, slash) + name
  return {
    pathOf: (splitId) => `${prefix}${shortened(encodeURIComponent(splitId).replaceAll("*", "%2A"))}.part`,
    async list(session) {
      // "?" stands for itself and for every character that a pattern would take for a wildcard.
      const files = await session.files.list(`${prefix.replace(/[*?[{]/g, "?")}*.part`)
      return files
        .map(({ path }) => path)
        .filter((path) => path.slice(path.lastIndexOf("/") + 1).startsWith(name))
        .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    },
  }
}

/** Long names keep their beginning and a hash of the whole. */
function shortened(name: string): string {
  if (name.length <= 100) return name
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return `${name.slice(0, 83)}-${hash.toString(16).padStart(16, "0")}`
}
