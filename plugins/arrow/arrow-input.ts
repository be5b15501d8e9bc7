import type { Field, Schema } from "apache-arrow"
import type {
  Batch,
  Column,
  Columns,
  Compression,
  Input,
  Issue,
  Session,
  Source,
  Split,
  Vector,
} from "../../core/contract/index.ts"
import {
  earlierFiles,
  fileOf,
  findFiles,
  type InputFile,
  mustBeAsPlanned,
  mustBeUnchanged,
  splitOf,
} from "../_files/input-files.ts"
import { logicalType, ofType, STATED } from "./arrow-fields.ts"
import { type Arrow, loadArrow } from "./arrow-library.ts"
import { type ReadContext, type ReadVector, readVector } from "./arrow-read.ts"
import { type ArrowReader, openArrow } from "./arrow-stream.ts"

export interface ArrowInputConfig {
  readonly path: string | readonly string[]
  readonly columns?: readonly string[]
  readonly nanoseconds: "reject" | "cut"
  readonly compression: Compression
}

const arrowInput: Input<ArrowInputConfig> = {
  kind: "input",
  id: "arrow-input",
  title: "Arrow files",
  summary: "Reads Apache Arrow files and streams, batch by batch.",
  description: `
Reads the IPC file format and the stream format, from any writer, without loading the file as a whole; only a file that
does not repeat its schema at the beginning, as some writers leave it out, is read into memory.

- **Widened**: int8 and uint8 to int16, uint16 to int32, uint32 to int64, float16 to float32.
- **Decoded**: dictionaries. Large and view types are what their plain types are.
- **Exact**: decimals of 128 and 256 bits, timestamps in seconds, milliseconds and microseconds. Nanoseconds are finer than values are
  kept here: option \`nanoseconds\`.
- **As JSON**: lists, structs and maps; numbers keep every digit.
- **Refused**: unions and other types without a counterpart, and record batches with compressed buffers.

Several files have the same columns. Each file is one split. One that changes in size or time of writing while the run
lasts fails it; so does one that has changed, or is gone, when an interrupted run is resumed. A resumed run reads the
files that it began with, not those that came since.
`.trim(),
  config: {
    type: "object",
    additionalProperties: false,
    required: ["path"],
    properties: {
      path: {
        anyOf: [
          { type: "string", minLength: 1 },
          { type: "array", minItems: 1, items: { type: "string", minLength: 1 } },
        ],
        description: "The file, or a pattern with `*`, `?`, `[…]`, `{a,b}` and `**`, or a list of these.",
      },
      columns: {
        type: "array",
        items: { type: "string" },
        minItems: 1,
        description: "Columns to read, in this order; by default all.",
      },
      nanoseconds: {
        enum: ["reject", "cut"],
        default: "reject",
        description:
          "What becomes of a time with nanoseconds behind its microseconds: `reject` rejects the row, `cut` drops them and counts the values.",
      },
      compression: {
        enum: ["auto", "none", "gzip", "zstd"],
        default: "auto",
        description: "Compression of the file as a whole; auto goes by its name (.gz, .zst).",
      },
    },
  },
  examples: [
    { title: "One file", config: { path: "orders.arrow" } },
    { title: "Some columns of many files", config: { path: "orders/*.arrow", columns: ["id", "total"] } },
  ],

  async plan(config, request, session) {
    const arrow = await loadArrow()
    const files = await findFiles(config.path, session)
    const schema = await schemaOf(files[0]!, config, arrow, session)
    const { columns, issues } = chosen(schema, request.columns ?? config.columns, files[0]!, arrow)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const notes = [`${files.length} ${files.length === 1 ? "file" : "files"}, ${bytes} bytes; a split for each`]
    return { columns, encodings: [], notes, issues }
  },

  async open(config, request, session): Promise<Source> {
    const arrow = await loadArrow()
    const files = await (request.splits ? earlierFiles(request.splits, session) : findFiles(config.path, session))
    const schema = await schemaOf(files[0]!, config, arrow, session)
    mustBeAsPlanned(chosen(schema, request.columns, files[0]!, arrow).columns, request.planned, files[0]!, session)
    const splits = request.splits ?? files.map(splitOf)
    return {
      splits,
      oneSnapshot: files.length === 1,
      ...(files.length === 1
        ? {}
        : { consistencyNote: "files are read one after another; one that changes meanwhile fails the run" }),
      read: (split, at) => readFile(split, { config, schema, names: request.columns, arrow }, at),
      async [Symbol.asyncDispose]() {},
    }
  },
}

export default arrowInput

async function schemaOf(file: InputFile, config: ArrowInputConfig, arrow: Arrow, session: Session): Promise<Schema> {
  const reader = await openFile(file, config, arrow, session)
  await reader.close()
  return reader.schema
}

function openFile(
  { path, label }: InputFile,
  { compression }: ArrowInputConfig,
  arrow: Arrow,
  session: Session,
): Promise<ArrowReader> {
  return openArrow({ bytes: session.files.read(path, { compression }), label }, arrow, session)
}

