import { Effect, Exit, Layer } from "effect"
import type { DataSource, Plugin } from "../../core/contract/index.ts"
import { Events } from "../../core/events/events.ts"
import type { FlowSettings } from "../../core/flow/flow-schema.ts"
import { type Plan, planAgain, planFlow } from "../../core/flow/plan.ts"
import { flowError } from "../../core/flow/problem.ts"
import { checkFlow } from "../../core/flow/read-flow.ts"
import { makeComponents } from "../../core/host/components.ts"
import { decodeConfig } from "../../core/host/config.ts"
import { withParking } from "../../core/host/parking.ts"
import { DataSources, InstalledComponents, Machine } from "../../core/host/services.ts"
import { Journal, type Rejection, type Resumed } from "../../core/run/journal.ts"
import type { RunReport } from "../../core/run/report.ts"
import { runPlan } from "../../core/run/run.ts"
import { plugins } from "../../plugins/registry.gen.ts"
import { makeFiles } from "../../runtime/files/files.ts"

/** The whole engine with the built-in plugins, for tests that run flows; nothing in it is a stand-in. */
export interface Engine {
  plan(flow: unknown, options?: RunOptions): Promise<Plan>
  run(flow: unknown, options?: RunOptions): Promise<RunReport>
  readonly rejections: Rejection[]
}

export interface RunOptions {
  readonly parameters?: Readonly<Record<string, string>>
  readonly bizdate?: string
  readonly signal?: AbortSignal
  /** Identity of the run; by default a new one each time. */
  readonly runId?: string
  /** Above 1: the run is resumed. */
  readonly fence?: number
  readonly resumed?: Resumed
  readonly marks?: Readonly<Record<string, string>>
  /** Settings beyond what a flow document may say, such as a stall that is noticed within a test. */
  readonly settings?: Partial<FlowSettings>
}

/** Data sources by name: `{ type, settings }`. */
export type Sources = Readonly<Record<string, { readonly type: string; readonly settings: unknown }>>

export function testEngine(
  sources: Sources = {},
  options: { readonly base?: string; readonly plugins?: readonly Plugin[] } = {},
): Engine {
  const components = makeComponents(options.plugins ?? plugins)
  const rejections: Rejection[] = []
  const quiet = () => {}
  const layer = Layer.mergeAll(
    Events.layer,
    Layer.succeed(InstalledComponents, components),
    Layer.succeed(Machine, {
      files: makeFiles({ base: options.base ?? process.cwd() }),
      log: { debug: quiet, info: quiet, warn: quiet },
    }),
    Journal.layerForgetful((rejection) => void rejections.push(rejection)),
    Layer.succeed(DataSources, {
      names: Object.keys(sources),
      get(name) {
        const source = sources[name]
        const type = source === undefined ? undefined : components.get(source.type)?.component
        if (source === undefined || type === undefined)
          return Effect.fail(flowError([{ message: `There is no data source "${name}"` }]))
        const decoded = decodeConfig(type.config, source.settings)
        if ("problems" in decoded) return Effect.fail(flowError(decoded.problems))
        return Effect.succeed({ name, type: source.type, settings: decoded.config } satisfies DataSource)
      },
    }),
  )
  let runs = 0
  const planned = (flow: unknown, { parameters, bizdate, runId, settings }: RunOptions) =>
    Effect.gen(function* () {
      const checked = yield* checkFlow(flow)
      const given = {
        ...(parameters === undefined ? {} : { parameters }),
        ...(bizdate === undefined ? {} : { bizdate }),
      }
      const plan = yield* planFlow({
        flow: checked,
        runId: runId ?? `test-${crypto.randomUUID().slice(0, 8)}-${++runs}`,
        ...given,
      })
      return { ...plan, settings: { ...plan.settings, ...settings } }
    })
  const launch = async <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof layer>>): Promise<A> => {
    const exit = await Effect.runPromiseExit(Effect.provide(effect, layer))
    if (Exit.isSuccess(exit)) return exit.value
    throw Exit.findErrorOption(exit).pipe((error) => (error._tag === "Some" ? error.value : exit.cause))
  }
  return {
    rejections,
    plan: (flow, at = {}) => launch(planned(flow, at)),
    run: (flow, at = {}) =>
      launch(
        Effect.flatMap(planned(flow, at), (plan) =>
          runPlan(plan, { ...at, replan: Effect.provide(planAgain(plan), layer) }),
        ).pipe(withParking),
      ),
  }
}
