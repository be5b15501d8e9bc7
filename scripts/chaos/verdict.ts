import type { RunReport } from "../../core/run/report.ts"
import { leftovers } from "./leftovers.ts"
import { differenceOf } from "./oracle.ts"
import { badIds, expectedRows } from "./rows.ts"
import type { Scene } from "./scene.ts"
import type { Shape } from "./shape.ts"
import { quarantinedIds, type State } from "./state.ts"
import { readTarget } from "./tables.ts"

/** What is wrong after a run has succeeded; all empty when nothing is. */
export interface Verdict {
  readonly lost: number
  readonly doubled: number
  readonly leftovers: readonly string[]
  readonly unexpected: readonly string[]
  /** Rows that differ, for a person. */
  readonly examples: readonly string[]
}

/** Compares everything that can be seen of a run that says it has succeeded with what must be. */
export async function judge(scene: Scene, shape: Shape, state: State): Promise<Verdict> {
  const left = await leftovers(scene, state)
  const { lost, doubled, examples } = differenceOf(expectedRows(shape).values(), await readTarget(scene.places.target))
  const unexpected = [
    ...(state.report === undefined ? ["the report of the run is missing"] : receiptFaults(state.report, shape)),
    ...quarantineFaults(quarantinedIds(scene.home, state.id), badIds(shape)),
  ]
  return { lost, doubled, leftovers: left, unexpected, examples }
}

/** Whether a report adds up: in itself, and with the source. */
export function receiptFaults(report: RunReport, shape: Shape): readonly string[] {
  const bad = badIds(shape).length
  const faults: string[] = []
  const hold = (what: string, is: unknown, must: unknown) => {
    if (is !== must) faults.push(`receipt: ${what} is ${is}, not ${must}`)
  }
  const { receipts, status, splits, rejected } = report
  const outputs = receipts.flatMap((receipt) => receipt.outputs.map((output) => ({ ...output, receipt })))
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  hold("status", status, "succeeded")
  hold("number of receipts", receipts.length, splits)
  hold("number of different splits", new Set(receipts.map(({ split }) => split)).size, splits)
  hold("rows read", sum(receipts.map(({ read }) => read)), shape.rows)
  hold("rows written", sum(outputs.map(({ written }) => written)), shape.rows - bad)
  hold("rows rejected in receipts", sum(outputs.map((output) => output.rejected)), bad)
  hold("rows rejected", rejected, bad)
  for (const { receipt, written, filtered, made, guarantee, ...output } of outputs) {
    const place = `split ${receipt.split}`
    hold(`${place}: read + made`, receipt.read + made, written + output.rejected + filtered)
    hold(`${place}: guarantee`, guarantee, "exactly-once")
  }
  return faults
}

export function quarantineFaults(kept: readonly number[], bad: readonly number[]): readonly string[] {
  const { lost, doubled, examples } = differenceOf(
    bad.map((id) => [String(id)]),
    kept.map((id) => [String(id)]),
  )
  if (lost + doubled === 0) return []
  return [`quarantine: ${lost} rows missing, ${doubled} too many: ${examples.slice(0, 3).join("; ")}`]
}
