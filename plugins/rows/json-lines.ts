import type { Batches, LogicalType } from "../../core/contract/index.ts"
import type { Print } from "./console-output.ts"

/** One object a line. Numbers are printed from their text, so no digit is lost. */
export function jsonPrinter(batches: Batches): Print {
  return (batch, rows) => {
    const keys = batch.columns.map(({ name }) => JSON.stringify(name))
    const lines: string[] = []
    for (let row = 0; row < rows; row++) {
      const members = batch.vectors.map(
        (vector, i) => `${keys[i]}:${jsonText(vector.type, batches.valueText(vector, row))}`,
      )
      lines.push(`{${members.join(",")}}`)
    }
    return lines.join("\n")
  }
}

const literals = new Set<LogicalType["kind"]>([
  "boolean",
  "int16",
  "int32",
  "int64",
  "uint64",
  "float32",
  "float64",
  "decimal",
])

function jsonText({ kind }: LogicalType, text: string | null): string {
  if (text === null) return "null"
  // Line breaks between the tokens of a JSON value mean nothing, and inside its strings there are none.
  if (kind === "json") return text.replace(/[\r\n]+/g, " ")
  return literals.has(kind) && !/^(?:NaN|-?Infinity)$/.test(text) ? text : JSON.stringify(text)
}
