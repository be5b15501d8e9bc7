import { and, eq, isNotNull } from "drizzle-orm"
import { Clock, Effect, Layer, Queue, Scope, Stream } from "effect"
import { StoreDatabase } from "../../store/database.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { makeId } from "../id.ts"
import { ServerSettings } from "../settings.ts"
import { SourcePolicy } from "../sources/source-policy.ts"
import { SourceRegistry } from "../sources/source-registry.ts"
import { claim } from "./claim.ts"
import { cancel, replay, resume } from "./control.ts"
import { type DispatchContext, stopJob } from "./dispatch-context.ts"
import { Dispatcher } from "./dispatcher.ts"
import { execute } from "./execution.ts"
import { appear, leave, recover } from "./fleet.ts"
import { FlowCache } from "./flow-cache.ts"
import { JobHub } from "./job-hub.ts"
import { listJobs } from "./job-list.ts"
import { JobLogs } from "./job-logs.ts"
import { isLive, jobOf, rowOf, unknownJob } from "./job-row.ts"
import { ServerProcess } from "./server-process.ts"
import { submit } from "./submission.ts"
import { WorkerPool } from "./worker-pool.ts"

export interface DispatcherOptions {
  /** How long runs may go on when the server is told to stop; then they are handed over to the next one. */
  readonly stopMs: number
}

/** The dispatcher of one server. Its jobs go on until the layer's scope is closed. */
export function dispatcherLayer({ stopMs }: DispatcherOptions) {
  return Layer.effect(
    Dispatcher,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const pool = yield* WorkerPool
      const own = yield* ServerProcess
      const settings = yield* ServerSettings
      const hub = new JobHub()
      const logs = new JobLogs(database, (id, line) => hub.publish({ type: "job.logged", id, line }))
      const bell = yield* Queue.sliding<void>(1)
      const server = makeId(yield* Clock.currentTimeMillis)
      const context: DispatchContext = {
        ...{ database, pool, settings, hub, logs, server },
        flows: new FlowCache(yield* FlowLibrary, database),
        sources: yield* SourceRegistry,
        policy: yield* SourcePolicy,
        audit: yield* AuditLog,
        active: new Map(),
        wake: Effect.asVoid(Queue.offer(bell, undefined)),
        isStopping: false,
      }
      const fleet = { database, own, server }
      yield* appear(fleet)
      const recovered = Effect.gen(function* () {
        for (const row of yield* recover(fleet)) hub.publish({ type: "job.queued", job: jobOf(row) })
        yield* context.wake
      })
      yield* recovered
      yield* Effect.addFinalizer(() => Effect.ignore(leave(fleet)))
      // Closed after what follows: runs have come to an end by then, and are not interrupted.
      const runs = yield* Scope.fork(yield* Effect.scope)
      yield* Effect.addFinalizer(() => drained(context, stopMs))

      /** Fills the free places, as long as something fits. */
      const fill = Effect.gen(function* () {
        const most = yield* mostRunning(context)
        for (;;) {
          const free = most - context.active.size
          if (context.isStopping || free <= 0) return POLL_MS
          const { rows, nextDueAt } = yield* claim(context, free)
          for (const row of rows) yield* Effect.forkIn(execute(context, row), runs, { startImmediately: true })
          if (rows.length > 0) continue
          const now = yield* Clock.currentTimeMillis
          return nextDueAt === undefined ? POLL_MS : Math.min(POLL_MS, Math.max(1, nextDueAt - now))
        }
      })
      const quietly = <A, E>(what: string, effect: Effect.Effect<A, E>) =>
        Effect.catchCause(effect, (cause) => Effect.as(Effect.logWarning(what, cause), undefined))
      const dispatching = Effect.gen(function* () {
        const waitMs = (yield* quietly("Cannot look for runs that wait", fill)) ?? POLL_MS
        yield* Effect.raceFirst(Queue.take(bell), Effect.sleep(waitMs))
      })
      yield* Effect.forkScoped(Effect.forever(dispatching))
      yield* every(FLUSH_MS, quietly("Cannot keep log lines", logs.flush))
      yield* every(BEAT_MS, quietly("Cannot tell others that this server is there", appear(fleet)))
      yield* every(RECOVER_MS, quietly("Cannot look for runs of servers that are gone", recovered))
      yield* every(NOTICE_MS, quietly("Cannot look for runs that were cancelled elsewhere", noticed(context)))

      const find = Effect.fnUntraced(function* (id: string) {
        const row = yield* database.read((queries) => rowOf(queries, id))
        return row === undefined ? yield* unknownJob(id) : jobOf(row)
      })
      const countQueued = database.read(({ $count, tables: { jobs } }) => $count(jobs, eq(jobs.status, "queued")))
      return Dispatcher.of({
        find,
        submit: (actor, request) => submit(context, actor, request),
        list: (filter) => listJobs(database, filter),
        wait: (id, waitMs) => waited(context, { find, id, waitMs }),
        cancel: (actor, id, options = {}) => cancel(context, actor, id, options),
        resume: (actor, id, options) => resume(context, actor, id, options),
        replay: (actor, id, options) => replay(context, actor, id, options),
        logs: (id, filter) =>
          // What waits to be written is part of the answer, where it can be written.
          Effect.andThen(Effect.andThen(find(id), Effect.ignore(logs.flush)), logs.read(id, filter)),
        events: (id) => hub.events(id),
        load: Effect.gen(function* () {
          const queued = yield* Effect.orElseSucceed(countQueued, () => 0)
          return { queued, running: context.active.size, workers: yield* pool.load }
        }),
      })
    }),
  )
}

