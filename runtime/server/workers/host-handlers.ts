import { Effect, Stream } from "effect"
import { pluginError } from "../../../core/host/failure.ts"
import type { Rejection } from "../../../core/run/journal.ts"
import type { Told } from "../../../core/server/jobs/orders.ts"
import { type MendedRow, Quarantine } from "../../../core/store/quarantine.ts"
import { refuseBeside } from "../../../core/store/resumption.ts"
import type { Owner } from "../../../core/store/run-record.ts"
import { RunStore } from "../../../core/store/run-store.ts"
import { stateOf } from "../../store/process-owner.ts"
import { HostCalls, type StoreFault } from "../../worker/channel/host-calls.ts"

/** What a worker is at, as its server knows it. */
export interface Desk {
  /** The runs that it may touch; replays of them are theirs. */
  runs: readonly string[]
  /** The flow of whose earlier runs it may read. */
  flow: string | undefined
  /** The worker. */
  readonly owner: Owner
  onTold: ((told: Told) => void) | undefined
  gathered: MendedRow[]
  /** Rejected rows that were told of. */
  shown: number
}

/**
 * Answers a worker from the stores of the server. A worker touches the runs of its order and no others, and looks at earlier
 * ones of the same flow.
 */
export const hostHandlers = (desk: Desk) =>
  HostCalls.toLayer(
    Effect.gen(function* () {
      const store = yield* RunStore
      const quarantine = yield* Quarantine

      /** A call about one run. */
      const of = <A>(id: string, call: () => Promise<A>): Effect.Effect<A, StoreFault> =>
        desk.runs.some((run) => id === run || id.startsWith(`${run}-r`))
          ? Effect.tryPromise({ try: call, catch: faultOf })
          : Effect.fail({ reason: "permission", message: `Run "${id}" is not this worker's`, retryable: false })
      /** A look at a run that may be an earlier one of the flow. */
      const near = <A>(id: string, call: () => Promise<A>): Effect.Effect<A, StoreFault> =>
        Effect.flatMap(Effect.tryPromise({ try: () => store.find(id), catch: faultOf }), (found) =>
          found !== undefined && found.flow !== undefined && found.flow === desk.flow
            ? Effect.tryPromise({ try: call, catch: faultOf })
            : of(id, call),
        )
      const ofFlow = <A>(flow: string, call: () => Promise<A>): Effect.Effect<A, StoreFault> =>
        flow === desk.flow
          ? Effect.tryPromise({ try: call, catch: faultOf })
          : Effect.fail({ reason: "permission", message: `Flow "${flow}" is not this worker's`, retryable: false })
      const list = <A>(id: string, rows: () => AsyncIterable<A>): Stream.Stream<readonly A[], StoreFault> =>
        Stream.unwrap(of(id, async () => Stream.fromAsyncIterable(gathered(rows()), faultOf)))

      return HostCalls.of({
        register: ({ run, isJudged }) =>
          of(run.id, () =>
            store.register(
              { ...run, owner: desk.owner },
              isJudged ? (earlier) => refuseBeside(earlier, stateOf) : undefined,
            ),
          ),
        find: ({ id }) =>
          near(id, async () => {
            const run = await store.find(id)
            return run === undefined ? {} : { run }
          }),
        progress: ({ id }) => near(id, () => store.progress(id)),
        claim: ({ run }) => of(run.id, () => store.claim(run, desk.owner)),
        planned: ({ run, steps }) => of(run.id, () => store.planned(run, steps)),
        inputOpened: ({ run, input }) => of(run.id, () => store.inputOpened(run, input)),
        splitStarted: ({ run, split, attempt, kept }) =>
          of(run.id, () => store.splitStarted(run, split, attempt, kept)),
        splitCommitted: ({ run, receipt }) => of(run.id, () => store.splitCommitted(run, receipt)),
        keep: ({ run, rejections }) =>
          of(run.id, () => {
            tellSome(desk, rejections)
            return store.keep(run, rejections)
          }),
        finish: ({ run, ending }) => of(run.id, () => store.finish(run, ending)),
        marks: ({ flow }) => ofFlow(flow, () => store.marks(flow)),
        runs: ({ flow, limit }) => ofFlow(flow, () => store.list({ flow, limit })),
        countRows: (filter) => of(filter.run, () => quarantine.count(filter)),
        rows: (filter) => list(filter.run, () => quarantine.rows(filter)),
        row: ({ run, id }) =>
          of(run, async () => {
            const row = await quarantine.row(run, id)
            return row === undefined ? {} : { row }
          }),
        replays: ({ run }) => of(run, () => quarantine.replays(run)),
        gather: ({ rows }) =>
          Effect.suspend(() => {
            if (desk.gathered.length + rows.length > MOST_GATHERED) return Effect.fail(tooMany)
            desk.gathered.push(...rows)
            return Effect.void
          }),
        take: ({ replay }) =>
          of(replay.id, () => {
            const rows = desk.gathered
            desk.gathered = []
            return quarantine.take({ ...replay, owner: desk.owner }, each(rows))
          }),
        ranges: ({ replay, size }) => of(replay, () => quarantine.ranges(replay, size)),
        taken: ({ replay, first, last }) => list(replay, () => quarantine.taken(replay, first, last)),
        settle: ({ replay, entry }) => of(replay.id, () => quarantine.settle(replay, entry)),
        told: ({ items }) =>
          Effect.sync(() => {
            for (const told of items) desk.onTold?.(told)
          }),
      })
    }),
  )

/** The first rejected rows stand in the log, each with its reason. */
function tellSome(desk: Desk, rejections: readonly Rejection[]): void {
  for (const { step, row, position, column, reason } of rejections.slice(0, MOST_SHOWN - desk.shown)) {
    desk.shown++
    const place = position ?? `row ${row}`
    const where = column === undefined ? place : `${place}, column "${column}"`
    const more = desk.shown === MOST_SHOWN ? "; further ones are kept, and not told here" : ""
    const text = `step "${step}" rejected a row: ${where}: ${reason}${more}`
    desk.onTold?.({ kind: "log", at: Date.now(), level: "warn", text })
  }
}

function faultOf(thrown: unknown): StoreFault {
  const { reason, message, retryable, hint, code } = pluginError(thrown)
  return {
    reason,
    message,
    retryable,
    ...(hint === undefined ? {} : { hint }),
    ...(code === undefined ? {} : { code }),
  }
}

async function* each<A>(items: readonly A[]): AsyncGenerator<A> {
  yield* items
}

async function* gathered<A>(items: AsyncIterable<A>): AsyncGenerator<readonly A[]> {
  let some: A[] = []
  for await (const item of items) {
    some.push(item)
    if (some.length < ROWS_TOGETHER) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}

const MOST_SHOWN = 10
const ROWS_TOGETHER = 200
const MOST_GATHERED = 200_000
const tooMany: StoreFault = {
  reason: "resource",
  message: `Cannot replay more than ${MOST_GATHERED} rows at once`,
  hint: "Replay them step by step",
  retryable: false,
}
