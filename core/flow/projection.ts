import type { Columns } from "../contract/index.ts"
import type { BoundStep } from "./bind.ts"
import type { Graph } from "./graph.ts"
import type { FlowProblem } from "./problem.ts"

/** What every step has to give, so that its successors have what they use: walked backwards from the outputs. */
export function requirements(
  steps: readonly BoundStep[],
  graph: Graph,
  columnsOf: (step: string) => Columns,
  needs: (step: string) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const wanted = new Map<string, readonly string[]>()
  for (const step of steps.toReversed()) {
    const successors = graph.outgoing.get(step.id)!
    if (successors.length === 0) continue
    const lists = successors.map((hop) => needs(hop.to))
    const shared = successors.some((hop) => graph.incoming.get(hop.to)!.length > 1)
    // A single successor may have its own order; several, or one that merges streams, get the source's.
    const own = columnsOf(step.id).map((column) => column.name)
    const used =
      lists.length === 1 && !shared ? lists[0]! : own.filter((name) => lists.some((list) => list.includes(name)))
    // Rows have to come even if no column of them is used.
    wanted.set(step.id, used.length > 0 ? used : own.slice(0, 1))
  }
  return wanted
}

/**
 * The columns of several streams that flow into one step: the same names and types, in the same order. Undefined when a
 * predecessor could not be planned, or when they differ.
 */
export function unioned(
  step: string,
  incoming: readonly { readonly from: string; readonly columns: Columns | undefined }[],
  problems: FlowProblem[],
): Columns | undefined {
  const [first, ...others] = incoming
  if (first === undefined) return []
  if (incoming.some(({ columns }) => columns === undefined)) return undefined
  const columns = first.columns!
  let nullable = columns
  for (const other of others) {
    const difference = differs(columns, other.columns!)
    if (difference !== undefined) {
      problems.push({
        step,
        message: `Step "${step}" gets different columns from "${first.from}" and "${other.from}": ${difference}`,
        hint: "Make them alike with a select step on one side",
      })
      return undefined
    }
    nullable = nullable.map((column, i) => ({ ...column, nullable: column.nullable || other.columns![i]!.nullable }))
  }
  return nullable
}

function differs(one: Columns, two: Columns): string | undefined {
  if (one.length !== two.length) return `${one.length} and ${two.length} columns`
  for (const [i, column] of one.entries()) {
    const other = two[i]!
    if (other.name !== column.name) return `column ${i + 1} is "${column.name}" and "${other.name}"`
    if (JSON.stringify(other.type) !== JSON.stringify(column.type)) {
      return `column "${column.name}" is ${column.type.kind} and ${other.type.kind}`
    }
  }
  return undefined
}
