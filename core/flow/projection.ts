import type { Columns, LogicalType } from "../contract/index.ts"
import type { BoundStep } from "./bind.ts"
import type { Graph } from "./graph.ts"
import type { FlowProblem } from "./problem.ts"

/** What the components say of themselves, asked for some of their output columns only. */
export interface Needs {
  /** All columns that a step can give. */
  columnsOf(step: string): Columns
  /** The incoming columns that a step uses to give these. */
  uses(step: string, wanted: readonly string[] | undefined): readonly string[]
  /** The columns that a step gives when it is asked for these: maybe more. */
  gives(step: string, wanted: readonly string[]): readonly string[]
}

/**
 * What every step has to give, so that its successors have what they use: walked backwards from the outputs. Streams
 * that flow together need equal columns: what one of them gives, the others have to give as well, so the walk is
 * repeated until nothing is added.
 */
export function requirements(
  steps: readonly BoundStep[],
  graph: Graph,
  needs: Needs,
): ReadonlyMap<string, readonly string[]> {
  const wanted = new Map<string, readonly string[]>()
  for (let round = 0; round <= steps.length; round++) {
    let isSettled = true
    for (const { id } of steps.toReversed()) {
      if (graph.outgoing.get(id)!.length === 0) continue
      const names = usedOf(id, graph, needs, wanted)
      if (names.join("\0") !== wanted.get(id)?.join("\0")) isSettled = false
      wanted.set(id, names)
    }
    if (isSettled) return wanted
  }
  // A component whose answers do not settle gives everything.
  return new Map()
}

function usedOf(
  step: string,
  graph: Graph,
  needs: Needs,
  wanted: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const hops = graph.outgoing.get(step)!
  const own = needs.columnsOf(step).map((column) => column.name)
  const beside = hops.flatMap((hop) => graph.incoming.get(hop.to)!.filter((other) => other !== hop))
  const lists = hops.map((hop) => needs.uses(hop.to, wanted.get(hop.to)))
  // A single successor may have its own order; several, or one that merges streams, get the source's.
  if (hops.length === 1 && beside.length === 0) return lists[0]!.length > 0 ? lists[0]! : own.slice(0, 1)
  const used = new Set([...lists.flat(), ...beside.flatMap((hop) => wanted.get(hop.from) ?? [])])
  const given = new Set(needs.gives(step, used.size > 0 ? own.filter((name) => used.has(name)) : own.slice(0, 1)))
  return own.filter((name) => given.has(name))
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
    if (shownType(other.type) !== shownType(column.type))
      return `column "${column.name}" is ${shownType(column.type)} and ${shownType(other.type)}`
  }
  return undefined
}

/** All of a type, such as `decimal(precision 10, scale 2)`. */
function shownType({ kind, ...rest }: LogicalType): string {
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .toSorted()
  return details.length === 0 ? kind : `${kind}(${details.join(", ")})`
}
