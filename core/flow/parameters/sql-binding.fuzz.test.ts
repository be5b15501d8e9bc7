import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mysqlDialect } from "../../../plugins/mysql/mysql-dialect.ts"
import { postgresDialect } from "../../../plugins/postgres/postgres-dialect.ts"
import { dialect as sqliteDialect } from "../../../plugins/sqlite/dialect.ts"
import type { ParameterValue } from "../../contract/index.ts"
import { bindSql } from "./sql-binding.ts"

/** A piece of SQL, and the tokens that a database must see once the value `v` is in it. */
type Fragment = readonly [sql: string, tokens: (v: string) => readonly string[]]

const shared: readonly Fragment[] = [
  ["${v}", (v) => [`string ${v}`]],
  ["(${v})", (v) => ["(", `string ${v}`, ")"]],
  ["'${v}'", (v) => [`string ${v}`]],
  ["'a''${v}''b'", (v) => [`string a'${v}'b`]],
  ["'--${v}${v}/*'", (v) => [`string --${v}${v}/*`]],
  ["-${n}", () => ["-", "-7"]],
  ["-- it's ${v} \"\n", () => []],
  ["/* it's ${v} ` */", () => []],
  ["/* it's \" ` */", () => []],
  ["-- it's \" `\n", () => []],
  ["'$$'", () => ["string $$"]],
  ["word", () => ["word"]],
]
const standard: readonly Fragment[] = [
  ...shared,
  ['"a_${v}"', (v) => [`name a_${v}`]],
  ['"a""\'${v}"', (v) => [`name a"'${v}`]],
  ["'\\'", () => ["string \\"]],
  ['"\'"', () => ["name '"]],
]
const postgres: readonly Fragment[] = [
  ...standard,
  ["E'\\'\\\\${v}'", (v) => [`string '\\${v}`]],
  ["$q$it's \" $$ $q$", () => ["string it's \" $$ "]],
  ["$$ it's $q$ $$", () => ["string  it's $q$ "]],
]
const mysql: readonly Fragment[] = [
  ...shared,
  ["`a_${v}`", (v) => [`name a_${v}`]],
  ["`a``'${v}`", (v) => [`name a\`'${v}`]],
  ["'\\'\\\\${v}\\''", (v) => [`string '\\${v}'`]],
  ["'\\\\'", () => ["string \\"]],
  ["# it's ${v}\n", () => []],
  ["`'`", () => ["name '"]],
]

const atoms = ["'", "''", '"', "`", "\\", "\\\\", "--", "-- ", "/*", "*/", "/*!", "#", ";", "$$", "$q$", "$", "${n}"]
const more = ["$[HH]", "\n", "\r", " ", "x", "0", "=", "(", ")", "[", "é", "😀", "E'", " OR 1=1", "\u00a0", "%", "_"]

test.each([
  ["postgres", postgresDialect, postgres, tokenizePostgres],
  ["mysql", mysqlDialect, mysql, tokenizeMysql],
])("parameters never leave their literal or name, whatever their value: %s", (_, dialect, fragments, tokenize) => {
  const random = randomFrom(20240229)
  for (let round = 0; round < 4000; round++) {
    const chosen = Array.from({ length: 1 + random(6) }, () => fragments[random(fragments.length)]!)
    const v = hostile(random)
    const bound = bindSql(chosen.map(([sql]) => sql).join(" "), valuesOf(v), dialect)
    if (bound.problems !== undefined) throw new Error(JSON.stringify([chosen.map(([sql]) => sql), v, bound.problems]))
    expect(tokenize(bound.sql)).toEqual(chosen.flatMap(([, tokens]) => tokens(v)))
  }
})

test("parameters reach SQLite as they are, whatever their value", () => {
  const random = randomFrom(7)
  using database = new Database(":memory:")
  const sql = `select \${v} as a, 'it''s \${v}' as b, -- \${v} '
    -\${n} as c, /* ' \${v} */ 5 as "n_\${v}", '\${v}' || \${v} as d`
  for (let round = 0; round < 1500; round++) {
    const v = hostile(random)
    const bound = bindSql(sql, valuesOf(v), sqliteDialect)
    if (bound.problems !== undefined) throw new Error(JSON.stringify([v, bound.problems]))
    expect(database.query(bound.sql).all()).toEqual([{ a: v, b: `it's ${v}`, c: 7, [`n_${v}`]: 5, d: v + v }])
  }
})

