import { and, eq, inArray, isNull, notInArray, or } from "drizzle-orm"
import { Clock, Effect } from "effect"
import type { Queries, StoreDatabase } from "../../store/database.ts"
import type { Owner } from "../../store/run-record.ts"
import type { JobStart } from "../../store/tables/job-tables.ts"
import { usualProperties } from "../flows/flow-properties.ts"
import { isSaved } from "./flow-of-job.ts"
import type { JobRow } from "./job-row.ts"
import type { ServerProcess } from "./server-process.ts"

interface FleetContext {
  readonly database: StoreDatabase["Service"]
  readonly own: ServerProcess["Service"]
  /** Id of this server. */
  readonly server: string
}

/** Tells the others that this server is there; again, should one of them have believed it dead. */
export const appear = Effect.fnUntraced(function* ({ database, own: { owner }, server }: FleetContext) {
  const now = yield* Clock.currentTimeMillis
  const row = {
    id: server,
    host: owner.host,
    pid: owner.pid,
    process: owner.start ?? null,
    startedAt: now,
    seenAt: now,
  }
  yield* database.write(async ({ insert, tables: { servers } }) => {
    await insert(servers)
      .values(row)
      .onConflictDoUpdate({ target: servers.id, set: { seenAt: now } })
  })
})

export const leave = ({ database, server }: FleetContext) =>
  database.write(async ({ delete: remove, tables: { servers } }) => {
    await remove(servers).where(eq(servers.id, server))
  })

/**
 * Takes the jobs of servers that are gone back into the queue: to be resumed where their flow says so, else to be closed
 * and failed. Gives the jobs.
 */
export const recover = Effect.fnUntraced(function* ({ database, own, server }: FleetContext) {
  const now = yield* Clock.currentTimeMillis
  const known = yield* database.read(({ select, tables: { servers } }) => select().from(servers))
  const isGone = (row: (typeof known)[number]) => {
    if (row.id === server) return false
    const owner: Owner = { pid: row.pid, host: row.host, ...(row.process === null ? {} : { start: row.process }) }
    const life = own.lifeOf(owner)
    return life === "gone" || (life === "elsewhere" && now - row.seenAt > SILENT_MS)
  }
  const gone = known.filter(isGone).map(({ id }) => id)
  const alive = [server, ...known.flatMap(({ id }) => (gone.includes(id) ? [] : [id]))]
  return yield* database.write(
    async (queries) => {
      const { update, delete: remove, tables } = queries
      const { jobs, servers } = tables
      const lost = await lostJobs(queries, alive)
      for (const { row, start } of lost) {
        const mine = and(eq(jobs.id, row.id), eq(jobs.status, "running"))
        await update(jobs).set({ status: "queued", server: null, start, dueAt: now, message: INTERRUPTED }).where(mine)
      }
      if (gone.length > 0) await remove(servers).where(inArray(servers.id, gone))
      return lost.map(
        ({ row, start }): JobRow => ({ ...row, status: "queued", server: null, start, message: INTERRUPTED }),
      )
    },
    { lock: "jobs" },
  )
})

async function lostJobs({ select, tables }: Queries, alive: readonly string[]) {
  const { jobs, flows } = tables
  const nobody = or(isNull(jobs.server), notInArray(jobs.server, [...alive]))
  const rows = await select()
    .from(jobs)
    .where(and(eq(jobs.status, "running"), nobody))
  if (rows.length === 0) return []
  const ids = [...new Set(rows.map(({ flow }) => flow))]
  const found = await select({ id: flows.id, properties: flows.properties }).from(flows).where(inArray(flows.id, ids))
  const resuming = new Set(found.flatMap(({ id, properties }) => (properties.onCrash === "resume" ? [id] : [])))
  const isResumed = (row: JobRow) =>
    isSaved({ version: row.flowVersion }) ? resuming.has(row.flow) : usualProperties.onCrash === "resume"
  return rows.map((row) => ({ row, start: startAfterCrash(row, isResumed(row)) }))
}

function startAfterCrash({ start, cancelledBy }: JobRow, isResumed: boolean): JobStart {
  if (start.kind === "close") return start
  if (cancelledBy !== null) return { kind: "close", status: "cancelled", message: "" }
  // Its rows wait as before, or are settled by the next replay.
  if (start.kind === "replay") return start
  if (!isResumed) return { kind: "close", status: "failed", message: INTERRUPTED }
  // Which of both it is shows when it is tried: a run that was not begun is begun.
  if (start.kind === "restart") return start
  return { kind: "resume", newSnapshot: start.kind === "resume" && start.newSnapshot, force: true }
}

const INTERRUPTED = "The run was interrupted: its server has died"
/** A server that has not been heard of for so long, on a machine that cannot be asked, is gone. */
const SILENT_MS = 60_000
