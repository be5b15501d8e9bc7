import { failure } from "../../core/host/failure.ts"
import type { OpenedInput, Rejection } from "../../core/run/journal.ts"
import type { SplitReceipt } from "../../core/run/report.ts"
import {
  committedRows,
  type Mark,
  type NewRun,
  type RunProgress,
  type Unfinished,
} from "../../core/store/run-record.ts"
import type { Attempt, Ending, RunStore } from "../../core/store/run-store.ts"
import { json, number, RECORD_COLUMNS, recordOf, SUMMARY_COLUMNS, summaryOf, text } from "./run-row.ts"
import type { Row, StateFile } from "./state-file.ts"

/** The run store in an SQLite file. */
export function makeRunStore(file: StateFile, now: () => number = Date.now): RunStore["Service"] {
  return {
    async register(run, judge) {
      file.write(() => {
        if (judge !== undefined && run.flow !== undefined) judge(unfinished(file, run.flow))
        forgetOld(file, now())
        insertRun(file, run, now())
      })
    },
    async find(id) {
      const row = file.get(`SELECT ${RECORD_COLUMNS} FROM runs WHERE id = ?`, id)
      return row === undefined ? undefined : recordOf(row)
    },
    async list({ flow, statuses, limit = -1 }) {
      const rows = file.all(
        `SELECT ${SUMMARY_COLUMNS} FROM runs WHERE (?1 IS NULL OR flow = ?1)
          AND (?2 IS NULL OR status IN (SELECT value FROM json_each(?2))) ORDER BY key DESC LIMIT ?3`,
        flow ?? null,
        statuses === undefined ? null : JSON.stringify(statuses),
        limit,
      )
      return rows.map(summaryOf)
    },
    progress: async (id) => progressOf(file, id),
    async claim({ id, fence }, owner) {
      return file.write(() => {
        const claimed = file.run(
          `UPDATE runs SET fence = fence + 1, status = 'running', pid = ?, process = ?, host = ?, attempt_at = ?, ended_at = NULL,
            written = NULL, rejected = NULL, report = NULL
            WHERE id = ? AND fence = ? AND status <> 'succeeded'`,
          ...[owner.pid, owner.start ?? null, owner.host, now(), id, fence],
        )
        // Rows that belong to no split are rejected again.
        if (claimed > 0)
          file.run("DELETE FROM rejections WHERE run = (SELECT key FROM runs WHERE id = ?) AND split = ''", id)
        return claimed > 0
      })
    },
    async planned(run, steps) {
      owned(file, run, (key) => file.run("UPDATE runs SET steps = ? WHERE key = ?", JSON.stringify(steps), key))
    },
    async inputOpened(run, { step, columns, splits, oneSnapshot, mark }) {
      owned(file, run, (key) =>
        file.run(
          "INSERT OR REPLACE INTO inputs (run, step, columns, splits, one_snapshot, mark) VALUES (?, ?, ?, ?, ?, ?)",
          ...[key, step, JSON.stringify(columns), JSON.stringify(splits), oneSnapshot ? 1 : 0, mark ?? null],
        ),
      )
    },
    async splitStarted(run, split, attempt, kept) {
      // What is kept of this try comes after it, and takes it to the disk.
      ownedLater(file, run, (key) => {
        file.run(
          "DELETE FROM rejections WHERE run = ? AND split = ? AND step NOT IN (SELECT value FROM json_each(?))",
          ...[key, split, JSON.stringify(kept)],
        )
        file.run(
          `INSERT INTO splits (run, split, attempt) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET attempt = excluded.attempt, written = NULL, receipt = NULL`,
          ...[key, split, attempt],
        )
      })
    },
    async splitCommitted(run, receipt) {
      const written = receipt.outputs.reduce((sum, output) => sum + output.written, 0)
      owned(file, run, (key) =>
        file.run(
          "INSERT OR REPLACE INTO splits (run, split, attempt, written, receipt) VALUES (?, ?, ?, ?, ?)",
          ...[key, receipt.split, receipt.attempt, written, JSON.stringify(receipt)],
        ),
      )
    },
    async keep(run, rejections) {
      owned(file, run, (key) => insertRejections(file, key, rejections))
    },
    finish: async (run, ending) => finish(file, run, ending, now()),
    async marks(flow) {
      const rows = file.all("SELECT step, source, mark, run FROM marks WHERE flow = ?", flow)
      return rows.map(
        ({ step, source, mark, run }): Mark => ({
          step: text(step),
          dataSource: text(source),
          mark: text(mark),
          run: text(run),
        }),
      )
    },
  }
}

/** Does the work in one transaction, if no later attempt has claimed the run. */
export function owned(file: StateFile, run: Attempt, work: (key: number) => void): void {
  file.write(() => work(ownedKey(file, run)))
}

function ownedLater(file: StateFile, run: Attempt, work: (key: number) => void): void {
  file.writeLater(() => work(ownedKey(file, run)))
}

function ownedKey(file: StateFile, { id, fence }: Attempt): number {
  const row = file.get("SELECT key, fence FROM runs WHERE id = ?", id)
  if (row === undefined || number(row.fence) !== fence) {
    throw failure("cancelled", `Cannot go on with run ${id}: it was taken over by somebody else`, {
      retryable: false,
    })
  }
  return number(row.key)
}

