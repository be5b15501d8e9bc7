import type { Schema } from "apache-arrow"
import type {
  Batch,
  Columns,
  FileWriter,
  Frame,
  Output,
  Session,
  Sink,
  SinkRequest,
  SplitRef,
  WriteReceipt,
} from "../../core/contract/index.ts"
import { makeParts } from "../_files/parts.ts"
import { fieldOf } from "./arrow-fields.ts"
import { type Arrow, loadArrow } from "./arrow-library.ts"
import { openArrow } from "./arrow-stream.ts"
import { recordBatchOf } from "./arrow-write.ts"
import { type ArrowEncoder, type ArrowFormat, makeEncoder } from "./arrow-writer.ts"

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

Splits are collected in hidden files beside the target: it appears, or is replaced, in one step, and never in part.
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
}

export default arrowOutput

function openSink(config: ArrowOutputConfig, request: SinkRequest, arrow: Arrow, opened: Session): Sink {
  const schema = schemaOf(request.input, arrow)
  const parts = makeParts(config.path, opened.run.id)
  // A single part is the whole file and only needs its name; several are streams that are put together.
  const isWhole = request.splits === 1
  let isFinished = false
  return { write, finish, abort: removeParts, [Symbol.asyncDispose]: dispose }

  async function write(split: SplitRef, rows: AsyncIterable<Batch | Frame>, session: Session): Promise<WriteReceipt> {
    const encoder = makeEncoder(schema, isWhole ? config.format : "stream", arrow)
    let written = 0
    await create(parts.pathOf(split.id), isWhole ? "auto" : "none", encoder, session, async (file) => {
      for await (const batch of rows) {
        if (batch.encoding !== undefined)
          throw session.failure("protocol", `Cannot write "${config.path}": a frame came, batches were asked for`)
        mustGoOn(session)
        const records = recordBatchOf(batch, schema, arrow, session)
        if (records.numRows > 0) await file.write(encoder.batch(records))
        written += records.numRows
      }
    })
    return { written, guarantee: "exactly-once" }
  }

  async function finish(session: Session): Promise<void> {
    const found = await parts.list(session)
    // None is left when an interrupted finish is repeated.
    if (isWhole) for (const part of found) await session.files.rename(part, config.path)
    else await join(found, session)
    isFinished = true
  }

  async function join(from: readonly string[], session: Session): Promise<void> {
    const encoder = makeEncoder(schema, config.format, arrow)
    await create(config.path, "auto", encoder, session, async (file) => {
      for (const part of from) {
        const reader = await openArrow({ path: part, label: part, compression: "none" }, arrow, session)
        for await (const records of reader.batches()) {
          mustGoOn(session)
          await file.write(encoder.batch(new arrow.RecordBatch(schema, records.data)))
        }
      }
    })
  }

  async function create(
    path: string,
    compression: "auto" | "none",
    encoder: ArrowEncoder,
    session: Session,
    fill: (file: FileWriter) => Promise<void>,
  ): Promise<void> {
    const hidden = path !== config.path && compression === "auto" ? compressionOf(config.path) : compression
    const file = await session.files.create(path, { compression: hidden })
    try {
      await file.write(encoder.start())
      await fill(file)
      await file.write(encoder.end())
      await file.commit()
    } catch (error) {
      await file.abort()
      throw error
    }
  }

  function mustGoOn(session: Session): void {
    if (session.signal.aborted)
      throw session.failure("cancelled", `Cannot go on writing "${config.path}": it was stopped`)
  }

  async function removeParts(session: Session): Promise<void> {
    for (const part of await parts.list(session)) await session.files.remove(part)
  }

  /** Parts outlive `finish`, so that one that is interrupted, or not recorded as done, can be repeated. */
  async function dispose(): Promise<void> {
    if (isFinished) await removeParts(opened)
  }
}

export function schemaOf(columns: Columns, arrow: Arrow): Schema {
  return new arrow.Schema(columns.map((column) => fieldOf(column, arrow)))
}

function compressionOf(path: string): "none" | "gzip" | "zstd" {
  return /\.gz(ip)?$/i.test(path) ? "gzip" : /\.zstd?$/i.test(path) ? "zstd" : "none"
}
