import { Clock, Effect } from "effect"
import type {
  Columns,
  InputPlan,
  Issue,
  OutputPlan,
  ParameterValue,
  RouterPlan,
  RunSettings,
  Session,
  TransformPlan,
} from "../contract/index.ts"
import { cancellable } from "../host/component-call.ts"
import { failure, type PluginError, pluginError } from "../host/failure.ts"
import { type DataSources, InstalledComponents, Machine } from "../host/services.ts"
import { makeSession, noRows } from "../host/session.ts"
import { type BoundStep, bindSteps } from "./bind.ts"
import { negotiate } from "./encoding-choice.ts"
import type { Flow, FlowHop, FlowSettings } from "./flow-schema.ts"
import { checkGraph, type Graph } from "./graph.ts"
import { defaultDates, type ParameterProblem, type PreviewedParameter, resolveParameters } from "./parameters/index.ts"
import { checkBranches, checkColumns, checkIncrements, combined, sameNames } from "./plan-checks.ts"
import { type FlowError, type FlowProblem, flowError } from "./problem.ts"
import { requirements, unioned } from "./projection.ts"

/** What a run is asked for besides the flow. */
export interface PlanRequest {
  readonly flow: Flow
  readonly parameters?: Readonly<Record<string, string>>
  readonly bizdate?: string
  readonly scheduledAt?: string
  readonly runId: string
  /** Above 1 for a run that is resumed: what its earlier attempts hold at the servers may be in the way of planning. */
  readonly fence?: number
}

/** A checked flow: nothing in it is left to chance. */
export interface Plan {
  readonly flow: Flow
  readonly runId: string
  readonly bizdate: string
  readonly scheduledAt: string
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly preview: readonly PreviewedParameter[]
  readonly settings: FlowSettings
  /** In an order in which every step comes after its predecessors. */
  readonly steps: readonly PlannedStep[]
  readonly warnings: readonly FlowProblem[]
  /** The parameters as they were given, to plan the same again; see {@link planAgain}. */
  readonly given: Readonly<Record<string, string>>
}

export interface PlannedStep extends BoundStep {
  /** What comes in; empty for an input. */
  readonly input: Columns
  /** What goes out; empty for an output. */
  readonly output: Columns
  /** What would come in and go out were no column left out for want of use; its options may name any of these. */
  readonly offered: { readonly input: Columns; readonly output: Columns }
  readonly outgoing: readonly FlowHop[]
  readonly incoming: readonly FlowHop[]
  /** Encoding in which it gives or takes frames; absent: batches. */
  readonly encoding?: string
  readonly notes: readonly string[]
  readonly creates: readonly string[]
  readonly branches?: readonly string[]
  readonly estimatedRows?: number
  /** Of an input that gives all columns of its source: their names when it was planned. */
  readonly seen?: readonly string[]
}

/** What a component has said of its step. */
export type Planned =
  | { readonly kind: "input"; readonly plan: InputPlan }
  | { readonly kind: "transform"; readonly plan: TransformPlan }
  | { readonly kind: "router"; readonly plan: RouterPlan; readonly columns: Columns }
  | { readonly kind: "output"; readonly plan: OutputPlan }

export type PlanServices = InstalledComponents | DataSources | Machine

/** Checks a flow and decides how it runs. Reads what the sources and targets say of themselves; changes nothing. */
export const planFlow = Effect.fn("planFlow")(function* (
  request: PlanRequest,
): Effect.fn.Return<Plan, FlowError | PluginError, PlanServices> {
  const { flow, runId } = request
  const components = yield* InstalledComponents
  const { graph, problems } = checkGraph(flow, (use) => components.get(use)?.component.kind)
  // Parameters, options and hops are independent of each other: whoever has several wrong hears of all.
  const resolved = yield* resolve(request).pipe(Effect.mapError((error) => flowError([...problems, ...error.problems])))
  const bound = yield* bindSteps(flow, resolved.values).pipe(
    Effect.mapError((error) => flowError([...problems, ...error.problems])),
  )
  const increments = problems.length > 0 ? { problems, warnings: [] } : checkIncrements(flow, bound, graph)
  if (increments.problems.length > 0) return yield* flowError(increments.problems)
  const steps = graph.order.map((id) => bound.find((step) => step.id === id)!)
  const planner = yield* makePlanner(steps, graph, flow.settings, resolved.values, {
    id: runId,
    fence: request.fence ?? 1,
  })
  // First with every column, to learn what is used; then with just that, where that is less.
  const first = yield* planner(new Map(), undefined)
  const required = yield* narrowed(steps, graph, first, resolved.values)
  const second = givesNoMore(required, first) ? first : yield* planner(required, first)
  const encodings = negotiate(steps, graph, second.planned, flow.settings)
  return {
    flow,
    runId,
    bizdate: resolved.bizdate,
    scheduledAt: resolved.scheduledAt,
    parameters: resolved.values,
    preview: resolved.preview,
    settings: flow.settings,
    steps: steps.map((step) => {
      const offered = { input: first.inputOf(step.id), output: first.columnsOf(step.id) }
      return { ...plannedStep(step, graph, second, encodings.get(step.id)), offered }
    }),
    warnings: [...increments.warnings, ...first.warnings],
    given: request.parameters ?? {},
  }
})

