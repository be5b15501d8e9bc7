import { createHash } from "node:crypto"
import { Effect } from "effect"
import { closestName } from "../../core/flow/closest-name.ts"
import type { Flow, FlowStep } from "../../core/flow/flow-schema.ts"
import type { Plan } from "../../core/flow/plan.ts"
import type { FlowError } from "../../core/flow/problem.ts"
import type { Components } from "../../core/host/components.ts"
import { InstalledComponents } from "../../core/host/services.ts"
import { type Assignment, columnsRead, mend, type TextRecord } from "../../core/quarantine/mend.ts"
import { enteringRecord, entryColumns, replayFlow } from "../../core/quarantine/replay-flow.ts"
import type { RunReport } from "../../core/run/report.ts"
import { type MendedRow, Quarantine, type Settlement } from "../../core/store/quarantine.ts"
import type { RecordedStep, RunRecord } from "../../core/store/run-record.ts"
import { asked } from "../store/store.ts"
import { type EditedLines, editedRows } from "./edited-rows.ts"
import { withQuarantine } from "./quarantine-input.ts"
import { planNew, runAttempt, type Watch } from "./run-flow.ts"
import { newRun } from "./run-record.ts"
import { settleReplay } from "./settle-replay.ts"
import { refused, storedFlow } from "./stored-run.ts"

export interface ReplayRequest {
  readonly step: string | undefined
  readonly assignments: readonly Assignment[]
  /** Edited rows: only these are replayed. */
  readonly edited: EditedLines | undefined
  /** Settle earlier replays although their machine cannot be asked. */
  readonly force: boolean
}

/** What became of the rows of one step. */
export interface Replayed extends Settlement {
  readonly step: string
  /** Absent: none of the rows could be replayed. */
  readonly report?: RunReport
  /** Why nobody knows yet what became of the rows. */
  readonly trouble?: string
  /** Rows that cannot be replayed, because their record is not known or lacks a column. */
  readonly incomplete: number
}

/** Settles what earlier replays of the run have left. */
export const settleEarlier = Effect.fnUntraced(function* (run: RunRecord, force: boolean) {
  const quarantine = yield* Quarantine
  for (const { id, isSettled } of yield* asked(() => quarantine.replays(run.id)))
    if (!isSettled) yield* settleReplay(id, { force })
})

/** The steps of which rows can be replayed, in the order of the flow; refuses where there is nothing to do. */
export const stepsToReplay = Effect.fnUntraced(function* (
  run: RunRecord,
  { step, assignments, edited }: ReplayRequest,
) {
  const quarantine = yield* Quarantine
  if (step !== undefined && !run.steps.some(({ id }) => id === step)) {
    const ids = run.steps.map(({ id }) => id)
    const near = closestName(step, ids)
    return yield* refused(
      `There is no step "${step}"`,
      near === undefined ? `There are ${ids.join(", ")}` : `Did you mean "${near}"?`,
    )
  }
  const found: RecordedStep[] = []
  const columns = (id: string) => entryColumns(run.steps.find((each) => each.id === id)!).used.map(({ name }) => name)
  const rows = edited === undefined ? undefined : editedRows({ edited, run: run.id, quarantine, needed: columns })
  const edits = rows === undefined ? undefined : yield* asked(() => stepsOf(rows))
  if (edited !== undefined && edits !== undefined && !(step === undefined ? edits.size > 0 : edits.has(step)))
    return yield* refused(
      `Cannot replay ${edited.title}: there is no row${step === undefined ? "" : ` of step "${step}"`} to replay`,
      `Leave the lines that are to be replayed, as this writes them: headrace quarantine export ${run.id} FILE`,
    )
  for (const each of run.steps) {
    if (step !== undefined && each.id !== step) continue
    if (edits !== undefined && !edits.has(each.id)) continue
    if ((yield* asked(() => quarantine.count({ run: run.id, step: each.id, isFree: true }))) > 0) found.push(each)
  }
  if (found.length === 0) return yield* refuseNothing(run, step)
  for (const each of found) yield* refuseUnknown(each, assignments)
  return found
})

