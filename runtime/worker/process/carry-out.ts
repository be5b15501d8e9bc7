import { Effect } from "effect"
import { missingTable } from "../../../core/database/database-input.ts"
import { shownTable } from "../../../core/database/table-name.ts"
import type { RunEvent } from "../../../core/events/events.ts"
import type { Flow } from "../../../core/flow/flow-schema.ts"
import type { FlowError } from "../../../core/flow/problem.ts"
import { readFlow } from "../../../core/flow/read-flow.ts"
import { withParking } from "../../../core/host/parking.ts"
import { parseAssignment } from "../../../core/quarantine/mend.ts"
import type { Answers, FlowOrder, Orders, RunOfOrder } from "../../../core/server/jobs/orders.ts"
import type { RunOverrides, RunRecord } from "../../../core/store/run-record.ts"
import { RunStore } from "../../../core/store/run-store.ts"
import { asked } from "../../store/store.ts"
import { advised } from "../advice.ts"
import type { Order } from "../channel/worker-calls.ts"
import { closeRun } from "../close-run.ts"
import { withConnection } from "../connection.ts"
import { createTables } from "../create-tables.ts"
import { editedText } from "../edited-rows.ts"
import { originOf, withSettings } from "../flow-origin.ts"
import { flowParameters } from "../flow-parameters.ts"
import { planJson } from "../plan-json.ts"
import { preview } from "../preview.ts"
import { replayStep, settleEarlier, stepsToReplay } from "../replay-rows.ts"
import { restartRun } from "../restart-run.ts"
import { goOn, refuseUnfit } from "../resume-run.ts"
import { type FlowRequest, planNew, runNew, type Watch } from "../run-flow.ts"
import { findRun, refused, storedFlow } from "../stored-run.ts"

export interface CarryOptions {
  readonly base: string
  readonly onEvent: (event: RunEvent) => void
}

/** Does what an order says, with the same means as the command line. */
export const carriedOut = Effect.fnUntraced(function* ({ kind, order }: Order, options: CarryOptions) {
  switch (kind) {
    case "run":
      return yield* run(order, options)
    case "resume":
      return yield* resume(order, options)
    case "restart":
      return yield* restart(order, options)
    case "close":
      return yield* close(order)
    case "replay":
      return yield* replay(order, options)
    case "check": {
      const { warnings } = yield* Effect.flatMap(requestOf(order), planNew)
      return { problems: [], warnings } satisfies Answers["check"]
    }
    case "plan":
      return planJson(yield* Effect.flatMap(requestOf(order), planNew))
    case "preview":
      return yield* shownRows(order)
    case "parameters": {
      const { preview: parameters, ...dates } = yield* Effect.flatMap(requestOf(order), flowParameters)
      return { ...dates, parameters } satisfies Answers["parameters"]
    }
    case "createTables": {
      const plan = yield* Effect.flatMap(requestOf(order), planNew)
      return { tables: yield* createTables(plan), warnings: plan.warnings } satisfies Answers["createTables"]
    }
    case "testConnection": {
      const startedAt = performance.now()
      const server = yield* withConnection(order.source, async ({ connection }) => connection.server)
      return { server, durationMs: Math.round(performance.now() - startedAt) } satisfies Answers["testConnection"]
    }
    case "tables":
      return yield* tables(order)
    case "columns":
      return yield* columns(order)
  }
})

const run = Effect.fnUntraced(
  function* (order: Orders["run"], { base, onEvent }: CarryOptions) {
    const { overrides = {} } = order
    const { flow, ...rest } = yield* requestOf(order)
    const plan = yield* Effect.interruptible(
      planNew({ ...rest, flow: withSettings(flow, overrides), runId: order.run }),
    )
    const origin = originOf({ document: order.document, base }, overrides)
    return yield* runNew(plan, { origin, parameters: order.parameters, onEvent })
  },
  withParking,
  Effect.uninterruptible,
)

const resume = Effect.fnUntraced(function* (order: Orders["resume"], options: CarryOptions) {
  const found = yield* begun(order.run)
  return yield* found === undefined ? run(order, options) : proceed(found, order, options)
}, Effect.uninterruptible)

