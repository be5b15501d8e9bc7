import { expect, test } from "bun:test"
import type { LoadRequest, LogicalType, TableColumn } from "../../core/contract/index.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { Chunk } from "./chunk.ts"
import { binaryFormat, type TupleFormat, textFormat } from "./tuple.ts"

const COLUMNS = [column("id", "bigint", { kind: "int64" }), column("note", "text", { kind: "string" })]
const ROWS = [
  ["1", "short"],
  ["-2", "tab\tline\n\\N é"],
  ["3", null],
  ["4", "x".repeat(5000)],
  ["5", ""],
] as const

test.each([
  ["text", "append", textFormat],
  ["text", "overwriteRows", textFormat],
  ["binary", "append", binaryFormat],
  ["binary", "overwriteRows", binaryFormat],
] as const)("postgres keeps every row of a batch for which a chunk has to grow, in %s, to %s", (_, mode, format) => {
  expect(recordsOf(format, mode, 8)).toEqual(ROWS.map(([id, note]) => ({ id, note })))
})

/** Rows that went into a chunk of so many bytes and came out again. */
function recordsOf(format: TupleFormat, mode: LoadRequest["mode"], bytes: number) {
  const session = testSession()
  const request = { table: { name: "t" }, columns: COLUMNS, mode, keyColumns: ["id"], options: {} }
  const builder = session.batches.builder(COLUMNS)
  for (const row of ROWS) {
    for (const [i, value] of row.entries()) {
      const to = builder.columns[i]!
      const text = encoder.encode(value ?? "")
      if (value === null) to.null()
      else expect(to.parse(text, 0, text.length)).toBe(true)
    }
    builder.endRow()
  }
  const chunk = new Chunk(bytes)
  format.encode(builder.finish(), request, session, chunk)
  const rows = format.rows(chunk)
  expect(rows).toHaveLength(chunk.rows)
  return rows.map((row) => format.record(row, request, session))
}

function column(name: string, declared: string, type: LogicalType): TableColumn {
  const native = { system: "postgres", type: declared }
  return { name, type, nullable: true, native, generated: false, identity: false, hasDefault: false }
}

const encoder = new TextEncoder()
