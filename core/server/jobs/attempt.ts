import { Effect, type Scope } from "effect"
import { SNAPSHOT_LOST } from "../../flow/problem.ts"
import type { RunReport } from "../../run/report.ts"
import type { RunOverrides } from "../../store/run-record.ts"
import { system } from "../access/actor.ts"
import { nameIn } from "../flows/flow-rows.ts"
import { type ActiveJob, type DispatchContext, stopJob } from "./dispatch-context.ts"
import { type Ending, type EndingContext, endingOf, endingOfError, failed } from "./ending.ts"
import { eventLine } from "./event-line.ts"
import type { KnownFlow } from "./flow-cache.ts"
import { attachmentOf, isSaved } from "./flow-of-job.ts"
import type { Answers, Brought, OrderKind, Orders, ReplayedRows, Told } from "./orders.ts"
import { submitAfter } from "./submission.ts"
import { WorkerError } from "./worker-pool.ts"

/** What an attempt has come to. */
export interface Outcome {
  readonly ending: Ending
  readonly written?: number
  readonly rejected?: number
}

/** One attempt at a job, by a worker. */
export const attempt = Effect.fnUntraced(function* (context: DispatchContext, job: ActiveJob) {
  const { row } = job
  const known = yield* Effect.result(context.flows.ofJob(row))
  if (known._tag === "Failure") return broken(known.failure.message)
  const { properties, uses } = known.success
  const facts = () => ({ row, properties, stop: job.reason }) satisfies EndingContext
  const opened = yield* Effect.result(
    Effect.andThen(
      context.sources.authorize(row.account, uses),
      context.sources.open(row.dataSources, row.environment),
    ),
  )
  if (opened._tag === "Failure") {
    const { message, _tag } = opened.failure
    return { ending: failed(message, _tag === "StoreError", facts()) } satisfies Outcome
  }
  const { files } = yield* context.policy.current
  // What is not saved leaves nothing for the next one to go on with.
  const name = isSaved(known.success) ? nameIn(row.environment, known.success.name) : null
  const brought = { sources: opened.success, files, name, overrides: row.overrides ?? {} }
  const attempting = Effect.gen(function* () {
    if (row.timeoutMs !== null) yield* Effect.forkScoped(timeOut(job, row.timeoutMs))
    return yield* work(context, job, { known: known.success, brought })
  })
  const outcome = yield* Effect.scoped(attempting).pipe(
    Effect.catch((error) => refusalOutcome(context, job, error, facts())),
  )
  if (!(outcome.ending.kind === "ended" && outcome.ending.isLeft)) return outcome
  const troubles = yield* cleanUp(context, job, { known: known.success, brought })
  const message = [outcome.ending.message, ...troubles].filter((text) => text !== null).join("; ")
  return { ...outcome, ending: { ...outcome.ending, message: message === "" ? null : message } }
})

interface Means {
  readonly known: KnownFlow
  readonly brought: Brought & { readonly name: string | null; readonly overrides: RunOverrides }
}

const work = Effect.fnUntraced(function* (context: DispatchContext, job: ActiveJob, { known, brought }: Means) {
  const { row } = job
  const { start, id: run, parameters, bizdate, scheduledAt } = row
  const facts = (): EndingContext => ({ row, properties: known.properties, stop: job.reason })
  const flow = { ...brought, run, document: known.document, parameters, bizdate, scheduledAt }
  const deadlineMs = known.flow.settings.cancelTimeoutMs + GRACE_MS
  const perform = <K extends OrderKind>(kind: K, order: Orders[K]): Effect.Effect<Answers[K], WorkerError> =>
    context.pool.perform(kind, order, {
      ...{ deadlineMs, cancelled: job.stop, killAt: () => job.killAt },
      onTold: (told) => heard(context, job, told),
    })
  switch (start.kind) {
    case "run":
      return reported(yield* perform("run", flow), facts())
    case "resume":
      return reported(yield* perform("resume", { ...flow, ...start }), facts())
    case "restart":
      return reported(yield* perform("restart", { ...brought, run, of: start.of, force: start.force }), facts())
    case "close": {
      const troubles = yield* cleanUp(context, job, { known, brought })
      const message = [start.message, ...troubles].filter((text) => text !== "").join("; ")
      const ending = {
        kind: "ended",
        status: start.status,
        message: message === "" ? null : message,
        isLeft: false,
      } as const
      return { ending } satisfies Outcome
    }
    case "replay": {
      const { of, assignments, step } = start
      const rows = start.isOfRows ? yield* rowsOf(context, run) : undefined
      const order = {
        ...{ ...brought, run: of, assignments },
        ...(step === undefined ? {} : { step }),
        ...(rows === undefined ? {} : { rows }),
      }
      return replayed(yield* perform("replay", order), facts())
    }
  }
})

