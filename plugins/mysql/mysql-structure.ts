import type { TableName } from "../../core/contract/index.ts"
import { qualified, quote } from "./mysql-dialect.ts"
import type { Link } from "./mysql-link.ts"

/** What SHOW CREATE TABLE says. */
export interface Structure {
  readonly isTemporary: boolean
  /** Names of the foreign keys that the table has. */
  readonly foreignKeys: readonly string[]
  /** Names of the checks that a person has chosen. */
  readonly checks: readonly string[]
  /** True where files of the table lie in a place of their own. */
  readonly hasDirectory: boolean
  /** The next AUTO_INCREMENT value; 1 where there is no such column. */
  readonly counter: bigint
  /** All that CREATE TABLE … LIKE has to copy, line by line: without names of tables, the counter, and what it never copies. */
  readonly lines: readonly string[]
}

export async function structureOf(link: Link, table: TableName): Promise<Structure> {
  const action = `Cannot read the structure of "${table.name}"`
  const [row] = await link.rows(action, `SHOW CREATE TABLE ${qualified(table)}`)
  return parseStructure(row?.[1] ?? "", table.name, link.facts.mariadb)
}

export function parseStructure(sql: string, name: string, mariadb: boolean): Structure {
  const head = /^CREATE (TEMPORARY )?TABLE /.exec(sql)
  // A name may hold a line break; without quotes it cannot.
  const start = (head?.[0].length ?? 0) + (sql.startsWith(quote(name), head?.[0].length) ? quote(name).length : 0)
  const lines = sql.slice(sql.indexOf("\n", start) + 1).split("\n")
  const names = (kind: string) => lines.flatMap((line) => CONSTRAINT(kind).exec(line)?.[1]?.replaceAll("``", "`") ?? [])
  const options = lines.find((line) => line.startsWith(")")) ?? ""
  return {
    isTemporary: head?.[1] !== undefined,
    foreignKeys: names("FOREIGN KEY"),
    // MySQL names checks after the table, and again when it is renamed; in MariaDB a name only has to be unique in its table.
    checks: mariadb ? [] : names("CHECK").filter((check) => !isOwnCheck(check, name)),
    hasDirectory: DIRECTORY.test(withoutTexts(options)),
    counter: BigInt(COUNTER.exec(options)?.groups?.value ?? 1),
    lines: lines.flatMap((line) => {
      if (CONSTRAINT("FOREIGN KEY").test(line)) return []
      const text = line === options ? line.replace(COUNTER, "$<engine>").replace(DIRECTORIES, "") : line
      return [(mariadb ? text : text.replace(CONSTRAINT("CHECK"), "  CHECK")).replace(/,$/, "")]
    }),
  }
}

/** The first line in which two structures differ; undefined when they are the same. */
export function difference(left: Structure, right: Structure): string | undefined {
  for (let i = 0; i < Math.max(left.lines.length, right.lines.length); i++) {
    if (left.lines[i] !== right.lines[i]) return (left.lines[i] ?? right.lines[i])!.trim()
  }
  return undefined
}

function isOwnCheck(check: string, table: string): boolean {
  return check.startsWith(`${table}_chk_`) && /^\d+$/.test(check.slice(table.length + 5))
}

function withoutTexts(options: string): string {
  return options.replace(/'(?:[^'\\]|\\.|'')*'/g, "''")
}

const CONSTRAINT = (kind: string) => new RegExp(`^ *CONSTRAINT \`((?:[^\`]|\`\`)+)\` ${kind}\\b`)
/** It follows the engine directly, so a comment that looks like it comes later. */
const COUNTER = /(?<engine>^\).*? ENGINE=\w+) AUTO_INCREMENT=(?<value>\d+)/
const DIRECTORY = /\b(?:DATA|INDEX) DIRECTORY='/
const DIRECTORIES = / (?:DATA|INDEX) DIRECTORY='(?:[^'\\]|\\.|'')*'/g
