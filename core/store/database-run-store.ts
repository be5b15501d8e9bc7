import { and, desc, eq, inArray, isNull, ne, notInArray, type SQL, sql } from "drizzle-orm"
import { Clock, Effect, Layer } from "effect"
import { PluginError, pluginError } from "../host/failure.ts"
import type { OpenedInput } from "../run/journal.ts"
import { type Queries, StoreDatabase } from "./database.ts"
import { rejectionRow } from "./rejection-row.ts"
import { DAY_MS, forgotten } from "./retention.ts"
import { committedRows, type Mark, type NewRun, type RunProgress, type Unfinished } from "./run-record.ts"
import { recordColumns, recordOf, summaryColumns, summaryOf } from "./run-row.ts"
import { type Attempt, type Ending, RunStore } from "./run-store.ts"
import { type StorePromises, storePromises } from "./store-promises.ts"

/** The runs of the engine in the store. */
export const runStoreLayer: Layer.Layer<RunStore, never, StoreDatabase> = Layer.effect(
  RunStore,
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    return makeRunStore(storePromises(yield* StoreDatabase), () => clock.currentTimeMillisUnsafe())
  }),
)

export function makeRunStore(store: StorePromises, now: () => number): RunStore["Service"] {
  return {
    async register(run, judge) {
      const work = async (queries: Queries) => {
        if (judge !== undefined && run.flow !== undefined) judged(judge, await unfinished(queries, run.flow))
        await forgetOld(queries, now())
        await insertRun(queries, run, now())
      }
      await store.write(work, run.flow === undefined ? {} : lockOf(run.flow))
    },
    find: (id) =>
      store.read(async ({ select, tables }) => {
        const [row] = await select(recordColumns(tables)).from(tables.runs).where(eq(tables.runs.id, id))
        return row === undefined ? undefined : recordOf(row)
      }),
    list: ({ flow, statuses, limit }) =>
      store.read(async ({ select, tables }) => {
        const { runs } = tables
        const conditions: SQL[] = []
        if (flow !== undefined) conditions.push(eq(runs.flow, flow))
        if (statuses !== undefined) conditions.push(inArray(sql`${runs.status}`, [...statuses]))
        const query = select(summaryColumns(tables))
          .from(runs)
          .where(and(...conditions))
          .orderBy(desc(runs.key))
        return (await (limit === undefined ? query : query.limit(limit))).map(summaryOf)
      }),
    progress: (id) => store.read((queries) => progressOf(queries, id)),
    claim: ({ id, fence }, { pid, start = null, host }) =>
      store.write(async ({ update, delete: remove, tables: { runs, rejections } }) => {
        const anew = { endedAt: null, written: null, rejected: null, report: null }
        const [claimed] = await update(runs)
          .set({ fence: fence + 1, status: "running", pid, process: start, host, attemptAt: now(), ...anew })
          .where(and(eq(runs.id, id), eq(runs.fence, fence), ne(runs.status, "succeeded")))
          .returning({ key: runs.key })
        if (claimed === undefined) return false
        // Rows that belong to no split are rejected again.
        await remove(rejections).where(and(eq(rejections.run, claimed.key), eq(rejections.split, "")))
        return true
      }),
    planned: (run, steps) =>
      owned(store, run, async (key, { update, tables: { runs } }) => {
        await update(runs).set({ steps }).where(eq(runs.key, key))
      }),
    inputOpened: (run, { step, columns, splits, oneSnapshot, mark = null }) =>
      owned(store, run, async (key, { insert, tables: { inputs } }) => {
        const opened = { columns, splits, oneSnapshot, mark }
        await insert(inputs)
          .values({ run: key, step, ...opened })
          .onConflictDoUpdate({ target: [inputs.run, inputs.step], set: opened })
      }),
    splitStarted: (run, split, attempt, kept) =>
      owned(
        store,
        run,
        async (key, { insert, delete: remove, tables: { splits, rejections } }) => {
          const isForgotten = kept.length === 0 ? [] : [notInArray(rejections.step, [...kept])]
          await remove(rejections).where(and(eq(rejections.run, key), eq(rejections.split, split), ...isForgotten))
          const started = { attempt, written: null, receipt: null }
          await insert(splits)
            .values({ run: key, split, ...started })
            .onConflictDoUpdate({ target: [splits.run, splits.split], set: started })
        },
        // What is kept of this try comes after it, and takes it to the disk.
        { isLazy: true },
      ),
    splitCommitted: (run, receipt) =>
      owned(store, run, async (key, { insert, tables: { splits } }) => {
        const written = receipt.outputs.reduce((sum, output) => sum + output.written, 0)
        const committed = { attempt: receipt.attempt, written, receipt }
        await insert(splits)
          .values({ run: key, split: receipt.split, ...committed })
          .onConflictDoUpdate({ target: [splits.run, splits.split], set: committed })
      }),
    keep: (run, rejections) =>
      owned(store, run, (key, { insertAll, tables }) =>
        insertAll(
          tables.rejections,
          rejections.map((rejection) => rejectionRow(key, rejection)),
        ),
      ),
    finish: (run, ending) => owned(store, run, (key, queries) => finish(queries, key, run.id, ending, now())),
    marks: (flow) =>
      store.read(async ({ select, tables: { marks } }) => {
        const rows = await select().from(marks).where(eq(marks.flow, flow))
        return rows.map(({ step, source, mark, run }): Mark => ({ step, dataSource: source, mark, run }))
      }),
  }
}

/** Runs of a flow begin one after the other. */
export function lockOf(flow: string): { readonly lock: string } {
  return { lock: `runs of ${flow}` }
}

