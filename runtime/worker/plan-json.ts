import type { Column, LogicalType } from "../../core/contract/index.ts"
import type { Plan } from "../../core/flow/plan.ts"

/** What a run would do, for programs. */
export type PlanJson = ReturnType<typeof planJson>

export function planJson(plan: Plan) {
  return {
    runId: plan.runId,
    bizdate: plan.bizdate,
    scheduledAt: plan.scheduledAt,
    parameters: plan.preview,
    settings: plan.settings,
    steps: plan.steps.map(({ id, component, dataSources, input, output, outgoing, ...rest }) => ({
      id,
      use: component.id,
      kind: component.kind,
      dataSources,
      input: input.map(columnJson),
      output: output.map(columnJson),
      to: outgoing.map(({ to, send }) => ({ to, ...(send === undefined ? {} : { send }) })),
      ...(rest.encoding === undefined ? {} : { encoding: rest.encoding }),
      ...(rest.estimatedRows === undefined ? {} : { estimatedRows: rest.estimatedRows }),
      ...(rest.branches === undefined ? {} : { branches: rest.branches }),
      notes: rest.notes,
      creates: rest.creates,
    })),
    warnings: plan.warnings,
  }
}

/** A type as flows spell it, such as `decimal(12,2)`. */
export function typeText(type: LogicalType): string {
  switch (type.kind) {
    case "decimal":
      return type.precision === undefined ? "decimal" : `decimal(${type.precision},${type.scale ?? 0})`
    case "string":
      return type.length === undefined ? "string" : `string(${type.length})`
    case "bytes":
      return type.length === undefined ? "bytes" : `bytes(${type.length})`
    case "time":
      return type.precision === undefined ? "time" : `time(${type.precision})`
    case "timestamp": {
      const name = type.zone ? "timestamptz" : "timestamp"
      return type.precision === undefined ? name : `${name}(${type.precision})`
    }
    case "native":
      return `${type.system} ${type.name}`
    default:
      return type.kind
  }
}

function columnJson({ name, type, nullable, key }: Column) {
  return { name, type: typeText(type), nullable, ...(key === undefined ? {} : { key }) }
}
