/** A place that differs; absent sides are not there. */
export interface Change {
  /** JSON pointer into the newer document, or into the older one for what is gone. */
  readonly pointer: string
  readonly before?: unknown
  readonly after?: unknown
}

/** What lies between two versions of a flow. Steps are the same by their id, hops by their ends. */
export interface FlowDifference {
  readonly steps: {
    readonly added: readonly string[]
    readonly removed: readonly string[]
    readonly changed: readonly { readonly id: string; readonly changes: readonly Change[] }[]
  }
  readonly hops: {
    readonly added: readonly HopEnds[]
    readonly removed: readonly HopEnds[]
    readonly changed: readonly (HopEnds & { readonly changes: readonly Change[] })[]
  }
  readonly settings: readonly Change[]
  /** Name, description, parameters and the like. */
  readonly rest: readonly Change[]
  /** The drawing has changed; it means nothing for a run. */
  readonly isDrawnAnew: boolean
  /** Steps or hops stand in another order. */
  readonly isReordered: boolean
  /** How it runs, beside its document. */
  readonly properties: readonly Change[]
}

export interface HopEnds {
  readonly from: string
  readonly to: string
}

interface Side {
  readonly document: unknown
  readonly properties: unknown
}

export function compareFlows(before: Side, after: Side): FlowDifference {
  const [older, newer] = [recordOf(before.document), recordOf(after.document)]
  const steps = compareLists(listOf(older.steps), listOf(newer.steps), { at: "/steps", keyOf: stepKey })
  const hops = compareLists(listOf(older.hops), listOf(newer.hops), { at: "/hops", keyOf: hopKey })
  return {
    steps: {
      added: steps.added.map(idOf),
      removed: steps.removed.map(idOf),
      changed: steps.changed.map(({ item, changes }) => ({ id: idOf(item), changes })),
    },
    hops: {
      added: hops.added.map(endsOf),
      removed: hops.removed.map(endsOf),
      changed: hops.changed.map(({ item, changes }) => ({ ...endsOf(item), changes })),
    },
    settings: changesOf(older.settings, newer.settings, "/settings"),
    rest: changesOf(without(older), without(newer), ""),
    isDrawnAnew: changesOf(older.layout, newer.layout, "/layout").length > 0,
    isReordered: steps.isReordered || hops.isReordered,
    properties: changesOf(before.properties, after.properties, ""),
  }
}

/** Every place in which two values differ; lists of other lengths, and values of other kinds, differ as a whole. */
function changesOf(before: unknown, after: unknown, pointer: string): readonly Change[] {
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].flatMap((key) =>
      changesOf(own(before, key), own(after, key), `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`),
    )
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((item, i) => changesOf(item, after[i], `${pointer}/${i}`))
  if (before === after || JSON.stringify(before) === JSON.stringify(after)) return []
  return [{ pointer, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

interface ListOptions {
  readonly at: string
  readonly keyOf: (item: unknown) => string
}

function compareLists(before: readonly unknown[], after: readonly unknown[], { at, keyOf }: ListOptions) {
  const [older, newer] = [keyed(before, keyOf), keyed(after, keyOf)]
  const changed = [...newer].flatMap(([key, { item, place }]) => {
    const other = older.get(key)
    const changes = other === undefined ? [] : changesOf(other.item, item, `${at}/${place}`)
    return changes.length === 0 ? [] : [{ item, changes }]
  })
  const kept = (from: typeof older, of: typeof older) => [...from.keys()].filter((key) => of.has(key)).join("\n")
  return {
    added: [...newer].flatMap(([key, { item }]) => (older.has(key) ? [] : [item])),
    removed: [...older].flatMap(([key, { item }]) => (newer.has(key) ? [] : [item])),
    changed,
    isReordered: kept(older, newer) !== kept(newer, older),
  }
}

/** By key; a key that comes again, as it may in an unfinished flow, is told apart by how often it was there. */
function keyed(items: readonly unknown[], keyOf: (item: unknown) => string) {
  const byKey = new Map<string, { readonly item: unknown; readonly place: number }>()
  for (const [place, item] of items.entries()) {
    let key = keyOf(item)
    while (byKey.has(key)) key += " again"
    byKey.set(key, { item, place })
  }
  return byKey
}

function stepKey(item: unknown): string {
  return JSON.stringify(idOf(item))
}

function hopKey(item: unknown): string {
  const { from, to } = endsOf(item)
  return JSON.stringify([from, to])
}

function idOf(item: unknown): string {
  return textOf(recordOf(item).id)
}

function endsOf(item: unknown): HopEnds {
  const { from, to } = recordOf(item)
  return { from: textOf(from), to: textOf(to) }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : ""
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}

/** What no other part of a difference tells. */
function without({ steps, hops, settings, layout, ...rest }: Readonly<Record<string, unknown>>) {
  return rest
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