/** Does the work in one transaction, if no later attempt has claimed the run, and before one can. */
export function owned<A>(
  store: StorePromises,
  run: Attempt,
  work: (key: number, queries: Queries) => Promise<A>,
  options: { readonly isLazy?: boolean } = {},
): Promise<A> {
  return store.write(async (queries) => {
    // Nothing else writes to SQLite meanwhile.
    const held = store.dialect === "postgres" ? sql`FOR SHARE` : sql``
    const found = await queries.rows<{ key: number }>(
      sql`SELECT key FROM runs WHERE id = ${run.id} AND fence = ${run.fence} ${held}`,
    )
    const [row] = found
    if (row !== undefined) return await work(row.key, queries)
    throw new PluginError({
      reason: "cancelled",
      message: `Cannot go on with run ${run.id}: it was taken over by somebody else`,
      retryable: false,
    })
  }, options)
}

export async function insertRun({ select, insert, tables: { runs } }: Queries, run: NewRun, at: number) {
  const { id, flow = null, origin, owner, parameters, bizdate, scheduledAt, steps, sources, replayOf } = run
  const { document, hash, path = null, base, overrides } = origin
  const [replayed] =
    replayOf === undefined ? [] : await select({ key: runs.key }).from(runs).where(eq(runs.id, replayOf))
  const [row] = await insert(runs)
    .values({
      ...{ id, flow, replayOf: replayed?.key ?? null, fence: 1, status: "running", discarded: false, settled: false },
      ...{ document, hash, path, base, overrides, parameters, bizdate, scheduledAt, steps, sources },
      staged: steps.some(({ writes }) => writes === "stages"),
      ...{ pid: owner.pid, process: owner.start ?? null, host: owner.host, startedAt: at, attemptAt: at },
    })
    .returning({ key: runs.key })
  return { key: row!.key, origin: replayed?.key }
}

async function progressOf({ select, tables: { runs, inputs, splits } }: Queries, id: string): Promise<RunProgress> {
  const opened = await select({ input: inputs })
    .from(inputs)
    .innerJoin(runs, eq(runs.key, inputs.run))
    .where(eq(runs.id, id))
  const begun = await select({ split: splits })
    .from(splits)
    .innerJoin(runs, eq(runs.key, splits.run))
    .where(eq(runs.id, id))
  return {
    inputs: opened.map(({ input: { step, columns, splits, oneSnapshot, mark } }): OpenedInput => {
      return { step, columns, splits, oneSnapshot, ...(mark === null ? {} : { mark }) }
    }),
    receipts: begun.flatMap(({ split: { receipt } }) => (receipt === null ? [] : [receipt])),
    begun: begun.flatMap(({ split: { split, attempt, receipt } }) => (receipt === null ? [{ split, attempt }] : [])),
  }
}

/** Runs of the flow since its last success that may have left something. Replays are no runs of the flow. */
async function unfinished(queries: Queries, flow: string): Promise<readonly Unfinished[]> {
  const { select, tables } = queries
  const { runs } = tables
  const succeeded = sql`(SELECT max(key) FROM runs WHERE flow = ${flow} AND status = 'succeeded' AND replay_of IS NULL)`
  const rows = await select({ ...summaryColumns(tables), steps: runs.steps })
    .from(runs)
    .where(
      and(
        ...[eq(runs.flow, flow), ne(runs.status, "succeeded"), eq(runs.discarded, false), isNull(runs.replayOf)],
        sql`key > coalesce(${succeeded}, 0)`,
      ),
    )
    .orderBy(desc(runs.key))
  const found: Unfinished[] = []
  for (const row of rows) {
    const { receipts } = await progressOf(queries, row.id)
    found.push({ run: { ...summaryOf(row), steps: row.steps }, committed: committedRows(receipts) })
  }
  return found
}

/** What the judge throws undoes the write and is what it fails with. */
export function judged<A>(judge: (earlier: A) => void, earlier: A): void {
  try {
    judge(earlier)
  } catch (thrown) {
    throw pluginError(thrown)
  }
}

async function finish(
  { select, insert, update, tables: { runs, marks } }: Queries,
  key: number,
  id: string,
  { report, markSources, isDiscarded = false }: Ending,
  at: number,
): Promise<void> {
  const outputs = report.steps.filter(({ kind }) => kind === "output")
  const written = outputs.reduce((sum, { rowsOut }) => sum + rowsOut, 0)
  const { status, rejected } = report
  await update(runs)
    .set({ status, discarded: isDiscarded, endedAt: at, written, rejected, report })
    .where(eq(runs.key, key))
  if (status !== "succeeded") return
  const [{ flow } = { flow: null }] = await select({ flow: runs.flow }).from(runs).where(eq(runs.key, key))
  if (flow === null) return
  for (const [step, mark] of Object.entries(report.marks)) {
    const source = markSources[step] ?? ""
    const reached = { mark, run: id, at }
    await insert(marks)
      .values({ flow, step, source, ...reached })
      .onConflictDoUpdate({ target: [marks.flow, marks.step, marks.source], set: reached })
  }
}

/** A few of those that are too old, so that a machine without a server does not keep them for ever. */
async function forgetOld({ select, rows, tables: { settings } }: Queries, now: number): Promise<void> {
  const [set] = await select().from(settings).where(eq(settings.key, "retention.runsDays"))
  const days = typeof set?.value === "number" ? set.value : USUAL_DAYS
  await rows(forgotten(now - days * DAY_MS, 20))
}

const USUAL_DAYS = 90
