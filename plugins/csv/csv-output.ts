import type {
  Columns,
  Compression,
  FileWriter,
  FinalFile,
  Issue,
  Output,
  OutputPlan,
  Part,
  Parts,
  Session,
  Sink,
  SinkRequest,
} from "../../core/contract/index.ts"
import { openFileSink, type Rows } from "../_files/file-sink.ts"
import { CSV_RECORDS } from "../_sql/csv-records.ts"
import { type DialectOptions, makeDialect } from "./csv-dialect.ts"
import { type Encoding, makeEncoder } from "./csv-encoding.ts"
import { csvOutputSchema } from "./csv-output-options.ts"
import { RecordWriter, type WriterFormat } from "./csv-writer.ts"

export interface CsvOutputConfig extends DialectOptions {
  readonly path: string
  readonly partitioned: boolean
  readonly header: boolean
  readonly columns?: readonly { readonly name: string; readonly as?: string }[]
  readonly quoteAll: boolean
  readonly nullValue: string
  readonly lineEnding: "\n" | "\r\n"
  readonly encoding: Encoding
  readonly bom: boolean
  readonly compression: Compression
}

const csvOutput: Output<CsvOutputConfig> = {
  kind: "output",
  id: "csv-output",
  title: "CSV file",
  summary: "Writes rows as a file of separated values that reads back the same.",
  description: `
Writes RFC 4180 with line feeds unless told otherwise, quoting only what needs quotes. NULL is an empty field, the empty
text is \`""\`. Values are written as canonical text: exact decimals, ISO dates, \`true\` and \`false\`. In this dialect, that
of the defaults, ready records are taken unread from an input that has them, such as PostgreSQL.

Splits are collected in a hidden folder beside the target and joined in the order of the splits when all are done: the
target appears, or is replaced, in one step, and never in part. With \`partitioned\` each split becomes a numbered file;
all of them are complete before the first appears, and higher numbers of an earlier run are removed.

**Exactly once**: a split is on disk before it counts, together with its receipt. A run that was killed at any moment
goes on with the splits that are missing, and a worker that wakes up late can write nothing any more. A run that fails,
or is given up, leaves no hidden files.
`.trim(),
  config: csvOutputSchema,
  examples: [
    { title: "One file", config: { path: "out/orders.csv" } },
    {
      title: "For a spreadsheet",
      config: {
        path: "out/orders.csv",
        delimiter: ";",
        lineEnding: "\r\n",
        bom: true,
        columns: [{ name: "id", as: "No." }],
      },
    },
    {
      title: "For LOAD DATA",
      config: { path: "out/orders.tsv.gz", delimiter: "\\t", quote: "", escape: "\\", nullValue: "\\N" },
    },
  ],

  async plan(config, input, session): Promise<OutputPlan> {
    makeWriterFormat(config, session)
    await session.files.list(escapePattern(config.path))
    const uses = config.columns?.map((column) => column.name) ?? input.map((column) => column.name)
    const notes = [
      config.partitioned ? "a file for each split, at the end of the run" : "one file, replaced in one step",
    ]
    return { uses, encodings: isStandard(config) ? [CSV_RECORDS] : [], issues: issuesOf(config, input), notes }
  },

  async open(config, request, session): Promise<Sink> {
    return openSink(config, request, session)
  },

  async discard(config, { step }, session): Promise<void> {
    await session.files.discardParts(config.path, { run: session.run, step })
  },
}

export default csvOutput

const writeBytes = 262_144

function openSink(config: CsvOutputConfig, request: SinkRequest, opened: Session): Promise<Sink> {
  const format = makeWriterFormat(config, opened)
  const uses = config.columns?.map((column) => column.name) ?? request.input.map((column) => column.name)
  const columns = uses.map((name) => request.input.findIndex((column) => column.name === name))
  const absent = uses.filter((_, index) => columns[index] === -1)
  if (absent.length > 0)
    throw opened.failure("missing", `Cannot write column "${absent[0]}" to "${config.path}": no step before gives it`)
  if (request.encoding !== undefined && columns.some((column, index) => column !== index))
    throw opened.failure("protocol", `Cannot write "${config.path}": the ready records hold other columns`)
  const compression = compressionOf(config)
  // A part that is a whole file, head and all, only needs its name.
  const isWhole = request.splits === 1 || config.partitioned
  return openFileSink(
    config.path,
    request,
    {
      // Members of gzip may follow each other, so splits compress their own. Many readers stop after one frame of zstd.
      compression: isWhole || compression === "gzip" ? compression : "none",
      writePart,
      finals,
      ...(config.partitioned && { published: (files, session) => removeNumbered(config.path, files, session) }),
    },
    opened,
  )

  async function writePart(file: Pick<FileWriter, "write">, rows: Rows, session: Session): Promise<number> {
    const records = new RecordWriter(format, session)
    let written = 0
    if (isWhole) await file.write(headOf(config, uses, format, session))
    for await (const batch of rows) {
      if (batch.encoding !== undefined) {
        await file.write(batch.data)
        written += batch.rows
        continue
      }
      written += records.append(batch, columns)
      if (records.length < writeBytes) continue
      await file.write(records.bytes.subarray(0, records.length))
      records.clear()
    }
    if (records.length > 0) await file.write(records.bytes.subarray(0, records.length))
    return written
  }

  function finals(parts: Parts, committed: readonly Part[], session: Session): readonly FinalFile[] {
    const { path } = config
    if (config.partitioned) return committed.map((part, index) => ({ path: numbered(path, index + 1), part }))
    if (isWhole) return committed.map((part) => ({ path, part }))
    const make: Joined["make"] = async (file) => {
      const head = headOf(config, uses, format, session)
      await file.write(compression === "gzip" ? await gzip(head) : head)
      for (const part of committed) {
        for await (const chunk of parts.read(part)) {
          if (session.signal.aborted)
            throw session.failure("cancelled", `Cannot go on writing "${path}": it was stopped`)
          await file.write(chunk)
        }
      }
    }
    return [{ path, compression: compression === "gzip" ? "none" : compression, make }]
  }
}

