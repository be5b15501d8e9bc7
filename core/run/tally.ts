import type { PlannedStep } from "../flow/plan.ts"
import { failure } from "../host/failure.ts"
import type { Counters } from "./counters.ts"
import type { OutputReceipt, StepCount } from "./report.ts"

type Count = { -readonly [K in keyof StepCount]: StepCount[K] }

/** Counts the rows of one try at one split, and adds them to the run's; a try that failed takes them back. */
export class Tally {
  readonly #counters: Counters
  readonly #steps: readonly PlannedStep[]
  readonly #counts = new Map<string, Count>()
  readonly #adjusted: [step: string, policy: string, column: string, values: number][] = []

  constructor(counters: Counters, steps: readonly PlannedStep[]) {
    this.#counters = counters
    this.#steps = steps
    for (const { id, component } of steps) this.#counts.set(id, emptyCount(id, component.kind))
  }

  add(step: string, change: Partial<Pick<StepCount, "rowsIn" | "rowsOut" | "filtered" | "made" | "bytes">>): void {
    add(this.#counts.get(step)!, change)
    this.#counters.add(step, change)
  }

  /** Counts a rejected row; the run's limits are judged by the caller. */
  reject(step: string): void {
    this.#counts.get(step)!.rejected++
  }

  /** What an output committed in an earlier try counts as well. */
  adopt(step: string, received: number, written: number): void {
    this.add(step, { rowsIn: received, rowsOut: written })
    this.#counts.get(step)!.rejected += received - written
    this.#counters.add(step, { rejected: received - written })
  }

  adjust(step: string, policy: string, column: string, values: number): void {
    this.#adjusted.push([step, policy, column, values])
    this.#counters.adjust(step, policy, column, values)
  }

  of(step: string): StepCount {
    return this.#counts.get(step)!
  }

  /** Rows that inputs read, those that they rejected among them. */
  get read(): number {
    let read = 0
    for (const count of this.#counts.values()) if (count.kind === "input") read += count.rowsOut + count.rejected
    return read
  }

  /** The counts of the steps through which rows of this split have gone. */
  steps(): readonly StepCount[] {
    return [...this.#counts.values()].filter(({ rowsIn, rowsOut, rejected }) => rowsIn + rowsOut + rejected > 0)
  }

  /** Nothing of this try was committed: its rows were never there. */
  retract(): void {
    for (const [step, { rowsIn, rowsOut, filtered, made, bytes, rejected }] of this.#counts) {
      this.#counters.add(step, {
        rowsIn: -rowsIn,
        rowsOut: -rowsOut,
        filtered: -filtered,
        made: -made,
        bytes: -bytes,
        rejected: -rejected,
      })
    }
    for (const [step, policy, column, values] of this.#adjusted) this.#counters.adjust(step, policy, column, -values)
  }

  /**
   * What the split left at an output. Fails when it does not add up: every step must account for every row that it was
   * given, and an output for every row that came to it.
   */
  receipt(output: string, split: string, written: number, guarantee: OutputReceipt["guarantee"]): OutputReceipt {
    const { rowsIn: received, rejected } = this.of(output)
    if (received !== written + rejected) {
      throw failure(
        "data",
        `The receipt of output "${output}" does not add up for split ${split}: ${received} rows received, ${written} written, ${rejected} rejected`,
      )
    }
    const path = ancestors(this.#steps, output)
    let lost = 0
    for (const id of path) {
      const count = this.of(id)
      lost += count.rejected
      if (count.kind === "transform") balance(count, split)
    }
    const rest = this.read - lost - received
    return {
      step: output,
      received,
      written,
      rejected: lost + rejected,
      filtered: Math.max(rest, 0),
      made: Math.max(-rest, 0),
      guarantee,
    }
  }
}

export function emptyCount(step: string, kind: StepCount["kind"]): Count {
  return { step, kind, rowsIn: 0, rowsOut: 0, rejected: 0, filtered: 0, made: 0, bytes: 0 }
}

export function add(count: Count, change: Partial<StepCount>): void {
  count.rowsIn += change.rowsIn ?? 0
  count.rowsOut += change.rowsOut ?? 0
  count.rejected += change.rejected ?? 0
  count.filtered += change.filtered ?? 0
  count.made += change.made ?? 0
  count.bytes += change.bytes ?? 0
}

/** The steps from which the rows of a step come, near or far. */
export function ancestors(steps: readonly Pick<PlannedStep, "id" | "incoming">[], step: string): ReadonlySet<string> {
  const found = new Set<string>()
  const open = [step]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const { from } of steps.find((each) => each.id === id)!.incoming) {
      if (found.has(from)) continue
      found.add(from)
      open.push(from)
    }
  }
  return found
}

function balance({ step, rowsIn, made, rowsOut, rejected, filtered }: StepCount, split: string): void {
  if (rowsIn + made === rowsOut + rejected + filtered) return
  throw failure(
    "data",
    `The rows of step "${step}" do not add up for split ${split}: ${rowsIn} in and ${made} made, ${rowsOut} out, ${rejected} rejected and ${filtered} filtered`,
    { hint: "Report it to the author of the component: a step has to say which rows it drops or makes" },
  )
}