/** The same flow for the same run, planned once more: its sources may have changed. */
export function planAgain({
  flow,
  runId,
  bizdate,
  scheduledAt,
  given,
}: Plan): Effect.Effect<Plan, FlowError | PluginError, PlanServices> {
  return planFlow({ flow, runId, bizdate, scheduledAt, parameters: given })
}

/** Whether every step gives just what its successors use, in their order. */
function givesNoMore(required: ReadonlyMap<string, readonly string[]>, { columnsOf }: PlannerResult): boolean {
  return [...required].every(([step, names]) => sameNames(names, columnsOf(step)))
}

function plannedStep(
  step: BoundStep,
  graph: Graph,
  result: PlannerResult,
  encoding: string | undefined,
): Omit<PlannedStep, "offered"> {
  const planned = result.planned.get(step.id)!
  const notes = planned.kind === "router" ? [] : (planned.plan.notes ?? [])
  return {
    ...step,
    input: result.inputOf(step.id),
    output: result.columnsOf(step.id),
    outgoing: graph.outgoing.get(step.id)!,
    incoming: graph.incoming.get(step.id)!,
    notes:
      encoding === undefined
        ? notes
        : [...notes, `${planned.kind === "input" ? "gives" : "takes"} ${encoding}, unread`],
    creates: planned.kind === "output" ? (planned.plan.creates ?? []) : [],
    ...(encoding === undefined ? {} : { encoding }),
    ...(planned.kind === "router" ? { branches: planned.plan.branches } : {}),
    ...(planned.kind === "input" && planned.plan.estimatedRows !== undefined
      ? { estimatedRows: planned.plan.estimatedRows }
      : {}),
    ...(planned.kind === "input" && planned.plan.seen !== undefined ? { seen: planned.plan.seen } : {}),
  }
}

const resolve = Effect.fnUntraced(function* (request: PlanRequest) {
  const { timeZone } = request.flow.settings
  const now = yield* Clock.currentTimeMillis
  const given = {
    ...(request.bizdate === undefined ? {} : { bizdate: request.bizdate }),
    ...(request.scheduledAt === undefined ? {} : { scheduledAt: request.scheduledAt }),
  }
  const dates = defaultDates({ ...given, now, timeZone })
  if (dates.problems !== undefined) return yield* flowError(dates.problems.map(fromParameter))
  const { bizdate, scheduledAt } = dates
  const resolved = resolveParameters({
    document: request.flow,
    given: request.parameters ?? {},
    bizdate,
    scheduledAt,
    timeZone,
    builtins: { flow: request.flow.name ?? "", run: request.runId },
  })
  if (resolved.problems !== undefined) return yield* flowError(resolved.problems.map(fromParameter))
  return { ...resolved, bizdate, scheduledAt }
})

function fromParameter({ message, hint, pointer }: ParameterProblem): FlowProblem {
  return { message, ...(hint === undefined ? {} : { hint }), ...(pointer === undefined ? {} : { pointer }) }
}

interface PlannerResult {
  readonly planned: ReadonlyMap<string, Planned>
  readonly warnings: readonly FlowProblem[]
  columnsOf(step: string): Columns
  inputOf(step: string): Columns
}

/** What every step has to give; asks transforms and routers anew, now for what is behind them alone. */
const narrowed = Effect.fnUntraced(function* (
  steps: readonly BoundStep[],
  graph: Graph,
  first: PlannerResult,
  parameters: Readonly<Record<string, ParameterValue>>,
) {
  const session = { failure, parameters }
  const answer = (id: string, wanted: readonly string[] | undefined) => {
    const { component, config } = steps.find((step) => step.id === id)!
    const request = { input: first.inputOf(id), ...(wanted === undefined ? {} : { wanted }) }
    const planned = first.planned.get(id)!
    if (planned.kind === "output") return { uses: planned.plan.uses, gives: [] }
    if (planned.kind === "input") return { uses: [], gives: wanted ?? [] }
    try {
      if (component.kind === "transform") {
        const { requires, columns } = component.plan(config, request, session)
        return { uses: requires, gives: columns.map((column) => column.name) }
      }
      // A router passes on all that it gets: what it needs itself as well as what is behind it.
      const requires = component.kind === "router" ? component.plan(config, request, session).requires : []
      const names = request.input.map((column) => column.name)
      const passed = names.filter((name) => requires.includes(name) || (wanted ?? names).includes(name))
      return { uses: passed, gives: passed }
    } catch (error) {
      throw pluginError(error, id)
    }
  }
  return yield* Effect.try({
    try: () =>
      requirements(steps, graph, {
        columnsOf: first.columnsOf,
        uses: (id, wanted) => answer(id, wanted).uses,
        gives: (id, wanted) => answer(id, wanted).gives,
      }),
    catch: (thrown) => pluginError(thrown),
  })
})

