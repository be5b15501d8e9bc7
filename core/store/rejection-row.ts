import type { Rejection } from "../run/journal.ts"
import type { Tables } from "./tables.ts"

/** A rejected row of the run with this key, as it waits in the store. */
export function rejectionRow(run: number, rejection: Rejection): Tables["rejections"]["$inferInsert"] {
  const { step, split, row, position = null, column = null, value, reason, code = null, record } = rejection
  return {
    ...{ run, step, split, row, position, columnName: column, hasValue: value !== undefined, value: value ?? null },
    ...{ reason, kind: kindOf(reason, value), code, status: "waiting", replay: null, mended: null },
    record: record === undefined ? null : JSON.stringify(record),
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
