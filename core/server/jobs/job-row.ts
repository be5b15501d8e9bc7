import { eq } from "drizzle-orm"
import type { Queries } from "../../store/database.ts"
import type { Tables } from "../../store/tables.ts"
import { type RequestError, refuse } from "../request-error.ts"
import type { Job } from "./dispatcher.ts"

/** A job as it is kept. */
export type JobRow = Tables["jobs"]["$inferSelect"]

export function jobOf(row: JobRow): Job {
  const { id, flow, flowName, flowVersion, environment, cause, parameters, bizdate, scheduledAt, priority } = row
  const overrides = row.overrides ?? {}
  const { status, retry, requestedAt, dueAt, startedAt, endedAt, written, rejected, message } = row
  return {
    ...{ id, flow, flowName, flowVersion, environment, cause, parameters, overrides, bizdate, scheduledAt, priority },
    ...{ status, retry, requestedAt, dueAt, startedAt, endedAt, written, rejected, message },
    isEnding: isLive(row) && row.cancelledBy !== null,
  }
}

/** Whether something will still happen to it by itself. */
export function isLive({ status }: { readonly status: JobRow["status"] }): boolean {
  return status === "queued" || status === "running"
}

export async function rowOf({ select, tables: { jobs } }: Queries, id: string): Promise<JobRow | undefined> {
  const [row] = await select().from(jobs).where(eq(jobs.id, id))
  return row
}

export function unknownJob(id: string): RequestError {
  return refuse("missing", `There is no run "${id}"`)
}
