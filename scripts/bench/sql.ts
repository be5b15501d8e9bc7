import type { Bench } from "./bench.ts"
import { capture, pipeline, quote } from "./measure.ts"

export const databaseName = "headrace_bench"

/** Runs statements in PostgreSQL and gives the last result as text, fields parted by `|`. */
export function runPostgres(bench: Bench, sql: string, database: string = databaseName): Promise<string> {
  return capture([...psqlArguments(bench, database), "-At", "-c", sql], clientEnvironment(bench))
}

/** Runs statements in MariaDB and gives their results as text, fields parted by tabs. */
export function runMariadb(bench: Bench, sql: string, database: string = databaseName): Promise<string> {
  return capture([...mariadbArguments(bench), "-N", "-B", database, "-e", sql], clientEnvironment(bench))
}

/** `psql` connected to the bench database, for shell scripts. */
export function psql(bench: Bench): string {
  return psqlArguments(bench, databaseName).map(quote).join(" ")
}

/** `mariadb` connected to the bench database, for shell scripts. */
export function mariadb(bench: Bench): string {
  return [...mariadbArguments(bench), databaseName].map(quote).join(" ")
}

export function runScript(bench: Bench, script: string): Promise<string> {
  return capture(pipeline(script), clientEnvironment(bench))
}

/** Notices would fill the logs, and the checksum needs one zone. */
export function clientEnvironment(bench: Bench): Readonly<Record<string, string>> {
  return {
    PGOPTIONS: "-c client_min_messages=warning -c timezone=UTC",
    PGPASSWORD: bench.servers.postgres.password,
    MYSQL_PWD: bench.servers.mariadb?.password ?? "",
  }
}

/** True when cases with MariaDB can run. */
export function hasMariadb(bench: Bench): boolean {
  return bench.clients.mariadb !== undefined && bench.servers.mariadb !== undefined
}

function psqlArguments(bench: Bench, database: string): readonly string[] {
  const { host, port, user } = bench.servers.postgres
  const connection = ["-h", host, "-p", String(port), "-U", user, "-d", database]
  return [bench.clients.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", ...connection]
}

function mariadbArguments(bench: Bench): readonly string[] {
  const { clients, servers } = bench
  if (!clients.mariadb || !servers.mariadb) throw new Error("Cannot ask MariaDB: it was not started")
  const { host, port, user } = servers.mariadb
  const connection = ["--protocol=tcp", "-h", host, "-P", String(port), "-u", user]
  return [clients.mariadb, "--no-defaults", ...connection, "--default-character-set=utf8mb4", "--local-infile=1"]
}