interface Waiting {
  readonly find: Dispatcher["Service"]["find"]
  readonly id: string
  readonly waitMs: number
}

/** Until it has ended, or the time is up. What runs on another server is looked up now and then. */
const waited = Effect.fnUntraced(function* ({ hub }: DispatchContext, { find, id, waitMs }: Waiting) {
  const told = Effect.asVoid(Stream.runHead(Stream.filter(hub.events(id), ({ type }) => type === "job.ended")))
  const polled = Effect.gen(function* () {
    while (isLive(yield* find(id))) yield* Effect.sleep(NOTICE_MS)
  })
  yield* Effect.timeoutOption(Effect.raceFirst(told, polled), waitMs)
  return yield* find(id)
})

/** Ends what somebody has cancelled at another server, or right when it was begun. */
const noticed = Effect.fnUntraced(function* ({ database, active, server }: DispatchContext) {
  if (active.size === 0) return
  const rows = yield* database.read(({ select, tables: { jobs } }) =>
    select({ id: jobs.id, killAt: jobs.killAt })
      .from(jobs)
      .where(and(eq(jobs.status, "running"), eq(jobs.server, server), isNotNull(jobs.cancelledBy))),
  )
  for (const { id, killAt } of rows) {
    const job = active.get(id)
    if (job !== undefined) yield* stopJob(job, "person", killAt)
  }
})

/** Lets runs end as long as there is time, then hands them over. */
const drained = Effect.fnUntraced(function* (context: DispatchContext, stopMs: number) {
  context.isStopping = true
  const isIdle = Effect.sync(() => context.active.size === 0)
  const idle = Effect.repeat(Effect.andThen(Effect.sleep(DRAIN_MS), isIdle), { until: (done) => done })
  if (yield* isIdle) return
  yield* Effect.timeoutOption(idle, stopMs)
  for (const job of context.active.values()) yield* stopJob(job, "handover")
  if (!(yield* isIdle)) yield* idle
  yield* Effect.ignore(context.logs.flush)
})

const mostRunning = Effect.fnUntraced(function* ({ settings, pool }: DispatchContext) {
  const set = yield* settings.get("queue.mostRunning")
  return set === 0 ? pool.slots : Math.min(set, pool.slots)
})

function every<A>(ms: number, effect: Effect.Effect<A>) {
  return Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(ms), effect)))
}

const POLL_MS = 2000
const FLUSH_MS = 250
const BEAT_MS = 10_000
const RECOVER_MS = 30_000
const NOTICE_MS = 1000
const DRAIN_MS = 20
