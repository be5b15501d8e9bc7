import type { Values } from "./rows.ts"

/** How a table differs from what it must hold, row by row and counting repetitions. */
export interface Difference {
  /** Rows that must be there and are not. A row with a wrong value is one lost and one doubled. */
  readonly lost: number
  /** Rows too many: present more often than they must be, or never meant to be there. */
  readonly doubled: number
  /** Some of them, for a person. */
  readonly examples: readonly string[]
}

export function differenceOf(expected: Iterable<Values>, actual: Iterable<Values>): Difference {
  const open = new Map<string, number>()
  for (const row of expected) add(open, row, 1)
  for (const row of actual) add(open, row, -1)
  let lost = 0
  let doubled = 0
  const examples: string[] = []
  for (const [row, count] of open) {
    if (count === 0) continue
    if (count > 0) lost += count
    else doubled -= count
    if (examples.length < 20) examples.push(`${count > 0 ? "lost" : "too many"} ×${Math.abs(count)}: ${row}`)
  }
  return { lost, doubled, examples }
}

function add(counts: Map<string, number>, row: Values, change: number): void {
  const key = JSON.stringify(row)
  counts.set(key, (counts.get(key) ?? 0) + change)
}
