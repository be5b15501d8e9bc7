import { startMariadb } from "./mariadb.ts"
import { type MysqlVersion, startMysql } from "./mysql.ts"
import { startPostgres } from "./postgres.ts"
import type { Service } from "./service.ts"

/**
 * The servers that all test files of one process share: started on first use, with TLS offered, ended with the
 * process. Isolate yourself by {@link Service.createDatabase}. A test that stops, kills or reconfigures a server
 * starts one of its own instead.
 */
export function postgres(version?: string): Promise<Service> {
  return shared(`postgres ${version ?? ""}`, () =>
    startPostgres({ ssl: true, settings: QUIET, ...(version && { version }) }),
  )
}

export function mariadb(): Promise<Service> {
  return shared("mariadb", () => startMariadb({ ssl: true }))
}

/** With TLS, except the version that has none which a client would take. */
export function mysql(version: MysqlVersion = "newest"): Promise<Service> {
  return shared(`mysql ${version}`, () => startMysql({ version, ssl: version !== "5.7" }))
}

function shared(key: string, start: () => Promise<Service>): Promise<Service> {
  const known = running.get(key)
  if (known) return known
  const starting = start()
  running.set(key, starting)
  return starting
}

const running = new Map<string, Promise<Service>>()

/**
 * Nothing happens that no test has asked for: vacuum and analyze come at any instant, take locks, run statements that name
 * tables, and change how a table is divided. A test that is about statistics makes them.
 */
const QUIET = { autovacuum: "off" }
