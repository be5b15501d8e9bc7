import type { RejectedRow } from "../contract/index.ts"
import type { FlowSettings } from "../flow/flow-schema.ts"
import type { PlannedStep } from "../flow/plan.ts"
import { failure } from "../host/failure.ts"
import type { RunReport, StepCount } from "./report.ts"
import { add, emptyCount } from "./tally.ts"

/** Rows read before a percentage means anything while a run goes on; at its end it is judged whatever the number. */
const JUDGED_FROM = 10_000

/** Counts rows while a run goes on and holds it to its reject limit. */
export class Counters {
  readonly #settings: Pick<FlowSettings, "errorLimit" | "errorPercent">
  readonly #steps: ReadonlyMap<string, ReturnType<typeof emptyCount>>
  readonly #adjusted = new Map<string, { step: string; policy: string; column: string; values: number }>()
  rejected = 0

  constructor(steps: readonly PlannedStep[], settings: Pick<FlowSettings, "errorLimit" | "errorPercent">) {
    this.#settings = settings
    this.#steps = new Map(steps.map(({ id, component }) => [id, emptyCount(id, component.kind)]))
  }

  add(step: string, change: Partial<StepCount>): void {
    add(this.#steps.get(step)!, change)
    this.rejected += change.rejected ?? 0
  }

  /** Counts a rejected row; throws when there are too many. */
  reject(step: string, row: RejectedRow): void {
    this.add(step, { rejected: 1 })
    const { errorLimit, errorPercent } = this.#settings
    if (errorPercent === undefined) {
      if (this.rejected > errorLimit) throw this.#exceeded(step, row, `${errorLimit} allowed`)
      return
    }
    const read = this.#read()
    if (read >= JUDGED_FROM && this.rejected * 100 > errorPercent * read)
      throw this.#exceeded(step, row, `${errorPercent} % of ${read} read are allowed`)
  }

  /** The final judgement: of a percentage, and of a limit that a component has not let pass. */
  judge(): void {
    const { errorLimit, errorPercent } = this.#settings
    const read = this.#read()
    const most = errorPercent === undefined ? errorLimit : (errorPercent * read) / 100
    if (this.rejected <= most) return
    const allowed =
      errorPercent === undefined ? `${errorLimit} allowed` : `${errorPercent} % of ${read} read are allowed`
    throw failure("data", `Cannot accept the run: ${plural(this.rejected)} rejected, ${allowed}`, { hint: HINT })
  }

  adjust(step: string, policy: string, column: string, values: number): void {
    const key = JSON.stringify([step, policy, column])
    const entry = this.#adjusted.get(key) ?? { step, policy, column, values: 0 }
    entry.values += values
    this.#adjusted.set(key, entry)
  }

  steps(): readonly StepCount[] {
    return [...this.#steps.values()].map((count) => ({ ...count }))
  }

  adjusted(): RunReport["adjusted"] {
    return [...this.#adjusted.values()].filter(({ values }) => values > 0)
  }

  #read(): number {
    let read = 0
    for (const count of this.#steps.values()) if (count.kind === "input") read += count.rowsOut + count.rejected
    return read
  }

  #exceeded(step: string, row: RejectedRow, allowed: string) {
    const value = row.value === undefined ? "" : row.value === null ? " NULL" : ` "${shortened(row.value)}"`
    const column = row.column === undefined ? "" : `, column "${row.column}"${value}`
    const place = row.position ?? `row ${row.row}`
    return failure(
      "data",
      `Step "${step}" rejected a row: ${place}${column}: ${row.reason} (${plural(this.rejected)} rejected, ${allowed})`,
      {
        retryable: false,
        hint: HINT,
      },
    )
  }
}

const HINT = "Mend the data, or raise errorLimit or errorPercent"

function plural(rows: number): string {
  return rows === 1 ? "1 row" : `${rows} rows`
}

function shortened(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value
}
