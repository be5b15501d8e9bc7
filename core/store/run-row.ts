import { sql } from "drizzle-orm"
import type { RunReport } from "../run/report.ts"
import type { Owner, RunRecord, RunSummary } from "./run-record.ts"
import type { Tables } from "./tables.ts"

type Run = Tables["runs"]["$inferSelect"]

/** What a summary is read from. */
export function summaryColumns({ runs }: Tables) {
  const { key, id, flow, fence, status, discarded, pid, host, startedAt, attemptAt, endedAt } = runs
  return {
    ...{ key, id, flow, fence, status, discarded, pid, host, startedAt, attemptAt, endedAt },
    process: runs.process,
    origin: sql<string | null>`(SELECT origin.id FROM runs AS origin WHERE origin.key = runs.replay_of)`,
    written:
      sql<number>`coalesce(runs.written, (SELECT sum(splits.written) FROM splits WHERE splits.run = runs.key), 0)`.mapWith(
        Number,
      ),
    rejected:
      sql<number>`coalesce(runs.rejected, (SELECT count(*) FROM rejections WHERE rejections.run = runs.key))`.mapWith(
        Number,
      ),
  }
}

/** What a record is read from. */
export function recordColumns(tables: Tables) {
  const { document, hash, path, base, overrides, parameters, bizdate, scheduledAt, steps, sources, settled, report } =
    tables.runs
  return {
    ...summaryColumns(tables),
    ...{ document, hash, path, base, overrides, parameters, bizdate, scheduledAt, steps, sources, settled, report },
  }
}

type SummaryRow = Pick<Run, "id" | "flow" | "fence" | "status" | "discarded" | "pid" | "process" | "host"> &
  Pick<Run, "startedAt" | "attemptAt" | "endedAt"> & {
    readonly origin: string | null
    readonly written: number
    readonly rejected: number
  }
type RecordRow = SummaryRow & Omit<Run, "replayOf" | "written" | "rejected" | "staged">

export function summaryOf(row: SummaryRow): RunSummary {
  const { id, fence, status, discarded, startedAt, attemptAt, written, rejected, flow, endedAt, origin } = row
  return {
    ...{ id, fence, status, isDiscarded: discarded, owner: ownerOf(row), startedAt, attemptAt, written, rejected },
    ...(flow === null ? {} : { flow }),
    ...(endedAt === null ? {} : { endedAt }),
    ...(origin === null ? {} : { replayOf: origin }),
  }
}

export function recordOf(row: RecordRow): RunRecord {
  const { written: _, rejected: __, ...summary } = summaryOf(row)
  const { document, hash, base, overrides, path, parameters, bizdate, scheduledAt, steps, sources, settled } = row
  return {
    ...summary,
    origin: { document, hash, base, overrides, ...(path === null ? {} : { path }) },
    ...{ parameters, bizdate, scheduledAt, steps, sources, isSettled: settled },
    ...(row.report === null ? {} : { report: row.report satisfies RunReport }),
  }
}

function ownerOf(row: SummaryRow): Owner {
  return { pid: row.pid, host: row.host, ...(row.process === null ? {} : { start: row.process }) }
}