export function insertRun(file: StateFile, run: NewRun, at: number): number {
  const { origin, owner } = run
  const origins = run.replayOf === undefined ? undefined : file.get("SELECT key FROM runs WHERE id = ?", run.replayOf)
  file.run(
    `INSERT INTO runs (id, flow, replay_of, document, hash, path, base, overrides, parameters, bizdate, scheduled_at, steps,
      sources, staged, fence, status, pid, process, host, started_at, attempt_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'running', ?, ?, ?, ?, ?)`,
    ...[run.id, run.flow ?? null, origins === undefined ? null : number(origins.key)],
    ...[origin.document, origin.hash, origin.path ?? null, origin.base, JSON.stringify(origin.overrides)],
    ...[JSON.stringify(run.parameters), run.bizdate, run.scheduledAt],
    ...[JSON.stringify(run.steps), JSON.stringify(run.sources)],
    run.steps.some(({ writes }) => writes === "stages") ? 1 : 0,
    ...[owner.pid, owner.start ?? null, owner.host, at, at],
  )
  return number(file.get("SELECT key FROM runs WHERE id = ?", run.id)?.key)
}

function progressOf(file: StateFile, id: string): RunProgress {
  const inputs = file.all(
    "SELECT step, columns, splits, one_snapshot, mark FROM inputs WHERE run = (SELECT key FROM runs WHERE id = ?)",
    id,
  )
  const splits = file.all(
    "SELECT split, attempt, receipt FROM splits WHERE run = (SELECT key FROM runs WHERE id = ?)",
    id,
  )
  return {
    inputs: inputs.map(
      (row): OpenedInput => ({
        step: text(row.step),
        columns: json(row.columns),
        splits: json(row.splits),
        oneSnapshot: row.one_snapshot === 1,
        ...(row.mark === null ? {} : { mark: text(row.mark) }),
      }),
    ),
    receipts: splits.flatMap(({ receipt }) => (receipt === null ? [] : [json<SplitReceipt>(receipt)])),
    begun: splits.flatMap(({ split, attempt, receipt }) =>
      receipt === null ? [{ split: text(split), attempt: number(attempt) }] : [],
    ),
  }
}

/** Runs of the flow since its last success that may have left something. Replays are no runs of the flow. */
function unfinished(file: StateFile, flow: string): readonly Unfinished[] {
  const rows = file.all<Row>(
    `SELECT ${SUMMARY_COLUMNS}, runs.steps FROM runs WHERE flow = ?1 AND status <> 'succeeded' AND discarded = 0
      AND replay_of IS NULL AND key > coalesce(
        (SELECT max(key) FROM runs WHERE flow = ?1 AND status = 'succeeded' AND replay_of IS NULL), 0)
      ORDER BY key DESC`,
    flow,
  )
  return rows.map((row) => {
    const run = { ...summaryOf(row), steps: json<NewRun["steps"]>(row.steps) }
    return { run, committed: committedRows(progressOf(file, run.id).receipts) }
  })
}

function insertRejections(file: StateFile, key: number, rejections: readonly Rejection[]): void {
  const insert = file.statement(
    `INSERT INTO rejections (run, step, split, row, position, column_name, has_value, value, reason, kind, code, record)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const { step, split, row, position, column, value, reason, code, record } of rejections) {
    insert.run(
      key,
      step,
      split,
      row,
      position ?? null,
      column ?? null,
      value === undefined ? 0 : 1,
      value ?? null,
      reason,
      kindOf(reason, value),
      code ?? null,
      record === undefined ? null : JSON.stringify(record),
    )
  }
}

/** What rows with other values are rejected for as well: the value is taken out, also where it was shortened. */
function kindOf(reason: string, value: string | null | undefined): string | null {
  if (value === null || value === undefined || !reason.includes('"')) return null
  const kind = reason.replaceAll(QUOTED, (quoted, content: string) => {
    const isValue = content === value || (content.endsWith("…") && value.startsWith(content.slice(0, -1)))
    return isValue ? '"…"' : quoted
  })
  return kind === reason ? null : kind
}

const QUOTED = /"([^"]*)"/g

function finish(file: StateFile, run: Attempt, { report, markSources, isDiscarded = false }: Ending, at: number): void {
  const outputs = report.steps.filter(({ kind }) => kind === "output")
  const written = outputs.reduce((sum, { rowsOut }) => sum + rowsOut, 0)
  owned(file, run, (key) => {
    file.run(
      "UPDATE runs SET status = ?, discarded = ?, ended_at = ?, written = ?, rejected = ?, report = ? WHERE key = ?",
      ...[report.status, isDiscarded ? 1 : 0, at, written, report.rejected, JSON.stringify(report), key],
    )
    if (report.status !== "succeeded") return
    const flow = file.get("SELECT flow FROM runs WHERE key = ?", key)?.flow
    if (typeof flow !== "string") return
    for (const [step, mark] of Object.entries(report.marks)) {
      file.run(
        "INSERT OR REPLACE INTO marks (flow, step, source, mark, run, at) VALUES (?, ?, ?, ?, ?, ?)",
        ...[flow, step, markSources[step] ?? "", mark, run.id, at],
      )
    }
  })
}

/** Old runs are forgotten, but for those of which rows still wait. None of them can be resumed any longer. */
function forgetOld(file: StateFile, now: number): void {
  file.run(
    `DELETE FROM runs WHERE key IN (SELECT key FROM runs AS old WHERE old.attempt_at < ? AND old.replay_of IS NULL
      AND NOT EXISTS (SELECT 1 FROM rejections WHERE rejections.run = old.key AND rejections.status = 'waiting')
      AND NOT EXISTS (SELECT 1 FROM runs AS replays WHERE replays.replay_of = old.key AND replays.settled = 0)
      ORDER BY key LIMIT 20)`,
    now - KEPT_MS,
  )
}

const KEPT_MS = 90 * 24 * 3600 * 1000
