/** A row as text by column name; NULL is null. */
export type TextRecord = Readonly<Record<string, string | null>>

/** What a column gets: a small part of SQL, over text alone. */
export type Expression =
  | { readonly kind: "literal"; readonly value: string | null }
  | { readonly kind: "column"; readonly name: string }
  | { readonly kind: "trim"; readonly of: Expression }
  | { readonly kind: "replace"; readonly of: Expression; readonly what: Expression; readonly by: Expression }
  | { readonly kind: "join"; readonly parts: readonly Expression[] }

/** A column and its new value. */
export interface Assignment {
  readonly column: string
  readonly expression: Expression
}

/** Where an assignment cannot be understood; `at` counts characters from 1. */
export interface MendFault {
  readonly fault: string
  readonly at: number
}

/**
 * Reads `column = expression`. An expression is a text in single quotes, a number, NULL, the name of a column (in double
 * quotes where it is not a plain word), `trim(x)`, `replace(x, y, z)`, several of these joined by `||`, or one in brackets.
 */
export function parseAssignment(text: string): Assignment | MendFault {
  const reader = new Reader(text)
  try {
    const column = reader.name()
    reader.expect("=")
    const expression = reader.expression()
    reader.expectEnd()
    return { column, expression }
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message, at: error.at + 1 }
    throw error
  }
}

/** The record with its new values. All of them are made from the record as it was. */
export function mend(record: TextRecord, assignments: readonly Assignment[]): TextRecord {
  if (assignments.length === 0) return record
  const values = assignments.map(({ column, expression }) => [column, evaluate(expression, record)] as const)
  return { ...record, ...Object.fromEntries(values) }
}

/** The columns that assignments read. */
export function columnsRead(assignments: readonly Assignment[]): readonly string[] {
  return [...new Set(assignments.flatMap(({ expression }) => columnsOf(expression)))]
}

/** As in SQL, whatever is made with NULL is NULL, and so is a column that the record does not have. */
function evaluate(expression: Expression, record: TextRecord): string | null {
  switch (expression.kind) {
    case "literal":
      return expression.value
    case "column":
      return (Object.hasOwn(record, expression.name) ? record[expression.name] : undefined) ?? null
    case "trim":
      return evaluate(expression.of, record)?.trim() ?? null
    case "replace": {
      const [of, what, by] = [expression.of, expression.what, expression.by].map((each) => evaluate(each, record))
      if (of === null || what === null || by === null) return null
      return what === "" ? of! : of!.replaceAll(what!, () => by!)
    }
    case "join": {
      const parts = expression.parts.map((part) => evaluate(part, record))
      return parts.includes(null) ? null : parts.join("")
    }
  }
}

function columnsOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "literal":
      return []
    case "column":
      return [expression.name]
    case "trim":
      return columnsOf(expression.of)
    case "replace":
      return [expression.of, expression.what, expression.by].flatMap(columnsOf)
    case "join":
      return expression.parts.flatMap(columnsOf)
  }
}

class Fault extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  expression(): Expression {
    const parts = [this.#term()]
    while (this.#takes("||")) parts.push(this.#term())
    return parts.length === 1 ? parts[0]! : { kind: "join", parts }
  }

  name(): string {
    const quoted = this.#match(/"((?:[^"]|"")+)"/y)
    if (quoted !== undefined) return quoted[1]!.replaceAll('""', '"')
    const plain = this.#match(WORD)
    if (plain !== undefined) return plain[0]
    throw this.#fault("the name of a column is missing")
  }

  expect(sign: string): void {
    if (!this.#takes(sign)) throw this.#fault(`"${sign}" is missing`)
  }

  expectEnd(): void {
    this.#blanks()
    if (this.#at < this.#text.length) throw this.#fault(`"${this.#text.slice(this.#at)}" is not understood`)
  }

  #term(): Expression {
    const text = this.#match(/'((?:[^']|'')*)'/y)
    if (text !== undefined) return { kind: "literal", value: text[1]!.replaceAll("''", "'") }
    const number = this.#match(/[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\p{L}\p{N}_])/uy)
    if (number !== undefined) return { kind: "literal", value: number[0] }
    if (this.#takes("(")) {
      const inner = this.expression()
      this.expect(")")
      return inner
    }
    const start = this.#at
    const word = this.#match(WORD)?.[0]
    if (word === undefined) return { kind: "column", name: this.#quotedName() }
    if (this.#takes("(")) return this.#call(word.toLowerCase(), start)
    return word.toLowerCase() === "null" ? { kind: "literal", value: null } : { kind: "column", name: word }
  }

  #quotedName(): string {
    this.#blanks()
    if (this.#text[this.#at] === '"') return this.name()
    const seen = this.#at < this.#text.length ? `"${this.#text.slice(this.#at)}" is no value` : "a value is missing"
    throw this.#fault(`${seen}: write 'text', a number, NULL, a column, trim(…) or replace(…)`)
  }

  #call(name: string, start: number): Expression {
    if (name !== "trim" && name !== "replace") {
      throw new Fault(`there is no function "${name}": there are trim and replace`, this.#skipped(start))
    }
    const of = this.expression()
    if (name === "trim") {
      this.expect(")")
      return { kind: "trim", of }
    }
    this.expect(",")
    const what = this.expression()
    this.expect(",")
    const by = this.expression()
    this.expect(")")
    return { kind: "replace", of, what, by }
  }

  #takes(sign: string): boolean {
    this.#blanks()
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#at += sign.length
    return true
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    this.#blanks()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at += found[0].length
    return found
  }

  #blanks(): void {
    this.#at = this.#skipped(this.#at)
  }

  #skipped(from: number): number {
    let at = from
    while (/\s/.test(this.#text[at] ?? "")) at++
    return at
  }

  #fault(message: string): Fault {
    this.#blanks()
    return new Fault(message, this.#at)
  }
}

const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy
