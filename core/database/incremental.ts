import type { Column, Connection, Dialect, Session } from "../contract/index.ts"
import { isAfter, isOrderable, type MarkValue, markValue, readOverlap, textBefore } from "./mark-value.ts"
import { fromItem, type Selection, whereClause } from "./source-sql.ts"

/** The option `incremental` of an input. */
export interface IncrementalOptions {
  readonly column: string
  readonly overlap?: string
  readonly from?: string
  readonly to?: string
}

export const incrementalOption = {
  type: "object",
  additionalProperties: false,
  required: ["column"],
  description:
    "Read only rows that are new since the last run that succeeded, told by a growing column; the flow needs a name.",
  properties: {
    column: {
      type: "string",
      description:
        "Column whose values grow, such as a number that counts up or the time of the last change: integer, decimal, date or timestamp.",
    },
    overlap: {
      type: "string",
      description:
        "How far below the end of the last run to begin, for rows that were committed late: a duration such as `15 minutes` or `2 days` for dates and timestamps, otherwise a number.",
    },
    from: {
      type: "string",
      description:
        "Backfill: read from this value on instead, whatever the last run has read; the next run goes on as if this one had not been. Empty: not given.",
    },
    to: {
      type: "string",
      description: "Backfill: read below this value, which is not included. Empty: not given.",
    },
  },
} as const

/** The option, understood and checked. */
export interface Increment {
  readonly column: Column
  readonly overlap?: MarkValue
  readonly overlapText?: string
  /** Read exactly this and leave the mark alone: half-open, as canonical text. */
  readonly backfill?: { readonly from?: string; readonly to?: string }
}

export function readIncrement(options: IncrementalOptions, column: Column, session: Session): Increment {
  const { name, type } = column
  if (!isOrderable(type)) {
    const why = UNORDERED[type.kind] ?? "its values have no order"
    throw session.failure("config", `Cannot load by column "${name}": it is ${type.kind}, ${why}`, {
      hint: "Choose a column of integers, decimals, dates or timestamps",
    })
  }
  const edge = (text: string | undefined) => {
    if (text === undefined || text.trim() === "") return undefined
    const value = markValue(text, type, session.batches)
    if (value !== undefined) return { text: text.trim(), value }
    throw session.failure("config", `Cannot load by column "${name}": "${text}" is no value of type ${type.kind}`)
  }
  const [from, to] = [edge(options.from), edge(options.to)]
  if (from !== undefined && to !== undefined && !isAfter(to.value, from.value))
    throw session.failure("config", `Cannot load from "${from.text}" to "${to.text}": no value lies between`)
  const overlap = options.overlap === undefined ? undefined : readOverlap(options.overlap, type)
  if (overlap !== undefined && "fault" in overlap)
    throw session.failure("config", `Cannot use the overlap "${options.overlap}": it ${overlap.fault}`)
  return {
    column,
    ...(overlap === undefined ? {} : { overlap, overlapText: options.overlap! }),
    ...(from === undefined && to === undefined
      ? {}
      : { backfill: { ...(from && { from: from.text }), ...(to && { to: to.text }) } }),
  }
}

const UNORDERED: Readonly<Record<string, string>> = {
  string: "which every database and collation orders in its own way",
  uuid: "whose values do not grow",
  float32: "whose values are rounded",
  float64: "whose values are rounded",
}

/** Lines for the plan. */
export function incrementNotes({ column, overlapText, backfill }: Increment): string[] {
  const name = `"${column.name}"`
  if (backfill !== undefined) {
    const from = backfill.from === undefined ? "the beginning" : backfill.from
    const to = backfill.to === undefined ? "the end" : `below ${backfill.to}`
    return [`backfill: ${name} from ${from} to ${to}; the mark stays as it is`]
  }
  const overlap = overlapText === undefined ? "after the mark" : `from ${overlapText} before the mark`
  const notes = [`incremental: ${name} ${overlap} of the last run to its largest value when this run begins`]
  if (column.nullable) notes.push(`not read: rows whose ${name} is NULL`)
  return notes
}

/**
 * The lower end: known before the source is looked at. Rows that equal the mark were read by the run that set it, as
 * that run read up to and with it; a row that appeared later with just that value, or a smaller one, is what an overlap
 * is for. A backfill has both ends here.
 */
