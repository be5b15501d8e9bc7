import { and, asc, desc, eq } from "drizzle-orm"
import { Clock, Context, Effect, Layer } from "effect"
import { makeBatches } from "../../batch/index.ts"
import { markValue } from "../../database/mark-value.ts"
import { type Queries, StoreDatabase } from "../../store/database.ts"
import { lockOf } from "../../store/database-run-store.ts"
import { byHand, isByHand } from "../../store/marks.ts"
import type { StoreError } from "../../store/store-error.ts"
import type { Actor } from "../access/actor.ts"
import { AuditLog } from "../audit.ts"
import { type RequestError, refuse } from "../request-error.ts"
import { FlowLibrary, type SavedFlow } from "./flow-library.ts"
import { environments, liveRun, nameIn } from "./flow-rows.ts"

type Environment = "prod" | "dev"

/** Whose mark is meant. */
export interface MarkPlace {
  readonly flow: string
  readonly step: string
  readonly environment: Environment
}

/** How far an input has read. */
export interface FlowMark {
  readonly environment: Environment
  readonly step: string
  /** Data source, table and column. */
  readonly reads: string
  readonly mark: string
  /** The run that has set it; absent: somebody has, by hand. */
  readonly run?: string
  readonly at: number
}

/** How far the incremental inputs of flows have read, for whoever has to put that right by hand. */
export class FlowMarks extends Context.Service<
  FlowMarks,
  {
    list(flow: string): Effect.Effect<readonly FlowMark[], RequestError | StoreError>
    /** The next run reads what is larger. */
    set(actor: Actor, place: MarkPlace, mark: string): Effect.Effect<FlowMark, RequestError | StoreError>
    /** The next run reads everything. */
    drop(actor: Actor, place: MarkPlace): Effect.Effect<void, RequestError | StoreError>
  }
>()("core/server/FlowMarks") {
  static readonly layer = Layer.effect(
    FlowMarks,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      const library = yield* FlowLibrary
      const audit = yield* AuditLog
      const recorded = (actor: Actor, action: string, { id, name }: SavedFlow, detail: object) =>
        audit.record(actor, { action, subject: { kind: "flow", id, name }, detail: { ...detail } })
      return FlowMarks.of({
        list: Effect.fnUntraced(function* (name) {
          const flow = yield* library.get(name)
          return yield* database.read(async ({ select, tables: { marks } }) => {
            const found: FlowMark[] = []
            for (const environment of environments) {
              const named = eq(marks.flow, nameIn(environment, flow.name))
              for (const row of await select().from(marks).where(named).orderBy(asc(marks.step)))
                found.push(shown(row, environment))
            }
            return found
          })
        }),
        set: Effect.fnUntraced(function* (actor, place, given) {
          const flow = yield* library.get(place.flow)
          const { step, environment } = place
          const at = yield* Clock.currentTimeMillis
          const mark = given.trim()
          const { before, after } = yield* database.write(
            async (queries) => {
              const found = await changeable(queries, flow, place)
              if ("reason" in found) return found
              const wrong = await valueFault(queries, found, mark)
              if (wrong !== undefined) return wrong
              const { update, tables } = queries
              const changed = { mark, at, run: byHand(at) }
              await update(tables.marks).set(changed).where(sameMark(tables, found))
              return { before: found.mark, after: shown({ ...found, ...changed }, environment) }
            },
            lockOf(nameIn(environment, flow.name)),
          )
          yield* recorded(actor, "mark.set", flow, { step, environment, mark, before })
          return after
        }),
        drop: Effect.fnUntraced(function* (actor, place) {
          const flow = yield* library.get(place.flow)
          const { step, environment } = place
          const before = yield* database.write(
            async (queries) => {
              const found = await changeable(queries, flow, place)
              if ("reason" in found) return found
              await queries.delete(queries.tables.marks).where(sameMark(queries.tables, found))
              return found.mark
            },
            lockOf(nameIn(environment, flow.name)),
          )
          yield* recorded(actor, "mark.dropped", flow, { step, environment, before })
        }),
      })
    }),
  )
}

type MarkRow = Queries["tables"]["marks"]["$inferSelect"]

function shown({ step, source, mark, run, at }: MarkRow, environment: Environment): FlowMark {
  return { environment, step, reads: source, mark, at, ...(isByHand({ run }) ? {} : { run }) }
}

function sameMark({ marks }: Queries["tables"], { flow, step }: MarkRow) {
  return and(eq(marks.flow, flow), eq(marks.step, step))
}

/** The mark, unless a run is about to set it. */
async function changeable(
  queries: Queries,
  { id, name }: SavedFlow,
  { step, environment }: MarkPlace,
): Promise<MarkRow | RequestError> {
  const run = await liveRun(queries, id)
  if (run !== undefined) {
    const message = `A mark of flow "${name}" cannot be changed: run ${run.id} is ${run.status}, and sets it at its end`
    return refuse("conflict", message, { hint: "Cancel it, or wait for its end" })
  }
  const { select, tables } = queries
  const rows = await select()
    .from(tables.marks)
    .where(eq(tables.marks.flow, nameIn(environment, name)))
  const found = rows.find((row) => row.step === step)
  if (found !== undefined) return found
  const steps = rows.map((row) => row.step)
  const hint = steps.length === 0 ? "A run sets one, by what it has read" : `There are marks of ${steps.join(", ")}`
  return refuse("missing", `Step "${step}" of flow "${name}" has no mark`, { hint })
}

/** Why the column that is read by would not take a mark, as far as the last run tells its type. */
async function valueFault({ select, tables: { runs } }: Queries, { flow, step, source }: MarkRow, mark: string) {
  const [last] = await select({ steps: runs.steps })
    .from(runs)
    .where(eq(runs.flow, flow))
    .orderBy(desc(runs.key))
    .limit(1)
  const columns = last?.steps.find(({ id }) => id === step)?.offered.output ?? []
  const column = columns.find(({ name }) => source.endsWith(` by ${name}`))
  const message = `The mark "${mark}" is no value of column "${column?.name}"`
  if (column === undefined || markValue(mark, column.type, makeBatches({ rows: 1, bytes: 1 })) !== undefined) return
  const hint = `It is ${column.native?.type ?? column.type.kind}`
  return refuse("invalid", message, { hint, problems: [{ pointer: "/mark", message, hint }] })
}