function chosen(
  schema: Schema,
  names: readonly string[] | undefined,
  file: InputFile,
  arrow: Arrow,
): { readonly columns: Columns; readonly issues: readonly Issue[] } {
  const columns: Column[] = []
  const issues: Issue[] = []
  const all = schema.fields.map(({ name }) => name)
  for (const name of names ?? all) {
    const field = schema.fields.find((one) => one.name === name)
    const type = field && logicalType(field, arrow)
    const error = (message: string, hint: string) => issues.push({ severity: "error", column: name, message, hint })
    if (field === undefined) error(`Cannot find column "${name}" in "${file.label}"`, `There are ${all.join(", ")}`)
    else if (all.indexOf(name) !== all.lastIndexOf(name))
      error(`Cannot read column "${name}" of "${file.label}": two have this name`, "Name other columns in columns")
    else if (type === undefined)
      error(
        `Cannot read column "${name}" of "${file.label}": ${field.type} has no counterpart`,
        "Name the other columns in columns",
      )
    else columns.push({ name, type, nullable: field.nullable })
  }
  return { columns, issues }
}

interface ReadPlan {
  readonly config: ArrowInputConfig
  readonly schema: Schema
  readonly names: readonly string[]
  readonly arrow: Arrow
}

async function* readFile(split: Split, plan: ReadPlan, session: Session): AsyncGenerator<Batch> {
  const { config, schema, arrow } = plan
  const file = fileOf(split)
  await mustBeUnchanged(split, session)
  const reader = await openFile(file, config, arrow, session)
  try {
    const { columns, issues } = chosen(schema, plan.names, file, arrow)
    if (issues.length > 0) throw session.failure("config", issues[0]!.message)
    mustAgree(reader.schema, schema, plan.names, file, session)
    const positions = plan.names.map((name) => reader.schema.fields.findIndex((field) => field.name === name))
    const context: Omit<ReadContext, "cut"> = { arrow, session, cutNanoseconds: config.nanoseconds === "cut" }
    let firstRow = 0
    for await (const records of reader.batches()) {
      if (session.signal.aborted)
        throw session.failure("cancelled", `Cannot go on reading "${file.label}": it was stopped`)
      const read = positions.map((position, i) => {
        const cut = (values: number) => session.adjusted("nanoseconds", columns[i]!.name, values)
        const column = readVector(records.data.children[position]!, { ...context, cut })
        return stated(column, columns[i]!, reader.schema.fields[position]!, { ...context, cut })
      })
      const rows = records.numRows
      const batch = { columns, rows, vectors: read.map(({ vector }) => vector), bytes: 0, firstRow }
      firstRow += rows
      if (rows > 0) yield* withoutUnfit(batch, read, file, session)
    }
    await mustBeUnchanged(split, session)
  } finally {
    await reader.close()
  }
}

function mustAgree(found: Schema, schema: Schema, names: readonly string[], file: InputFile, session: Session): void {
  for (const name of names) {
    const [one, other] = [schema, found].map(({ fields }) => fields.find((field) => field.name === name))
    if (one && other && `${one.type}` === `${other.type}`) continue
    const seen = other === undefined ? "it has no such column" : `it is ${other.type}, in the first file ${one?.type}`
    throw session.failure("data", `Cannot read column "${name}" of "${file.label}": ${seen}`, {
      hint: "Read files of other columns in a step of their own",
    })
  }
}

/** The type that the field's metadata states, checked value by value: a file may say anything. */
function stated(read: ReadVector, column: Column, field: Field, context: ReadContext): ReadVector {
  const plain = ofType(field.type, context.arrow)!
  const { vector, unfit } = read
  if (column.type.kind === "uuid" && vector.storage === "bytes") return { vector: uuids(vector), unfit }
  const isMeasured = "length" in column.type && column.type.length !== undefined && plain.kind === "bytes"
  const isPlain =
    plain.kind === column.type.kind && !isMeasured && !(column.type.kind === "string" && column.type.length)
  if (isPlain || !["string", "bytes"].includes(plain.kind)) return { vector: { ...vector, type: column.type }, unfit }
  const { vector: result, failed } = context.session.batches.cast(vector, column.type)
  const reason = `The value does not fit ${field.metadata.get(STATED) ?? column.type.kind}`
  return {
    vector: result,
    raw: vector,
    unfit: new Map([...failed.map((row): [number, string] => [row, reason]), ...unfit]),
  }
}

function uuids(vector: Vector & { readonly storage: "bytes" }): Vector {
  const { length, nulls, validity, data } = vector
  return { type: { kind: "uuid" }, storage: "uuid", length, nulls, validity, data }
}

function* withoutUnfit(batch: Batch, read: readonly ReadVector[], file: InputFile, session: Session): Generator<Batch> {
  // Also adds up the bytes.
  const whole = session.batches.project(
    batch,
    batch.columns.map((column, from) => ({ from, column })),
  )
  const refused = new Set<number>()
  const refuse = (row: number, i: number, reason: string) => {
    if (refused.has(row)) return
    refused.add(row)
    const value = session.batches.valueText(read[i]!.raw ?? batch.vectors[i]!, row)
    const position = `${file.label}, row ${batch.firstRow + row}`
    session.reject({ row: batch.firstRow + row, column: batch.columns[i]!.name, value, reason, position })
  }
  for (const [i, { vector, unfit }] of read.entries()) {
    for (const [row, reason] of unfit) refuse(row, i, reason)
    if (batch.columns[i]!.nullable || vector.nulls === 0) continue
    for (let row = 0; row < batch.rows; row++)
      if (session.batches.isNull(vector, row)) refuse(row, i, "NULL in a column that has none")
  }
  if (refused.size === 0) yield whole
  else if (refused.size < batch.rows)
    yield session.batches.take(
      whole,
      Array.from({ length: batch.rows }, (_, row) => row).filter((row) => !refused.has(row)),
    )
}