/** Replays the waiting rows of one step, as a run of its own. */
export const replayStep = Effect.fnUntraced(function* <R>(
  run: RunRecord,
  step: RecordedStep,
  request: ReplayRequest,
  watch: Watch<R>,
) {
  const quarantine = yield* Quarantine
  const components = yield* InstalledComponents
  // On a server its name is not the one of the document.
  const { name: _, ...rest } = yield* storedFlow(run)
  const flow: Flow = run.flow === undefined ? rest : { ...rest, name: run.flow }
  const rows = yield* asked(() => quarantine.count({ run: run.id, step: step.id, isFree: true }))
  const replay = replayFlow(flow, step, { rows, adapted: (each) => adapted(each, components) })
  yield* refuseFiles(replay.outputs, flow, components)
  const earlier = yield* asked(() => quarantine.replays(run.id))
  const runId = `${run.id}-r${earlier.length + 1}`
  const { parameters, bizdate, scheduledAt } = run
  const source = { quarantine, replay: runId, offered: entryColumns(step).offered, rows, isEmpty: false }
  const plan = yield* Effect.interruptible(
    planNew({ flow: replay.flow, parameters, bizdate, scheduledAt, runId }),
  ).pipe(Effect.provideService(InstalledComponents, withQuarantine(components, source)))
  yield* refuseReplacing(plan)
  const document = JSON.stringify(replay.flow)
  const hash = createHash("sha256").update(document).digest("hex")
  const origin = { document, hash, base: run.origin.base, overrides: {} }
  const recorded = yield* newRun(plan, { origin, parameters, replayOf: run.id }).pipe(
    Effect.provideService(InstalledComponents, withQuarantine(components, source)),
  )
  const mended = new Mending(step, flow, request, quarantine, run.id)
  const taken = yield* asked(() => quarantine.take(recorded, mended.rows()))
  const { incomplete } = mended
  if (taken === 0) return { step: step.id, incomplete, ...NOTHING } satisfies Replayed
  const report = yield* watch(plan, (onEvent) => runAttempt(plan, { fence: 1, replayOf: run.id, onEvent }))
  const settling =
    report.status === "succeeded"
      ? asked(() => quarantine.settle({ id: runId, fence: 1 }, replay.entry))
      : settleReplay(runId, { force: true })
  const settled = yield* Effect.result(settling)
  const outcome = settled._tag === "Success" ? settled.success : { ...NOTHING, trouble: settled.failure.message }
  return { step: step.id, report, incomplete, ...outcome } satisfies Replayed
}, Effect.uninterruptible)

/** Makes the rows of a step what they should have been. */
class Mending {
  readonly #step: RecordedStep
  readonly #mapping: unknown
  readonly #request: ReplayRequest
  readonly #quarantine: Quarantine["Service"]
  readonly #run: string
  incomplete = 0

  constructor(step: RecordedStep, flow: Flow, request: ReplayRequest, quarantine: Quarantine["Service"], run: string) {
    this.#step = step
    const { config } = flow.steps.find(({ id }) => id === step.id)!
    this.#mapping = (config as { readonly mapping?: unknown } | null)?.mapping
    this.#request = request
    this.#quarantine = quarantine
    this.#run = run
  }