const rowsOf = Effect.fnUntraced(function* ({ database }: DispatchContext, job: string) {
  const rows = yield* Effect.result(database.read((queries) => attachmentOf(queries, job, "rows")))
  if (rows._tag === "Failure") return yield* new WorkerError({ kind: "unavailable", message: rows.failure.message })
  // Without them it would be all rows.
  if (rows.success === undefined)
    return yield* new WorkerError({ kind: "refused", message: "The edited rows are gone" })
  return rows.success
})

/** Takes away what the run has left, by another worker; gives what could not be taken away. */
const cleanUp = Effect.fnUntraced(function* (context: DispatchContext, { row }: ActiveJob, { brought }: Means) {
  const order = { ...brought, run: row.id, force: false }
  const closed = yield* Effect.result(context.pool.perform("close", order, { deadlineMs: CLOSE_MS }))
  if (closed._tag === "Success") return closed.success.troubles
  // One that was never recorded has left nothing.
  return closed.failure.kind === "refused" ? [] : [closed.failure.message]
})

/** A run whose snapshot is gone is begun anew where that is possible; a job of its own finds out. */
const refusalOutcome = Effect.fnUntraced(function* (
  context: DispatchContext,
  job: ActiveJob,
  error: WorkerError,
  facts: EndingContext,
) {
  const { row } = job
  const ending = endingOfError(error, facts)
  const isLost = error.problems?.some(({ code }) => code === SNAPSHOT_LOST) ?? false
  const isByItself = row.start.kind === "resume" && row.start.force
  if (!isLost || !isByItself) return { ending } satisfies Outcome
  const restart = submitAfter(
    context,
    { ...system, account: row.account },
    {
      earlier: row,
      start: { kind: "restart", of: row.id, force: true },
      cause: { kind: "retry", id: row.id, name: row.flowName },
    },
  )
  const again = yield* Effect.result(restart)
  const told = again._tag === "Success" ? `it is begun anew as run ${again.success.id}` : again.failure.message
  const message = `${error.message}; ${told}`
  return { ending: { kind: "ended", status: "failed", message, isLeft: false } } satisfies Outcome
})

function reported(report: RunReport, facts: EndingContext): Outcome {
  const outputs = report.steps.filter(({ kind }) => kind === "output")
  const written = outputs.reduce((sum, { rowsOut }) => sum + rowsOut, 0)
  return { ending: endingOf(report, facts), written, rejected: report.rejected }
}

function replayed(rows: readonly ReplayedRows[], facts: EndingContext): Outcome {
  const sum = (count: (each: ReplayedRows) => number) => rows.reduce((total, each) => total + count(each), 0)
  const numbers = { written: sum((each) => each.replayed), rejected: sum((each) => each.rejected + each.incomplete) }
  const troubles = rows.flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble]))
  const bad = rows.find(({ report }) => report !== undefined && report.status !== "succeeded")?.report
  if (bad !== undefined) return { ending: endingOf(bad, facts), ...numbers }
  if (troubles.length > 0) return { ending: failed(troubles.join("; "), true, facts), ...numbers }
  return { ending: { kind: "ended", status: "succeeded", message: null, isLeft: false }, ...numbers }
}

function broken(message: string): Outcome {
  return { ending: { kind: "ended", status: "failed", message, isLeft: false } }
}

function heard({ hub, logs }: DispatchContext, job: ActiveJob, told: Told): void {
  const { id } = job.row
  if (told.kind === "log") {
    logs.add(id, told.at, told)
    return
  }
  const { event } = told
  if (event.type === "run.started") job.isBegun = true
  const line = eventLine(event)
  if (line !== undefined) logs.add(id, Date.now(), line)
  // How it has ended is told by the job itself.
  if (event.type !== "run.finished") hub.publish({ type: "job.progressed", id, event })
}

function timeOut(job: ActiveJob, ms: number): Effect.Effect<void, never, Scope.Scope> {
  return Effect.andThen(Effect.sleep(ms), stopJob(job, "timeout"))
}

/** For the process to end after its steps have had their time. */
const GRACE_MS = 5000
const CLOSE_MS = 60_000
