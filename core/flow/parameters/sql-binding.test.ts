import { describe, expect, test } from "bun:test"
import { mysqlDialect } from "../../../plugins/mysql/mysql-dialect.ts"
import { postgresDialect } from "../../../plugins/postgres/postgres-dialect.ts"
import { dialect as sqliteDialect } from "../../../plugins/sqlite/dialect.ts"
import type { ParameterValue } from "../../contract/index.ts"
import { bindSql } from "./sql-binding.ts"

const values: Record<string, ParameterValue> = {
  day: { type: "string", value: "20240229" },
  evil: { type: "string", value: "' OR 1=1; --" },
  slash: { type: "string", value: "a\\" },
  quotes: { type: "string", value: "a\"b`c'd" },
  empty: { type: "string", value: "" },
  nul: { type: "string", value: "a\0b" },
  bracket: { type: "string", value: "a]; drop" },
  n: { type: "integer", value: "42" },
  neg: { type: "decimal", value: "-1.50" },
  forged: { type: "integer", value: "1; drop table t" },
  maybe: { type: "boolean", value: "1 or 1" },
  yes: { type: "boolean", value: "true" },
  date: { type: "date", value: "2024-02-29" },
  at: { type: "timestamp", value: "2024-02-29 12:00:00+00" },
  "yyyy-MM-dd'T'HH": { type: "string", value: "2024-02-29T00" },
  "[HH-1/24]": { type: "string", value: "07" },
}

describe("parameters bind into SQL of PostgreSQL", () => {
  test.each([
    ["select 1", "select 1"],
    ["a = ${day}", "a = '20240229'"],
    ["a=${day};", "a='20240229';"],
    ["a = ${evil}", "a = ''' OR 1=1; --'"],
    ["a = ${slash}", "a =  E'a\\\\'"],
    ["a = ${n} and b > -${neg}", "a = 42 and b > -(-1.50)"],
    ["a = ${yes} and d >= ${date} and t < ${at}", "a = TRUE and d >= '2024-02-29' and t < '2024-02-29 12:00:00+00'"],
    ["a in (${n},${day})", "a in (42,'20240229')"],
    ["a = 'ds_${day}'", "a = 'ds_20240229'"],
    ["a = '${evil}${n}'", "a = ''' OR 1=1; --42'"],
    ["a = 'it''s ${slash}'", "a =  E'it''s a\\\\'"],
    ["a = '${empty}'", "a = ''"],
    ["h = '$[HH-1/24]' and t = ${yyyy-MM-dd'T'HH}", "h = '07' and t = '2024-02-29T00'"],
    ["t = '${yyyy-MM-dd'T'HH}:00'", "t = '2024-02-29T00:00'"],
    ['from "t_${day}"', 'from "t_20240229"'],
    ['from "a""${quotes}"', 'from "a""a""b`c\'d"'],
    ['s."t_${day}".c', 's."t_20240229".c'],
    ["a = E'\\n${evil}${slash}'", "a = E'\\n'' OR 1=1; --a\\\\'"],
    ["a = E'it\\'s' and b = ${n}", "a = E'it\\'s' and b = 42"],
    ["a = N'${day}'", "a = N'20240229'"],
    ["a = '\\' and b = ${n}", "a = '\\' and b = 42"],
    ["a = '--' and b = '/*' and c = ${n}", "a = '--' and b = '/*' and c = 42"],
    ["a -- was ${evil}\n= ${n}", "a \n= 42"],
    ["a /* was ${evil}, it's */ = ${n}", "a   = 42"],
    ["a -- ${gone}", "a  "],
    ["/* it's */ ${n} -- it's", "/* it's */ 42 -- it's"],
    ["/* /* it's */ */ 1", "/* /* it's */ */ 1"],
    ["d #>> '{a,b}' = ${day}", "d #>> '{a,b}' = '20240229'"],
    ["d[${n}] = c['${day}']", "d[42] = c['20240229']"],
    ["a = $q$it's$q$ and b = ${n}", "a = $q$it's$q$ and b = 42"],
    ['a = $${"a": 1}$$ and b = ${n}', 'a = $${"a": 1}$$ and b = 42'],
    ["a = '$${day}' and b = '$$${n}' -- $${c}", "a = '${day}' and b = '$42' -- ${c}"],
    ["a$b$ + c$b$ = ${n}", "a$b$ + c$b$ = 42"],
    ["select 'open", "select 'open"],
    ["select /* open", "select /* open"],
    ["a$b$ = ${n} + c$b$", "a$b$ = 42 + c$b$"],
    ["a LIKE'\\' and b = ${n}", "a LIKE'\\' and b = 42"],
    ["a = $1 and b = ${n}", "a = $1 and b = 42"],
    ["", ""],
  ])("%s", (sql, bound) => expect(bindSql(sql, values, postgresDialect)).toEqual({ sql: bound }))
})

