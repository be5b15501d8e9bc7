import { type Fault, isFault } from "./problem.ts"
import { dollarsEnd, type Template, templateAt } from "./template.ts"

/**
 * How a database reads SQL. `standard`: PostgreSQL and what follows the standard (`"name"`, no backslashes in plain
 * literals, `$tag$…$tag$`, `E'…'`). `backtick`: MySQL and its kin (`` `name` ``, backslashes, `#` comments).
 */
export type SqlFlavour = "standard" | "backtick"

/** Where a template may stand. `executable` is a comment that the database obeys, such as a hint. */
export type SqlContext = "code" | "single" | "escaped" | "double" | "backtick" | "dollar" | "comment" | "executable"

/** A stretch of SQL. The texts of all tokens in order, templates aside, are the statement. */
export interface SqlToken {
  readonly context: SqlContext
  readonly start: number
  readonly end: number
  /** With their quotes, `$$` already turned into `$`. */
  readonly parts: readonly (string | Template)[]
  readonly closed: boolean
  /** A quote that follows a word directly, as in `N'…'`: something other than plain text. */
  readonly prefixed: boolean
  /** Something before or in this token that databases read differently; no template may stand behind it. */
  readonly doubt: string | undefined
}

/** Cuts SQL into tokens just finely enough to know in which context each template stands. */
export function scanSql(sql: string, flavour: SqlFlavour): readonly SqlToken[] | (Fault & { readonly at: number }) {
  const tokens: SqlToken[] = []
  let doubt: string | undefined
  let brackets = 0
  let at = 0
  while (at < sql.length) {
    const opening = openingAt(sql, at, flavour)
    const body = opening === undefined ? scanCode(sql, at, flavour) : scanEnclosed(sql, at, opening)
    if ("fault" in body) return body
    const context = opening?.context ?? "code"
    const text = sql.slice(at, body.end)
    if (context === "code") for (const part of body.parts) brackets = bracketDepth(part, brackets)
    else if (brackets > 0 && flavour === "standard" && text.includes("]")) doubt ??= bracketDoubt
    doubt ??= doubtAbout(context, text, flavour)
    tokens.push({ context, start: at, ...body, prefixed: opening?.prefixed ?? false, doubt })
    at = body.end
  }
  return tokens
}

/** How many `[` are open behind a part of code. */
export function bracketDepth(part: string | Template, before: number): number {
  let depth = before
  if (typeof part === "string") {
    for (const char of part) {
      if (char === "[") depth++
      else if (char === "]" && depth > 0) depth--
    }
  }
  return depth
}

/** True when the character at `at` is hidden by a backslash before it. */
export function isEscaped(sql: string, at: number): boolean {
  let start = at
  while (sql[start - 1] === "\\") start--
  return (at - start) % 2 === 1
}

/** True for characters that make one word with what stands beside them. */
export function isWordChar(char: string | undefined): boolean {
  return char !== undefined && /[\w$@\u0080-\uffff]/.test(char)
}

interface Opening {
  readonly context: Exclude<SqlContext, "code">
  /** Characters before the body. */
  readonly length: number
  readonly close: string
  /** The closing quote doubled stands for itself. */
  readonly doubled: boolean
  readonly backslash: boolean
  readonly prefixed: boolean
}

function openingAt(sql: string, at: number, flavour: SqlFlavour): Opening | undefined {
  const char = sql.charAt(at)
  if (char === "'" || char === '"' || char === "`") return quoteOpening(sql, at, char, flavour)
  const plain = { doubled: false, backslash: false, prefixed: false }
  if (char === "/" && sql[at + 1] === "*") {
    const executable = /^\/\*(?:!|M!|\+)/.test(sql.slice(at, at + 4))
    return { ...plain, context: executable ? "executable" : "comment", length: 2, close: "*/" }
  }
  if (char === "-" && sql[at + 1] === "-") {
    const comment = flavour === "standard" || sql.charAt(at + 2) <= " " || sql[at + 2] === "\x7f"
    return comment ? { ...plain, context: "comment", length: 2, close: "\n" } : undefined
  }
  if (char === "#" && flavour === "backtick") return { ...plain, context: "comment", length: 1, close: "\n" }
  if (char !== "$" || flavour !== "standard" || isWordChar(sql[at - 1])) return undefined
  const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(sql.slice(at, at + 66))?.[0]
  if (tag === undefined || !sql.includes(tag, at + tag.length)) return undefined
  return { ...plain, context: "dollar", length: tag.length, close: tag }
}

