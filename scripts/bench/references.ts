import type { Bench } from "./bench.ts"
import { quote } from "./measure.ts"
import { mariadb, psql } from "./sql.ts"

/** `psql COPY binary | psql COPY binary`. */
export function copyToPostgres(bench: Bench, from: string, to: string): string {
  const read = `${psql(bench)} -c ${quote(`copy ${from} to stdout (format binary)`)}`
  return `${read} | ${psql(bench)} -c ${quote(`copy ${to} from stdin (format binary)`)}`
}

/** `mariadb --quick -N -B | psql COPY`. Text "NULL" would be taken for NULL; the generated data has none. */
export function copyFromMariadb(bench: Bench, from: string, to: string): string {
  const read = `${mariadb(bench)} --quick -N -B -e ${quote(`select * from ${from}`)}`
  return `${read} | ${psql(bench)} -c ${quote(`copy ${to} from stdin (null 'NULL')`)}`
}

/** `psql COPY | mariadb LOAD DATA LOCAL`. */
export function copyToMariadb(bench: Bench, from: string, to: string): string {
  const rows = `select id, name, amount, flag::int, d, ts, score, note from ${from}`
  const load = `load data local infile '/dev/stdin' into table ${to} character set utf8mb4`
  return `${psql(bench)} -c ${quote(`copy (${rows}) to stdout`)} | ${mariadb(bench)} -e ${quote(load)}`
}

export function csvToPostgres(bench: Bench, path: string, to: string): string {
  return `${psql(bench)} -c ${quote(`\\copy ${to} from '${path}' with (format csv, header)`)}`
}

export function postgresToCsv(bench: Bench, from: string, path: string): string {
  return `${psql(bench)} -c ${quote(`\\copy ${from} to '${path}' with (format csv, header)`)}`
}

/** InnoDB clusters by the key, so a table without one would be unusual. */
export function mariadbTable(name: string, columns: readonly (readonly [string, string, string])[]): string {
  const list = columns.map(([column, , type]) => `${column} ${type}`).join(", ")
  return `create table ${name} (${list}, primary key (id)) engine = InnoDB character set utf8mb4`
}
