import { Effect } from "effect"
import type { Plan, PlannedStep } from "../../core/flow/plan.ts"
import type { Components, InstalledComponent } from "../../core/host/components.ts"
import { DataSources, InstalledComponents } from "../../core/host/services.ts"
import type { FlowOrigin, NewRun, RecordedStep, SourceFingerprint } from "../../core/store/run-record.ts"
import { thisProcess } from "../store/process-owner.ts"

/** What a plan does not know of its run. */
export interface RunCall {
  readonly origin: FlowOrigin
  /** Values of parameters as they were given. */
  readonly parameters: Readonly<Record<string, string>>
  readonly replayOf?: string
}

/** What is recorded of a run before it begins. */
export const newRun = Effect.fnUntraced(function* (plan: Plan, { origin, parameters, replayOf }: RunCall) {
  const components = yield* InstalledComponents
  const { name } = plan.flow
  return {
    id: plan.runId,
    origin,
    parameters,
    bizdate: plan.bizdate,
    scheduledAt: plan.scheduledAt,
    steps: recordedSteps(plan, components),
    sources: yield* fingerprints(plan),
    owner: thisProcess(),
    ...(name === undefined ? {} : { flow: name }),
    ...(replayOf === undefined ? {} : { replayOf }),
  } satisfies NewRun
})

export function recordedSteps(plan: Plan, components: Components): readonly RecordedStep[] {
  return plan.steps.map((step) => recordedStep(step, components.get(step.component.id)))
}

/** Where the data sources of a plan lead. */
export const fingerprints = Effect.fnUntraced(function* (plan: Plan) {
  const dataSources = yield* DataSources
  const names = [...new Set(plan.steps.flatMap((step) => step.dataSources))]
  return yield* Effect.forEach(names, (name) =>
    Effect.map(
      dataSources.get(name),
      ({ type, settings }): SourceFingerprint => ({ name, type, place: placeOf(settings) }),
    ),
  )
})

/** What each input loads by a mark, such as `shop: orders by changed_at`, by step: the mark belongs to just that. */
export function markSources(plan: Plan): Readonly<Record<string, string>> {
  return markSourcesOf(inputsOf(plan))
}

export function markSourcesOf(
  inputs: readonly Pick<PlannedStep, "id" | "dataSources" | "config">[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    inputs.map(({ id, dataSources, config }) => {
      const { schema, table, incremental } = config as {
        readonly schema?: string
        readonly table?: string
        readonly incremental?: { readonly column: string }
      }
      const place = table === undefined ? "a query" : schema === undefined ? table : `${schema}.${table}`
      return [id, `${dataSources[0] ?? ""}: ${place} by ${incremental?.column ?? ""}`]
    }),
  )
}

/** Whether the run goes on where the last one ended: an input loads by a mark, and not just what it is told to. */
export function isIncremental(plan: Plan): boolean {
  return inputsOf(plan).some(({ config }) => {
    const { incremental } = config as { readonly incremental?: { readonly from?: string; readonly to?: string } }
    return incremental !== undefined && !isGiven(incremental.from) && !isGiven(incremental.to)
  })
}

function isGiven(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== ""
}

function inputsOf(plan: Plan): readonly PlannedStep[] {
  return plan.steps.filter(({ component }) => component.kind === "input")
}

function recordedStep(step: PlannedStep, installed: InstalledComponent | undefined): RecordedStep {
  const { id, component, input, output, offered, dataSources } = step
  const recorded = { id, use: component.id, kind: component.kind, input, output, offered, dataSources }
  return component.kind === "output" ? { ...recorded, writes: writingOf(step, installed) } : recorded
}

/** A file is written as a whole, a row is found by its key; what goes over the network is there twice for all that is known. */
function writingOf(
  { config }: PlannedStep,
  installed: InstalledComponent | undefined,
): "appends" | "merges" | "stages" {
  if (installed?.derivedFrom === undefined)
    return installed !== undefined && installed.plugin.permissions.network === undefined ? "stages" : "appends"
  const { mode } = config as { readonly mode?: unknown }
  if (mode === "replaceTable") return "stages"
  return mode === "append" ? "appends" : "merges"
}

function placeOf(settings: unknown): SourceFingerprint["place"] {
  const place: Record<string, string | number> = {}
  if (typeof settings !== "object" || settings === null) return place
  for (const [option, value] of Object.entries(settings)) {
    if (PLACES.has(option) && (typeof value === "string" || typeof value === "number")) place[option] = value
  }
  return place
}

const PLACES: ReadonlySet<string> = new Set(["host", "port", "socketPath", "database", "schema", "path"])
