import type { Columns, Dialect, Session, TableName } from "../contract/index.ts"
import { bindSql } from "../flow/parameters/index.ts"

/** Puts the flow's parameters into an SQL option, bound as literals. */
export function bound(sql: string, option: string, dialect: Dialect, session: Session): string {
  const outcome = bindSql(sql, session.parameters, dialect)
  if ("sql" in outcome) return outcome.sql
  const [problem] = outcome.problems
  throw session.failure("config", `Cannot use option "${option}": ${problem!.message}`, {
    ...(problem!.hint === undefined ? {} : { hint: problem!.hint }),
  })
}

export function qualified(table: TableName, dialect: Dialect): string {
  return table.schema === undefined
    ? dialect.quote(table.name)
    : `${dialect.quote(table.schema)}.${dialect.quote(table.name)}`
}

/** What a split reads: a table or a query, under conditions that must all hold. */
export interface Selection {
  readonly table?: TableName
  readonly query?: string
  readonly conditions: readonly string[]
}

export function fromItem(selection: Selection, dialect: Dialect): string {
  return selection.table === undefined
    ? `(${selection.query}) AS ${dialect.quote("source")}`
    : qualified(selection.table, dialect)
}

export function whereClause(conditions: readonly (string | undefined)[]): string {
  const present = conditions.filter((condition) => condition !== undefined && condition.trim() !== "")
  // A line comment at a condition's end must not swallow the parenthesis.
  return present.length === 0 ? "" : ` WHERE ${present.map((condition) => `(${condition}\n)`).join(" AND ")}`
}

export function selectSql(selection: Selection, columns: Columns, dialect: Dialect): string {
  const list = columns.map((column) => dialect.quote(column.name)).join(", ")
  return `SELECT ${list} FROM ${fromItem(selection, dialect)}${whereClause(selection.conditions)}`
}

/** A query without the semicolon and blanks at its end, so that it can stand in parentheses. */
export function trimmedQuery(query: string): string {
  return `${query.replace(/[\s;]+$/, "")}\n`
}
