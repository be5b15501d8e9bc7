import type { RunReport } from "../../core/run/report.ts"
import type { Owner, RunRecord, RunStatus, RunSummary } from "../../core/store/run-record.ts"
import type { Row } from "./state-file.ts"

/** What a summary is read from. */
export const SUMMARY_COLUMNS = `
  runs.key, runs.id, runs.flow, runs.fence, runs.status, runs.discarded, runs.pid, runs.process, runs.host,
  runs.started_at, runs.attempt_at, runs.ended_at,
  (SELECT origin.id FROM runs AS origin WHERE origin.key = runs.replay_of) AS replay_of,
  coalesce(runs.written, (SELECT sum(splits.written) FROM splits WHERE splits.run = runs.key), 0) AS written,
  coalesce(runs.rejected, (SELECT count(*) FROM rejections WHERE rejections.run = runs.key)) AS rejected`

/** What a record is read from. */
export const RECORD_COLUMNS = `${SUMMARY_COLUMNS}, runs.document, runs.hash, runs.path, runs.base, runs.overrides, runs.parameters,
  runs.bizdate, runs.scheduled_at, runs.steps, runs.sources, runs.settled, runs.report`

export function summaryOf(row: Row): RunSummary {
  return {
    id: text(row.id),
    fence: number(row.fence),
    status: text(row.status) as RunStatus, // the table checks it
    isDiscarded: row.discarded === 1,
    owner: ownerOf(row),
    startedAt: number(row.started_at),
    attemptAt: number(row.attempt_at),
    written: number(row.written),
    rejected: number(row.rejected),
    ...(row.flow === null ? {} : { flow: text(row.flow) }),
    ...(row.ended_at === null ? {} : { endedAt: number(row.ended_at) }),
    ...(row.replay_of === null ? {} : { replayOf: text(row.replay_of) }),
  }
}

export function recordOf(row: Row): RunRecord {
  const { written: _, rejected: __, ...summary } = summaryOf(row)
  return {
    ...summary,
    origin: {
      document: text(row.document),
      hash: text(row.hash),
      base: text(row.base),
      overrides: json(row.overrides),
      ...(row.path === null ? {} : { path: text(row.path) }),
    },
    parameters: json(row.parameters),
    bizdate: text(row.bizdate),
    scheduledAt: text(row.scheduled_at),
    steps: json(row.steps),
    sources: json(row.sources),
    isSettled: row.settled === 1,
    ...(row.report === null ? {} : { report: json<RunReport>(row.report) }),
  }
}

function ownerOf(row: Row): Owner {
  return {
    pid: number(row.pid),
    host: text(row.host),
    ...(row.process === null ? {} : { start: text(row.process) }),
  }
}

/** What we have written ourselves, under a version of the file that we know. */
export function json<T>(value: Row[string] | undefined): T {
  return JSON.parse(text(value)) as T
}

export function text(value: Row[string] | undefined): string {
  return String(value)
}

export function number(value: Row[string] | undefined): number {
  return Number(value)
}
