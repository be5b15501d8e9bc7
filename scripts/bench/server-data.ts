import { mkdirSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { openFile } from "../../runtime/store/sqlite-file.ts"

export interface ServerData {
  readonly flows: number
  readonly jobs: number
}

/**
 * Makes a store as a server leaves it after years: flows in folders, each with a version, and jobs with the runs of the
 * engine, most of them ended. In one transaction, by statements that make their own rows: a million jobs take seconds.
 */
export function seedServerData(path: string, { flows, jobs }: ServerData, now = Date.now()): void {
  mkdirSync(dirname(path), { recursive: true })
  for (const end of ["", "-wal", "-shm"]) rmSync(`${path}${end}`, { force: true })
  openFile(path).close()
  using database = new DatabaseSync(path)
  database.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN")
  const fill = (statement: string, rows: number) =>
    database
      .prepare(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${rows}) ${statement}`)
      .run()
  const flow = (i: string) => uuid("f", `${i}`, `${now}`)
  const document = JSON.stringify(FLOW)
  const properties = JSON.stringify({
    priority: 5,
    timeoutHours: 0,
    retries: 0,
    retryMinutes: 1,
    onCrash: "resume",
    concurrency: 1,
  })
  fill(
    `INSERT INTO flows (id, name, folder, description, hash, properties, owner, version, created_at, updated_at, updated_by, document)
      SELECT ${flow("i")}, 'flow-' || i, '/team-' || (i % 50), '', hex(randomblob(32)), '${properties}', 'u', 1, ${now}, ${now}, 'u', '${document}' FROM n`,
    flows,
  )
  database.exec(`INSERT INTO flow_versions SELECT id, 1, properties, '', owner, created_at, document FROM flows`)
  // One a minute, the last one now.
  const at = `(${now} - (${jobs} - 1 - i) * 60000)`
  const status = `CASE WHEN i > ${jobs} - 20 THEN 'queued' WHEN i % 50 = 0 THEN 'failed' WHEN i % 211 = 0 THEN 'cancelled' ELSE 'succeeded' END`
  fill(
    `INSERT INTO jobs (id, flow, flow_name, flow_version, environment, data_sources, cause, account, parameters, bizdate, scheduled_at,
        priority, status, start, retry, requested_at, due_at, started_at, ended_at, written, rejected, message)
      SELECT ${uuid("7", "i", at)}, ${flow(`(i % ${flows})`)}, 'flow-' || (i % ${flows}), 1, 'prod', '["shop"]',
        '{"kind":"schedule","id":"s","name":"nightly"}', 'u', '{}', '2026-01-01', '2026-01-02T00:00:00', 5, ${status},
        '{"kind":"run"}', 0, ${at}, ${at}, ${at} + 100, ${at} + 5000, 1000, 0, NULL FROM n`,
    jobs,
  )
  database.exec("COMMIT; PRAGMA journal_mode = WAL")
}

/** A UUID of the time `at`, both as SQL, that grows with \`i\`. */
function uuid(variant: string, i: string, at: string): string {
  return `printf('%s-%s-7%03x-8${variant === "7" ? "7" : "0"}00-%012x', substr(printf('%012x', ${at}), 1, 8), substr(printf('%012x', ${at}), 9), ${i} % 4096, ${i})`
}

const FLOW = {
  version: 1,
  steps: [
    { id: "read", use: "rows-input", config: { rows: 1000, columns: [{ name: "id", type: "int64", sequence: true }] } },
    { id: "write", use: "sqlite-output", config: { dataSource: "shop", table: "t", createTable: true } },
  ],
  hops: [{ from: "read", to: "write" }],
}

if (import.meta.main) {
  const [path = "server-data/state.db", jobs = "1000000", flows = "10000"] = process.argv.slice(2)
  const begun = performance.now()
  seedServerData(path, { jobs: Number(jobs), flows: Number(flows) })
  console.log(`${path}: ${flows} flows, ${jobs} jobs in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
}
