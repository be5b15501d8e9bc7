import { and, asc, desc, eq } from "drizzle-orm"
import { Clock, Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "./database.ts"
import { judged, lockOf } from "./database-run-store.ts"
import { Marks } from "./marks.ts"
import type { RunSummary } from "./run-record.ts"
import { summaryColumns, summaryOf } from "./run-row.ts"
import { type StorePromises, storePromises } from "./store-promises.ts"

/** The marks of all flows in the store. */
export const marksLayer: Layer.Layer<Marks, never, StoreDatabase> = Layer.effect(
  Marks,
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    return makeMarks(storePromises(yield* StoreDatabase), () => clock.currentTimeMillisUnsafe())
  }),
)

export function makeMarks(store: StorePromises, now: () => number): Marks["Service"] {
  return {
    list: (flow) =>
      store.read(async ({ select, tables: { marks } }) => {
        const rows = await select()
          .from(marks)
          .where(flow === undefined ? undefined : eq(marks.flow, flow))
          .orderBy(asc(marks.flow), asc(marks.step), asc(marks.source))
        return rows.map(({ flow, step, source, mark, run, at }) => ({ flow, step, dataSource: source, mark, run, at }))
      }),
    set: ({ flow, step, dataSource, mark, run }, judge) =>
      store.write(async (queries) => {
        const { insert, delete: remove, tables } = queries
        judged(judge, await running(queries, flow))
        // A step has one mark: that of something else would keep the flow from running.
        await remove(tables.marks).where(and(eq(tables.marks.flow, flow), eq(tables.marks.step, step)))
        await insert(tables.marks).values({ flow, step, source: dataSource, mark, run, at: now() })
      }, lockOf(flow)),
    drop: (flow, step, judge) =>
      store.write(async (queries) => {
        const { delete: remove, tables } = queries
        judged(judge, await running(queries, flow))
        const dropped = await remove(tables.marks)
          .where(and(eq(tables.marks.flow, flow), step === undefined ? undefined : eq(tables.marks.step, step)))
          .returning({ step: tables.marks.step })
        return dropped.length
      }, lockOf(flow)),
  }
}

async function running({ select, tables }: Queries, flow: string): Promise<readonly RunSummary[]> {
  const rows = await select(summaryColumns(tables))
    .from(tables.runs)
    .where(and(eq(tables.runs.flow, flow), eq(tables.runs.status, "running")))
    .orderBy(desc(tables.runs.key))
  return rows.map(summaryOf)
}
