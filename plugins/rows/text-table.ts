import type { Batches, Columns, TypeKind } from "../../core/contract/index.ts"
import type { Print } from "./console-output.ts"

const rightAligned = new Set<TypeKind>(["int16", "int32", "int64", "uint64", "float32", "float64", "decimal"])

/** An aligned table; columns grow from batch to batch, and the header is printed again when they do. */
export function tablePrinter(columns: Columns, batches: Batches, maxCharacters: number): Print {
  const names = columns.map(({ name }) => cell(name, maxCharacters))
  const widths = names.map(width)
  let header = ""
  return (batch, rows) => {
    const cells = Array.from({ length: rows }, (_, row) =>
      batch.vectors.map((vector) => cell(batches.valueText(vector, row) ?? "NULL", maxCharacters)),
    )
    for (const row of cells) for (const [i, text] of row.entries()) widths[i] = Math.max(widths[i]!, width(text))
    const line = (row: readonly string[]) =>
      row
        .map((text, i) => aligned(text, widths[i]!, columns[i]!.type.kind))
        .join(" | ")
        .trimEnd()
    const rule = widths.map((size) => "-".repeat(size)).join("-+-")
    const top = `${line(names)}\n${rule}`
    const body = cells.map(line)
    if (top === header) return body.join("\n")
    header = top
    return [top, ...body].join("\n")
  }
}

function aligned(text: string, size: number, kind: TypeKind): string {
  const blanks = " ".repeat(Math.max(size - width(text), 0))
  return rightAligned.has(kind) ? blanks + text : text + blanks
}

/** What a terminal may show: no line breaks, no escape sequences, no change of direction. */
function cell(text: string, maxCharacters: number): string {
  const characters = Array.from(segmenter.segment(text.slice(0, maxCharacters * 16)), ({ segment }) => segment)
  const isCut = characters.length > maxCharacters || text.length > maxCharacters * 16
  const shown = isCut ? `${characters.slice(0, maxCharacters - 1).join("")}…` : text
  return shown.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]/gu, escaped)
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

function escaped(character: string): string {
  return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/** Columns that a terminal needs: Asian characters and emoji take two. */
function width(text: string): number {
  let columns = 0
  for (const { segment } of segmenter.segment(text)) columns += wide.test(segment) ? 2 : 1
  return columns
}

const wide =
  /\p{Emoji_Presentation}|[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\uff01-\uff60]/u
