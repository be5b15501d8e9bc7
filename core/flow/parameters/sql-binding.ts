import type { Dialect, LogicalType, ParameterValue } from "../../contract/index.ts"
import { type Fault, isFault, type Outcome, type ParameterProblem, problemOf } from "./problem.ts"
import { bracketDepth, isEscaped, isWordChar, type SqlFlavour, type SqlToken, scanSql } from "./sql-scan.ts"
import { lookUp } from "./substitute.ts"
import { type Template, writtenTemplate } from "./template.ts"

/**
 * SQL with every template replaced by its value, so that no value can become anything but a value.
 *
 * | where it stands | what it becomes |
 * |---|---|
 * | alone: `where day = ${day}` | a literal of the dialect; an integer or decimal as number, a boolean as TRUE or FALSE |
 * | in a literal: `'ds_${day}'` | part of that literal, which the dialect writes anew |
 * | in a quoted name: `"t_${day}"` | part of that name, which the dialect writes anew |
 * | in a comment | the comment is left out |
 *
 * Refused, with line and column: a part of an unquoted word (`t_${day}`, that would be pasting), a template beside a
 * quote or another template, in a dollar quote, in a comment that the database may execute, a value with a NUL, and
 * SQL of which databases disagree where its literals end. `dialect` also decides how the SQL is read: by MySQL's rules
 * when it quotes names with backticks, otherwise by those of the standard and PostgreSQL.
 */
export function bindSql(
  sql: string,
  values: Readonly<Record<string, ParameterValue>>,
  dialect: Pick<Dialect, "literal" | "quote">,
): Outcome<{ readonly sql: string }> {
  const flavour: SqlFlavour = dialect.quote("a").startsWith("`") ? "backtick" : "standard"
  const tokens = scanSql(sql, flavour)
  if ("fault" in tokens) return { problems: [problemAt(sql, tokens.at, tokens, "template")] }
  const problems: ParameterProblem[] = []
  const binding: Binding = { sql, values, dialect, flavour, brackets: 0 }
  let bound = ""
  for (const token of tokens) {
    const text = bindToken(token, binding)
    if (typeof text === "string") bound += text
    else problems.push(...text.map(({ at, ...fault }) => problemAt(sql, at, fault, fault.reason ?? "unsafe")))
  }
  return problems.length > 0 ? { problems } : { sql: bound }
}

interface Binding {
  readonly sql: string
  readonly values: Readonly<Record<string, ParameterValue>>
  readonly dialect: Pick<Dialect, "literal" | "quote">
  readonly flavour: SqlFlavour
  /** Open `[`: some databases quote names with them, so no value may bring a `]`. */
  brackets: number
}

type Refusal = Fault & { readonly at: number; readonly reason?: ParameterProblem["reason"] }

function bindToken(token: SqlToken, binding: Binding): string | readonly Refusal[] {
  const first = token.parts.find((part) => typeof part !== "string")
  const misplaced = misplacedIn(token, binding)
  if (first !== undefined && token.context === "comment" && misplaced === undefined) {
    return binding.sql[token.end - 1] === "\n" ? "\n" : " "
  }
  const refusals: Refusal[] = []
  const texts = token.parts.map((part) => {
    if (typeof part === "string") {
      if (token.context === "code") binding.brackets = bracketDepth(part, binding.brackets)
      return part
    }
    const text = misplaced ?? valueFor(part, token, binding)
    if (typeof text === "string") return text
    refusals.push({ ...text, at: part.start })
    return ""
  })
  if (refusals.length > 0) return refusals
  if (first === undefined || !isRewritten(token, binding.flavour)) return texts.join("")
  const content = contentOf(token, binding)
  if (token.context === "single") return binding.dialect.literal(content)
  if (content !== "") return binding.dialect.quote(content)
  return [{ fault: "the name is empty", hint: "Give the parameter a value", at: first.start }]
}

/** Why no template may stand in this token at all. */
function misplacedIn(token: SqlToken, { flavour }: Binding): Fault | undefined {
  const { context, closed, doubt } = token
  if (context === "dollar") return { fault: "it stands in a dollar-quoted text", hint: "Use a plain literal '…'" }
  if (context === "executable")
    return { fault: "it stands in a comment that the database may execute", hint: "Write the value out" }
  if (!closed) return { fault: "the quote or comment around it is not closed", hint: "Close it" }
  if (context === "backtick" && flavour === "standard") {
    return { fault: "it stands in backticks, which are no quotes here", hint: `Use double quotes: "…"` }
  }
  if (doubt !== undefined) return { fault: doubt, hint: "Remove that" }
  return undefined
}

