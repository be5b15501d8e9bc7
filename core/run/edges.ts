import { take } from "../batch/take.ts"
import type { Batch, Frame } from "../contract/index.ts"

export type Item = Batch | Frame

/**
 * One stream for several consumers. Each branch holds at most `limitBytes`; the slowest one slows the source down.
 * `route` says which part of an item goes to which branch.
 */
export function fanOut(
  source: AsyncIterable<Item>,
  branches: number,
  limitBytes: number,
  route: (item: Item) => readonly (Item | undefined)[],
): readonly AsyncIterable<Item>[] {
  const iterator = source[Symbol.asyncIterator]()
  const queues: Item[][] = Array.from({ length: branches }, () => [])
  const bytes = new Float64Array(branches)
  const closed: boolean[] = Array.from({ length: branches }, () => false)
  let ended = false
  let failure: { readonly error: unknown } | undefined
  let pulling = false
  let waiting: (() => void)[] = []

  const wake = () => {
    const list = waiting
    waiting = []
    for (const go of list) go()
  }
  const crowded = () => queues.some((_, i) => !closed[i] && bytes[i]! >= limitBytes)

  async function pull(): Promise<void> {
    pulling = true
    try {
      const next = await iterator.next()
      if (next.done === true) ended = true
      else {
        for (const [i, part] of route(kept(next.value)).entries()) {
          if (part === undefined || closed[i]) continue
          queues[i]!.push(part)
          bytes[i]! += part.bytes
        }
      }
    } catch (error) {
      failure = { error }
    } finally {
      pulling = false
      wake()
    }
  }

  async function* branch(i: number): AsyncGenerator<Item> {
    try {
      for (;;) {
        const next = queues[i]!.shift()
        if (next !== undefined) {
          bytes[i]! -= next.bytes
          wake()
          yield next
          continue
        }
        if (failure !== undefined) throw failure.error
        if (ended) return
        if (!pulling && !crowded()) {
          await pull()
          continue
        }
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    } finally {
      closed[i] = true
      queues[i] = []
      wake()
      if (closed.every(Boolean)) await iterator.return?.()
    }
  }
  return queues.map((_, i) => branch(i))
}

/** A frame's memory is valid only until the next one is asked for. */
function kept(item: Item): Item {
  return item.encoding === undefined ? item : { ...item, data: item.data.slice() }
}

/** Deals rows in turn: row n goes to branch n modulo `branches`. */
export function dealer(branches: number): (item: Item) => readonly (Item | undefined)[] {
  let turn = 0
  return (item) => {
    const batch = batchOnly(item)
    const shares: number[][] = Array.from({ length: branches }, () => [])
    for (let row = 0; row < batch.rows; row++) shares[turn++ % branches]!.push(row)
    return shares.map((rows) => (rows.length === 0 ? undefined : take(batch, rows)))
  }
}

/** Splits a batch by the branch of each row. */
export function byBranch(
  branches: number,
  route: (batch: Batch) => Uint8Array,
): (item: Item) => readonly (Item | undefined)[] {
  return (item) => {
    const batch = batchOnly(item)
    const choice = route(batch)
    const shares: number[][] = Array.from({ length: branches }, () => [])
    for (let row = 0; row < batch.rows; row++) shares[choice[row]!]?.push(row)
    return shares.map((rows) =>
      rows.length === 0 ? undefined : rows.length === batch.rows ? batch : take(batch, rows),
    )
  }
}

function batchOnly(item: Item): Batch {
  if (item.encoding === undefined) return item
  throw new TypeError(`Cannot divide a frame in ${item.encoding}: only outputs take frames`)
}

/** Several streams as one, each item as soon as it is there. */
export async function* merge(sources: readonly AsyncIterable<Item>[]): AsyncGenerator<Item> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  const pending = new Map<number, Promise<{ i: number; next: IteratorResult<Item> }>>()
  const ask = (i: number) =>
    pending.set(
      i,
      iterators[i]!.next().then((next) => ({ i, next })),
    )
  for (const i of iterators.keys()) ask(i)
  try {
    while (pending.size > 0) {
      const { i, next } = await Promise.race(pending.values())
      if (next.done === true) pending.delete(i)
      else {
        yield next.value
        ask(i)
      }
    }
  } finally {
    // A branch that waits for its turn ends when the others end; its own error is not the cause.
    await Promise.all([...pending.values()].map((promise) => promise.catch(() => undefined)))
    await Promise.all(iterators.map((iterator) => iterator.return?.()))
  }
}
