import type { Schema } from "apache-arrow"
import type {
  Columns,
  FileWriter,
  FinalFile,
  Output,
  Part,
  Parts,
  Session,
  Sink,
  SinkRequest,
} from "../../core/contract/index.ts"
import { openFileSink, type Rows } from "../_files/file-sink.ts"
import { fieldOf } from "./arrow-fields.ts"
import { type Arrow, loadArrow } from "./arrow-library.ts"
import { openArrow } from "./arrow-stream.ts"
import { recordBatchOf } from "./arrow-write.ts"
import { type ArrowFormat, makeEncoder } from "./arrow-writer.ts"

export interface ArrowOutputConfig {
  readonly path: string
  readonly format: ArrowFormat
}

const arrowOutput: Output<ArrowOutputConfig> = {
  kind: "output",
  id: "arrow-output",
  title: "Arrow file",
  summary: "Writes rows as an Apache Arrow file that reads back the same.",
  description: `
Each batch becomes a record batch. Types that Arrow has keep their meaning for every reader: UUID and JSON carry their
extension names, an instant is a timestamp in UTC, a decimal of up to 76 digits is a decimal. Decimals without a
precision, intervals and types that only their database knows are text; the field's metadata \`headrace.type\` says what
they are, so that they read back exactly.

Arrow's decimals have neither NaN nor infinity: such rows are rejected. An infinite date or timestamp is the smallest or
largest number, which other readers show as a date far away.

Splits are collected in a hidden folder beside the target: it appears, or is replaced, in one step, and never in part.

**Exactly once**: a split is on disk before it counts, together with its receipt. A run that was killed at any moment
goes on with the splits that are missing, and a worker that wakes up late can write nothing any more. A run that fails,
or is given up, leaves no hidden files.
`.trim(),
  config: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: {
      path: { type: "string", minLength: 1, description: "The file to write; folders are made." },
      format: {
        enum: ["file", "stream"],
        default: "file",
        description: "`file` has an index of its batches at the end, `stream` has none.",
      },
    },
  },
  examples: [
    { title: "A file", config: { path: "out/orders.arrow" } },
    { title: "A stream", config: { path: "out/orders.arrows", format: "stream" } },
  ],

  async plan(config, input) {
    const twice = input.filter(({ name }, i) => input.findIndex((column) => column.name === name) !== i)
    return {
      uses: input.map(({ name }) => name),
      encodings: [],
      issues: twice.map(({ name }) => ({
        severity: "error",
        column: name,
        message: `Cannot write two columns named "${name}" to "${config.path}"`,
        hint: "Rename one in a select step",
      })),
      notes: [`one ${config.format === "file" ? "file" : "stream"}, replaced in one step`],
    }
  },

  async open(config, request, session): Promise<Sink> {
    const arrow = await loadArrow()
    return openSink(config, request, arrow, session)
  },

  async discard(config, { step }, session): Promise<void> {
    await session.files.discardParts(config.path, { run: session.run, step })
  },
}

export default arrowOutput

function openSink(config: ArrowOutputConfig, request: SinkRequest, arrow: Arrow, opened: Session): Promise<Sink> {
  const schema = schemaOf(request.input, arrow)
  // A single part is the whole file and only needs its name; several are streams that are put together.
  const isWhole = request.splits === 1
  return openFileSink(config.path, request, { compression: isWhole ? "auto" : "none", writePart, finals }, opened)

  async function writePart(file: Pick<FileWriter, "write">, rows: Rows, session: Session): Promise<number> {
    const encoder = makeEncoder(schema, isWhole ? config.format : "stream", arrow)
    let written = 0
    await file.write(encoder.start())
    for await (const batch of rows) {
      if (batch.encoding !== undefined)
        throw session.failure("protocol", `Cannot write "${config.path}": a frame came, batches were asked for`)
      const records = recordBatchOf(batch, schema, arrow, session)
      if (records.numRows > 0) await file.write(encoder.batch(records))
      written += records.numRows
    }
    await file.write(encoder.end())
    return written
  }

  function finals(parts: Parts, committed: readonly Part[], session: Session): readonly FinalFile[] {
    const { path } = config
    if (isWhole) return committed.map((part) => ({ path, part }))
    const make = async (file: Pick<FileWriter, "write">) => {
      const encoder = makeEncoder(schema, config.format, arrow)
      await file.write(encoder.start())
      for (const part of committed) {
        const reader = await openArrow({ bytes: parts.read(part), label: path }, arrow, session)
        for await (const records of reader.batches()) {
          if (session.signal.aborted)
            throw session.failure("cancelled", `Cannot go on writing "${path}": it was stopped`)
          await file.write(encoder.batch(new arrow.RecordBatch(schema, records.data)))
        }
      }
      await file.write(encoder.end())
    }
    return [{ path, make }]
  }
}

export function schemaOf(columns: Columns, arrow: Arrow): Schema {
  return new arrow.Schema(columns.map((column) => fieldOf(column, arrow)))
}
