import type { Column, Columns, LogicalType } from "../../core/contract/index.ts"
import type { Plan, PlannedStep } from "../../core/flow/plan.ts"
import { rows } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import type { Style } from "./style.ts"

/** What a run would do, for people. */
export function planLines(plan: Plan, style: Style, mask: (text: string) => string): readonly string[] {
  const lines: string[] = []
  for (const step of plan.steps) lines.push(...stepLines(step, style))
  const { parallel, forwarding, errorLimit, errorPercent } = plan.settings
  const limit = errorPercent === undefined ? String(errorLimit) : `${errorPercent} %`
  lines.push(
    style.bold("settings"),
    `  parallel ${parallel}, forwarding ${forwarding ? "on" : "off"}, rejected rows allowed ${limit}`,
  )
  lines.push(`  bizdate ${plan.bizdate}, scheduled at ${plan.scheduledAt}`)
  for (const { name, value } of plan.preview) lines.push(`  ${name} = ${value}`)
  for (const warning of plan.warnings) lines.push(problemText(warning, "warning", style))
  return lines.map(mask)
}

/** The same for programs. */
export function planJson(plan: Plan): object {
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

function stepLines(step: PlannedStep, style: Style): readonly string[] {
  const estimated = step.estimatedRows === undefined ? "" : `, about ${rows(step.estimatedRows)}`
  const lines = [`${style.bold(step.id)} ${style.dim(`${step.component.id}${estimated}`)}`]
  for (const note of step.notes) lines.push(`  ${note}`)
  for (const statement of step.creates) lines.push(`  would run: ${statement.replaceAll("\n", "\n  ")}`)
  for (const { to, send } of step.outgoing) lines.push(`  → ${to}${send === undefined ? "" : ` (${send})`}`)
  if (step.output.length > 0) lines.push(...columnLines(step.output, style))
  return [...lines, ""]
}

function columnLines(columns: Columns, style: Style): readonly string[] {
  const longest = Math.min(40, Math.max(...columns.map((column) => column.name.length)))
  return columns.map((column) => `  ${column.name.padEnd(longest)}  ${style.dim(columnText(column))}`)
}

function columnText(column: Column): string {
  return `${typeText(column.type)}${column.nullable ? "" : " not null"}`
}

function columnJson({ name, type, nullable, key }: Column): object {
  return { name, type: typeText(type), nullable, ...(key === undefined ? {} : { key }) }
}