test("parameters in any text that looks like SQL are bound or refused, and never survive", () => {
  const random = randomFrom(11)
  // Every quote and a backslash: wherever it may stand, one of them has to be escaped.
  const value = "q'u\"o`t\\e"
  const pieces = [...atoms, ...more, "${v}", "${v}", "'${v}'", '"${v}"', "$${v}", "[", "]"]
  for (const dialect of [postgresDialect, mysqlDialect, sqliteDialect]) {
    for (let round = 0; round < 4000; round++) {
      const sql = Array.from({ length: 1 + random(9) }, () => pieces[random(pieces.length)]!).join("")
      const bound = bindSql(sql, valuesOf(value), dialect)
      if (bound.problems === undefined) expect(bound.sql).not.toContain(value)
      else expect(bound.problems.length).toBeGreaterThan(0)
    }
  }
})

function valuesOf(v: string): Record<string, ParameterValue> {
  return {
    v: { type: "string", value: v },
    n: { type: "integer", value: "-7" },
    "[HH]": { type: "string", value: "1" },
  }
}

function hostile(random: (below: number) => number): string {
  const pieces = [...atoms, ...more]
  return Array.from({ length: random(7) }, () => pieces[random(pieces.length)]!).join("")
}

/** What PostgreSQL's lexer makes of SQL, written from its manual (4.1) and not from the code under test. */
function tokenizePostgres(sql: string): readonly string[] {
  return tokenize(sql, [
    [/^\s+/, () => []],
    [/^--[^\n\r]*/, () => []],
    [/^\/\*(?:[^*]|\*(?!\/))*\*\//, () => []],
    [/^[eE]'((?:[^'\\]|''|\\[\s\S])*)'/, (body) => [`string ${body.replace(/''|\\([\s\S])/g, (_, c) => c ?? "'")}`]],
    [/^'((?:[^']|'')*)'/, (body) => [`string ${body.replaceAll("''", "'")}`]],
    [/^"((?:[^"]|"")+)"/, (body) => [`name ${body.replaceAll('""', '"')}`]],
    [/^\$q\$([\s\S]*?)\$q\$/, (body) => [`string ${body}`]],
    [/^\$\$([\s\S]*?)\$\$/, (body) => [`string ${body}`]],
    [/^\(-7\)/, () => ["-7"]],
    [/^([()-])/, (body) => [body]],
    [/^(word)/, (body) => [body]],
  ])
}

/** The same for MySQL, from its manual (9.1, 9.2 and 9.7). */
function tokenizeMysql(sql: string): readonly string[] {
  return tokenize(sql, [
    [/^\s+/, () => []],
    [/^--(?=\s|$)[^\n]*/, () => []],
    [/^#[^\n]*/, () => []],
    [/^\/\*(?:[^*]|\*(?!\/))*\*\//, () => []],
    [/^'((?:[^'\\]|''|\\[\s\S])*)'/, (body) => [`string ${body.replace(/''|\\([\s\S])/g, (_, c) => c ?? "'")}`]],
    [/^`((?:[^`]|``)+)`/, (body) => [`name ${body.replaceAll("``", "`")}`]],
    [/^\(-7\)/, () => ["-7"]],
    [/^([()-])/, (body) => [body]],
    [/^(word)/, (body) => [body]],
  ])
}

function tokenize(sql: string, rules: readonly (readonly [RegExp, (body: string) => readonly string[]])[]): string[] {
  const tokens: string[] = []
  let rest = sql
  while (rest !== "") {
    const rule = rules.find(([pattern]) => pattern.test(rest))
    const match = rule?.[0].exec(rest)
    if (rule === undefined || match == null) return [...tokens, `broken: ${rest}`]
    tokens.push(...rule[1](match[1] ?? ""))
    rest = rest.slice(match[0].length)
  }
  return tokens
}

/** Mulberry32: the same numbers in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
