import type { Output } from "headrace/contract"

interface Config {
  readonly path: string
  readonly column: string
}

/** Writes one column as lines of text, a file for each split: `notes.txt-1`, `notes.txt-2`. */
const linesOutput: Output<Config> = {
  kind: "output",
  id: "lines-output",
  title: "Lines of text",
  summary: "Writes one column as lines of text.",
  config: {
    type: "object",
    additionalProperties: false,
    required: ["path", "column"],
    properties: {
      path: { type: "string", description: "The files to write, before the number of the split." },
      column: { type: "string", description: "The column to write." },
    },
  },
  examples: [{ title: "Notes", config: { path: "out/notes.txt", column: "note" } }],

  // Looks, and changes nothing. What it `uses` is what earlier steps have to give.
  async plan(config, input) {
    const known = input.some(({ name }) => name === config.column)
    const issues = known ? [] : [{ severity: "error" as const, message: `Cannot find column "${config.column}"` }]
    return { uses: [config.column], encodings: [], issues, notes: [] }
  },

  async open(config, request) {
    const position = request.input.findIndex(({ name }) => name === config.column)
    let splits = 0
    return {
      // One split in one transaction: the file appears with `commit`, and a failure leaves nothing.
      async write(_split, rows, session) {
        const file = await session.files.create(`${config.path}-${++splits}`)
        let written = 0
        try {
          for await (const batch of rows) {
            if (batch.encoding !== undefined) throw session.failure("protocol", "Cannot write a frame")
            const text = session.batches.text(batch.vectors[position]!)
            for (let row = 0; row < batch.rows; row++) {
              const line = new Uint8Array(text.size(row) + 1)
              const end = session.batches.isNull(batch.vectors[position]!, row) ? 0 : text.write(row, line, 0)
              line[end] = 10
              await file.write(line.subarray(0, end + 1))
            }
            written += batch.rows
          }
          await file.commit()
          return { written, guarantee: "exactly-once" }
        } catch (error) {
          await file.abort()
          throw error
        }
      },
      async finish() {},
      async abort() {},
      async [Symbol.asyncDispose]() {},
    }
  },
}

export default linesOutput
