import type { RunEvent } from "../../core/events/events.ts"
import type { StepCount } from "../../core/run/report.ts"
import { bytes, count, duration, rate } from "./number-text.ts"
import type { Screen } from "./screen.ts"
import { textTable, width } from "./text-table.ts"

/** Shows how a run goes on: lines that are drawn anew on a terminal, nothing elsewhere. */
export class Progress {
  readonly #screen: Screen["Service"]
  readonly #now: () => number
  readonly #startedAt: number
  #estimatedRows: number | undefined
  #splits = 0
  #committed = 0

  constructor(screen: Screen["Service"], now: () => number) {
    this.#screen = screen
    this.#now = now
    this.#startedAt = now()
  }

  take(event: RunEvent): void {
    if (event.type === "run.started") this.#estimatedRows = event.estimatedRows
    else if (event.type === "input.opened") this.#splits += event.splits
    else if (event.type === "split.committed") this.#committed++
    else if (event.type === "run.progressed") this.#screen.live(this.lines(event.steps, event.rejected))
    else if (event.type === "run.finished") this.end()
  }

  end(): void {
    this.#screen.live([])
  }

  lines(steps: readonly StepCount[], rejected: number): readonly string[] {
    const { style, columns } = this.#screen
    const elapsed = this.#now() - this.#startedAt
    const cells = steps.map((step) => {
      const through = step.kind === "output" ? Math.max(step.rowsIn, step.rowsOut) : step.rowsOut
      return [step.step, count(through), bytes(step.bytes), rate(through, elapsed)]
    })
    const table = textTable(COLUMNS, cells, { style, most: 40 })
    const read = steps.reduce((sum, step) => (step.kind === "input" ? sum + step.rowsOut : sum), 0)
    const parts = [duration(elapsed)]
    if (this.#splits > 1) parts.push(`${this.#committed} of ${this.#splits} splits`)
    if (rejected > 0) parts.push(style.yellow(`${count(rejected)} rejected`))
    const bar = barOf(read, this.#estimatedRows, Math.min(30, columns - 40))
    const foot = bar === undefined ? parts.join("  ") : [bar, ...parts].join("  ")
    // A line that wraps could not be taken away again.
    return [...table, foot].filter((line) => width(plain(line)) < columns)
  }
}

function barOf(read: number, estimated: number | undefined, columns: number): string | undefined {
  if (estimated === undefined || estimated < 1 || columns < 5) return undefined
  // Statistics are old: an estimate is no promise, and 100 % is said by the summary only.
  const part = Math.min(read / estimated, 0.99)
  const full = Math.round(part * columns)
  return `${"█".repeat(full)}${"░".repeat(columns - full)} ${String(Math.floor(part * 100)).padStart(2)} %`
}

function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  return text.replaceAll(/\u001b\[\d+m/g, "")
}

const COLUMNS = [
  { title: "step" },
  { title: "rows", align: "right" },
  { title: "data", align: "right" },
  { title: "rate", align: "right" },
] as const
