import { Effect } from "effect"
import type { Component, ConfigSchema, ParameterValue } from "../contract/index.ts"
import { decodeConfig } from "../host/config.ts"
import { DataSources, InstalledComponents } from "../host/services.ts"
import type { Flow, FlowStep } from "./flow-schema.ts"
import { substitute } from "./parameters/index.ts"
import { type FlowError, type FlowProblem, flowError } from "./problem.ts"

/** A step with its component and its configuration, ready for the component. */
export interface BoundStep {
  readonly id: string
  readonly component: Exclude<Component, { kind: "database" }>
  readonly config: unknown
  /** Names of the data sources that it uses. */
  readonly dataSources: readonly string[]
}

/** Finds the components of all steps, puts parameters and data sources in, checks every option. All problems at once. */
export const bindSteps = Effect.fnUntraced(function* (
  flow: Flow,
  values: Readonly<Record<string, ParameterValue>>,
): Effect.fn.Return<readonly BoundStep[], FlowError, InstalledComponents | DataSources> {
  const problems: FlowProblem[] = []
  const bound: BoundStep[] = []
  for (const [i, step] of flow.steps.entries()) {
    const result = yield* Effect.result(bindStep(step, i, values))
    if (result._tag === "Success") bound.push(result.success)
    else problems.push(...result.failure.problems)
  }
  if (problems.length > 0) return yield* flowError(problems)
  return bound
})

const bindStep = Effect.fnUntraced(function* (
  step: FlowStep,
  i: number,
  values: Readonly<Record<string, ParameterValue>>,
): Effect.fn.Return<BoundStep, FlowError, InstalledComponents | DataSources> {
  const components = yield* InstalledComponents
  const installed = components.get(step.use)
  const pointer = `/steps/${i}`
  if (installed === undefined || installed.component.kind === "database") {
    const near = components.nearest(step.use, ["input", "transform", "router", "output"])
    return yield* flowError([
      {
        step: step.id,
        pointer: `${pointer}/use`,
        message: `Step "${step.id}" uses an unknown component: "${step.use}"`,
        hint: near === undefined ? 'Run "headrace components" to see what there is' : `Did you mean "${near}"?`,
      },
    ])
  }
  const { component } = installed
  const substituted = substitute(step.config, values, { schema: component.config, pointer: `${pointer}/config` })
  if (substituted.problems !== undefined) {
    return yield* flowError(
      substituted.problems.map(({ message, hint, pointer: at }) => problem(step.id, message, hint, at)),
    )
  }
  const decoded = decodeConfig(component.config, substituted.value)
  if ("problems" in decoded) {
    return yield* flowError(
      decoded.problems.map((found) =>
        problem(step.id, `Step "${step.id}": ${found.message}`, found.hint, `${pointer}/config${found.pointer}`),
      ),
    )
  }
  const { config, names } = yield* withDataSources(step.id, component.config, decoded.config)
  return { id: step.id, component, config, dataSources: names }
})

function problem(step: string, message: string, hint: string | undefined, pointer: string | undefined): FlowProblem {
  return { step, message, ...(hint === undefined ? {} : { hint }), ...(pointer === undefined ? {} : { pointer }) }
}

/** Puts the data source in the place of its name. */
const withDataSources = Effect.fnUntraced(function* (
  step: string,
  schema: ConfigSchema,
  config: Readonly<Record<string, unknown>>,
) {
  const dataSources = yield* DataSources
  const result: Record<string, unknown> = { ...config }
  const names: string[] = []
  for (const [option, property] of Object.entries(schema.properties)) {
    const type = property["x-dataSource"]
    const name = config[option]
    if (typeof type !== "string" || typeof name !== "string") continue
    const dataSource = yield* dataSources
      .get(name)
      .pipe(
        Effect.mapError((error) =>
          flowError(error.problems.map((found) => ({ ...found, step, message: `Step "${step}": ${found.message}` }))),
        ),
      )
    if (dataSource.type !== type) {
      return yield* flowError([
        {
          step,
          message: `Step "${step}" needs a data source of type ${type}: "${name}" is of type ${dataSource.type}`,
          hint: `Use a ${dataSource.type} component, or another data source`,
        },
      ])
    }
    result[option] = dataSource
    names.push(name)
  }
  return { config: result, names }
})
