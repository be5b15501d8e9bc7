import type { Compression, Session } from "../../core/contract/index.ts"
import { type Dialect, type DialectOptions, makeDialect, unescapeNotation } from "./csv-dialect.ts"
import { decodeChunks, type Encoding } from "./csv-encoding.ts"
import { escaped, malformed, quoted, RecordScanner, unescapeField } from "./csv-scanner.ts"

/** Options that say how a file is to be read, whatever its columns mean. */
export interface FileOptions extends DialectOptions {
  readonly header: boolean
  readonly encoding: Encoding | "auto"
  readonly nullValues: readonly string[]
  readonly quotedNulls: boolean
  readonly compression: Compression
  readonly comment: string
  readonly skipRows: number
  readonly trim: boolean
  readonly maxFieldBytes: number
  readonly maxRowBytes: number
}

/** A file's options, checked and as bytes. */
export interface FileFormat {
  readonly options: FileOptions
  readonly dialect: Dialect
  readonly comment: Uint8Array
  /** What stands for NULL, the empty text apart. */
  readonly nulls: readonly Uint8Array[]
  readonly emptyIsNull: boolean
}

export function makeFormat(options: FileOptions, session: Pick<Session, "failure">): FileFormat {
  const dialect = makeDialect(options, session)
  const comment = new TextEncoder().encode(unescapeNotation(options.comment))
  if (comment.length > 0 && comment[0] === dialect.quote)
    throw session.failure("config", `Cannot use "${options.comment}" as comment: it starts with the quote`)
  const nulls = options.nullValues.filter((mark) => mark !== "").map((mark) => new TextEncoder().encode(mark))
  return { options, dialect, comment, nulls, emptyIsNull: options.nullValues.includes("") }
}

/**
 * Opens a file and yields its scanner whenever there are records to take from it; the consumer calls `next` until it
 * returns false. `label` names the file in messages; with `skipEmpty` lines without a byte are no records.
 */
export async function* scanFile(
  file: { readonly path: string; readonly label: string },
  format: FileFormat,
  skipEmpty: boolean,
  session: Session,
): AsyncGenerator<RecordScanner> {
  const { options, dialect, comment } = format
  const limits = { maxFieldBytes: options.maxFieldBytes, maxRowBytes: options.maxRowBytes }
  const scanner = new RecordScanner({
    dialect,
    comment,
    trim: options.trim,
    skipLines: options.skipRows,
    ...limits,
    fail(problem, line): never {
      const place = `Cannot read "${file.label}", line ${line}: `
      if (problem === "quote") {
        throw session.failure("data", `${place}the quote that opens here is not closed`, {
          hint: "Close it, double it, or set quote to another character or to none",
        })
      }
      const option = problem === "field" ? "maxFieldBytes" : "maxRowBytes"
      throw session.failure("data", `${place}a ${problem} is larger than ${limits[option]} bytes`, {
        hint: `Raise ${option} if such a ${problem} is right`,
      })
    },
  })
  scanner.skipEmpty = skipEmpty
  const chunks = decodeChunks(
    session.files.read(file.path, { compression: options.compression }),
    options.encoding,
    (seen) =>
      session.failure("data", `Cannot read "${file.label}" as utf-8: it begins with the mark of ${seen}`, {
        hint: `Set encoding to ${seen} or auto`,
      }),
  )
  for await (const chunk of chunks) {
    if (session.signal.aborted)
      throw session.failure("cancelled", `Cannot go on reading "${file.label}": it was stopped`)
    scanner.feed(chunk)
    yield scanner
  }
  scanner.finish()
  yield scanner
}

/** The bytes of a field's value. */
export function fieldBytes(scanner: RecordScanner, field: number, dialect: Dialect): Uint8Array {
  const [start, end, marks] = [scanner.starts[field]!, scanner.ends[field]!, scanner.marks[field]!]
  if ((marks & escaped) === 0) return scanner.bytes.subarray(start, end)
  const target = new Uint8Array(end - start)
  return target.subarray(0, unescapeField({ bytes: scanner.bytes, start, end, marks }, dialect, target))
}

/** True when a field stands for NULL. */
export function isNullField(scanner: RecordScanner, field: number, format: FileFormat): boolean {
  const [start, end, marks] = [scanner.starts[field]!, scanner.ends[field]!, scanner.marks[field]!]
  if ((marks & malformed) !== 0 || ((marks & quoted) !== 0 && !format.options.quotedNulls)) return false
  if (start === end) return format.emptyIsNull
  return format.nulls.length > 0 && isMark(format.nulls, scanner.bytes, start, end)
}

/** True when one of the marks stands in `bytes[start .. end)`. */
export function isMark(marks: readonly Uint8Array[], bytes: Uint8Array, start: number, end: number): boolean {
  return marks.some((mark) => mark.length === end - start && mark.every((byte, index) => byte === bytes[start + index]))
}
