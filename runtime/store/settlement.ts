import type { SplitReceipt } from "../../core/run/report.ts"
import { type ReplayEntry, rangeOf, type Settlement } from "../../core/store/quarantine.ts"
import type { Attempt } from "../../core/store/run-store.ts"
import { json, number, text } from "./run-row.ts"
import { owned } from "./sqlite-run-store.ts"
import type { Row, StateFile } from "./state-file.ts"

/**
 * Records what became of the rows that a replay took, in one transaction. A split that was committed has written its
 * rows, but for those that were rejected again: they wait, with the new reason and as they were before they were mended.
 */
export function settle(file: StateFile, replay: Attempt, entry: ReplayEntry): Settlement {
  let replayed = 0
  let rejected = 0
  let released = 0
  owned(file, replay, (key) => {
    const receipts = file.all("SELECT receipt FROM splits WHERE run = ? AND receipt IS NOT NULL", key)
    for (const { receipt } of receipts) {
      const { split, read } = json<SplitReceipt>(receipt)
      const range = rangeOf(split)
      // A split of which nothing was read was closed without its rows.
      if (range === undefined || read === 0) continue
      const rows = file.run(
        "UPDATE rejections SET status = 'replayed' WHERE replay = ? AND status = 'waiting' AND id BETWEEN ? AND ?",
        ...[key, ...range],
      )
      const again = rejectAgain(file, key, split, entry)
      replayed += rows - again
      rejected += again
    }
    file.run("DELETE FROM rejections WHERE run = ?", key)
    released = file.run(
      "UPDATE rejections SET replay = NULL, mended = NULL WHERE replay = ? AND status = 'waiting'",
      key,
    )
    file.run("UPDATE runs SET settled = 1 WHERE key = ?", key)
  })
  return { replayed, rejected, released }
}

/** Takes the rejections of a split of the replay back to the rows that they are of; tells how many rows that are. */
function rejectAgain(file: StateFile, key: number, split: string, entry: ReplayEntry): number {
  const [first, last] = rangeOf(split)!
  const found = file.all("SELECT * FROM rejections WHERE run = ? AND split = ? ORDER BY id", key, split)
  if (found.length === 0) return 0
  const ids = file.all(
    "SELECT id FROM rejections WHERE replay = ? AND id BETWEEN ? AND ? ORDER BY id",
    key,
    first,
    last,
  )
  const refused = new Set<number>()
  for (const rejection of found) {
    const id = ids[number(rejection.row)]?.id
    if (id === undefined) continue
    refused.add(number(id))
    const step = text(rejection.step)
    // Where it is refused by a step further on, its row as it was has been used up: what waits is the row as it came there.
    if (step === entry.input || step === entry.step) waitAgain(file, number(id), rejection)
    else waitElsewhere(file, number(id), rejection)
  }
  return refused.size
}

function waitAgain(file: StateFile, id: number, { column_name, has_value, value, reason, kind, code }: Row): void {
  file.run(
    `UPDATE rejections SET status = 'waiting', replay = NULL, mended = NULL, column_name = ?, has_value = ?, value = ?,
      reason = ?, kind = ?, code = ? WHERE id = ?`,
    ...[column_name!, has_value!, value!, reason!, kind!, code!, id],
  )
}

function waitElsewhere(file: StateFile, id: number, rejection: Row): void {
  const { step, column_name, has_value, value, reason, kind, code, record } = rejection
  file.run(
    `INSERT INTO rejections (run, step, split, row, position, column_name, has_value, value, reason, kind, code, record)
      SELECT run, ?, split, row, position, ?, ?, ?, ?, ?, ?, ? FROM rejections WHERE id = ?`,
    ...[step!, column_name!, has_value!, value!, reason!, kind!, code!, record!, id],
  )
}