const restart = Effect.fnUntraced(function* (order: Orders["restart"], options: CarryOptions) {
  const own = yield* begun(order.run)
  // Its server died after it had been begun anew.
  if (own !== undefined) return yield* proceed(own, { ...order, newSnapshot: false, force: true }, options)
  const found = yield* findRun(order.of)
  yield* refuseUnfit(found, { parameters: {}, asStored: true, force: order.force })
  const overrides = overridesOf(found, order)
  const flow = named(yield* storedFlow(found, overrides), order)
  const { force } = order
  return yield* restartRun(found, { flow, overrides, force, runId: order.run }, watch(options))
}, Effect.uninterruptible)

const begun = Effect.fnUntraced(function* (id: string) {
  const store = yield* RunStore
  return yield* asked(() => store.find(id))
})

interface Proceeding extends RunOfOrder {
  readonly newSnapshot: boolean
  readonly force: boolean
}

/** Goes on with a run that was begun. */
const proceed = Effect.fnUntraced(function* (found: RunRecord, order: Proceeding, options: CarryOptions) {
  // Its server died after the run had ended and before it had written that down.
  if (found.status === "succeeded" && found.report !== undefined) return found.report
  yield* refuseUnfit(found, { parameters: {}, asStored: true, force: order.force })
  const flow = named(yield* storedFlow(found, overridesOf(found, order)), order)
  return yield* goOn(found, flow, order, watch(options))
})

const close = Effect.fnUntraced(function* (order: Orders["close"]) {
  const found = yield* findRun(order.run)
  return yield* closeRun(found, yield* storedFlow(found), { force: order.force })
})

const replay = Effect.fnUntraced(function* (order: Orders["replay"], options: CarryOptions) {
  const found = yield* findRun(order.run)
  const assignments = order.assignments.map((text) => ({ text, read: parseAssignment(text) }))
  for (const { text, read } of assignments)
    if ("fault" in read) return yield* refused(`Cannot set "${text}": at character ${read.at}, ${read.fault}`)
  const request = {
    step: order.step,
    assignments: assignments.flatMap(({ read }) => ("fault" in read ? [] : [read])),
    edited: order.rows === undefined ? undefined : editedText(order.rows),
    // The server sees to it that nobody replays rows of the run beside this.
    force: true,
  }
  yield* settleEarlier(found, true)
  const done: Answers["replay"][number][] = []
  for (const step of yield* stepsToReplay(found, request)) {
    const result: Answers["replay"][number] = yield* replayStep<never>(found, step, request, watch(options))
    done.push(result)
    if (result.report?.status === "cancelled") break
  }
  return done
}, Effect.uninterruptible)

const shownRows = Effect.fnUntraced(function* (order: Orders["preview"]) {
  const request = yield* requestOf(order)
  const { shown, rejections, report, isCut } = yield* preview({ ...request, rows: order.rows, step: order.step })
  const failed = !isCut && report.failure !== undefined ? { failure: advised(report.failure) } : {}
  return { shown, rejections, isCut, ...failed } satisfies Answers["preview"]
})

const tables = Effect.fnUntraced(function* ({ source, schema, text }: Orders["tables"]) {
  const filter = schema === undefined ? undefined : { schema }
  const found = yield* withConnection(source, ({ connection }) => connection.tables(filter))
  if (text === undefined) return found
  const wanted = text.toLowerCase()
  return found.filter((table) => shownTable(table).toLowerCase().includes(wanted))
})

const columns = Effect.fnUntraced(function* ({ source, table }: Orders["columns"]) {
  return yield* withConnection(source, async ({ connection, session }) => {
    const found = await connection.describeTable(table)
    if (found !== undefined) return found
    throw await missingTable(connection, shownTable(table), { dataSource: { name: source } }, session)
  })
})

const requestOf = Effect.fnUntraced(function* (order: FlowOrder): Effect.fn.Return<FlowRequest, FlowError> {
  const { document, parameters, bizdate, scheduledAt } = order
  const flow = named(yield* readFlow(document, "the flow"), order)
  return {
    flow,
    parameters,
    ...(bizdate === undefined ? {} : { bizdate }),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
  }
})

/** The server's name for a flow is the one under which its runs and marks are kept. */
function named({ name: own, ...flow }: Flow, { name }: Pick<FlowOrder | RunOfOrder, "name">): Flow {
  const given = name === undefined ? own : name
  return given === undefined || given === null ? flow : { ...flow, name: given }
}

/** The settings of the last call that gave some. */
function overridesOf({ origin }: RunRecord, { overrides = {} }: Pick<RunOfOrder, "overrides">): RunOverrides {
  return { ...origin.overrides, ...overrides }
}

function watch({ onEvent }: CarryOptions): Watch<never> {
  return (_, go) => go(onEvent)
}
