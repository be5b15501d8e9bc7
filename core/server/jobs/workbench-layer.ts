import { Effect, Layer } from "effect"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { FlowLibrary } from "../flows/flow-library.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { SourcePolicy } from "../sources/source-policy.ts"
import { type OpenSource, SourceRegistry } from "../sources/source-registry.ts"
import type { Answers, FlowOrder, OrderKind, Orders, SourceOrder } from "./orders.ts"
import { type CheckedFlow, type FlowQuestion, Workbench } from "./workbench.ts"
import { type WorkerError, WorkerPool } from "./worker-pool.ts"

/** Workers answer, each question within a minute. */
export const workbenchLayer = Layer.effect(
  Workbench,
  Effect.gen(function* () {
    const pool = yield* WorkerPool
    const library = yield* FlowLibrary
    const sources = yield* SourceRegistry
    const policy = yield* SourcePolicy
    const audit = yield* AuditLog

    const ask = <K extends OrderKind>(
      kind: K,
      order: Orders[K],
    ): Effect.Effect<Answers[K], WorkerError | RequestError> =>
      Effect.timeoutOrElse(pool.perform(kind, order, { deadlineMs: LEAVE_MS }), {
        duration: ANSWER_MS,
        orElse: () => tooLate,
      })

    /** With the grants of whoever asks. */
    const orderOf = Effect.fnUntraced(function* (actor: Actor, question: FlowQuestion) {
      const { document, environment, parameters = {}, bizdate, scheduledAt } = question
      const uses = yield* library.uses(document)
      yield* sources.authorize(actor.account, uses)
      const names = [...new Set(uses.map(({ name }) => name))]
      const opened = yield* sources.open(names, environment)
      const { files } = yield* policy.current
      return {
        ...{ document, parameters, sources: opened, files },
        ...(bizdate === undefined ? {} : { bizdate }),
        ...(scheduledAt === undefined ? {} : { scheduledAt }),
      } satisfies FlowOrder
    })
    const lookAt = Effect.fnUntraced(function* (source: OpenSource) {
      const { files } = yield* policy.current
      return { source: source.name, sources: [source], files } satisfies SourceOrder
    })

    return Workbench.of({
      check: Effect.fnUntraced(function* (actor, question) {
        const asked = yield* Effect.result(ask("check", yield* orderOf(actor, question)))
        if (asked._tag === "Success") return asked.success
        const error = asked.failure
        if (error._tag === "RequestError") return yield* error
        return problemsOf(error) ?? (yield* refused(error))
      }),
      plan: (actor, question) => answered(Effect.flatMap(orderOf(actor, question), (order) => ask("plan", order))),
      preview: (actor, { step, rows, ...question }) =>
        answered(
          Effect.flatMap(orderOf(actor, question), (order) =>
            ask("preview", { ...order, rows, ...(step === undefined ? {} : { step }) }),
          ),
        ),
      parameters: (actor, question) =>
        answered(Effect.flatMap(orderOf(actor, question), (order) => ask("parameters", order))),
      createTables: Effect.fnUntraced(function* (actor, question) {
        const order = yield* orderOf(actor, question)
        const created = yield* answered(
          Effect.tapError(ask("createTables", order), (error) => {
            if (!mayHaveMade(error)) return Effect.void
            const names = order.sources.map(({ name }) => name)
            return audit.record(actor, {
              action: "tables.failed",
              subject: { kind: "data source", id: "", name: names.join(", ") },
              detail: { environment: question.environment, message: error.message },
            })
          }),
        )
        for (const { dataSource, statements } of created.tables)
          yield* audit.record(actor, {
            action: "tables.created",
            subject: { kind: "data source", id: "", name: dataSource },
            detail: { environment: question.environment, statements },
          })
        return created
      }),
      testConnection: (source) => answered(Effect.flatMap(lookAt(source), (order) => ask("testConnection", order))),
      tables: (source, filter) =>
        answered(Effect.flatMap(lookAt(source), (order) => ask("tables", { ...order, ...filter }))),
      columns: (source, table) =>
        answered(Effect.flatMap(lookAt(source), (order) => ask("columns", { ...order, table }))),
    })
  }),
)

function answered<A, E, R>(asking: Effect.Effect<A, E | WorkerError, R>) {
  return Effect.catchIf(asking, isWorkerError, (error) => Effect.fail(refused(error)))
}

/** Whether some of the tables may be there, although not all of them are. */
function mayHaveMade(error: WorkerError | RequestError): boolean {
  return error._tag === "RequestError" || !NOT_BEGUN.has(error.kind)
}

function isWorkerError(error: unknown): error is WorkerError {
  return (error as { readonly _tag?: unknown } | null)?._tag === "WorkerError"
}

/** What is wrong with a flow is the answer, not a failure to give one. */
function problemsOf({ kind, problems, message, hint }: WorkerError): CheckedFlow | undefined {
  if (kind === "refused") return { problems: problems ?? [{ message }], warnings: [] }
  if (kind !== "failed") return undefined
  return { problems: [{ message, ...(hint === undefined ? {} : { hint }) }], warnings: [] }
}

function refused({ kind, message, hint, problems }: WorkerError): RequestError {
  const isAsked = kind === "refused" || kind === "failed"
  return refuse(isAsked ? "invalid" : "unavailable", message, {
    ...(hint === undefined ? {} : { hint }),
    ...(problems === undefined ? {} : { problems }),
  })
}

const NOT_BEGUN: ReadonlySet<WorkerError["kind"]> = new Set(["refused", "unavailable"])
const ANSWER_MS = 60_000
const LEAVE_MS = 2000
const tooLate = Effect.fail(
  refuse("unavailable", `There was no answer in ${ANSWER_MS / 1000} s`, {
    hint: "Look whether the systems that the flow names answer, and try again",
  }),
)
