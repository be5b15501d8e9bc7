import { and, asc, eq, gte, isNotNull, lte } from "drizzle-orm"
import type { Queries } from "./database.ts"
import { owned } from "./database-run-store.ts"
import { type ReplayEntry, rangeOf, type Settlement } from "./quarantine.ts"
import type { Attempt } from "./run-store.ts"
import type { StorePromises } from "./store-promises.ts"
import type { Tables } from "./tables.ts"

/**
 * Records what became of the rows that a replay took, in one transaction. A split that was committed has written its
 * rows, but for those that were rejected again: they wait, with the new reason and as they were before they were mended.
 */
export function settle(store: StorePromises, replay: Attempt, entry: ReplayEntry): Promise<Settlement> {
  return owned(store, replay, async (key, queries) => {
    const { select, update, delete: remove, $count, tables } = queries
    const { runs, splits, rejections } = tables
    const isWaiting = and(eq(rejections.replay, key), eq(rejections.status, "waiting"))
    let replayed = 0
    let rejected = 0
    const committed = await select({ receipt: splits.receipt })
      .from(splits)
      .where(and(eq(splits.run, key), isNotNull(splits.receipt)))
    for (const { receipt } of committed) {
      const { split, read } = receipt!
      const range = rangeOf(split)
      // A split of which nothing was read was closed without its rows.
      if (range === undefined || read === 0) continue
      const isInRange = and(isWaiting, gte(rejections.id, range[0]), lte(rejections.id, range[1]))
      const rows = await $count(rejections, isInRange)
      await update(rejections).set({ status: "replayed" }).where(isInRange)
      const again = await rejectAgain(queries, key, { split, range }, entry)
      replayed += rows - again
      rejected += again
    }
    await remove(rejections).where(eq(rejections.run, key))
    const released = await $count(rejections, isWaiting)
    await update(rejections).set({ replay: null, mended: null }).where(isWaiting)
    await update(runs).set({ settled: true }).where(eq(runs.key, key))
    return { replayed, rejected, released }
  })
}

type Rejected = Tables["rejections"]["$inferSelect"]

/** Takes the rejections of a split of the replay back to the rows that they are of; tells how many rows that are. */
async function rejectAgain(
  queries: Queries,
  key: number,
  { split, range: [first, last] }: { readonly split: string; readonly range: readonly [number, number] },
  entry: ReplayEntry,
): Promise<number> {
  const { select, tables } = queries
  const { rejections } = tables
  const found = await select()
    .from(rejections)
    .where(and(eq(rejections.run, key), eq(rejections.split, split)))
    .orderBy(asc(rejections.id))
  if (found.length === 0) return 0
  const ids = await select({ id: rejections.id })
    .from(rejections)
    .where(and(eq(rejections.replay, key), gte(rejections.id, first), lte(rejections.id, last)))
    .orderBy(asc(rejections.id))
  const refused = new Set<number>()
  for (const rejection of found) {
    const id = ids[rejection.row]?.id
    if (id === undefined) continue
    refused.add(id)
    // Where it is refused by a step further on, its row as it was has been used up: what waits is the row as it came there.
    if (rejection.step === entry.input || rejection.step === entry.step) await waitAgain(queries, id, rejection)
    else await waitElsewhere(queries, id, rejection)
  }
  return refused.size
}

async function waitAgain({ update, tables: { rejections } }: Queries, id: number, again: Rejected): Promise<void> {
  const { columnName, hasValue, value, reason, kind, code } = again
  await update(rejections)
    .set({ status: "waiting", replay: null, mended: null, columnName, hasValue, value, reason, kind, code })
    .where(eq(rejections.id, id))
}

async function waitElsewhere(queries: Queries, id: number, again: Rejected): Promise<void> {
  const { select, insert, tables } = queries
  const { rejections } = tables
  const { step, columnName, hasValue, value, reason, kind, code, record } = again
  const [{ run, split, row, position } = again] = await select().from(rejections).where(eq(rejections.id, id))
  await insert(rejections).values({
    ...{ run, split, row, position, step, columnName, hasValue, value, reason, kind, code, record },
    ...{ status: "waiting", replay: null, mended: null },
  })
}
