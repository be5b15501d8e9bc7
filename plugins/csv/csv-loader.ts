import type { BatchBuilder, Column, Session } from "../../core/contract/index.ts"
import { typeName } from "../_sql/type-name.ts"
import { showBytes } from "./csv-encoding.ts"
import { type FileFormat, fieldBytes, isMark, isNullField } from "./csv-file.ts"
import { escaped, high, malformed, quoted, type RecordScanner, unescapeField } from "./csv-scanner.ts"

export interface LoaderOptions {
  /** The file's name in messages. */
  readonly label: string
  readonly format: FileFormat
  /** The file's columns, in its order. */
  readonly names: readonly string[]
  /** The builder's columns; those that the file has not are NULL. */
  readonly wanted: readonly Column[]
  readonly builder: BatchBuilder
  readonly raggedRows: "reject" | "pad" | "fit"
  /** Counts the values that were added to or cut from ragged rows, by column; "" is beyond the last. */
  readonly ragged: Map<string, number>
  readonly session: Session
}

/** Takes the scanner's record into the builder; false when it was rejected. */
export function makeLoader(options: LoaderOptions): (scanner: RecordScanner) => boolean {
  const { format, names, wanted, builder, raggedRows, ragged, session } = options
  const { dialect, nulls, emptyIsNull } = format
  const { columns } = builder
  const width = names.length
  const fields = Int32Array.from(wanted, (column) => names.indexOf(column.name))
  const isText = wanted.map(({ type }) => type.kind === "string" && type.length === undefined)
  const nullable = wanted.map((column) => column.nullable)
  const exceptQuoted = format.options.quotedNulls ? 0 : quoted
  let scratch = new Uint8Array(4096)
  let row = -1

  return (scanner) => {
    row++
    const { bytes, starts, ends, marks, count } = scanner
    if (count !== width && !fits(count)) {
      return reject(scanner, undefined, `The row has ${count} fields, the file has ${width} columns`)
    }
    if ((scanner.recordMarks & malformed) !== 0) {
      const field = marks.findIndex((each) => (each & malformed) !== 0)
      return reject(scanner, names[field], "Text follows the closing quote")
    }
    for (let index = 0; index < fields.length; index++) {
      const column = columns[index]!
      const field = fields[index]!
      const isAbsent = field < 0 || field >= count
      let from = isAbsent ? 0 : starts[field]!
      let to = isAbsent ? 0 : ends[field]!
      const flags = isAbsent ? 0 : marks[field]!
      const isBare = (flags & exceptQuoted) === 0
      if (isAbsent || (isBare && (from === to ? emptyIsNull : nulls.length > 0 && isMark(nulls, bytes, from, to)))) {
        if (!nullable[index]) return reject(scanner, wanted[index]!.name, "The value is NULL, which the column forbids")
        column.null()
        continue
      }
      let source = bytes
      if ((flags & escaped) !== 0) {
        if (scratch.length < to - from) scratch = new Uint8Array((to - from) * 2)
        to = unescapeField({ bytes, start: from, end: to, marks: flags }, dialect, scratch)
        from = 0
        source = scratch
      }
      if (isText[index] && (flags & high) === 0) column.bytes(source, from, to)
      else if (!column.parse(source, from, to)) return rejectValue(scanner, index)
    }
    builder.endRow()
    return true
  }

  function fits(count: number): boolean {
    if (raggedRows === "reject" || (raggedRows === "pad" && count > width)) return false
    if (count > width) ragged.set("", (ragged.get("") ?? 0) + count - width)
    for (const name of names.slice(count)) ragged.set(name, (ragged.get(name) ?? 0) + 1)
    return true
  }

  function rejectValue(scanner: RecordScanner, index: number): boolean {
    const { name, type } = wanted[index]!
    const { text, invalid } = showBytes(fieldBytes(scanner, fields[index]!, dialect))
    const { encoding } = format.options
    if (invalid !== undefined) {
      return reject(scanner, name, `The bytes ${invalid} are not valid ${encoding === "auto" ? "text" : encoding}`)
    }
    const seen = text === "" ? "An empty field" : "The text"
    return reject(scanner, name, `${seen} is not a value of type ${typeName(type)}`)
  }

  function reject(scanner: RecordScanner, column: string | undefined, reason: string): false {
    builder.discardRow()
    const record: Record<string, string | null> = {}
    for (let field = 0; field < scanner.count; field++) {
      record[names[field] ?? `c${field + 1}`] = isNullField(scanner, field, format)
        ? null
        : showBytes(fieldBytes(scanner, field, dialect)).text
    }
    session.reject({
      row,
      ...(column !== undefined && { column, value: record[column] ?? null }),
      reason,
      record,
      position: `${options.label}:${scanner.line}`,
    })
    return false
  }
}
