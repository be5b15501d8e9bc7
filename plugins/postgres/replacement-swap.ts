import { quoteIdentifier } from "./postgres-dialect.ts"
import { bringAlong, takeOver } from "./replacement-keep.ts"
import { obstaclesOf } from "./replacement-obstacles.ts"
import { type Relation, relationOf, type Server } from "./replacement-server.ts"
import { compare } from "./replacement-structure.ts"

export interface Swap {
  readonly table: Relation
  readonly stage: Relation
  readonly lockTimeoutMs: number
}

/** Inside the open transaction: takes the table's lock, looks once more at what hangs on it, and puts the stage there. */
export async function swap(server: Server, { table, stage, lockTimeoutMs }: Swap): Promise<void> {
  const { query, run, session } = server
  const what = `Cannot replace table ${table.sql}`
  if (table.schema !== stage.schema)
    throw session.failure("config", `${what}: the stage ${stage.sql} is in another schema`)
  // What the planner knows of the old rows goes with them.
  await server.runAsCaller(`ANALYZE ${stage.sql}`)
  const wait = patience(lockTimeoutMs)
  for (const { sql } of [table, stage]) await run([wait(), `LOCK TABLE ONLY ${sql} IN ACCESS EXCLUSIVE MODE`])
  // It may have been another table until the lock was there.
  const locked = await relationOf(query, table)
  if (locked === undefined) throw session.failure("missing", `${what}: it is not there any more`)
  const obstacles = await obstaclesOf(server, locked, { isPartition: false })
  if (obstacles.length > 0) throw changed(server, what, obstacles)
  const { renames, differences } = await compare(query, { table: locked, stage, assigned: [] })
  if (differences.length > 0) throw changed(server, what, [`not as when the load began: ${differences.join(", ")}`])
  await run([wait(), ...(await takeOver(query, locked, stage))])
  const after = await bringAlong(query, { table: locked, stage, renames })
  await run([wait(), `DROP TABLE ${locked.sql}`, rename(stage, locked), ...after])
}

/** Gives, each time it is asked, the statement that lets the next ones wait as long as is left. */
export function patience(ms: number): () => string {
  const end = performance.now() + ms
  // 0 would be forever.
  return () =>
    `SELECT pg_catalog.set_config('lock_timeout', '${Math.max(1, Math.ceil(end - performance.now()))}', false)`
}

export function rename(stage: Relation, { name }: Relation): string {
  return `ALTER TABLE ${stage.sql} RENAME TO ${quoteIdentifier(name)}`
}

/** The load took its time, and others have used it. */
function changed({ session }: Server, what: string, why: readonly string[]) {
  return session.failure("conflict", `${what}: ${why.join("; ")}`, {
    retryable: false,
    hint: "Undo the change, or run the load again",
  })
}
