import type { Columns, LogicalType, Session } from "../../core/contract/index.ts"
import { findFiles, type InputFile, quote } from "../_files/input-files.ts"
import { parseTypeName, typeNameExamples } from "../_sql/type-name.ts"
import { showBytes } from "./csv-encoding.ts"
import { type FileFormat, type FileOptions, fieldBytes, isNullField, makeFormat, scanFile } from "./csv-file.ts"
import { type Guess, guessedType, refine } from "./csv-inference.ts"
import { malformed, type RecordScanner } from "./csv-scanner.ts"

export interface CsvInputConfig extends FileOptions {
  readonly path: string | readonly string[]
  readonly columns?: readonly { readonly name: string; readonly type: string; readonly nullable?: boolean }[]
  readonly inferTypes: boolean
  readonly sampleRows: number
  readonly raggedRows: "reject" | "pad" | "fit"
  readonly columnMismatch: "error" | "allow"
}

/** What is known of the files before their rows are read. */
export interface CsvSchema {
  readonly format: FileFormat
  readonly files: readonly InputFile[]
  readonly columns: Columns
  /** Rows that the types were inferred from; absent: they were declared, or all are text. */
  readonly sampledRows?: number
  /** Of the decoded text; absent when no row was looked at. */
  readonly bytesPerRow?: number
}

/** Files that are looked at to infer types, spread over all of them. */
const sampledFiles = 8

/** Finds the columns of the files; those of the configuration, unless they are `given`. */
export async function describeFiles(
  config: CsvInputConfig,
  session: Session,
  given?: readonly InputFile[],
): Promise<CsvSchema> {
  const format = makeFormat(config, session)
  const declared = config.columns && declaredColumns(config.columns, session)
  const files = given ?? (await findFiles(config.path, session))
  if (declared !== undefined) return { format, files, columns: declared }
  const step = Math.max(1, Math.floor(files.length / sampledFiles))
  const looked = files.filter((_, index) => index % step === 0).slice(0, sampledFiles)
  const rows = config.inferTypes ? Math.max(1, Math.ceil(config.sampleRows / looked.length)) : 1
  const names: string[] = []
  const guesses = new Map<string, Guess>()
  let [sampledRows, bytes] = [0, 0]
  for (const file of looked) {
    const sample = await sampleFile(file, format, rows, session)
    for (const [index, name] of sample.names.entries()) {
      if (!guesses.has(name)) names.push(name)
      guesses.set(name, merge(guesses.get(name) ?? "nothing", sample.guesses[index]!))
    }
    sampledRows += sample.rows
    bytes += sample.bytes
  }
  if (names.length === 0)
    throw session.failure("data", `Cannot read columns from "${files[0]!.label}": it is empty`, {
      hint: "Declare its columns",
    })
  const type = (name: string): LogicalType => (config.inferTypes ? guessedType(guesses.get(name)!) : { kind: "string" })
  return {
    format,
    files,
    columns: names.map((name) => ({ name, type: type(name), nullable: true })),
    ...(config.inferTypes && { sampledRows }),
    ...(sampledRows > 0 && { bytesPerRow: bytes / sampledRows }),
  }
}

/** The names in a header record. Fails when they are not usable as column names. */
export function headerNames(scanner: RecordScanner, format: FileFormat, label: string, session: Session): string[] {
  const names: string[] = []
  const twice = new Set<string>()
  for (let field = 0; field < scanner.count; field++) {
    const shown = showBytes(fieldBytes(scanner, field, format.dialect))
    // UTF-16 that is read as UTF-8 has a NUL at every second place.
    const isText = shown.invalid === undefined && !shown.text.includes("\0")
    if (!isText || (scanner.marks[field]! & malformed) !== 0) {
      const seen = shown.text.replaceAll("\0", "\\0")
      throw session.failure("data", `Cannot read the header of "${label}": "${seen}" is not a readable name`, {
        hint: "Check encoding and quote",
      })
    }
    const name = shown.text === "" ? `c${field + 1}` : shown.text
    if (names.includes(name)) twice.add(name)
    names.push(name)
  }
  if (twice.size > 0)
    throw session.failure(
      "data",
      `Cannot read the header of "${label}": it names ${quote([...twice])} more than once`,
      {
        hint: "Set header to false, skipRows to 1 more, and declare columns with names of their own",
      },
    )
  return names
}

function declaredColumns(columns: NonNullable<CsvInputConfig["columns"]>, session: Session): Columns {
  const names = columns.map((column) => column.name)
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  if (names.length === 0 || twice.length > 0)
    throw session.failure(
      "config",
      names.length === 0 ? "Cannot read no columns: columns is empty" : `Cannot read column ${quote(twice)} twice`,
    )
  return columns.map(({ name, type: text, nullable = true }) => {
    const type = parseTypeName(text)
    if (type === undefined)
      throw session.failure("config", `Cannot read column "${name}" as "${text}": that is not a type`, {
        hint: `Use one of ${typeNameExamples}`,
      })
    return { name, type, nullable }
  })
}

interface Sample {
  readonly names: readonly string[]
  readonly guesses: readonly Guess[]
  readonly rows: number
  readonly bytes: number
}

async function sampleFile(file: InputFile, format: FileFormat, limit: number, session: Session): Promise<Sample> {
  let names: string[] | undefined
  const guesses: Guess[] = []
  let [rows, bytes] = [0, 0]
  for await (const scanner of scanFile(file, format, true, session)) {
    while (rows < limit && scanner.next()) {
      if (names === undefined) {
        const isHeader = format.options.header
        names = isHeader
          ? headerNames(scanner, format, file.label, session)
          : Array.from({ length: scanner.count }, (_, index) => `c${index + 1}`)
        guesses.push(...names.map((): Guess => "nothing"))
        if (isHeader) continue
      }
      rows++
      bytes += scanner.recordEnd - scanner.recordStart + 1
      for (let field = 0; field < Math.min(names.length, scanner.count); field++) {
        if (guesses[field] === "text" || isNullField(scanner, field, format)) continue
        guesses[field] = refine(guesses[field]!, sampleText(fieldBytes(scanner, field, format.dialect)))
      }
    }
    if (rows >= limit) break
  }
  return { names: names ?? [], guesses, rows, bytes }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Enough of a value to tell its type: what is longer than any number worth guessing is text. */
function sampleText(bytes: Uint8Array): string {
  return bytes.length > 200 ? "long" : decoder.decode(bytes)
}

function merge(first: Guess, second: Guess): Guess {
  if (first === "nothing" || first === second) return second
  if (second === "nothing") return first
  const numbers = ["integer", "decimal"]
  return numbers.includes(first) && numbers.includes(second) ? "decimal" : "text"
}
