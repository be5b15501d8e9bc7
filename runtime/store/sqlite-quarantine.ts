import { failure } from "../../core/host/failure.ts"
import type { KeptRow, KeptRowsFilter, MendedRow, Quarantine, WaitingRows } from "../../core/store/quarantine.ts"
import type { NewRun } from "../../core/store/run-record.ts"
import { json, number, text } from "./run-row.ts"
import { settle } from "./settlement.ts"
import { insertRun } from "./sqlite-run-store.ts"
import type { Row, StateFile } from "./state-file.ts"

/** The rejected rows of an SQLite run store. */
export function makeQuarantine(file: StateFile, now: () => number = Date.now): Quarantine["Service"] {
  return {
    async waiting(run) {
      const rows = file.all(
        `SELECT runs.id, runs.flow, rejections.step, coalesce(rejections.kind, rejections.reason) AS reason, count(*) AS rows, count(rejections.replay) AS held
          FROM rejections JOIN runs ON runs.key = rejections.run
          WHERE rejections.status = 'waiting' AND runs.replay_of IS NULL AND (?1 IS NULL OR runs.id = ?1)
          GROUP BY 1, 2, 3, 4 ORDER BY runs.key DESC, count(*) DESC, 3, 4 LIMIT 1000`,
        run ?? null,
      )
      return rows.map(waitingRowsOf)
    },
    rows: (filter) => rowsOf(file, filter),
    async row(run, id) {
      const row = file.get(`SELECT ${KEPT_COLUMNS} FROM ${KEPT} WHERE runs.id = ? AND rejections.id = ?`, run, id)
      return row === undefined ? undefined : keptRowOf(row)
    },
    async count(filter) {
      const { condition, values } = conditionOf(filter)
      return number(file.get(`SELECT count(*) AS rows FROM ${KEPT} WHERE ${condition}`, ...values)?.rows)
    },
    async drop(run, step) {
      return file.write(() =>
        file.run(
          `UPDATE rejections SET status = 'dropped' WHERE run = (SELECT key FROM runs WHERE id = ?1)
            AND status = 'waiting' AND replay IS NULL AND (?2 IS NULL OR step = ?2)`,
          ...[run, step ?? null],
        ),
      )
    },
    take: (replay, rows) => take(file, replay, rows, now),
    async replays(run) {
      const rows = file.all(
        "SELECT id, settled FROM runs WHERE replay_of = (SELECT key FROM runs WHERE id = ?) ORDER BY key",
        run,
      )
      return rows.map(({ id, settled }) => ({ id: text(id), isSettled: settled === 1 }))
    },
    async ranges(replay, size) {
      const rows = file.all(
        `SELECT min(id) AS first, max(id) AS last FROM (
          SELECT id, (row_number() OVER (ORDER BY id) - 1) / CAST(? AS INTEGER) AS part FROM rejections
          WHERE replay = (SELECT key FROM runs WHERE id = ?)) GROUP BY part ORDER BY part`,
        ...[size, replay],
      )
      return rows.map(({ first, last }) => [number(first), number(last)] as const)
    },
    taken: (replay, first, last) => takenRows(file, replay, first, last),
    settle: async (replay, entry) => settle(file, replay, entry),
  }
}

const KEPT = "rejections JOIN runs ON runs.key = rejections.run"

/**
 * Nobody reads it again by resuming: the run has succeeded, or its split is committed at every output and none of them can
 * take it back.
 */
const IS_FINAL = `(runs.status = 'succeeded' OR runs.staged = 0 AND EXISTS (
  SELECT 1 FROM splits WHERE splits.run = runs.key AND splits.split = rejections.split AND splits.receipt IS NOT NULL))`

const KEPT_COLUMNS = `rejections.*, ${IS_FINAL} AS final,
  (SELECT id FROM runs AS replays WHERE replays.key = rejections.replay) AS replay_id`

function conditionOf({ run, step, status, isFree = false }: KeptRowsFilter) {
  const parts = ["runs.id = ?"]
  const values: string[] = [run]
  if (step !== undefined) {
    parts.push("rejections.step = ?")
    values.push(step)
  }
  if (status !== undefined) {
    parts.push("rejections.status = ?")
    values.push(status)
  }
  if (isFree) parts.push(`rejections.status = 'waiting' AND rejections.replay IS NULL AND ${IS_FINAL}`)
  return { condition: parts.join(" AND "), values }
}

