import type { Batch, Output } from "../../core/contract/index.ts"
import { jsonPrinter } from "./json-lines.ts"
import { tablePrinter } from "./text-table.ts"

export interface ConsoleConfig {
  readonly format: "table" | "json"
  readonly maxRows?: number
  readonly maxCharacters: number
}

/** Text for some rows of a batch: the first `rows`. */
export type Print = (batch: Batch, rows: number) => string

export default {
  kind: "output",
  id: "console-output",
  title: "Console",
  summary: "Prints rows as a table or as JSON lines.",
  description: `
Prints to the standard output of the process that runs the flow, batch by batch; rows of splits that run at the same time
may mix. What is printed stays, so a split that is repeated is printed again.

The table shows line breaks and control characters as escapes, so that no value can draw outside its cell. In JSON, all
digits of a number stay; binary data is \`\\x…\` text; NaN and infinity are strings.
`.trim(),
  config: {
    type: "object",
    properties: {
      format: {
        enum: ["table", "json"],
        default: "table",
        description: "An aligned table, or one JSON object a line.",
      },
      maxRows: {
        type: "integer",
        minimum: 0,
        description: "Prints this many rows of a split and counts the others. Default: all.",
      },
      maxCharacters: { type: "integer", minimum: 1, default: 60, description: "Longer values are cut in the table." },
    },
    additionalProperties: false,
  },
  examples: [
    { title: "A table of the first twenty rows", config: { maxRows: 20 } },
    { title: "JSON lines", config: { format: "json" } },
  ],

  async plan(_, input) {
    return { uses: input.map(({ name }) => name), encodings: [], issues: [], notes: [] }
  },

  async open(config, { input }) {
    return {
      async write(_, rows, session) {
        const print: Print =
          config.format === "json"
            ? jsonPrinter(session.batches)
            : tablePrinter(input, session.batches, config.maxCharacters)
        const limit = config.maxRows ?? Number.POSITIVE_INFINITY
        let written = 0
        for await (const batch of rows) {
          if (batch.encoding !== undefined)
            throw session.failure("protocol", `Cannot print frames of ${batch.encoding}: batches were agreed on`)
          if (session.signal.aborted) throw session.failure("cancelled", "Cannot print on: the run was cancelled")
          const shown = Math.min(batch.rows, limit - written)
          if (shown > 0) console.log(print(batch, shown))
          written += batch.rows
        }
        if (written > limit && config.format === "table") console.log(`… and ${written - limit} more rows`)
        return { written, guarantee: "at-least-once" }
      },
      async finish() {},
      async abort() {},
      async [Symbol.asyncDispose]() {},
    }
  },
} satisfies Output<ConsoleConfig>
