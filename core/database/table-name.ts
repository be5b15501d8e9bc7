import type { Session, TableName } from "../contract/index.ts"

type Fail = Session["failure"]

/** Reads `orders`, `shop.orders` or `"odd.name"."x"`; quotes are `"…"` or backticks, doubled inside. */
export function parseTableName(text: string, schema: string | undefined, fail: Fail): TableName {
  const parts: string[] = []
  let rest = text.trim()
  while (rest !== "") {
    const found = /^(?:"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|([^."`]+))(?:\.|$)/.exec(rest)
    if (found === null) throw fail("config", `Cannot read the table name "${text}"`, { hint: HINT })
    parts.push(found[1]?.replaceAll('""', '"') ?? found[2]?.replaceAll("``", "`") ?? found[3]!.trim())
    if (rest.length === found[0].length && rest.endsWith("."))
      throw fail("config", `Cannot read the table name "${text}"`, { hint: HINT })
    rest = rest.slice(found[0].length)
  }
  if (parts.length === 0 || parts.length > 2 || parts.includes(""))
    throw fail("config", `Cannot read the table name "${text}"`, { hint: HINT })
  const name = parts.at(-1)!
  const own = parts.length === 2 ? parts[0] : schema
  return own === undefined ? { name } : { schema: own, name }
}

const HINT = 'Write it as table or schema.table; quote a part that holds a dot: "odd.name"'

export function shownTable(table: TableName): string {
  return table.schema === undefined ? table.name : `${table.schema}.${table.name}`
}

/** One name, or every name that a range stands for. */
export interface TableTerm {
  readonly text: string
  readonly names: readonly string[]
  /** A range takes the tables that exist; a plain name must exist. */
  readonly range: boolean
}

const MOST_NAMES = 10_000
/** Beyond these a JavaScript number does not count in ones. */
const MOST_DIGITS = 15

/** Reads `order_[001-100];order_x`: names and ranges with leading zeros kept, separated by semicolons. */
export function parseTableExpression(text: string, fail: Fail): readonly TableTerm[] {
  const bare = withoutQuoted(text)
  const terms: TableTerm[] = []
  let names = 0
  for (let start = 0, end = 0; start <= text.length; start = end + 1) {
    end = bare.indexOf(";", start)
    if (end < 0) end = text.length
    if (text.slice(start, end).trim() === "") continue
    const term = parseTerm(text.slice(start, end).trim(), fail)
    names += term.names.length
    if (names > MOST_NAMES)
      throw fail("config", `Cannot read so many tables: "${term.text}" is beyond the ${MOST_NAMES}th`)
    terms.push(term)
  }
  if (terms.length === 0) throw fail("config", `Cannot read the tables "${text}": no name is given`, { hint: HINT })
  return terms
}

function parseTerm(term: string, fail: Fail): TableTerm {
  const bare = withoutQuoted(term)
  const found = /^([^[\]]*)\[(\d+)-(\d+)\]([^[\]]*)$/.exec(bare)
  if (found === null) {
    if (/[[\]]/.test(bare))
      throw fail("config", `Cannot read the table range "${term}"`, { hint: "Write it as name_[001-100]" })
    return { text: term, names: [term], range: false }
  }
  const [, before, first, last, after] = found as unknown as [string, string, string, string, string]
  const low = Number(first)
  const high = Number(last)
  if (last.length > MOST_DIGITS || first.length > MOST_DIGITS || high < low || high - low >= MOST_NAMES) {
    throw fail("config", `Cannot use the table range "${term}": it goes from ${first} to ${last}`, {
      hint: `Let it rise, over ${MOST_NAMES} tables at most`,
    })
  }
  // Only the places of the brackets are taken from the text without its quoted parts.
  const head = term.slice(0, before.length)
  const tail = term.slice(term.length - after.length)
  const names = Array.from(
    { length: high - low + 1 },
    (_, i) => `${head}${String(low + i).padStart(first.length, "0")}${tail}`,
  )
  return { text: term, names, range: true }
}

export function isTableExpression(text: string): boolean {
  return /[[\];]/.test(withoutQuoted(text))
}

/** The same text with a blank for every letter of a quoted part, in which nothing has a meaning. */
function withoutQuoted(text: string): string {
  return text.replaceAll(/"(?:[^"]|"")*"|`(?:[^`]|``)*`/g, (part) => " ".repeat(part.length))
}
