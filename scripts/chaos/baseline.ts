import type { Baseline } from "./inflict.ts"
import { isPostgres, type Shape } from "./shape.ts"

/**
 * How long runs take in peace. A shape is measured when it first comes, with few rows and with many; between the two,
 * time grows with the rows.
 */
export class Baselines {
  readonly #measure: (shape: Shape) => Promise<Baseline>
  readonly #known = new Map<string, Promise<Baseline>>()

  constructor(measure: (shape: Shape) => Promise<Baseline>) {
    this.#measure = measure
  }

  async of(shape: Shape): Promise<Baseline> {
    const few = await this.#measured({ ...shape, rows: FEW })
    if (shape.rows <= FEW) return few
    const many = await this.#measured({ ...shape, rows: MANY })
    const part = (shape.rows - FEW) / (MANY - FEW)
    return { ms: few.ms + part * (many.ms - few.ms), statements: part < 0.5 ? few.statements : many.statements }
  }

  #measured(shape: Shape): Promise<Baseline> {
    const { source, target, mode, splits, rows } = shape
    const key = [isPostgres(source), isPostgres(target), mode, splits, rows].join(" ")
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const measuring = this.#measure({ ...shape, bad: "typed" })
    this.#known.set(key, measuring)
    return measuring
  }
}

export const FEW = 2000
const MANY = 60_000