/**
 * Plans every step in order; `wanted` narrows what a step gives, after a `first` plan with all columns. Fails with all
 * problems of all steps.
 */
const makePlanner = Effect.fnUntraced(function* (
  steps: readonly BoundStep[],
  graph: Graph,
  settings: FlowSettings,
  parameters: Readonly<Record<string, ParameterValue>>,
  run: Session["run"],
) {
  const machine = yield* Machine
  const sessionFor = (signal: AbortSignal): Session =>
    makeSession({
      ...machine,
      signal,
      parameters,
      settings: runSettings(settings),
      run,
      reject: ({ reason }) => {
        throw failure("data", `Cannot plan: ${reason}`)
      },
      ...noRows,
    })
  return Effect.fnUntraced(function* (
    wanted: ReadonlyMap<string, readonly string[]>,
    first: PlannerResult | undefined,
  ): Effect.fn.Return<PlannerResult, FlowError | PluginError> {
    const planned = new Map<string, Planned>()
    const inputs = new Map<string, Columns>()
    const problems: FlowProblem[] = []
    const warnings: FlowProblem[] = []
    const failures: PluginError[] = []
    for (const step of steps) {
      const incoming = graph.incoming
        .get(step.id)!
        .map((hop) => ({ from: hop.from, columns: columnsOf(planned.get(hop.from)) }))
      const input = unioned(step.id, incoming, problems)
      // Without its input's columns nothing can be said about a step; the cause is already on the list.
      if (input === undefined) continue
      inputs.set(step.id, input)
      // Options may name columns that nobody uses: transforms always see all columns, outputs what will come.
      const seen = step.component.kind === "output" ? input : (first?.inputOf(step.id) ?? input)
      const result = yield* Effect.result(
        planStep(step, seen, wanted.get(step.id), sessionFor, settings.cancelTimeoutMs),
      )
      if (result._tag === "Failure") {
        failures.push(result.failure)
        continue
      }
      // A router passes on what really comes.
      planned.set(step.id, result.success.kind === "router" ? { ...result.success, columns: input } : result.success)
      // Judged when every column was there.
      const judged = first === undefined ? result.success.plan.issues : []
      const issues = [...judged, ...checkColumns(result.success, wanted.get(step.id))]
      for (const issue of issuesOf(step.id, issues))
        (issue.severity === "warning" ? warnings : problems).push(issue.problem)
      if (result.success.kind === "router") problems.push(...checkBranches(step.id, result.success.plan, graph))
    }
    if (failures.length > 0) return yield* combined(failures, problems)
    if (problems.length > 0) return yield* flowError(problems)
    return {
      planned,
      warnings,
      columnsOf: (id) => columnsOf(planned.get(id)) ?? [],
      inputOf: (id) => inputs.get(id) ?? [],
    }
  })
})

/** A step that throws is a problem of its own: the error names it. */
const planStep = Effect.fnUntraced(function* (
  step: BoundStep,
  input: Columns,
  wanted: readonly string[] | undefined,
  sessionFor: (signal: AbortSignal) => Session,
  cancelTimeoutMs: number,
): Effect.fn.Return<Planned, PluginError> {
  const { component, config } = step
  const attempt = <A>(use: (session: Session) => A | Promise<A>) =>
    cancellable(async (signal) => await use(sessionFor(signal)), cancelTimeoutMs, step.id)
  const narrowed = wanted === undefined ? {} : { wanted }
  switch (component.kind) {
    case "input":
      return {
        kind: "input",
        plan: yield* attempt((session) =>
          component.plan(config, wanted === undefined ? {} : { columns: wanted }, session),
        ),
      }
    case "transform":
      return {
        kind: "transform",
        plan: yield* attempt((session) => component.plan(config, { input, ...narrowed }, session)),
      }
    case "router":
      return {
        kind: "router",
        columns: input,
        plan: yield* attempt((session) => component.plan(config, { input, ...narrowed }, session)),
      }
    case "output":
      return { kind: "output", plan: yield* attempt((session) => component.plan(config, input, session)) }
  }
})

function columnsOf(planned: Planned | undefined): Columns | undefined {
  if (planned === undefined) return undefined
  if (planned.kind === "router") return planned.columns
  return planned.kind === "output" ? [] : planned.plan.columns
}

function issuesOf(step: string, issues: readonly Issue[]): { severity: Issue["severity"]; problem: FlowProblem }[] {
  return issues.map(({ severity, message, hint }) => ({
    severity,
    problem: { step, message: `Step "${step}": ${message}`, ...(hint === undefined ? {} : { hint }) },
  }))
}

export function runSettings(settings: FlowSettings): RunSettings {
  const { batchRows, batchBytes, bufferBytes, timeZone, schemaDrift } = settings
  const { connectTimeoutMs, connectRetries, statementTimeoutMs } = settings
  const limits = { connectTimeoutMs, connectRetries, statementTimeoutMs }
  const loadBytes = Math.max(bufferBytes, Math.floor((4 * bufferBytes) / settings.parallel))
  return { batchRows, batchBytes, bufferBytes, loadBytes, timeZone, schemaDrift, ...limits }
}
