import type { Batch, Column, Session } from "../../core/contract/index.ts"
import { type InputFile, quote } from "../_files/input-files.ts"
import { scanFile } from "./csv-file.ts"
import { makeLoader } from "./csv-loader.ts"
import { type CsvInputConfig, type CsvSchema, headerNames } from "./csv-schema.ts"

export interface RowsRequest {
  readonly file: InputFile
  readonly wanted: readonly Column[]
  readonly schema: CsvSchema
  readonly config: CsvInputConfig
}

/** The rows of one file. */
export async function* readRows(request: RowsRequest, session: Session): AsyncGenerator<Batch> {
  const { file, wanted, schema, config } = request
  const { format } = schema
  const builder = session.batches.builder(wanted)
  const ragged = new Map<string, number>()
  const begin = (names: readonly string[]) =>
    makeLoader({ label: file.label, format, names, wanted, builder, raggedRows: config.raggedRows, ragged, session })
  let load = format.options.header ? undefined : begin(schema.columns.map((column) => column.name))
  // A line without a byte is a row where one column is the whole row.
  for await (const scanner of scanFile(file, format, load === undefined || schema.columns.length > 1, session)) {
    if (load === undefined && scanner.next()) {
      const names = headerNames(scanner, format, file.label, session)
      checkNames(names, request, session)
      scanner.skipEmpty = names.length > 1
      load = begin(names)
    }
    while (load !== undefined && scanner.next()) {
      if (!load(scanner) || !builder.full) continue
      const batch = builder.finish()
      yield batch
      builder.recycle(batch)
    }
  }
  if (builder.rows > 0) yield builder.finish()
  for (const [column, values] of ragged) session.adjusted(`raggedRows: "${config.raggedRows}"`, column, values)
}

/** Fails unless a file's header fits the columns; reads no more than the header. */
export async function checkHeader(request: Omit<RowsRequest, "wanted">, session: Session): Promise<void> {
  const { file, schema } = request
  for await (const scanner of scanFile(file, schema.format, true, session)) {
    if (!scanner.next()) continue
    checkNames(headerNames(scanner, schema.format, file.label, session), request, session)
    return
  }
}

function checkNames(names: readonly string[], request: Omit<RowsRequest, "wanted">, session: Session): void {
  const { file, schema, config } = request
  if (config.columnMismatch === "allow") return
  const expected = schema.columns.map((column) => column.name)
  const missing = expected.filter((name) => !names.includes(name))
  if (missing.length > 0)
    throw session.failure("missing", `Cannot find ${quote(missing)} in "${file.label}": it has ${quote(names)}`, {
      hint: 'Mend the names, or set columnMismatch to "allow" to read missing columns as NULL',
    })
  const extra = names.filter((name) => !expected.includes(name))
  if (extra.length > 0)
    throw session.failure(
      "data",
      `Cannot place ${quote(extra)} of "${file.label}": the columns are ${quote(expected)}`,
      {
        hint: 'Declare them, or set columnMismatch to "allow" to leave them out',
      },
    )
}
