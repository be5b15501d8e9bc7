import type { Hop } from "./layout.ts"

export interface Step {
  readonly id: string
  readonly use: string
  /** Place in the document. */
  readonly nth: number
}

/** The steps and hops of a document, as far as it can be read: somebody is still writing it. */
export function readGraph(
  document: string,
): { readonly steps: readonly Step[]; readonly hops: readonly Hop[] } | undefined {
  let flow: unknown
  try {
    flow = JSON.parse(document)
  } catch {
    return undefined
  }
  const { steps, hops } = recordOf(flow)
  const seen = new Set<string>()
  return {
    steps: listOf(steps).flatMap((step, nth) => {
      const { id, use } = recordOf(step)
      if (typeof id !== "string" || seen.has(id)) return []
      seen.add(id)
      return [{ id, use: typeof use === "string" ? use : "", nth }]
    }),
    hops: listOf(hops).flatMap((hop) => {
      const { from, to, send } = recordOf(hop)
      if (typeof from !== "string" || typeof to !== "string") return []
      return [{ from, to, send: typeof send === "string" ? send : undefined }]
    }),
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {} // an object has keys
}
