import { and, asc, count, desc, eq, gt, gte, isNotNull, isNull, lt, lte, or, type SQL, sql } from "drizzle-orm"
import { Clock, Effect, Layer } from "effect"
import { PluginError } from "../host/failure.ts"
import { type Queries, StoreDatabase } from "./database.ts"
import { insertRun } from "./database-run-store.ts"
import { type KeptRow, type KeptRowsFilter, type MendedRow, Quarantine } from "./quarantine.ts"
import type { NewRun } from "./run-record.ts"
import { settle } from "./settlement.ts"
import { type StorePromises, storePromises } from "./store-promises.ts"
import type { Tables } from "./tables.ts"

/** The rejected rows in the store. */
export const quarantineLayer: Layer.Layer<Quarantine, never, StoreDatabase> = Layer.effect(
  Quarantine,
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    return makeQuarantine(storePromises(yield* StoreDatabase), () => clock.currentTimeMillisUnsafe())
  }),
)

export function makeQuarantine(store: StorePromises, now: () => number): Quarantine["Service"] {
  return {
    waiting: (run) =>
      store.read(async ({ select, tables: { runs, rejections } }) => {
        const reason = sql<string>`coalesce(rejections.kind, rejections.reason)`
        const found = await select({
          ...{ run: runs.id, flow: runs.flow, step: rejections.step, reason },
          ...{ rows: count(), held: count(rejections.replay) },
        })
          .from(rejections)
          .innerJoin(runs, eq(runs.key, rejections.run))
          .where(
            and(
              ...[eq(rejections.status, "waiting"), isNull(runs.replayOf)],
              run === undefined ? undefined : eq(runs.id, run),
            ),
          )
          .groupBy(runs.key, runs.id, runs.flow, rejections.step, reason)
          .orderBy(desc(runs.key), desc(count()), rejections.step, reason)
          .limit(1000)
        return found.map(({ flow, ...rest }) => (flow === null ? rest : { ...rest, flow }))
      }),
    rows: (filter) => rowsOf(store, filter),
    row: (run, id) =>
      store.read(async (queries) => {
        const { rejections } = queries.tables
        const [row] = await keptRows(queries, and(isOf({ run }, queries.tables), eq(rejections.id, id)), 1)
        return row
      }),
    count: (filter) =>
      store.read(async ({ select, tables }) => {
        const { runs, rejections } = tables
        const [found] = await select({ rows: count() })
          .from(rejections)
          .innerJoin(runs, eq(runs.key, rejections.run))
          .where(isOf(filter, tables))
        return found?.rows ?? 0
      }),
    drop: (run, step) =>
      store.write(async ({ update, $count, tables: { runs, rejections } }) => {
        const isDropped = and(
          ...[sql`run = (SELECT key FROM ${runs} WHERE id = ${run})`, eq(rejections.status, "waiting")],
          ...[isNull(rejections.replay), step === undefined ? undefined : eq(rejections.step, step)],
        )
        const rows = await $count(rejections, isDropped)
        await update(rejections).set({ status: "dropped" }).where(isDropped)
        return rows
      }),
    take: (replay, rows) => take(store, replay, rows, now),
    replays: (run) =>
      store.read(async ({ select, tables: { runs } }) =>
        select({ id: runs.id, isSettled: runs.settled })
          .from(runs)
          .where(sql`replay_of = (SELECT key FROM runs AS origin WHERE origin.id = ${run})`)
          .orderBy(runs.key),
      ),
    ranges: (replay, size) =>
      store.read(async ({ rows }) => {
        const found = await rows<{ first: number; last: number }>(sql`
          SELECT min(id) AS "first", max(id) AS "last" FROM (
            SELECT id, (row_number() OVER (ORDER BY id) - 1) / CAST(${size} AS BIGINT) AS part FROM rejections
            WHERE replay = (SELECT key FROM runs WHERE runs.id = ${replay})) AS parts
          GROUP BY part ORDER BY part`)
        return found.map(({ first, last }) => [first, last] as const)
      }),
    taken: (replay, first, last) => takenRows(store, replay, first, last),
    settle: (replay, entry) => settle(store, replay, entry),
  }
}

/**
 * Nobody reads it again by resuming: the run has succeeded, or its split is committed at every output and none of them can
 * take it back.
 */
const IS_FINAL = sql`(runs.status = 'succeeded' OR NOT runs.staged AND EXISTS (
  SELECT 1 FROM splits WHERE splits.run = runs.key AND splits.split = rejections.split AND splits.receipt IS NOT NULL))`

function isOf({ run, step, status, isFree = false }: KeptRowsFilter, { runs, rejections }: Tables): SQL | undefined {
  return and(
    eq(runs.id, run),
    step === undefined ? undefined : eq(rejections.step, step),
    status === undefined ? undefined : eq(rejections.status, status),
    isFree ? and(eq(rejections.status, "waiting"), isNull(rejections.replay), IS_FINAL) : undefined,
  )
}

