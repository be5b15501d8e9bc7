import type { Failure, Session } from "../../core/contract/index.ts"
import type { Query } from "./catalog.ts"
import { serverError } from "./failures.ts"

type Run = Session["run"]

/** How the server knows the connections of one attempt at a run. */
export function applicationName({ id, fence }: Run): string {
  const attempt = ` ${fence}`
  return `headrace ${id}`.slice(0, NAME_BYTES - attempt.length) + attempt
}

/** Ends the connections that attempts before this one have left, and waits until they are gone. */
export async function evictEarlier(query: Query, session: Session, run: Run): Promise<void> {
  const left = async () => {
    // Inside a transaction the server would go on showing what it has shown before.
    await query("SELECT pg_catalog.pg_stat_clear_snapshot()")
    const rows = await query(OTHERS, [`headrace ${run.id}`.slice(0, SHOWN_BYTES)])
    return rows.filter(([, name]) => isEarlier(run, name!))
  }
  const refused = new Map<string, string>()
  const deadline = performance.now() + PATIENCE_MS
  for (let found = await left(); found.length > 0; found = await left()) {
    for (const [pid, name] of found) {
      try {
        await query(TERMINATE, [pid!, name!])
      } catch (error) {
        const { code, message } = serverError(error)
        if (code !== "42501") throw error
        refused.set(pid!, message)
      }
    }
    const [stays] = found.every(([pid]) => refused.has(pid!)) || performance.now() > deadline ? found : []
    if (stays !== undefined) throw remains(session, run, stays, refused)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** A lock of the database that ends with the connection. */
export async function lock(query: Query, name: string): Promise<boolean> {
  const [row] = await query("SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))", [name])
  return row?.[0] === "t"
}

/** Who keeps a backend waiting; asked on another connection. */
export async function waitsFor({ query }: { readonly query: Query }, backend: number): Promise<readonly string[]> {
  const rows = await query(BLOCKERS, [String(backend)])
  return rows.map(([line]) => line!)
}

function isEarlier(run: Run, name: string): boolean {
  const fence = Number(/ (\d+)$/.exec(name)?.[1])
  return fence < run.fence && applicationName({ id: run.id, fence }) === name
}

function remains(
  session: Session,
  run: Run,
  [pid, , user]: readonly (string | null)[],
  refused: ReadonlyMap<string, string>,
): Failure {
  const why = refused.get(pid!) ?? `it is still there after ${PATIENCE_MS / 1000} s`
  return session.failure(
    "conflict",
    `Cannot end what an earlier attempt at run "${run.id}" has left: backend ${pid} of user "${user}" stays: ${why}`,
    { retryable: !refused.has(pid!), hint: `End it at the server: SELECT pg_terminate_backend(${pid})` },
  )
}

/** Longer names are cut by the server. */
const NAME_BYTES = 63
/** What every name of a run begins with, however long its fence is. */
const SHOWN_BYTES = 40
const PATIENCE_MS = 5000
const POLL_MS = 20
/** Workers of a parallel query end with the process that they work for; of strangers the type is not shown. */
const OTHERS = `
  SELECT pid, application_name, usename FROM pg_catalog.pg_stat_activity
  WHERE pid <> pg_backend_pid() AND starts_with(application_name, $1) 
    AND COALESCE(backend_type, 'client backend') = 'client backend'`
const BLOCKERS = `
  SELECT DISTINCT concat('backend ', b.pid, ' of user "', a.usename, '"',
    ' (' || NULLIF(concat_ws(', ', NULLIF(a.application_name, ''), a.state || ' since ' || to_char(a.state_change, 'HH24:MI:SS TZ')), '') || ')',
    CASE WHEN w.relation IS NULL THEN ' holds what it needs' ELSE ' holds a lock on ' || w.relation::regclass END)
  FROM unnest(pg_blocking_pids($1::int)) AS b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid
  LEFT JOIN pg_locks w ON w.pid = $1::int AND NOT w.granted AND w.locktype = 'relation'`
/** By name as well: the process may have ended, and another one begun under its number. */
const TERMINATE = `
  SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
  WHERE pid = $1::int AND application_name = $2`
