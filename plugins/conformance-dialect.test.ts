import { expect, test } from "bun:test"
import type { Column, Database, LogicalType } from "../core/contract/index.ts"
import { parseTypeName } from "./_sql/type-name.ts"
import { plugins } from "./registry.gen.ts"

/** How a database reads SQL, as far as quoting goes. */
interface Syntax {
  readonly identifier: '"' | "`"
  /** In plain strings; `E'…'` always has them. */
  readonly backslashes: boolean
  readonly comments: RegExp
}

/** The database's own rules; one that is missing here fails. */
const syntaxes: Readonly<Record<string, Syntax>> = {
  postgres: { identifier: '"', backslashes: false, comments: /^(--|\/\*|\$\w*\$)/ },
  mysql: { identifier: "`", backslashes: true, comments: /^(--\s|#|\/\*)/ },
  sqlite: { identifier: '"', backslashes: false, comments: /^(--|\/\*)/ },
}

const HOSTILE = [
  "",
  "'",
  "''",
  '"',
  "`",
  "\\",
  "\\'",
  "\\\\'",
  "'; DROP TABLE a; --",
  "' OR '1'='1",
  '"; DROP TABLE a; --',
  "`; DROP TABLE a; #",
  "$$; $a$",
  "/* */ -- #",
  "a\nb\r\nc",
  "\u0000'",
  "\\0",
  "E'\\''",
  "x'41'",
  "0x41",
  "1 OR 1=1",
  "1; DELETE",
  "\u2019 \uff07 \u02bc",
  "\u00bf\u5c27",
  "true' --",
  "+00",
  "\\x00'",
  "2024-01-01' --",
]

const TYPES = ["boolean", "int16", "int64", "uint64", "float64", "decimal(12,2)", "string(10)", "bytes", "date"]
const MORE_TYPES = ["time", "timestamp", "timestamptz", "interval", "json", "uuid"]
const logicalTypes: readonly LogicalType[] = [...TYPES, ...MORE_TYPES].map((name) => parseTypeName(name)!)

const databases = plugins.flatMap(({ components }) =>
  components.filter((component): component is Database => component.kind === "database"),
)

for (const {
  id,
  dialect,
  dialect: { quote, literal, columnType },
} of databases) {
  const syntax = syntaxes[id]

  test(`${id} has an entry among the syntaxes that the suite knows`, () => expect(syntax).toBeDefined())

  test(`${id} quotes identifiers that nothing breaks out of`, () => {
    for (const name of HOSTILE.filter((text) => text !== "")) {
      const tokens = read(`SELECT ${quote(name)} FROM t`, syntax!)
      expect(tokens).toEqual([
        { kind: "word", text: "SELECT" },
        { kind: "name", text: name },
        { kind: "word", text: "FROM" },
        { kind: "word", text: "t" },
      ])
    }
  })

  test(`${id} writes literals that nothing breaks out of and that read back the same`, () => {
    for (const value of HOSTILE) {
      const tokens = read(`SELECT ${literal(value)} FROM t`, syntax!)
      expect(tokens.slice(0, 1)).toEqual([{ kind: "word", text: "SELECT" }])
      expect(tokens.slice(-2)).toEqual([
        { kind: "word", text: "FROM" },
        { kind: "word", text: "t" },
      ])
      expect(evaluate(tokens.slice(1, -2))).toBe(value)
    }
  })

  test(`${id} writes literals for columns of any type that nothing breaks out of`, () => {
    for (const type of logicalTypes) {
      const declared = columnType({ name: "a", type, nullable: true }, { key: false }).type
      for (const value of HOSTILE) {
        for (const native of [undefined, { system: id, type: declared }]) {
          const column: Column = { name: "a", type, nullable: true, ...(native && { native }) }
          const tokens = read(`SELECT ${literal(value, column)} FROM t`, syntax!)
          const shown = `${declared} ${JSON.stringify(value)}`
          expect([tokens.at(0)?.text, tokens.at(-2)?.text, tokens.at(-1)?.text], shown).toEqual(["SELECT", "FROM", "t"])
          const loose = tokens.slice(1, -2).filter(({ kind, text }) => !isLiteralPart(kind, text, declared))
          expect(loose, shown).toEqual([])
        }
      }
    }
  })

  test(`${id} has a dialect of pure functions`, () => {
    const once = answers()
    expect(answers()).toEqual(once)

    function answers(): unknown {
      return logicalTypes.flatMap((type) => {
        const column: Column = Object.freeze({ name: "a", type: Object.freeze(type), nullable: true })
        const keyed = [true, false].map((key) => columnType(column, Object.freeze({ key })))
        return [...keyed, literal("1", column), quote("a"), dialect.sample("t", 0.01), dialect.sample("t", 1)]
      })
    }
  })

  test(`${id} declares a type for a column of every logical type, or says what it loses`, () => {
    for (const type of [...logicalTypes, { kind: "native", system: "other", name: "box" } as const]) {
      const { type: declared, lossy } = columnType({ name: "a", type, nullable: true }, { key: false })
      expect(declared).toMatch(/^[A-Za-z][\w ]*(\(\d+(,\d+)?\))?( [\w ]+)?$/)
      if (type.kind === "native") expect(lossy).toContain("box")
    }
  })

  test(`${id} samples by a share of the table that it was given`, () => {
    const table = quote("o'rders")
    for (const fraction of [0, 0.000_001, 0.5, 1]) {
      const { from, where } = dialect.sample(table, fraction)
      expect(from.startsWith(table)).toBe(true)
      expect(`${from}${where ?? ""}`).not.toMatch(/NaN|undefined|e-|Infinity/)
    }
  })
}

test("conformance reads SQL well enough to see a literal break out", () => {
  const postgres = syntaxes.postgres!
  expect(() => read("SELECT 'a'' FROM t", postgres)).toThrow("not closed")
  expect(() => read("SELECT 1 -- FROM t", postgres)).toThrow("comment")
  expect(evaluate(read("E'a\\'b\\n'", postgres))).toBe("a'b\n")
  expect(evaluate(read("'a\\'", postgres))).toBe("a\\")
  expect(() => read("'a\\'", syntaxes.mysql!)).toThrow("not closed")
  expect(evaluate(read("('a'||char(0)||'''')", syntaxes.sqlite!))).toBe("a\0'")
  expect(isLiteralPart("word", "DROP", "text")).toBe(false)
})

interface Token {
  readonly kind: "word" | "name" | "text" | "hex" | "number" | "sign"
  readonly text: string
}

/** The tokens of a statement; throws where it ends inside one, and at a comment. */
function read(sql: string, syntax: Syntax): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < sql.length) {
    const rest = sql.slice(at)
    const blank = /^\s+/.exec(rest)
    if (blank) at += blank[0].length
    else if (syntax.comments.test(rest)) throw new Error(`a comment begins at ${rest}`)
    else if (/^[eE]'/.test(rest)) at = quoted(at + 1, "text", true)
    else if (/^[xX]'/.test(rest)) at = quoted(at + 1, "hex", false)
    else if (rest[0] === "'") at = quoted(at, "text", syntax.backslashes)
    else if (rest[0] === syntax.identifier) at = quoted(at, "name", false)
    else {
      const [text, number, word] = /^(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([\p{L}_]\w*)|::|\|\||.)/su.exec(rest)!
      tokens.push({ kind: number ? "number" : word ? "word" : "sign", text })
      at += text.length
    }
  }
  return tokens

  function quoted(from: number, kind: Token["kind"], backslashes: boolean): number {
    const mark = sql[from]!
    let text = ""
    for (let i = from + 1; i < sql.length; i++) {
      const character = sql[i]!
      if (backslashes && character === "\\") {
        const next = sql[++i]
        text += next === "0" ? "\0" : next === "n" ? "\n" : (next ?? "")
      } else if (character !== mark) text += character
      else if (sql[i + 1] === mark) text += sql[i++]
      else {
        tokens.push({ kind, text })
        return i + 1
      }
    }
    throw new Error(`a quote is not closed: ${sql.slice(from)}`)
  }
}

/** The value of a literal without a column: strings, and characters by code, put together. */
function evaluate(tokens: readonly Token[]): string {
  let value = ""
  for (const [i, { kind, text }] of tokens.entries()) {
    if (kind === "text") value += text
    else if (kind === "number" && tokens[i - 2]?.text === "char") value += String.fromCodePoint(Number(text))
    else if (!(kind === "sign" && ["(", ")", "||"].includes(text)) && text !== "char")
      throw new Error(`"${text}" is no part of a literal`)
  }
  return value
}

/** What may stand in a literal for a column: values, how they are put together, and a cast to the declared type. */
function isLiteralPart(kind: Token["kind"], text: string, declared: string): boolean {
  if (kind === "text" || kind === "hex" || kind === "number") return true
  if (kind === "sign") return ["(", ")", "||", "::", ",", "-", "+"].includes(text)
  return kind === "word" && ["char", "true", "false", ...declared.split(/\W+/)].includes(text)
}
