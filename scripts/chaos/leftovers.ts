import { existsSync, readdirSync } from "node:fs"
import { ask, type Cells, type Place } from "./database.ts"
import type { Scene } from "./scene.ts"
import type { State } from "./state.ts"
import { SOURCE_TABLE, TARGET_TABLE } from "./tables.ts"

/** What a run has left where nothing must be left, one line each. */
export async function leftovers(scene: Scene, run: Pick<State, "id" | "fence">): Promise<readonly string[]> {
  const { source, target } = scene.places
  return [
    ...(await strayTables(source, [SOURCE_TABLE])),
    ...(await strayTables(target, [TARGET_TABLE, "headrace_ledger"])),
    ...(await staySessions(source, run)),
    ...(await staySessions(target, run)),
    ...(await locks(source)),
    ...(await locks(target)),
    ...strayFiles(scene),
  ]
}

/** Tables, indexes and the like: one that was swapped in must not keep the name of its stage anywhere. */
async function strayTables(place: Place, known: readonly string[]): Promise<readonly string[]> {
  const { database, service } = place
  const found =
    service.kind === "postgres"
      ? await ask(
          place,
          `SELECT relname, relkind::text FROM pg_class WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
           UNION SELECT conname, 'constraint' FROM pg_constraint WHERE conname LIKE '%dpfx%'`,
        )
      : await ask(
          place,
          `SELECT TABLE_NAME, 'r' FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${database}'
           UNION SELECT CONSTRAINT_NAME, 'constraint' FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = '${database}'`,
        )
  const isStray = (name: string, kind: string) => name.includes("dpfx") || (kind === "r" && !known.includes(name))
  return found.flatMap(([name, kind]) =>
    isStray(name ?? "", kind ?? "") ? [`${kind === "r" ? "table" : "object"} "${name}" in ${service.kind}`] : [],
  )
}

/** Connections that are not ours. What has just been closed may take a moment to go. */
async function staySessions(place: Place, run: Pick<State, "id" | "fence">): Promise<readonly string[]> {
  const { database, service } = place
  const sql =
    service.kind === "postgres"
      ? `SELECT pid::text, application_name, state, wait_event, left(query, 80) FROM pg_stat_activity
         WHERE datname = '${database}' AND application_name <> 'chaos' AND backend_type = 'client backend'`
      : `SELECT CAST(ID AS char), COMMAND, STATE, LEFT(COALESCE(INFO, ''), 80) FROM information_schema.PROCESSLIST
         WHERE DB = '${database}' AND ID <> CONNECTION_ID()`
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const all = await ask(place, sql)
    const found = service.kind === "postgres" || all.length === 0 ? all : await holding(place, all, run)
    if (found.length === 0) return []
    if (performance.now() > deadline)
      return found.map((session) => `session in ${service.kind}: ${session.map((word) => word ?? "").join(" | ")}`)
    await Bun.sleep(50)
  }
}

/**
 * MariaDB knows a session of a run by a lock that is its first statement. One that was cut off between its login and that
 * statement has no name and holds nothing; nobody but the server's own timeout can end it.
 */
async function holding(place: Place, sessions: readonly Cells[], { id, fence }: Pick<State, "id" | "fence">) {
  const names = Array.from({ length: fence }, (_, i) =>
    Array.from({ length: 64 }, (_, n) => `headrace:${id}:${i + 1}:${n + 1}`),
  ).flat()
  const [holders = []] = await ask(
    place,
    `SELECT ${names.map((name) => `CAST(IS_USED_LOCK('${name}') AS char)`).join(", ")}`,
  )
  const working = await ask(place, "SELECT CAST(trx_mysql_thread_id AS char) FROM information_schema.INNODB_TRX")
  const held = new Set([...holders, ...working.flat()])
  return sessions.filter(([session]) => held.has(session ?? null))
}

/** Named locks of MariaDB end with their session, so there is none without one. */
async function locks(place: Place): Promise<readonly string[]> {
  if (place.service.kind !== "postgres") return []
  const found = await ask(
    place,
    `SELECT pid::text, objid::text FROM pg_locks JOIN pg_database ON pg_database.oid = database
     WHERE locktype = 'advisory' AND datname = '${place.database}'
     UNION ALL SELECT 'prepared', gid FROM pg_prepared_xacts WHERE database = '${place.database}'`,
  )
  return found.map(([holder, lock]) => `lock ${lock} of ${holder}`)
}

function strayFiles({ home, folder }: Scene): readonly string[] {
  const inHome = existsSync(home) ? readdirSync(home, { recursive: true }).map(String) : []
  const inFolder = readdirSync(folder).map(String)
  return [
    ...inHome.filter((name) => !/^(state\.db(-wal|-shm)?)$/.test(name)).map((name) => `file "home/${name}"`),
    ...inFolder
      .filter((name) => !/^(home|target-disk|flow\.json|sources\.json|\d-.*\.(out|err))$/.test(name))
      .map((name) => `file "${name}"`),
  ]
}

const PATIENCE_MS = 4000
