import type { Batch, Columns, Input, Plugin, Session } from "../../core/contract/index.ts"
import type { Components } from "../../core/host/components.ts"
import { QUARANTINE } from "../../core/quarantine/replay-flow.ts"
import { type Quarantine, rangeName } from "../../core/store/quarantine.ts"
import { typeText } from "./plan-json.ts"

export interface QuarantineInputOptions {
  readonly quarantine: Quarantine["Service"]
  /** The run that has taken the rows. */
  readonly replay: string
  readonly offered: Columns
  readonly rows: number
  /** Give no rows: for splits of which nobody knows whether they are committed, so that they never will be. */
  readonly isEmpty: boolean
}

/** The components of the process, and an input that gives the rows that a replay has taken. */
export function withQuarantine(components: Components, options: QuarantineInputOptions): Components {
  const component = makeQuarantineInput(options)
  const plugin: Plugin = { name: "quarantine", version: "0.0.0", engine: 1, permissions: {}, components: [component] }
  return { ...components, get: (id) => (id === QUARANTINE ? { component, plugin } : components.get(id)) }
}

function makeQuarantineInput({ quarantine, replay, offered, rows, isEmpty }: QuarantineInputOptions): Input {
  return {
    kind: "input",
    id: QUARANTINE,
    title: "Quarantine",
    summary: "Gives the rejected rows that a replay has taken.",
    config: {
      type: "object",
      properties: { step: { type: "string", description: "Step that rejected them." } },
      required: ["step"],
      additionalProperties: false,
    },
    examples: [],
    async plan(_, { columns }) {
      return { columns: chosen(offered, columns), encodings: [], notes: [], issues: [], estimatedRows: rows }
    },
    async open(_, request) {
      const ranges = request.splits === undefined ? await quarantine.ranges(replay, SPLIT_ROWS) : []
      const made = ranges.map(([first, last]) => ({
        id: rangeName(first, last),
        label: `rejected rows ${first} to ${last}`,
        state: [first, last],
      }))
      const columns = chosen(offered, request.columns)
      return {
        splits: request.splits ?? made,
        oneSnapshot: true,
        lasting: true,
        async *read({ state }, session) {
          const [first, last] = state as [number, number] // made above, or in the replay that is settled
          if (!isEmpty) yield* rowsOf(quarantine, replay, [first, last], columns, session)
        },
        async [Symbol.asyncDispose]() {},
      }
    },
  }
}

async function* rowsOf(
  quarantine: Quarantine["Service"],
  replay: string,
  [first, last]: readonly [number, number],
  columns: Columns,
  session: Session,
): AsyncGenerator<Batch> {
  const builder = session.batches.builder(columns)
  let row = 0
  for await (const { record } of quarantine.taken(replay, first, last)) {
    if (session.signal.aborted) throw session.failure("cancelled", "Cannot replay more rows: the run was cancelled")
    const fault = fill(columns, builder.columns, record)
    if (fault === undefined) builder.endRow()
    else {
      builder.discardRow()
      session.reject({ row, record, ...fault })
    }
    row++
    if (builder.full) yield builder.finish()
  }
  if (builder.rows > 0) yield builder.finish()
}

interface Fault {
  readonly column: string
  readonly value: string | null
  readonly reason: string
}

function fill(
  columns: Columns,
  builders: ReturnType<Session["batches"]["builder"]>["columns"],
  record: Readonly<Record<string, string | null>>,
): Fault | undefined {
  for (const [i, { name, type, nullable }] of columns.entries()) {
    const value = (Object.hasOwn(record, name) ? record[name] : undefined) ?? null
    if (value === null) {
      if (!nullable) return { column: name, value, reason: "The value is NULL, which the column forbids" }
      builders[i]!.null()
      continue
    }
    const bytes = encoder.encode(value)
    if (!builders[i]!.parse(bytes, 0, bytes.length))
      return { column: name, value, reason: `The text is not a value of type ${typeText(type)}` }
  }
  return undefined
}

function chosen(offered: Columns, names: readonly string[] | undefined): Columns {
  if (names === undefined) return offered
  return names.flatMap((name) => offered.filter((column) => column.name === name))
}

const encoder = new TextEncoder()
/** Small enough that a failure costs little, large enough that commits do not count. */
const SPLIT_ROWS = 10_000
