import type { Fault } from "./problem.ts"

/** A template in a text, or dollars that only stand for themselves. */
export interface Template {
  /**
   * What it is looked up by: the text in `${…}`; with its brackets, the text in `$[…]`; the name in `$name`. Undefined
   * when an even number of dollars escaped it.
   */
  readonly key: string | undefined
  /** The dollars that escaping leaves: `$$` gives one. */
  readonly dollars: string
  readonly start: number
  readonly end: number
}

/** `references`: also `$name`, which only the values of parameters know. */
export interface TemplateOptions {
  readonly references?: boolean
}

/**
 * The template that begins at `text[at]`, a `$`. Undefined when that is plain text. Before `{` and `[` (and before a
 * name, with `references`) two dollars stand for one literal dollar, so `$${x}` is the text `${x}`; anywhere else
 * dollars are dollars.
 */
export function templateAt(text: string, at: number, options?: TemplateOptions): Template | Fault | undefined {
  let open = at
  while (text[open] === "$") open++
  const opener = text.charAt(open)
  const bare = options?.references === true && /[A-Za-z_]/.test(opener)
  if (opener !== "{" && opener !== "[" && !bare) return undefined
  const dollars = "$".repeat(Math.floor((open - at) / 2))
  if ((open - at) % 2 === 0) return { key: undefined, dollars, start: at, end: open }
  if (bare) {
    const name = /^\w+/.exec(text.slice(open))?.[0] ?? ""
    return { key: name, dollars, start: at, end: open + name.length }
  }
  const close = closeOf(text, open + 1, opener === "{" ? "}" : "]")
  if (close === undefined) {
    return { fault: `"$${opener}" is not closed`, hint: `Close it on the same line, or write $$${opener} for the text` }
  }
  const inner = text.slice(open + 1, close).trim()
  return { key: opener === "{" ? inner : `[${inner}]`, dollars, start: at, end: close + 1 }
}

/** A text cut into literal pieces and templates. */
export function scanTemplates(text: string, options?: TemplateOptions): readonly (string | { key: string })[] | Fault {
  const pieces: (string | { key: string })[] = []
  let literal = ""
  let at = 0
  while (at < text.length) {
    const dollar = text.indexOf("$", at)
    if (dollar < 0) break
    literal += text.slice(at, dollar)
    const found = templateAt(text, dollar, options)
    if (found !== undefined && "fault" in found) return found
    at = found?.end ?? dollarsEnd(text, dollar)
    literal += found?.dollars ?? text.slice(dollar, at)
    if (found?.key === undefined) continue
    if (literal !== "") pieces.push(literal)
    pieces.push({ key: found.key })
    literal = ""
  }
  literal += text.slice(at)
  if (literal !== "") pieces.push(literal)
  return pieces
}

/** A template as it is written: `${yyyyMMdd}`, `$[HH]`. */
export function writtenTemplate(key: string): string {
  return key.startsWith("[") ? `$${key}` : `\${${key}}`
}

/** Escapes a text so that, as a parameter's value or anywhere in a document, it stands for itself. */
export function escapeTemplates(text: string): string {
  return text.replaceAll(/\$+(?=[{[A-Za-z_])/g, (dollars) => dollars + dollars)
}

export function dollarsEnd(text: string, at: number): number {
  let end = at
  while (text[end] === "$") end++
  return end
}

function closeOf(text: string, from: number, closer: "}" | "]"): number | undefined {
  let quoted = false
  for (let i = from; i < text.length; i++) {
    const char = text[i]
    if (char === "\n") return undefined
    if (char === "'") quoted = !quoted
    else if (char === closer && !quoted) return i
  }
  return undefined
}
