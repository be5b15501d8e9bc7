import type { KeptRow, WaitingRows } from "../../core/store/quarantine.ts"
import type { Replayed } from "../worker/replay-rows.ts"
import { count, rows } from "./number-text.ts"
import type { Style } from "./style.ts"
import { textTable } from "./text-table.ts"

export function waitingTable(waiting: readonly WaitingRows[], style: Style): readonly string[] {
  const cells = waiting.map(({ run, flow, step, reason, rows, held }) => [
    run,
    flow ?? "",
    step,
    count(rows),
    held === 0 ? "" : count(held),
    reason,
  ])
  return textTable(WAITING_COLUMNS, cells, { style, most: 100 })
}

export function keptRowTable(found: readonly KeptRow[], style: Style): readonly string[] {
  const cells = found.map(({ id, step, position, row, column, value, reason }) => [
    String(id),
    step,
    position ?? `row ${row}`,
    column ?? "",
    value === undefined ? "" : (value ?? "NULL"),
    reason,
  ])
  return textTable(ROW_COLUMNS, cells, { style, most: 60 })
}

/** What became of the rows of a step, in one line. */
export function replayedLine(
  { step, replayed, rejected, released, incomplete, trouble }: Replayed,
  style: Style,
): string {
  const parts = [`${rows(replayed)} replayed`]
  if (rejected > 0) parts.push(style.yellow(`${count(rejected)} rejected again`))
  if (released > 0) parts.push(`${count(released)} not tried`)
  if (incomplete > 0)
    parts.push(`${count(incomplete)} lack columns that the step needs: set these, or edit the rows in a file`)
  const end = trouble === undefined ? "" : `; ${trouble}`
  return `${step}: ${parts.join(", ")}${end}`
}

const WAITING_COLUMNS = [
  { title: "run" },
  { title: "flow" },
  { title: "step" },
  { title: "rows", align: "right" },
  { title: "held", align: "right" },
  { title: "reason" },
] as const
const ROW_COLUMNS = [
  { title: "id", align: "right" },
  { title: "step" },
  { title: "where" },
  { title: "column" },
  { title: "value" },
  { title: "reason" },
] as const
