import type { Input } from "headrace/contract"

interface Config {
  readonly path: string
  readonly maxLineBytes: number
}

/** Reads text files line by line: the number of each line, and its text. */
const linesInput: Input<Config> = {
  kind: "input",
  id: "lines-input",
  title: "Lines of text",
  summary: "Reads text files line by line.",
  config: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: {
      path: { type: "string", description: "The file, or a pattern such as `logs/*.txt`." },
      maxLineBytes: { type: "integer", minimum: 1, default: 65_536, description: "Longer lines are rejected." },
    },
  },
  examples: [{ title: "All logs", config: { path: "logs/*.txt" } }],

  // Called often, and changes nothing: it says which columns there will be.
  async plan(config, request) {
    const all = [
      { name: "line", type: { kind: "int64" }, nullable: false },
      { name: "text", type: { kind: "string" }, nullable: false },
    ] as const
    const columns = request.columns?.flatMap((name) => all.filter((column) => column.name === name)) ?? all
    return { columns, encodings: [], notes: [`reads ${config.path}`], issues: [] }
  },

  // Called once a run: it fixes the splits. Each file is one, so files are read at the same time.
  async open(config, request, session) {
    const files = await session.files.list(config.path)
    if (files.length === 0) throw session.failure("missing", `Cannot find "${config.path}": no file matches`)
    const plan = await linesInput.plan(config, { columns: request.columns }, session)
    return {
      splits: request.splits ?? files.map(({ path }) => ({ id: path, label: path, state: null })),
      oneSnapshot: files.length === 1,
      async *read(split, session) {
        const builder = session.batches.builder(plan.columns)
        let line = 0
        for await (const text of linesOf(session.files.read(split.id))) {
          line++
          if (text.length > config.maxLineBytes) {
            session.reject({ row: line - 1, column: "text", reason: `The line has ${text.length} bytes` })
            builder.discardRow()
            continue
          }
          let isText = true
          for (const column of builder.columns)
            if (column.type.kind === "int64") column.bigint(BigInt(line))
            else isText = column.parse(text, 0, text.length)
          if (!isText) {
            session.reject({ row: line - 1, column: "text", reason: "The line is no UTF-8" })
            builder.discardRow()
            continue
          }
          builder.endRow()
          if (builder.full) yield builder.finish()
          if (session.signal.aborted) throw session.failure("cancelled", "Cannot read on: the run was cancelled")
        }
        if (builder.rows > 0) yield builder.finish()
      },
      async [Symbol.asyncDispose]() {},
    }
  },
}

export default linesInput

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0)
  for await (const chunk of chunks) {
    const bytes = new Uint8Array(rest.length + chunk.length)
    bytes.set(rest)
    bytes.set(chunk, rest.length)
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.slice(start)
  }
  if (rest.length > 0) yield rest
}