export function startConditions(
  { column, overlap, backfill }: Increment,
  mark: string | undefined,
  dialect: Dialect,
  session: Session,
): readonly string[] {
  const name = dialect.quote(column.name)
  if (backfill !== undefined) {
    const { from, to } = backfill
    return [
      ...(from === undefined ? [] : [`${name} >= ${dialect.literal(from, column)}`]),
      ...(to === undefined ? [] : [`${name} < ${dialect.literal(to, column)}`]),
    ]
  }
  if (mark === undefined) return []
  const value = markValue(mark, column.type, session.batches)
  if (value === undefined) {
    throw session.failure(
      "config",
      `Cannot go on from the mark "${mark}" of the last run: column "${column.name}" is ${column.type.kind}`,
      { hint: "Give the flow another name, under which it begins anew" },
    )
  }
  if (overlap === undefined) return [`${name} > ${dialect.literal(mark, column)}`]
  const start = textBefore(value, overlap, column.type, session.batches)
  return start === undefined ? [] : [`${name} >= ${dialect.literal(start, column)}`]
}

/** How far a run reads. */
export interface End {
  readonly conditions: readonly string[]
  readonly mark?: string
}

/**
 * The upper end: the largest value there is, or the mark where nothing exceeds it, so a mark never goes back when rows
 * are deleted. It is asked of the very connections that read the rows, so it lies in what they see: asked elsewhere, it
 * could come from a server that is ahead of theirs, and the next run would skip what this one has not seen. Where they
 * see different states, the smallest of their answers holds for all.
 *
 * Rows committed after the snapshot with a smaller value than the mark are not in it and not beyond it: only an overlap
 * finds them.
 */
export async function endOf(
  increment: Increment,
  connections: readonly Connection[],
  selections: readonly Selection[],
  mark: string | undefined,
  dialect: Dialect,
  session: Session,
): Promise<End> {
  if (increment.backfill !== undefined) return { conditions: [] }
  const { column } = increment
  let least: Found | undefined
  for (const [i, connection] of connections.entries()) {
    const found = await largest(increment, connection, selections, dialect, session)
    if (found === undefined) {
      least = undefined
      break
    }
    if (i === 0 || isAfter(least!.value, found.value)) least = found
  }
  const before = mark === undefined ? undefined : markValue(mark, column.type, session.batches)
  const isNew = least !== undefined && (before === undefined || isAfter(least.value, before))
  const end = isNew ? least!.text : mark
  // Nothing may be read that no mark covers, not even a row that comes in this moment.
  if (end === undefined) return { conditions: ["1 = 0"] }
  return { conditions: [`${dialect.quote(column.name)} <= ${dialect.literal(end, column)}`], mark: end }
}

interface Found {
  readonly text: string
  readonly value: MarkValue
}

/** The largest value of all tables. */
async function largest(
  { column }: Increment,
  connection: Connection,
  selections: readonly Selection[],
  dialect: Dialect,
  session: Session,
): Promise<Found | undefined> {
  let best: Found | undefined
  for (const selection of selections) {
    const from = `${fromItem(selection, dialect)}${whereClause(selection.conditions)}`
    const [row] = await connection.query(`SELECT MAX(${dialect.quote(column.name)}) FROM ${from}`)
    const text = row?.[0] ?? null
    if (text === null) continue
    const value = markValue(text, column.type, session.batches)
    if (value === undefined) {
      throw session.failure("data", `Cannot load by column "${column.name}": its largest value "${text}" is no end`, {
        hint: "Leave such rows out with where",
      })
    }
    if (best === undefined || isAfter(value, best.value)) best = { text, value }
  }
  return best
}

/** Rows whose column is NULL are in no range; nobody shall miss them without a word. */
export async function warnOfNulls(
  { column, backfill }: Increment,
  connection: Connection,
  selections: readonly Selection[],
  dialect: Dialect,
  session: Session,
): Promise<void> {
  if (!column.nullable || backfill !== undefined) return
  let count = 0n
  for (const selection of selections) {
    const where = whereClause([...selection.conditions, `${dialect.quote(column.name)} IS NULL`])
    const [row] = await connection.query(`SELECT COUNT(*) FROM ${fromItem(selection, dialect)}${where}`)
    count += BigInt(row?.[0] ?? "0")
  }
  if (count > 0n)
    session.log.warn(`Rows whose "${column.name}" is NULL are not read by an incremental load`, { rows: String(count) })
}