describe("parameters bind into SQL of MySQL", () => {
  test.each([
    ["a = ${evil}", "a = ''' OR 1=1; --'"],
    ["a = ${slash} and t < ${at}", "a = 'a\\\\' and t < '2024-02-29 12:00:00'"],
    ["a = '\\'${evil}'", "a = ''''' OR 1=1; --'"],
    ["a = 'a\\nb\\\\${slash}'", "a = 'a\nb\\\\a\\\\'"],
    ["a like '\\%${n}\\_'", "a like '\\\\%42\\\\_'"],
    ["a = 'it\\'s' and b = ${n}", "a = 'it\\'s' and b = 42"],
    ["from `t_${quotes}`", "from `t_a\"b``c'd`"],
    ['a = "${day}" and b = "it\'s ${n}"', 'a = "20240229" and b = "it\'s 42"'],
    ["a # was ${evil}\n= ${n}", "a \n= 42"],
    ["a = 5--${n}", "a = 5--42"],
    ["a = 5--${neg}", "a = 5--(-1.50)"],
    ["a -- was ${evil}", "a  "],
    ["select /*+ NO_ICP(t) */ ${n}", "select /*+ NO_ICP(t) */ 42"],
    ["a = '$q$' and b = ${n} and c = '$q$'", "a = '$q$' and b = 42 and c = '$q$'"],
  ])("%s", (sql, bound) => expect(bindSql(sql, values, mysqlDialect)).toEqual({ sql: bound }))
})

describe("parameters refuse to bind", () => {
  const both = [postgresDialect, mysqlDialect]
  test.each([
    ["t_${day}", both, "part of a name or word", `"t_\${day}"`],
    ["t_${n}", both, "part of a name or word", ""],
    ["${day}_t", both, "part of a name or word", ""],
    ["s.${day}", both, "part of a name or word", ""],
    ["${day}.t", both, "part of a name or word", ""],
    ["1${n}", both, "part of a name or word", ""],
    ["@${day}", both, "part of a name or word", ""],
    ["é${day}", both, "part of a name or word", ""],
    ["${day}${n}", both, "touches another template", ""],
    ["$$${day}", both, "touches another template", ""],
    ["'a'${day}", both, "touches a quote", ""],
    ["${day}'a'", both, "touches a quote", ""],
    ["E${day}", both, "part of a name or word", ""],
    ["a = ${nope}", both, `"\${nope}" has no value`, "default"],
    ["a = '${nope}'", both, `"\${nope}" has no value`, "default"],
    ["a = ${Day}", both, `"\${Day}" has no value`, ""],
    ["a = ${nul}", both, "NUL", ""],
    ["a = '${nul}'", both, "NUL", ""],
    ["a = ${forged}", both, "is not a number", ""],
    ["a = ${maybe}", both, "neither true nor false", ""],
    ["a = '${day}", both, "is not closed", "Close"],
    ["a /* ${day}", both, "is not closed", "Close"],
    ["a = ${day", both, "is not closed", "$${"],
    ["a = N'${evil}'", both, "a quote or a backslash", "plain literal"],
    ["a /*! ${day} */", both, "may execute", ""],
    ["a /*+ ${day} */", both, "may execute", ""],
    ["a /*M! ${day} */", both, "may execute", ""],
    ["a /*! '*/ = ${day}", both, "may execute", ""],
    ["/* /* */ ${day} */", both, "comment inside a comment", ""],
    ["/* /* ${day} */ */", both, "comment inside a comment", ""],
    ["-- x\ry ${day}\n", both, "bare carriage return", ""],
    ["do $$ ${day} $$", [postgresDialect], "dollar-quoted", "plain literal"],
    ["do $q$ $$ ${day} $q$", [postgresDialect], "dollar-quoted", "plain literal"],
    ["`t_${day}`", [postgresDialect, sqliteDialect], "backticks", "double quotes"],
    ["`it's` = ${day}", [sqliteDialect], "name in backticks", ""],
    ["[it's] = ${day} and [it's] = 1", [sqliteDialect], "quote or comment in square brackets", ""],
    ["[t_ ${bracket} ]", [sqliteDialect], `its value has a "]"`, ""],
    ["c['${bracket}']", [sqliteDialect], `its value has a "]"`, ""],
    ['"${empty}"', [postgresDialect], "the name is empty", ""],
    ['U&"${slash}"', [postgresDialect], "a quote or a backslash", ""],
    ["E'\\${day}'", [postgresDialect], "backslash stands directly before", ""],
    ["'\\${day}'", [mysqlDialect], "backslash stands directly before", ""],
    ['"${evil}"', [mysqlDialect], "a quote or a backslash", "plain literal"],
    ['"${slash}"', [mysqlDialect], "a quote or a backslash", "plain literal"],
    ['"\\" = ${day} -- "', [mysqlDialect], "backslash in double quotes", ""],
    ["``${day}``", [mysqlDialect], "touches a quote", ""],
  ])("%s", (sql, dialects, message, hint) => {
    for (const dialect of dialects) {
      const { problems } = bindSql(sql, values, dialect)
      expect(problems?.[0]?.message).toContain(message)
      expect(problems?.[0]?.hint ?? "").toContain(hint)
    }
  })

  test("every template that cannot be bound, with line and column", () => {
    const { problems } = bindSql("select 1\nfrom t_${day}\nwhere a = ${nope} and b = ${n}", values, postgresDialect)
    expect(problems?.map(({ message, reason }) => [reason, message.split(" of the SQL")[0]])).toEqual([
      ["unsafe", `Cannot bind "\${day}" at line 2, column 8`],
      ["missing", `Cannot bind "\${nope}" at line 3, column 11`],
    ])
  })
})