type Joined = Extract<FinalFile, { readonly make: unknown }>

function makeWriterFormat(config: CsvOutputConfig, session: Pick<Session, "failure">): WriterFormat {
  const dialect = makeDialect(config, session)
  const nullValue = new TextEncoder().encode(config.nullValue)
  // A backslash that escapes may begin a NULL mark, as in \N.
  const special = [10, 13, dialect.delimiter[0], dialect.quote]
  if (nullValue.some((byte) => special.includes(byte)))
    throw session.failure(
      "config",
      `Cannot write "${config.nullValue}" for NULL: it holds a delimiter, quote or line break`,
    )
  if (config.bom && !config.encoding.startsWith("utf-"))
    throw session.failure("config", `Cannot begin a file in ${config.encoding} with a byte order mark: it has none`, {
      hint: "Set bom to false",
    })
  if (config.quoteAll && dialect.quote < 0)
    throw session.failure("config", "Cannot quote all values: quote is empty", { hint: "Set quote or unset quoteAll" })
  const encoder = makeEncoder(config.encoding)
  const fixed = [config.delimiter, config.nullValue].join("")
  const lacking =
    encoder && [...fixed].find((character) => encoder(character.codePointAt(0)!, new Uint8Array(8), 0) < 0)
  if (lacking !== undefined)
    throw session.failure("config", `Cannot write "${lacking}" in ${config.encoding}: the encoding lacks it`)
  const lineEnding = new TextEncoder().encode(config.lineEnding)
  return { dialect, quoteAll: config.quoteAll, nullValue, lineEnding, encoder }
}

/** True when records in {@link CSV_RECORDS} can be taken as they are. */
function isStandard(config: CsvOutputConfig): boolean {
  return (
    config.delimiter === "," &&
    config.quote === '"' &&
    (config.escape ?? '"') === '"' &&
    config.nullValue === "" &&
    config.lineEnding === "\n" &&
    config.encoding === "utf-8" &&
    !config.quoteAll
  )
}

function issuesOf(config: CsvOutputConfig, input: Columns): Issue[] {
  const issues: Issue[] = []
  const has = input.map((column) => `"${column.name}"`).join(", ")
  const seen = new Set<string>()
  for (const { name, as } of config.columns ?? input.map((column) => ({ name: column.name, as: undefined }))) {
    if (!input.some((column) => column.name === name))
      issues.push({ severity: "error", column: name, message: `Cannot write column "${name}": the input has ${has}` })
    if (config.header && seen.has(as ?? name))
      issues.push({
        severity: "error",
        column: name,
        message: `Cannot write two columns named "${as ?? name}"`,
        hint: 'Give one of them another name with "as"',
      })
    seen.add(as ?? name)
  }
  return issues
}

/** What stands before the first row. */
function headOf(config: CsvOutputConfig, uses: readonly string[], format: WriterFormat, session: Session): Uint8Array {
  const names = uses.map((name, index) => config.columns?.[index]?.as ?? name)
  const records = new RecordWriter(format, session)
  if (config.header && !records.appendTexts(names))
    throw session.failure(
      "config",
      `Cannot write the header of "${config.path}": a name does not fit ${config.encoding}`,
      {
        hint: 'Rename the column with "as"',
      },
    )
  const mark = new Uint8Array(4)
  const end = config.bom ? (format.encoder ?? utf8Mark)(0xfeff, mark, 0) : 0
  const head = new Uint8Array(end + records.length)
  head.set(mark.subarray(0, end))
  head.set(records.bytes.subarray(0, records.length), end)
  return head
}

function utf8Mark(_code: number, target: Uint8Array, at: number): number {
  target.set([0xef, 0xbb, 0xbf], at)
  return at + 3
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream("gzip"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function compressionOf({ path, compression }: CsvOutputConfig): "none" | "gzip" | "zstd" {
  if (compression !== "auto") return compression
  return /\.gz(ip)?$/i.test(path) ? "gzip" : /\.zstd?$/i.test(path) ? "zstd" : "none"
}

/** `out/orders.csv.gz` as `out/orders-00001.csv.gz`. */
function numbered(path: string, number: number | string): string {
  const slash = path.lastIndexOf("/") + 1
  const extension = /(?:\.[^./]+)?(?:\.(?:gz|gzip|zst|zstd))?$/i.exec(path.slice(slash + 1))?.[0] ?? ""
  const stem = path.slice(0, path.length - extension.length)
  return `${stem}-${typeof number === "number" ? String(number).padStart(5, "0") : number}${extension}`
}

async function removeNumbered(path: string, kept: number, session: Session): Promise<void> {
  const [before, after] = numbered(path, "\0").split("\0") as [string, string]
  for (const file of await session.files.list(`${escapePattern(before)}?????${escapePattern(after)}`)) {
    const name = file.path.slice(0, file.path.length - after.length)
    const number = /-(\d{5})$/.exec(name)?.[1]
    if (file.path.endsWith(after) && number !== undefined && Number(number) > kept)
      await session.files.remove(file.path)
  }
}

function escapePattern(path: string): string {
  return path.replace(/[*?[{]/g, "?")
}
