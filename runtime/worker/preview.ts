import { Deferred, Effect, Fiber, Layer } from "effect"
import type { Plugin } from "../../core/contract/index.ts"
import { Events } from "../../core/events/events.ts"
import { closestName } from "../../core/flow/closest-name.ts"
import { flowError } from "../../core/flow/problem.ts"
import type { Components } from "../../core/host/components.ts"
import { InstalledComponents } from "../../core/host/services.ts"
import { Journal, type Rejection } from "../../core/run/journal.ts"
import type { RunReport } from "../../core/run/report.ts"
import { runPlan } from "../../core/run/run.ts"
import { type Collected, makeCollector } from "./collector.ts"
import { COLLECTOR, previewFlow } from "./preview-flow.ts"
import { type FlowRequest, planNew } from "./run-flow.ts"

export interface PreviewRequest extends FlowRequest {
  readonly rows: number
  readonly step: string | undefined
}

export interface Preview {
  readonly report: RunReport
  readonly shown: readonly (Collected & { readonly step: string })[]
  readonly rejections: readonly Rejection[]
  /** True when the flow was stopped because there were enough rows. */
  readonly isCut: boolean
}

/** Runs the beginning of a flow with every output replaced, so that it cannot write. */
export const preview = Effect.fnUntraced(function* (request: PreviewRequest) {
  const components = yield* InstalledComponents
  const { flow, step, rows } = request
  if (step !== undefined && !flow.steps.some(({ id }) => id === step)) return yield* unknownStep(step, flow.steps)
  const place = previewFlow(flow, step, (use) => components.get(use)?.component.kind)
  const enough = yield* Deferred.make<void>()
  const open = new Set(place.shows.keys())
  const { component, collected } = makeCollector(rows, (id) => {
    open.delete(id)
    if (open.size === 0) Deferred.doneUnsafe(enough, Effect.void)
  })
  const settings = { ...place.flow.settings, parallel: 1, batchRows: Math.min(rows, place.flow.settings.batchRows) }
  const withCollector = Layer.succeed(
    InstalledComponents,
    including(components, { ...PLUGIN, components: [component] }),
  )
  const plan = yield* planNew({ ...request, flow: { ...place.flow, settings } }).pipe(Effect.provide(withCollector))
  const writer = plan.steps.find((each) => each.component.kind === "output" && each.component.id !== COLLECTOR)
  if (writer !== undefined) return yield* Effect.die(`Step "${writer.id}" of a preview would write`)
  const rejections: Rejection[] = []
  const keep = Journal.layerForgetful((rejection) => {
    if (rejections.length < MOST_REJECTIONS) rejections.push(rejection)
  })
  let report: RunReport | undefined
  const run = runPlan(plan).pipe(
    Effect.tap((done) =>
      Effect.sync(() => {
        report = done
      }),
    ),
    Effect.uninterruptible,
    Effect.provide(Layer.merge(Events.layer, keep)),
  )
  const fiber = yield* Effect.forkScoped(run)
  yield* Effect.raceFirst(Fiber.await(fiber), Deferred.await(enough))
  const isCut = yield* Deferred.isDone(enough)
  yield* Fiber.interrupt(fiber)
  const shown = [...place.shows].map(([id, shownStep]) => ({
    step: shownStep,
    ...(collected.get(id) ?? { columns: [], rows: [] }),
  }))
  return { report: report!, shown, rejections, isCut } satisfies Preview
}, Effect.scoped)

function including(components: Components, plugin: Plugin): Components {
  const [component] = plugin.components
  return {
    ...components,
    get: (id) => (id === component!.id ? { component: component!, plugin } : components.get(id)),
  }
}

function unknownStep(step: string, steps: readonly { readonly id: string }[]) {
  const ids = steps.map(({ id }) => id)
  const near = closestName(step, ids)
  const hint = near === undefined ? `There are ${ids.join(", ")}` : `Did you mean "${near}"?`
  return flowError([{ message: `There is no step "${step}"`, hint }])
}

const PLUGIN = { name: "preview", version: "0.0.0", engine: 1, permissions: {} } as const
const MOST_REJECTIONS = 10
