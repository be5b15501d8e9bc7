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
  if (parts.length === 0 || parts.length > 2)
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

/** Reads `order_[001-100];order_x`: names and ranges with leading zeros kept, separated by semicolons. */
export function parseTableExpression(text: string, fail: Fail): readonly TableTerm[] {
  const terms = text
    .split(";")
    .map((term) => term.trim())
    .filter((term) => term !== "")
  return terms.map((term) => {
    const found = /^([^[\]]*)\[(\d+)-(\d+)\]([^[\]]*)$/.exec(term)
    if (found === null) {
      if (/[[\]]/.test(term))
        throw fail("config", `Cannot read the table range "${term}"`, { hint: "Write it as name_[001-100]" })
      return { text: term, names: [term], range: false }
    }
    const [, before, first, last, after] = found as unknown as [string, string, string, string, string]
    const low = Number(first)
    const high = Number(last)
    if (high < low || high - low >= MOST_NAMES) {
      throw fail("config", `Cannot use the table range "${term}": it goes from ${first} to ${last}`, {
        hint: `Let it rise, over ${MOST_NAMES} tables at most`,
      })
    }
    const names = Array.from(
      { length: high - low + 1 },
      (_, i) => `${before}${String(low + i).padStart(first.length, "0")}${after}`,
    )
    return { text: term, names, range: true }
  })
}

export function isTableExpression(text: string): boolean {
  return /[[\];]/.test(text) && !/^["`]/.test(text.trim())
}