  async *rows(): AsyncGenerator<MendedRow> {
    const { used } = entryColumns(this.#step)
    for await (const { id, record } of this.#found()) {
      const mended =
        record === undefined ? undefined : mend(enteringRecord(record, used, this.#mapping), this.#request.assignments)
      if (mended !== undefined && used.every(({ name }) => Object.hasOwn(mended, name))) yield { id, record: mended }
      else this.incomplete++
    }
  }

  async *#found(): AsyncGenerator<{ readonly id: number; readonly record?: TextRecord }> {
    const run = this.#run
    const step = this.#step.id
    const { edited } = this.#request
    if (edited === undefined) {
      yield* this.#quarantine.rows({ run, step, isFree: true })
      return
    }
    const needed = () => entryColumns(this.#step).used.map(({ name }) => name)
    for await (const { kept, record } of editedRows({ edited, run, step, quarantine: this.#quarantine, needed }))
      yield { id: kept.id, record }
  }
}

async function stepsOf(rows: ReturnType<typeof editedRows>): Promise<ReadonlySet<string>> {
  const steps = new Set<string>()
  for await (const { kept } of rows) steps.add(kept.step)
  return steps
}

const refuseNothing = Effect.fnUntraced(function* (run: RunRecord, step: string | undefined) {
  const quarantine = yield* Quarantine
  const of = step === undefined ? "" : ` of step "${step}"`
  const waiting = yield* asked(() =>
    quarantine.count({ run: run.id, status: "waiting", ...(step === undefined ? {} : { step }) }),
  )
  if (waiting === 0)
    return yield* refused(`No rejected rows${of} wait in run ${run.id}`, 'See "headrace quarantine list"')
  return yield* refused(
    `Cannot replay the ${waiting} rows${of} of run ${run.id}: their splits are not committed, and are read again when the run is resumed`,
    `Finish the run first: headrace resume ${run.id}`,
  )
})

/** What a column gets must be a column, and be made of columns. */
const refuseUnknown = Effect.fnUntraced(function* (step: RecordedStep, assignments: readonly Assignment[]) {
  const { offered } = entryColumns(step)
  const names = offered.map(({ name }) => name)
  const wrong = [...assignments.map(({ column }) => column), ...columnsRead(assignments)].find(
    (name) => !names.includes(name),
  )
  if (wrong === undefined) return
  const near = closestName(wrong, names)
  const hint = near === undefined ? `It has ${names.join(", ")}` : `Did you mean "${near}"?`
  return yield* refused(`Cannot set a column of rows of step "${step.id}": there is no column "${wrong}"`, hint)
})

/** A file is written as a whole: it would hold nothing but the replayed rows. */
const refuseFiles = Effect.fnUntraced(function* (outputs: readonly string[], flow: Flow, components: Components) {
  for (const id of outputs) {
    const installed = components.get(flow.steps.find((step) => step.id === id)!.use)
    if (installed === undefined || installed.derivedFrom !== undefined) continue
    if (installed.plugin.permissions.files !== "write") continue
    return yield* refused(
      `Cannot replay into output "${id}": it writes a file as a whole, which would hold nothing but the replayed rows`,
      "Mend the source and run the flow again, or export the rows: headrace quarantine export",
    )
  }
})

/** Rows that come later are added to what the run has loaded: nothing is prepared, replaced or checked again. */
function adapted(step: FlowStep, components: Components): FlowStep {
  const installed = components.get(step.use)
  if (installed?.derivedFrom === undefined || installed.component.kind !== "output") return step
  const given = Object.entries(step.config as Readonly<Record<string, unknown>>)
  const replaces = given.some(([option, value]) => option === "mode" && value === "replaceTable")
  const dropped = replaces ? [...PREPARATION, ...REPLACEMENT] : PREPARATION
  const kept = given.filter(([option]) => !dropped.includes(option))
  return { ...step, config: Object.fromEntries(replaces ? [...kept, ["mode", "append"]] : kept) }
}

/** The mode may be a parameter, which is known only now. */
function refuseReplacing({ steps }: Plan): Effect.Effect<void, FlowError> {
  const found = steps.find(({ config }) => (config as { readonly mode?: unknown } | null)?.mode === "replaceTable")
  if (found === undefined) return Effect.void
  return refused(
    `Cannot replay into output "${found.id}": it would replace its table with the replayed rows alone`,
    'Write its mode "replaceTable" into the flow itself, where it is known to be left out',
  )
}

/** Options of database outputs. */
const PREPARATION: readonly string[] = ["before"]
const REPLACEMENT: readonly string[] = ["mode", "replaceBy", "partition", "checks"]
const NOTHING: Settlement = { replayed: 0, rejected: 0, released: 0 }