/** A page at a time: nothing is held while the consumer thinks, and it may write in between. */
async function* rowsOf(file: StateFile, filter: KeptRowsFilter): AsyncGenerator<KeptRow> {
  const { condition, values } = conditionOf(filter)
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  for (let after = 0; left > 0; ) {
    const page = file.all(
      `SELECT ${KEPT_COLUMNS} FROM ${KEPT} WHERE ${condition} AND rejections.id > ? ORDER BY rejections.id LIMIT ?`,
      ...[...values, after, Math.min(left, PAGE_ROWS)],
    )
    for (const row of page) yield keptRowOf(row)
    left -= page.length
    if (page.length < PAGE_ROWS) return
    after = number(page.at(-1)!.id)
  }
}

async function* takenRows(file: StateFile, replay: string, first: number, last: number): AsyncGenerator<MendedRow> {
  for (let from = first; ; ) {
    const page = file.all(
      `SELECT id, mended FROM rejections WHERE replay = (SELECT key FROM runs WHERE id = ?) AND id BETWEEN ? AND ? ORDER BY id LIMIT ?`,
      ...[replay, from, last, PAGE_ROWS],
    )
    for (const { id, mended } of page) yield { id: number(id), record: json(mended) }
    if (page.length < PAGE_ROWS) return
    from = number(page.at(-1)!.id) + 1
  }
}

/** The rows are gathered before the store is locked: mending them takes as long as it takes. */
async function take(
  file: StateFile,
  replay: NewRun,
  rows: AsyncIterable<MendedRow>,
  now: () => number,
): Promise<number> {
  // Its own, because others may take rows through the same connection in the meantime.
  const token = crypto.randomUUID()
  file.run(
    "CREATE TEMP TABLE IF NOT EXISTS mended (token TEXT, id INTEGER, record TEXT NOT NULL, PRIMARY KEY (token, id)) STRICT",
  )
  try {
    let wanted = 0
    for await (const { id, record } of rows) {
      file.run("INSERT INTO temp.mended VALUES (?, ?, ?)", token, id, JSON.stringify(record))
      wanted++
    }
    return wanted === 0 ? 0 : claimed(file, replay, { token, wanted, at: now() })
  } finally {
    file.run("DELETE FROM temp.mended WHERE token = ?", token)
  }
}

/** Lets a replay have rows that were gathered: all of them, or none. */
function claimed(
  file: StateFile,
  replay: NewRun,
  { token, wanted, at }: { readonly token: string; readonly wanted: number; readonly at: number },
): number {
  return file.write(() => {
    const key = insertRun(file, replay, at)
    const taken = file.run(
      `UPDATE rejections SET replay = ?1, mended = (SELECT record FROM temp.mended WHERE token = ?2 AND mended.id = rejections.id)
        WHERE id IN (SELECT id FROM temp.mended WHERE token = ?2) AND run = (SELECT replay_of FROM runs WHERE key = ?1)
        AND status = 'waiting' AND replay IS NULL`,
      ...[key, token],
    )
    if (taken !== wanted)
      throw failure(
        "conflict",
        `Cannot replay ${wanted} rows of run ${replay.replayOf}: ${wanted - taken} of them wait no longer`,
        {
          hint: "Somebody else has replayed or dropped them: look again",
        },
      )
    return taken
  })
}

function waitingRowsOf(row: Row): WaitingRows {
  return {
    run: text(row.id),
    step: text(row.step),
    reason: text(row.reason),
    rows: number(row.rows),
    held: number(row.held),
    ...(row.flow === null ? {} : { flow: text(row.flow) }),
  }
}

function keptRowOf(row: Row): KeptRow {
  return {
    id: number(row.id),
    step: text(row.step),
    split: text(row.split),
    row: number(row.row),
    reason: text(row.reason),
    status: text(row.status) as KeptRow["status"], // the table checks it
    isFinal: row.final === 1,
    ...(row.position === null ? {} : { position: text(row.position) }),
    ...(row.column_name === null ? {} : { column: text(row.column_name) }),
    ...(row.has_value === 0 ? {} : { value: row.value === null ? null : text(row.value) }),
    ...(row.code === null ? {} : { code: text(row.code) }),
    ...(row.record === null ? {} : { record: json(row.record) }),
    ...(row.replay_id === null ? {} : { replay: text(row.replay_id) }),
  }
}

const PAGE_ROWS = 1000
