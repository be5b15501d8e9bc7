import type { Batch, Input, InputPlan, OpenRequest, Session, Source, Split } from "../../core/contract/index.ts"
import { earlierFiles, fileOf, mustBeAsPlanned, mustBeUnchanged, quote, splitOf } from "../_files/input-files.ts"
import { csvInputSchema } from "./csv-input-options.ts"
import { checkHeader, readRows } from "./csv-rows.ts"
import { type CsvInputConfig, type CsvSchema, describeFiles } from "./csv-schema.ts"

const csvInput: Input<CsvInputConfig> = {
  kind: "input",
  id: "csv-input",
  title: "CSV files",
  summary: "Reads files of separated values, typed and checked row by row.",
  description: `
Reads one file or many, plain or compressed, in any common encoding. A record may span lines; records are counted, not
lines. LF, CRLF and CR end a record, also mixed.

- **NULL and the empty text** differ: an unquoted empty field is NULL, \`""\` is the empty text. Change it with
  \`nullValues\` and \`quotedNulls\`.
- **Types** are inferred from the first rows unless you declare them. Values with leading zeros or a plus sign stay
  text; numbers that int64 cannot hold become exact decimals. A later value of another type rejects its row.
- **Bad rows** cost themselves only: a wrong type, a wrong number of fields, bytes that are not valid in the encoding
  or text behind a closing quote rejects the row with its line. A quote that is never closed ends the run at
  \`maxFieldBytes\`, with the line on which it opened. Columns that no step uses are not checked.
- **Empty lines** are skipped, except where the file has one column: there they are NULL.
- **Several files** have the same columns by name, in any order. Each file is one split.
- **A file that changes** in size or time of writing while the run lasts fails it; so does one that has changed, or is
  gone, when an interrupted run is resumed. A resumed run reads the files that it began with, not those that came since.
`.trim(),
  config: csvInputSchema,
  examples: [
    { title: "One file", config: { path: "orders.csv" } },
    {
      title: "Exports of a spreadsheet in GBK, with declared types",
      config: {
        path: "exports/2024-*.csv",
        delimiter: ";",
        encoding: "gbk",
        columns: [
          { name: "id", type: "int64", nullable: false },
          { name: "amount", type: "decimal(12,2)" },
          { name: "placed_on", type: "date" },
        ],
      },
    },
    {
      title: "A dump of MySQL",
      config: { path: "dump.tsv.gz", delimiter: "\\t", quote: "", escape: "\\", nullValues: ["\\N"] },
    },
  ],

  async plan(config, request, session): Promise<InputPlan> {
    const schema = await describeFiles(config, session)
    const columns = chosen(schema, request.columns, session)
    const bytes = schema.files.reduce((sum, file) => sum + file.bytes, 0)
    const notes = [
      `${schema.files.length} ${schema.files.length === 1 ? "file" : "files"}, ${bytes} bytes; a split for each`,
    ]
    if (schema.sampledRows !== undefined) notes.push(`types inferred from ${schema.sampledRows} rows`)
    const isPlain =
      config.compression === "none" || !schema.files.some((file) => /\.(gz|gzip|zst|zstd)$/i.test(file.path))
    return {
      columns,
      encodings: [],
      notes,
      issues: [],
      ...(isPlain && schema.bytesPerRow && { estimatedRows: Math.round(bytes / schema.bytesPerRow) }),
    }
  },

  async open(config, request, session): Promise<Source> {
    const earlier = request.splits && (await earlierFiles(request.splits, session))
    const schema = await describeFiles(config, session, earlier)
    mustBeAsPlanned(schema.columns, request.planned, schema.files[0]!, session)
    const wanted = chosen(schema, request.columns, session)
    if (config.header) for (const file of schema.files) await checkHeader({ file, schema, config }, session)
    const splits = request.splits ?? schema.files.map(splitOf)
    return {
      splits,
      oneSnapshot: false,
      consistencyNote: "files are read one after another; one that changes meanwhile fails the run",
      read: (split, session) => readSplit(split, session),
      [Symbol.asyncDispose]: async () => {},
    }

    async function* readSplit(split: Split, session: Session): AsyncGenerator<Batch> {
      const { path } = fileOf(split)
      const file = schema.files.find((each) => each.path === path)!
      await mustBeUnchanged(split, session)
      yield* readRows({ file, wanted, schema, config }, session)
      await mustBeUnchanged(split, session)
    }
  },
}

export default csvInput

function chosen(schema: CsvSchema, names: OpenRequest["columns"] | undefined, session: Session): CsvSchema["columns"] {
  return (
    names?.map((name) => {
      const column = schema.columns.find((each) => each.name === name)
      if (column !== undefined) return column
      const has = quote(schema.columns.map((each) => each.name))
      throw session.failure("missing", `Cannot find column "${name}" in "${schema.files[0]!.label}": it has ${has}`)
    }) ?? schema.columns
  )
}
