import { positionOf } from "../batch/rows.ts"
import { take } from "../batch/take.ts"
import type { Batch, Frame } from "../contract/index.ts"
import { failure } from "../host/failure.ts"

export type Item = Batch | Frame

/** Items on their way between two steps. `return` may be called at any time, and reaches every stream behind it. */
export interface Stream extends AsyncIterableIterator<Item> {
  next(): Promise<IteratorResult<Item>>
  return(): Promise<IteratorResult<Item>>
}

const DONE = { done: true, value: undefined } as const

/** What a generator gives, made from the streams `behind` it: its own `return` reaches nothing before its first `next`. */
export function stream(generator: AsyncGenerator<Item>, ...behind: readonly Stream[]): Stream {
  return {
    next: () => generator.next(),
    async return() {
      await Promise.allSettled([generator.return(undefined), ...behind.map((source) => source.return())])
      return DONE
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** How one stream is shared. */
export interface FanOut {
  readonly branches: number
  /** Bytes that a branch holds at most; one item more may come. */
  readonly limitBytes: number
  /** Aborted: no branch gives anything any longer. */
  readonly signal: AbortSignal
  /** Which part of an item goes to which branch. */
  route(item: Item): readonly (Item | undefined)[]
}

/** One stream for several consumers; the slowest one slows the source down, one that has gone does not. */
export function fanOut(source: Stream, { branches, limitBytes, signal, route }: FanOut): readonly Stream[] {
  const queues: Item[][] = Array.from({ length: branches }, () => [])
  const bytes = new Float64Array(branches)
  const closed: boolean[] = Array.from({ length: branches }, () => false)
  let ended = false
  let broken: { readonly error: unknown } | undefined
  let pulling = false
  let waiting: (() => void)[] = []

  const wake = () => {
    const list = waiting
    waiting = []
    for (const go of list) go()
  }
  const crowded = () => bytes.some((held, i) => !closed[i] && held >= limitBytes)
  signal.addEventListener("abort", wake, { once: true })

  async function pull(): Promise<void> {
    pulling = true
    try {
      const next = await source.next()
      if (next.done === true) ended = true
      else {
        for (const [i, part] of route(kept(next.value)).entries()) {
          if (part === undefined || closed[i]) continue
          queues[i]!.push(part)
          bytes[i]! += part.bytes
        }
      }
    } catch (error) {
      broken = { error }
    } finally {
      pulling = false
      wake()
    }
  }

  async function next(i: number): Promise<IteratorResult<Item>> {
    for (;;) {
      if (closed[i]) return DONE
      signal.throwIfAborted()
      const value = queues[i]!.shift()
      if (value !== undefined) {
        bytes[i]! -= value.bytes
        wake()
        return { done: false, value }
      }
      if (broken !== undefined) throw broken.error
      if (ended) return DONE
      if (!pulling && !crowded()) await pull()
      else await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }

  async function close(i: number): Promise<IteratorResult<Item>> {
    closed[i] = true
    queues[i] = []
    bytes[i] = 0
    wake()
    if (closed.every(Boolean)) {
      signal.removeEventListener("abort", wake)
      await source.return()
    }
    return DONE
  }

  return queues.map((_, i) => ({
    next: () => next(i),
    return: () => close(i),
    [Symbol.asyncIterator]() {
      return this
    },
  }))
}

/** A frame's memory is valid only until the next one is asked for. */
function kept(item: Item): Item {
  return item.encoding === undefined ? item : { ...item, data: item.data.slice() }
}

/** Deals rows in turn, beginning with branch `first`. */
export function dealer(branches: number, first: number): (item: Item) => readonly (Item | undefined)[] {
  let turn = first
  return (item) => {
    const batch = batchOnly(item)
    const shares: number[][] = Array.from({ length: branches }, () => [])
    for (let row = 0; row < batch.rows; row++) shares[turn++ % branches]!.push(row)
    return shares.map((rows) => (rows.length === 0 ? undefined : take(batch, rows)))
  }
}

/** Splits a batch by the branch of each row; 255 is none. */
export function byBranch(
  branches: number,
  route: (batch: Batch) => Uint8Array,
): (item: Item) => readonly (Item | undefined)[] {
  return (item) => {
    const batch = batchOnly(item)
    const choice = route(batch)
    const shares: number[][] = Array.from({ length: branches }, () => [])
    for (let row = 0; row < batch.rows; row++) {
      const branch = choice[row]
      // A row that went nowhere by mistake would be lost without a trace.
      if (branch === undefined || (branch >= branches && branch !== NOWHERE)) {
        throw failure("protocol", `Cannot route row ${positionOf(batch, row)}: branch ${branch} of ${branches}`)
      }
      shares[branch]?.push(row)
    }
    return shares.map((rows) =>
      rows.length === 0 ? undefined : rows.length === batch.rows ? batch : take(batch, rows),
    )
  }
}

const NOWHERE = 255

function batchOnly(item: Item): Batch {
  if (item.encoding === undefined) return item
  throw new TypeError(`Cannot divide a frame in ${item.encoding}: only outputs take frames`)
}

/** Several streams as one, each item as soon as it is there. */
export function merge(sources: readonly Stream[]): Stream {
  return stream(merged(sources), ...sources)
}

async function* merged(sources: readonly Stream[]): AsyncGenerator<Item> {
  const pending = new Map<number, Promise<{ i: number; next: IteratorResult<Item> }>>()
  const ask = (i: number) =>
    pending.set(
      i,
      sources[i]!.next().then((next) => ({ i, next })),
    )
  for (const i of sources.keys()) ask(i)
  try {
    while (pending.size > 0) {
      const { i, next } = await Promise.race(pending.values())
      // Asked again it goes to the end of the line, so that a fast source does not starve the others.
      pending.delete(i)
      if (next.done === true) continue
      yield next.value
      ask(i)
    }
  } finally {
    // What they fail with now is not the cause. One that waits for its turn ends when the others do.
    await Promise.allSettled([...pending.values(), ...sources.map((source) => source.return())])
  }
}
