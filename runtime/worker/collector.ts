import type { Columns, Output } from "../../core/contract/index.ts"
import { COLLECTOR } from "./preview-flow.ts"

/** The first rows that came to a place in a flow, as canonical text. */
export interface Collected {
  readonly columns: Columns
  readonly rows: (string | null)[][]
}

interface CollectorConfig {
  readonly place: string
}

/** An output that keeps the first rows of each place and forgets the others. `onEnough` is called when a place is full. */
export function makeCollector(most: number, onEnough: (place: string) => void) {
  const collected = new Map<string, Collected>()
  const component: Output<CollectorConfig> = {
    kind: "output",
    id: COLLECTOR,
    title: "Collector",
    summary: "Keeps the first rows for a preview.",
    config: {
      type: "object",
      properties: { place: { type: "string", description: "Step whose place it takes." } },
      required: ["place"],
      additionalProperties: false,
    },
    examples: [],
    async plan(_, input) {
      return { uses: input.map(({ name }) => name), encodings: [], issues: [], notes: [] }
    },
    async open({ place }, { input }) {
      const kept: Collected = { columns: input, rows: [] }
      collected.set(place, kept)
      return {
        async write(_, rows, session) {
          let written = 0
          for await (const batch of rows) {
            if (batch.encoding !== undefined)
              throw session.failure("protocol", `Cannot preview rows in the encoding "${batch.encoding}"`)
            for (let row = 0; row < batch.rows && kept.rows.length < most; row++)
              kept.rows.push(batch.vectors.map((vector) => session.batches.valueText(vector, row)))
            written += batch.rows
            if (kept.rows.length >= most) onEnough(place)
          }
          return { written, guarantee: "at-least-once" }
        },
        async finish() {},
        async abort() {},
        async [Symbol.asyncDispose]() {},
      }
    },
  }
  return { component, collected }
}
