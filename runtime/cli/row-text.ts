import type { Column, Columns, LogicalType } from "../../core/contract/index.ts"
import type { Style } from "./style.ts"
import { textTable } from "./text-table.ts"

/** Rows as an aligned table, numbers to the right. */
export function rowTable(
  columns: Columns,
  rows: readonly (readonly (string | null)[])[],
  style: Style,
): readonly string[] {
  const heads = columns.map((column) => ({
    title: column.name,
    align: isNumber(column.type) ? ("right" as const) : ("left" as const),
  }))
  return textTable(
    heads,
    rows.map((row) => row.map((value) => value ?? "NULL")),
    { style, most: MOST_CHARACTERS },
  )
}

/** A row as one JSON object on a line; every digit of a number stays. */
export function rowJson(columns: Columns, row: readonly (string | null)[]): string {
  const members = columns.map((column, i) => `${JSON.stringify(column.name)}:${valueJson(column, row[i] ?? null)}`)
  return `{${members.join(",")}}`
}

function valueJson({ type }: Column, value: string | null): string {
  if (value === null) return "null"
  // A number is its own JSON, except what JSON cannot say.
  if (isNumber(type)) return JSON_NUMBER.test(value) ? value : JSON.stringify(value)
  if (type.kind === "boolean") return value
  return type.kind === "json" ? value.replaceAll(/[\r\n]/g, " ") : JSON.stringify(value)
}

function isNumber({ kind }: LogicalType): boolean {
  return NUMBERS.has(kind)
}

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/
const NUMBERS: ReadonlySet<LogicalType["kind"]> = new Set([
  "int16",
  "int32",
  "int64",
  "uint64",
  "float32",
  "float64",
  "decimal",
])
const MOST_CHARACTERS = 40
