import type { Bench } from "./bench.ts"
import { runMariadb, runPostgres } from "./sql.ts"

/** What a table holds: its rows, and the sum of a hash of each. Equal for equal rows, in any order and either system. */
export interface Content {
  readonly rows: number
  readonly sum: string
}

/** How a table's columns differ from those of the generated one; each is an SQL expression. */
export interface ContentColumns {
  readonly note?: string
}

export async function postgresContent(bench: Bench, table: string, columns: ContentColumns = {}): Promise<Content> {
  // Casts make tables comparable that a tool created by itself, such as flags as integers or wider decimals.
  const text = `concat_ws('|', id::int8, name, amount::numeric(12,2), flag::int, d::date,
    to_char(ts, 'YYYY-MM-DD HH24:MI:SS.US'), score::float8, coalesce(${columns.note ?? "note"}, '\\N'))`
  const sum = `sum(('x' || left(md5(${text}), 15))::bit(60)::int8::numeric)`
  return parse(await runPostgres(bench, `select count(*), ${sum} from ${table}`), "|")
}

export async function mariadbContent(bench: Bench, table: string): Promise<Content> {
  const text = `concat_ws('|', id, name, amount, flag, d, date_format(ts, '%Y-%m-%d %H:%i:%s.%f'), score, coalesce(note, '\\\\N'))`
  const sum = `sum(cast(conv(left(md5(${text}), 15), 16, 10) as unsigned))`
  return parse(await runMariadb(bench, `select count(*), ${sum} from ${table}`), "\t")
}

export function sameContent(left: Content, right: Content): boolean {
  return left.rows === right.rows && left.sum === right.sum
}

export function showContent(content: Content): string {
  return `${content.rows} rows with checksum ${content.sum}`
}

function parse(line: string, separator: string): Content {
  const [rows, sum] = line.split(separator)
  return { rows: Number(rows), sum: sum ?? "" }
}
