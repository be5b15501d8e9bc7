/** A graph that flows downwards, without crossings as far as that is easy. */
export interface GraphNode {
  readonly id: string
  readonly x: number
  readonly y: number
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly send: string
  /** Where it goes, from the bottom of one node to the top of another. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface GraphLayout {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly width: number
  readonly height: number
}

export interface Hop {
  readonly from: string
  readonly to: string
  readonly send?: string | undefined
}

export const NODE = { width: 172, height: 46, gapX: 24, gapY: 40 } as const

/** Nodes stand in layers, below all that they read from; edges over several layers keep a place in each of them. */
export function layoutGraph(ids: readonly string[], hops: readonly Hop[]): GraphLayout {
  const known = new Set(ids)
  const edges = hops.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to)
  const layerOf = layers(ids, edges)
  const rows: string[][] = Array.from({ length: Math.max(-1, ...layerOf.values()) + 1 }, () => [])
  for (const id of ids) rows[layerOf.get(id) ?? 0]?.push(id)
  const chains = edges.map((edge, nth) => chain(edge, nth, layerOf, rows))
  order(rows, chains)
  const widest = Math.max(1, ...rows.map((row) => row.length))
  const width = widest * (NODE.width + NODE.gapX) - NODE.gapX
  const places = new Map<string, readonly [number, number]>()
  for (const [layer, row] of rows.entries()) {
    const start = (width - (row.length * (NODE.width + NODE.gapX) - NODE.gapX)) / 2
    for (const [nth, id] of row.entries())
      places.set(id, [start + nth * (NODE.width + NODE.gapX), layer * (NODE.height + NODE.gapY)])
  }
  const middle = (id: string, dy: number): readonly [number, number] => {
    const [x, y] = places.get(id) ?? [0, 0]
    return [x + NODE.width / 2, y + dy]
  }
  return {
    nodes: ids.map((id) => ({ id, x: places.get(id)?.[0] ?? 0, y: places.get(id)?.[1] ?? 0 })),
    edges: edges.map(({ from, to, send = "" }, nth) => ({
      ...{ from, to, send },
      points: [
        middle(from, NODE.height),
        ...(chains[nth] ?? []).slice(1, -1).map((id) => middle(id, NODE.height / 2)),
        middle(to, 0),
      ],
    })),
    width,
    height: Math.max(1, rows.length) * (NODE.height + NODE.gapY) - NODE.gapY,
  }
}

/** The longest way from a node without predecessors; an edge that closes a circle counts for nothing. */
function layers(ids: readonly string[], edges: readonly Hop[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  const before = new Map<string, string[]>()
  for (const { from, to } of edges) before.set(to, [...(before.get(to) ?? []), from])
  const visit = (id: string, path: ReadonlySet<string>): number => {
    const known = found.get(id)
    if (known !== undefined) return known
    const above = (before.get(id) ?? []).filter((one) => !path.has(one))
    const layer = Math.max(-1, ...above.map((one) => visit(one, new Set([...path, id])))) + 1
    found.set(id, layer)
    return layer
  }
  for (const id of ids) visit(id, new Set([id]))
  return found
}

/** The nodes of an edge, with a stand-in in every layer that it passes. */
function chain(
  { from, to }: Hop,
  nth: number,
  layerOf: ReadonlyMap<string, number>,
  rows: string[][],
): readonly string[] {
  const [start = 0, end = 0] = [layerOf.get(from), layerOf.get(to)]
  const between: string[] = []
  for (let layer = start + 1; layer < end; layer++) {
    // No id of a step has a line break.
    const id = `${nth}\n${layer}`
    rows[layer]?.push(id)
    between.push(id)
  }
  return [from, ...between, to]
}

/** Moves every node to the middle of its neighbours, down and up again, a few times. */
function order(rows: string[][], chains: readonly (readonly string[])[]): void {
  const neighbours = new Map<string, string[]>()
  for (const one of chains)
    for (const [nth, id] of one.entries())
      neighbours.set(id, [
        ...(neighbours.get(id) ?? []),
        ...[one[nth - 1], one[nth + 1]].filter((other) => other !== undefined),
      ])
  for (let pass = 0; pass < 8; pass++) {
    const place = new Map(rows.flatMap((row) => row.map((id, nth) => [id, (nth + 0.5) / row.length] as const)))
    const weight = (id: string) => {
      const near = (neighbours.get(id) ?? []).map((other) => place.get(other) ?? 0.5)
      return near.length === 0 ? (place.get(id) ?? 0.5) : near.reduce((sum, one) => sum + one, 0) / near.length
    }
    for (const row of pass % 2 === 0 ? rows : rows.toReversed()) {
      const weights = new Map(row.map((id) => [id, weight(id)]))
      row.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0))
      for (const [nth, id] of row.entries()) place.set(id, (nth + 0.5) / row.length)
    }
  }
}
