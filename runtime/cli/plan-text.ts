import type { PlanJson } from "../worker/plan-json.ts"
import { rows } from "./number-text.ts"
import { problemText } from "./problem-text.ts"
import type { Style } from "./style.ts"

/** What a run would do, for people. */
export function planLines(plan: PlanJson, style: Style, mask: (text: string) => string): readonly string[] {
  const lines: string[] = []
  for (const step of plan.steps) lines.push(...stepLines(step, style))
  const { parallel, forwarding, errorLimit, errorPercent } = plan.settings
  const limit = errorPercent === undefined ? String(errorLimit) : `${errorPercent} %`
  lines.push(
    style.bold("settings"),
    `  parallel ${parallel}, forwarding ${forwarding ? "on" : "off"}, rejected rows allowed ${limit}`,
  )
  lines.push(`  bizdate ${plan.bizdate}, scheduled at ${plan.scheduledAt}`)
  for (const { name, value } of plan.parameters) lines.push(`  ${name} = ${value}`)
  for (const warning of plan.warnings) lines.push(problemText(warning, "warning", style))
  return lines.map(mask)
}

type Step = PlanJson["steps"][number]

function stepLines(step: Step, style: Style): readonly string[] {
  const estimated = step.estimatedRows === undefined ? "" : `, about ${rows(step.estimatedRows)}`
  const lines = [`${style.bold(step.id)} ${style.dim(`${step.use}${estimated}`)}`]
  for (const note of step.notes) lines.push(`  ${note}`)
  for (const statement of step.creates) lines.push(`  would run: ${statement.replaceAll("\n", "\n  ")}`)
  for (const { to, send } of step.to) lines.push(`  → ${to}${send === undefined ? "" : ` (${send})`}`)
  if (step.output.length > 0) lines.push(...columnLines(step.output, style))
  return [...lines, ""]
}

function columnLines(columns: Step["output"], style: Style): readonly string[] {
  const longest = Math.min(40, Math.max(...columns.map((column) => column.name.length)))
  return columns.map((column) => `  ${column.name.padEnd(longest)}  ${style.dim(columnText(column))}`)
}

function columnText(column: Step["output"][number]): string {
  return `${column.type}${column.nullable ? "" : " not null"}`
}