async function keptRows(
  { select, tables: { runs, rejections } }: Queries,
  condition: SQL | undefined,
  limit: number,
): Promise<KeptRow[]> {
  const rows = await select({
    row: rejections,
    isFinal: sql`${IS_FINAL}`.mapWith(Boolean),
    replay: sql<string | null>`(SELECT replays.id FROM runs AS replays WHERE replays.key = rejections.replay)`,
  })
    .from(rejections)
    .innerJoin(runs, eq(runs.key, rejections.run))
    .where(condition)
    .orderBy(asc(rejections.id))
    .limit(limit)
  return rows.map(({ row: { id, step, split, row, reason, status, ...rest }, isFinal, replay }) => ({
    ...{ id, step, split, row, reason, status, isFinal },
    ...(rest.position === null ? {} : { position: rest.position }),
    ...(rest.columnName === null ? {} : { column: rest.columnName }),
    ...(rest.hasValue ? { value: rest.value } : {}),
    ...(rest.code === null ? {} : { code: rest.code }),
    ...(rest.record === null ? {} : { record: JSON.parse(rest.record) as MendedRow["record"] }), // as `keep` has written it
    ...(replay === null ? {} : { replay }),
  }))
}

/** A page at a time: nothing is held while the consumer thinks, and it may write in between. */
async function* rowsOf(store: StorePromises, filter: KeptRowsFilter): AsyncGenerator<KeptRow> {
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  for (let after = 0; left > 0; ) {
    const page = await store.read((queries) => {
      const { tables } = queries
      return keptRows(queries, and(isOf(filter, tables), gt(tables.rejections.id, after)), Math.min(left, PAGE_ROWS))
    })
    yield* page
    left -= page.length
    if (page.length < PAGE_ROWS) return
    after = page.at(-1)!.id
  }
}

async function* takenRows(
  store: StorePromises,
  replay: string,
  first: number,
  last: number,
): AsyncGenerator<MendedRow> {
  for (let from = first; ; ) {
    const page = await store.read(async ({ select, tables: { rejections } }) =>
      select({ id: rejections.id, mended: rejections.mended })
        .from(rejections)
        .where(
          and(
            sql`replay = (SELECT key FROM runs WHERE runs.id = ${replay})`,
            ...[gte(rejections.id, from), lte(rejections.id, last), isNotNull(rejections.mended)],
          ),
        )
        .orderBy(asc(rejections.id))
        .limit(PAGE_ROWS),
    )
    for (const { id, mended } of page) yield { id, record: JSON.parse(mended!) as MendedRow["record"] } // as `take` has written it
    if (page.length < PAGE_ROWS) return
    from = page.at(-1)!.id + 1
  }
}

/** The rows are laid aside as they come: mending them takes as long as it takes, and locks nobody out. */
async function take(
  store: StorePromises,
  replay: NewRun,
  rows: AsyncIterable<MendedRow>,
  now: () => number,
): Promise<number> {
  const batch = crypto.randomUUID()
  let wanted = 0
  try {
    let page: MendedRow[] = []
    for await (const row of rows) {
      page.push(row)
      wanted++
      if (page.length < PAGE_ROWS) continue
      await layAside(store, batch, page, now())
      page = []
    }
    if (wanted === 0) return 0
    if (page.length > 0) await layAside(store, batch, page, now())
    return await store.write((queries) => takeAside(queries, replay, { batch, wanted }, now()))
  } finally {
    const clearing = store.write(async ({ delete: remove, tables: { mendedRows } }) => {
      // Those of a process that has died are as good as gone.
      await remove(mendedRows).where(or(eq(mendedRows.batch, batch), lt(mendedRows.at, now() - ASIDE_MS)))
    })
    // What is left is cleared by the next replay.
    await clearing.catch(() => undefined)
  }
}

function layAside(store: StorePromises, batch: string, page: readonly MendedRow[], at: number): Promise<void> {
  const rows = page.map(({ id, record }) => ({ batch, id, record: JSON.stringify(record), at }))
  return store.write(({ insertAll, tables }) => insertAll(tables.mendedRows, rows), { isLazy: true })
}

async function takeAside(
  queries: Queries,
  replay: NewRun,
  { batch, wanted }: { readonly batch: string; readonly wanted: number },
  at: number,
): Promise<number> {
  const { rejections } = queries.tables
  const { key, origin = null } = await insertRun(queries, replay, at)
  await queries.rows(sql`
    UPDATE rejections SET replay = ${key}, mended = (
      SELECT record FROM mended_rows WHERE mended_rows.batch = ${batch} AND mended_rows.id = rejections.id)
    WHERE id IN (SELECT mended_rows.id FROM mended_rows WHERE mended_rows.batch = ${batch})
    AND run = ${origin} AND status = 'waiting' AND replay IS NULL`)
  const taken = await queries.$count(rejections, eq(rejections.replay, key))
  if (taken === wanted) return taken
  throw new PluginError({
    reason: "conflict",
    message: `Cannot replay ${wanted} rows of run ${replay.replayOf}: ${wanted - taken} of them wait no longer`,
    hint: "Somebody else has replayed or dropped them: look again",
    retryable: false,
  })
}

const PAGE_ROWS = 1000
const ASIDE_MS = 24 * 3600 * 1000
