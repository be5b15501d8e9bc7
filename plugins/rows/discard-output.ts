import type { Output } from "../../core/contract/index.ts"

export default {
  kind: "output",
  id: "discard-output",
  title: "Discard",
  summary: "Counts rows and drops them.",
  description: `
For measuring inputs and transforms, and for checking that every row can be read.

Only the number of rows in a frame is looked at, so any encoding would do; since encodings cannot be enumerated, it names
\`postgres-copy-binary\` and \`csv\`. An input that has another one gives batches.
`.trim(),
  config: { type: "object", properties: {}, additionalProperties: false },
  examples: [{ title: "Drop everything", config: {} }],

  async plan(_, input) {
    return {
      uses: input.map(({ name }) => name),
      encodings: ["postgres-copy-binary", "csv"],
      issues: [],
      notes: ["drops every row"],
    }
  },

  async open() {
    return {
      async write(_, rows, session) {
        let written = 0
        for await (const { rows: count } of rows) {
          if (session.signal.aborted) throw session.failure("cancelled", "Cannot count on: the run was cancelled")
          written += count
        }
        return { written, guarantee: "exactly-once" }
      },
      async finish() {},
      async abort() {},
      async [Symbol.asyncDispose]() {},
    }
  },
} satisfies Output<Record<string, never>>
