import { stat } from "node:fs/promises"
import { join } from "node:path"
import type { Bench } from "./bench.ts"
import { type Content, mariadbContent, postgresContent, sameContent, showContent } from "./content.ts"
import { copyToMariadb, mariadbTable, postgresToCsv } from "./references.ts"
import { databaseName, hasMariadb, runMariadb, runPostgres, runScript } from "./sql.ts"

/** The generated table, the same in every system. */
export interface Source {
  readonly rows: number
  readonly content: Content
  /** With a header line, as `psql` writes it. */
  readonly csv: string
  readonly csvBytes: number
}

/** Fills `bench.t` in PostgreSQL and `t` in MariaDB, writes the CSV file, and makes empty targets beside them. */
export async function generate(bench: Bench, wanted: { rows: number; mariadb: boolean }): Promise<Source> {
  const { rows } = wanted
  await makeDatabases(bench)
  await runPostgres(bench, postgresTables)
  await runPostgres(bench, `insert into bench.t ${postgresRows(rows)}`)
  await runPostgres(bench, "vacuum (analyze) bench.t")
  await runPostgres(bench, "checkpoint")
  const content = await postgresContent(bench, "bench.t")
  const csv = join(bench.folder, "t.csv")
  await runScript(bench, postgresToCsv(bench, "bench.t", csv))
  if (wanted.mariadb && hasMariadb(bench)) {
    await runMariadb(bench, mariadbTables)
    await runScript(bench, copyToMariadb(bench, "bench.t", "t"))
    const copied = await mariadbContent(bench, "t")
    if (!sameContent(copied, content)) {
      throw new Error(`Cannot use the tables: PostgreSQL has ${showContent(content)}, MariaDB ${showContent(copied)}`)
    }
  }
  return { rows, content, csv, csvBytes: (await stat(csv)).size }
}

export function printRows(source: Source): void {
  const megabytes = (source.csvBytes / 1e6).toFixed(0)
  console.log(`data     ${source.rows} rows × 8 columns, ${megabytes} MB as CSV, ${showContent(source.content)}`)
}

/** The types of the generated columns as PostgreSQL and MariaDB declare them. */
const columns = [
  ["id", "int8 not null", "bigint not null"],
  ["name", "text not null", "varchar(100) not null"],
  ["amount", "numeric(12,2) not null", "decimal(12,2) not null"],
  ["flag", "boolean not null", "boolean not null"],
  ["d", "date not null", "date not null"],
  ["ts", "timestamp(6) not null", "datetime(6) not null"],
  ["score", "float8 not null", "double not null"],
  ["note", "text", "text"],
] as const

export const postgresColumns = columns.map(([name, type]) => `${name} ${type}`).join(", ")

// The source has its key. The targets of PostgreSQL have none: maintaining it is the server's work, the same for
// everybody, and would only hide differences between those who load.
const postgresTables = `
  drop schema if exists bench cascade;
  create schema bench;
  drop table if exists public.u, public.u_typed;
  create table bench.t (${postgresColumns}, primary key (id));
  create table public.u (${postgresColumns});
  create table public.u_typed (${postgresColumns});
  alter table public.u_typed rename column note to remark;
  alter table public.u_typed alter column d type timestamp(6);`

const mariadbTables = ["t", "u"]
  .map((table) => `drop table if exists ${table}; ${mariadbTable(table, columns)};`)
  .join("\n")

/** Reproducible: every value follows from the row's number. */
function postgresRows(rows: number): string {
  return `
    select i,
      'customer-' || left(md5(i::text), 28),
      ((hashint8extended(i, 1) & 1073741823) % 1000000000 - 300000000)::numeric / 100,
      i % 3 = 0,
      date '1995-01-01' + (i * 7919 % 11000)::int,
      timestamp '2015-01-01' + (hashint8extended(i, 2) & 281474976710655) * interval '1 microsecond',
      1 + (hashint8extended(i, 3) & 9007199254740991)::float8 / 9007199254740992::float8 * 999,
      case i % 10
        when 0 then null
        when 3 then 'Größe „' || left(md5((i * 3)::text), 12) || '“, bitte prüfen'
        when 7 then 'said "' || left(md5((i * 7)::text), 12) || '", then left'
        else 'order ' || left(md5((i * 11)::text), 24) || ' paid'
      end
    from generate_series(1::int8, ${rows}) as i`
}

async function makeDatabases(bench: Bench): Promise<void> {
  const exists = await runPostgres(bench, `select 1 from pg_database where datname = '${databaseName}'`, "postgres")
  if (exists === "") await runPostgres(bench, `create database ${databaseName}`, "postgres")
  if (hasMariadb(bench)) {
    await runMariadb(bench, `create database if not exists ${databaseName}`, "mysql")
  }
}