function quoteOpening(sql: string, at: number, quote: "'" | '"' | "`", flavour: SqlFlavour): Opening {
  const before = sql[at - 1]
  const escaped = quote === "'" && flavour === "standard" && /[eE]/.test(before ?? "") && !isWordChar(sql[at - 2])
  const unicode = /^[uU]&$/.test(sql.slice(Math.max(0, at - 2), at))
  return {
    context: escaped ? "escaped" : quote === "'" ? "single" : quote === '"' ? "double" : "backtick",
    length: 1,
    close: quote,
    doubled: true,
    backslash: escaped || (flavour === "backtick" && quote !== "`"),
    prefixed: !escaped && (isWordChar(before) || unicode),
  }
}

type Body = Pick<SqlToken, "parts" | "closed" | "end"> | (Fault & { readonly at: number })

function scanCode(sql: string, start: number, flavour: SqlFlavour): Body {
  const parts = new Parts(sql, start)
  let at = start
  while (at < sql.length && (at === start || openingAt(sql, at, flavour) === undefined)) {
    const found = sql[at] === "$" ? parts.dollarsAt(at) : at + 1
    if (typeof found !== "number") return found
    at = found
  }
  return { parts: parts.upTo(at), closed: true, end: at }
}

function scanEnclosed(sql: string, start: number, opening: Opening): Body {
  const { close, doubled, backslash } = opening
  const parts = new Parts(sql, start)
  let at = start + opening.length
  while (at < sql.length) {
    if (sql.startsWith(close, at)) {
      if (doubled && sql[at + 1] === close) {
        at += 2
        continue
      }
      return { parts: parts.upTo(at + close.length), closed: true, end: at + close.length }
    }
    // A backslash hides what follows, but never a template: no `${…}` may slip through.
    if (backslash && sql[at] === "\\") at += sql[at + 1] === "$" ? 1 : 2
    else {
      const found = sql[at] === "$" ? parts.dollarsAt(at) : at + 1
      if (typeof found !== "number") return found
      at = found
    }
  }
  return { parts: parts.upTo(sql.length), closed: close === "\n", end: sql.length }
}

/** Collects text and templates while a token is scanned. */
class Parts {
  private readonly parts: (string | Template)[] = []
  private readonly sql: string
  private from: number

  constructor(sql: string, start: number) {
    this.sql = sql
    this.from = start
  }

  /** Takes the dollars at `at`, with the template that they begin; returns the position behind. */
  dollarsAt(at: number): number | (Fault & { readonly at: number }) {
    const found = templateAt(this.sql, at)
    if (found === undefined) return dollarsEnd(this.sql, at)
    if (isFault(found)) return { ...found, at }
    this.parts.push(this.sql.slice(this.from, at) + found.dollars)
    if (found.key !== undefined) this.parts.push(found)
    this.from = found.end
    return found.end
  }

  upTo(end: number): readonly (string | Template)[] {
    this.parts.push(this.sql.slice(this.from, end))
    return this.parts.filter((part) => part !== "")
  }
}

function doubtAbout(context: SqlContext, text: string, flavour: SqlFlavour): string | undefined {
  if (context === "comment" && text.startsWith("/*") && text.includes("/*", 2)) {
    return "a comment inside a comment stands before it, and not every database knows those"
  }
  if (context === "comment" && !text.startsWith("/*") && /\r(?!\n)/.test(text)) {
    return "a comment with a bare carriage return stands before it, and not every database ends it there"
  }
  if (context === "executable" && /['"`]|--|#|\/\*/.test(text.slice(2))) {
    return "a comment that the database may execute stands before it, with quotes or comments of its own"
  }
  if (context === "double" && flavour === "backtick" && text.includes("\\")) {
    return "a backslash in double quotes stands before it, and the session decides what that means"
  }
  if (context === "backtick" && flavour === "standard" && /['"$]|--|\/\*/.test(text)) {
    return "a name in backticks stands before it, and not every database knows those"
  }
  return undefined
}

const bracketDoubt = "a quote or comment in square brackets stands before it, and some databases quote names with those"
