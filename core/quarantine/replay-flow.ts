import type { Columns } from "../contract/index.ts"
import type { Flow, FlowHop, FlowStep } from "../flow/flow-schema.ts"
import type { ReplayEntry } from "../store/quarantine.ts"
import type { RecordedStep } from "../store/run-record.ts"
import type { TextRecord } from "./mend.ts"

/** Id of the component that gives rejected rows; no flow can name it, because ids have no colon. */
export const QUARANTINE = "headrace:quarantine"

/** A flow that carries the rejected rows of one step to where they were going. */
export interface ReplayFlow {
  readonly flow: Flow
  readonly entry: ReplayEntry
  /** Outputs that the rows can reach. */
  readonly outputs: readonly string[]
}

/**
 * Rows that an input has rejected enter behind it, in its place; those that another step has rejected enter that step
 * again. Everything that they cannot reach is left out. `adapted` is an output's configuration for rows that come later.
 */
export function replayFlow(
  flow: Flow,
  { id, kind }: Pick<RecordedStep, "id" | "kind">,
  options: { readonly rows: number; readonly adapted: (step: FlowStep) => FlowStep },
): ReplayFlow {
  const reached = descendants(id, flow.hops)
  const input = kind === "input" ? id : unique("quarantine", flow)
  const source: FlowStep = { id: input, use: QUARANTINE, config: { step: id } }
  const kept = flow.steps.filter((step) => reached.has(step.id) && step.id !== input)
  const hops = flow.hops.filter((hop) => reached.has(hop.from))
  const entering: readonly FlowHop[] = kind === "input" ? [] : [{ from: input, to: id }]
  const { errorPercent: _, ...settings } = flow.settings
  return {
    flow: {
      ...flow,
      steps: [source, ...kept.map(options.adapted)],
      hops: [...entering, ...hops],
      // A row that is still bad waits on; it must not keep the others.
      settings: { ...settings, errorLimit: options.rows, parallel: 1 },
    },
    entry: { input, step: id },
    outputs: kept.filter((step) => !flow.hops.some(({ from }) => from === step.id)).map((step) => step.id),
  }
}

/** Where the rows of a replay enter, as its flow says. */
export function entryOf({ steps }: Flow): ReplayEntry | undefined {
  const source = steps.find(({ use }) => use === QUARANTINE)
  return source === undefined
    ? undefined
    : { input: source.id, step: (source.config as { readonly step: string }).step }
}

/** The columns of rows that enter a flow at a step, and those of them that it uses. */
export function entryColumns({ kind, input, output, offered }: RecordedStep): {
  readonly offered: Columns
  readonly used: Columns
} {
  return kind === "input" ? { offered: offered.output, used: output } : { offered: offered.input, used: input }
}

/**
 * A rejected row in the columns in which it came to its step. An output may have told of it in the columns of its table,
 * which are those that came, in the same order, or the other ends of its `mapping`.
 */
export function enteringRecord(record: TextRecord, used: Columns, mapping: unknown): TextRecord {
  if (used.every(({ name }) => Object.hasOwn(record, name))) return record
  const pairs = Array.isArray(mapping) ? (mapping as readonly { readonly from: string; readonly to: string }[]) : []
  const names = Object.keys(record)
  const byPlace = mapping === "position" && names.length === used.length
  const found = used.flatMap(({ name: wanted }, i) => {
    const other = pairs.find(({ from, to }) => from === wanted && Object.hasOwn(record, to))?.to
    const name = Object.hasOwn(record, wanted) ? wanted : byPlace ? names[i] : (other ?? alike(wanted, names))
    return name === undefined ? [] : [[wanted, record[name]!] as const]
  })
  return Object.fromEntries(found)
}

function alike(wanted: string, names: readonly string[]): string | undefined {
  const found = names.filter((name) => name.toLowerCase() === wanted.toLowerCase())
  return found.length === 1 ? found[0] : undefined
}

function descendants(step: string, hops: readonly FlowHop[]): ReadonlySet<string> {
  const found = new Set([step])
  // A set may grow while it is walked.
  for (const id of found) for (const hop of hops) if (hop.from === id) found.add(hop.to)
  return found
}

function unique(wanted: string, flow: Flow): string {
  let id = wanted
  while (flow.steps.some((step) => step.id === id)) id = `${id}-`
  return id
}
