import type { Style } from "./style.ts"

export interface TableColumn {
  readonly title: string
  readonly align?: "left" | "right"
}

/** Lines of an aligned table, the header first; cells are cut to `most` characters. */
export function textTable(
  columns: readonly TableColumn[],
  cells: readonly (readonly string[])[],
  options: { readonly style: Style; readonly most?: number },
): readonly string[] {
  const { style, most = Number.POSITIVE_INFINITY } = options
  const shown = cells.map((row) => row.map((cell) => cut(printable(cell), most)))
  const titles = columns.map(({ title }) => printable(title))
  const widths = titles.map((title, i) => Math.max(width(title), ...shown.map((row) => width(row[i] ?? ""))))
  const line = (row: readonly string[]) =>
    columns
      .map(({ align }, i) => padded(row[i] ?? "", widths[i]!, align ?? "left"))
      .join("  ")
      .trimEnd()
  return [style.dim(line(titles)), ...shown.map(line)]
}

/** No value can draw outside its cell. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => ESCAPES[character] ?? escaped(character))
}

/** Columns that a terminal gives to the text. */
export function width(text: string): number {
  let columns = 0
  for (const { segment } of segmenter.segment(text)) columns += isWide(segment) ? 2 : 1
  return columns
}

function padded(text: string, columns: number, align: "left" | "right"): string {
  const blank = " ".repeat(columns - width(text))
  return align === "right" ? blank + text : text + blank
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`
}

function isWide(segment: string): boolean {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    segment,
  )
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}

/** Control characters, and those that turn the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }
const segmenter = new Intl.Segmenter()