function valueFor(template: Template, token: SqlToken, binding: Binding): string | Refusal | Fault {
  const value = lookUp(binding.values, template.key ?? "")
  if (isFault(value)) return { ...value, reason: "missing", at: template.start }
  if (value.value.includes("\0")) return { fault: "its value has a NUL character", hint: "Remove it from the value" }
  if (binding.flavour === "standard" && binding.brackets > 0 && value.value.includes("]")) {
    return { fault: `it stands in brackets, and its value has a "]"`, hint: "Move it out of the brackets" }
  }
  if (token.context === "code") return besideFault(template, binding) ?? loose(value, binding)
  if (token.context === "escaped") {
    if (isEscaped(binding.sql, template.start)) return afterBackslash
    return value.value.replaceAll("\\", "\\\\").replaceAll("'", "''")
  }
  if (isRewritten(token, binding.flavour)) {
    const dangling =
      binding.flavour === "backtick" && token.context === "single" && isEscaped(binding.sql, template.start)
    return dangling ? afterBackslash : value.value
  }
  // What the quotes mean depends on a prefix or on the session, so only a value that needs no escape goes in.
  if (/['"\\]/.test(value.value) || isEscaped(binding.sql, template.start)) {
    return {
      fault: "its value has a quote or a backslash, which cannot be escaped here for certain",
      hint: "Use a plain literal '…'",
    }
  }
  return value.value
}

/** A literal or name whose content is known for certain, so that the dialect can write it anew. */
function isRewritten({ context, prefixed }: SqlToken, flavour: SqlFlavour): boolean {
  if (prefixed) return false
  return context === "single" || context === (flavour === "standard" ? "double" : "backtick")
}

/** What a rewritten literal or name says, values included. */
function contentOf(token: SqlToken, { values, flavour }: Binding): string {
  const quote = token.context === "single" ? "'" : token.context === "double" ? '"' : "`"
  const backslash = flavour === "backtick" && quote === "'"
  const last = token.parts.length - 1
  return token.parts
    .map((part, i) => {
      if (typeof part !== "string") return values[part.key ?? ""]?.value ?? ""
      const text = part.slice(i === 0 ? 1 : 0, i === last ? -1 : undefined)
      return backslash ? text.replace(/''|\\([\s\S])/g, unescaped) : text.replaceAll(quote + quote, quote)
    })
    .join("")
}

/** MySQL's escapes. `\%` and `\_` keep their backslash, which a pattern needs. */
function unescaped(pair: string, char: string | undefined): string {
  if (char === undefined) return "'"
  if (char === "%" || char === "_") return pair
  return Object.hasOwn(mysqlEscapes, char) ? (mysqlEscapes[char] ?? char) : char
}

/** A value that stands alone. */
function loose({ type, value }: ParameterValue, { dialect }: Binding): string | Fault {
  if (type === "integer" || type === "decimal") {
    if (!/^-?\d+(\.\d+)?$/.test(value)) return { fault: `its value "${value}" is not a number`, hint: "Write digits" }
    // In parentheses, since `-` and a negative number would begin a comment.
    return value.startsWith("-") ? `(${value})` : value
  }
  if (type === "boolean") {
    if (value !== "true" && value !== "false") return { fault: `its value "${value}" is neither true nor false` }
    return value.toUpperCase()
  }
  const column = type === "string" ? undefined : { name: "", type: logicalType(type, value), nullable: true }
  return dialect.literal(value, column)
}

/** What a date or timestamp is compared with: dialects differ in how they write an offset. */
function logicalType(type: "date" | "timestamp", value: string): LogicalType {
  return type === "date" ? { kind: "date" } : { kind: "timestamp", zone: value.endsWith("+00") }
}

/** Why a template cannot stand where it does, between these neighbours. */
function besideFault(template: Template, { sql }: Binding): Fault | undefined {
  const before = sql[template.start - 1]
  const after = sql[template.end]
  const written = writtenTemplate(template.key ?? "")
  if (template.dollars !== "" || after === "$") {
    return { fault: "it touches another template or a dollar", hint: "Put both into one literal '…'" }
  }
  if (isQuote(before) || isQuote(after)) {
    return { fault: "it touches a quote", hint: `Put it inside the quotes, or a space between` }
  }
  if (isWordChar(before) || isWordChar(after) || before === "." || after === ".") {
    return {
      fault: "it is part of a name or word without quotes, where a value could become SQL",
      hint: `Quote the whole name, such as "t_${written}", with the quotes of the database`,
    }
  }
  return undefined
}

function isQuote(char: string | undefined): boolean {
  return char === "'" || char === '"' || char === "`"
}

function problemAt(sql: string, at: number, fault: Fault, reason: ParameterProblem["reason"]): ParameterProblem {
  const before = sql.slice(0, at).split("\n")
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
  const end = sql.slice(at).search(/[}\]]/)
  const written = end < 0 ? sql.slice(at, at + 20) : sql.slice(at, at + end + 1)
  return problemOf(`Cannot bind "${written}" at ${place} of the SQL`, fault, { reason })
}

const afterBackslash: Fault = { fault: "a backslash stands directly before it", hint: "Remove the backslash" }

const mysqlEscapes: Readonly<Record<string, string>> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
}
