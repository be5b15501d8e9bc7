import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { Batch, Frame, LoadRequest, Session } from "../../core/contract/index.ts"
import { source } from "./describe.ts"
import { quote } from "./dialect.ts"
import { pause } from "./read-rows.ts"
import { type NamedValues, pragma } from "./rows.ts"
import { classify } from "./sqlite-failure.ts"
import { type Binding, binding, type NanPolicy } from "./value-binder.ts"

interface Target {
  readonly database: DatabaseSync
  readonly utf8: boolean
}

/** A failure of these kinds is the row's own; anything else ends the load. */
const ROW_REASONS = new Set(["constraint", "data"])

/**
 * One INSERT per row: SQLite takes back a statement that fails and nothing else, so a bad row costs one row, without
 * savepoints. `OR ABORT` overrules `ON CONFLICT IGNORE`, `REPLACE` and `ROLLBACK` clauses of the table.
 */
export async function loadRows(
  { database, utf8 }: Target,
  request: LoadRequest,
  rows: AsyncIterable<Batch | Frame>,
  session: Session,
): Promise<{ readonly written: number }> {
  const facts = tableFacts(database, request)
  const adjusted = new Map<string, number>()
  const bindings = request.columns.map((column, i) =>
    binding(column, String(facts.get(column.name.toLowerCase())?.type ?? ""), {
      batches: session.batches,
      utf8,
      nan: (request.options.nan as NanPolicy | undefined) ?? "reject", // the host has checked it against the schema
      adjusted: (policy, values) => count(adjusted, `${policy}\0${i}`, values),
    }),
  )
  const statement = database.prepare(insertStatement(request, bindings, facts))
  const values: SQLInputValue[] = new Array(bindings.length).fill(null)
  let written = 0
  for await (const batch of rows) {
    if (batch.encoding !== undefined)
      throw session.failure("unsupported", `Cannot load frames of ${batch.encoding} into SQLite`)
    const binders = bindings.map((binding, i) => binding.values(batch.vectors[i]!))
    for (let row = 0; row < batch.rows; row++) {
      const blame = fill(values, { batch, row, binders, request, session })
      if (blame >= 0) {
        const isNull = session.batches.isNull(batch.vectors[blame]!, row)
        const why = isNull ? "NULL would become a number of SQLite's choice" : bindings[blame]!.refusal
        reject(session, { batch, row, request, blame, reason: `Column "${request.columns[blame]!.name}": ${why}` })
        continue
      }
      try {
        const { changes } = statement.run(...values)
        // A trigger may drop a row with RAISE(IGNORE), which must not pass for written.
        if (Number(changes) > 0 || request.mode !== "append") written++
        else reject(session, { batch, row, request, reason: "A trigger of the table ignores the row" })
      } catch (error) {
        const { reason, message, code } = classify(error)
        if (!ROW_REASONS.has(reason) || !database.isTransaction) throw error
        reject(session, { batch, row, request, blame: blamed(request, message), reason: message, code })
      }
    }
    await pause()
    if (session.signal.aborted) throw session.failure("cancelled", "Cannot write on: the run was cancelled")
  }
  for (const [key, amount] of adjusted) {
    const [policy, i] = key.split("\0")
    session.adjusted(policy!, request.columns[Number(i)]!.name, amount)
  }
  return { written }
}

interface Filling {
  readonly batch: Batch
  readonly row: number
  readonly binders: readonly ((row: number) => SQLInputValue | undefined)[]
  readonly request: LoadRequest
  readonly session: Session
}

/** Puts a row's values into `values`; returns the column that refuses its value, or -1. */
function fill(values: SQLInputValue[], { batch, row, binders, request, session }: Filling): number {
  for (let i = 0; i < binders.length; i++) {
    const isNull = session.batches.isNull(batch.vectors[i]!, row)
    const value = isNull ? null : binders[i]!(row)
    // SQLite would invent a value for a NULL in an INTEGER PRIMARY KEY.
    if (value === undefined || (isNull && request.columns[i]!.identity)) return i
    values[i] = value
  }
  return -1
}

/** Declared types and defaults by name, in lower case: SQLite's names know no case. */
function tableFacts(database: DatabaseSync, { table }: LoadRequest): Map<string, NamedValues> {
  const rows = pragma(database, "SELECT * FROM pragma_table_xinfo(?, ?)", table.name, table.schema ?? "main")
  return new Map(rows.map((fact) => [String(fact.name).toLowerCase(), fact]))
}

function insertStatement(request: LoadRequest, bindings: readonly Binding[], facts: Map<string, NamedValues>): string {
  const names = request.columns.map(({ name }) => quote(name))
  const insert = `INSERT OR ABORT INTO ${source(request.table.schema ?? "main", request.table.name)} (${names.join(", ")}) VALUES (${bindings.map(({ placeholder }) => placeholder).join(", ")})`
  if (request.mode === "append") return insert
  const keys = new Set(request.keyColumns.map((name) => name.toLowerCase()))
  const set = request.columns
    .filter(({ name }) => !keys.has(name.toLowerCase()))
    .map(({ name }) => `${quote(name)} = excluded.${quote(name)}`)
  if (request.mode === "overwriteRows") set.push(...resets(request, facts))
  const action = set.length === 0 ? "NOTHING" : `UPDATE SET ${set.join(", ")}`
  return `${insert} ON CONFLICT (${request.keyColumns.map(quote).join(", ")}) DO ${action}`
}

/**
 * The columns that are not written, back at their defaults. INSERT OR REPLACE would do so too, but it also deletes rows
 * that collide in another unique key, and the rows that refer to the old one.
 */
function resets({ columns }: LoadRequest, facts: Map<string, NamedValues>): string[] {
  const written = new Set(columns.map(({ name }) => name.toLowerCase()))
  return [...facts]
    .filter(([name, { hidden, pk }]) => hidden === 0 && pk === 0 && !written.has(name))
    .map(([, fact]) => `${quote(String(fact.name))} = ${fact.dflt_value === null ? "NULL" : `(${fact.dflt_value})`}`)
}

/** The column that the message names, such as `UNIQUE constraint failed: orders.id`; -1 when it names several or none. */
function blamed({ columns, table }: LoadRequest, message: string): number {
  const named = /(?:failed: | column )(.+)$/.exec(message)?.[1]
  const prefix = `${table.name}.`.toLowerCase()
  if (!named?.toLowerCase().startsWith(prefix)) return -1
  return columns.findIndex(({ name }) => name.toLowerCase() === named.slice(prefix.length).toLowerCase())
}

interface Refused {
  readonly batch: Batch
  readonly row: number
  readonly request: LoadRequest
  readonly blame?: number
  readonly reason: string
  readonly code?: string | undefined
}

function reject(session: Session, { batch, row, request, blame = -1, reason, code }: Refused): void {
  const { batches } = session
  session.reject({
    row: batches.position(batch, row),
    ...(blame >= 0 && { column: request.columns[blame]!.name, value: batches.valueText(batch.vectors[blame]!, row) }),
    reason,
    ...(code !== undefined && { code }),
    record: batches.record(batch, row),
  })
}

function count(counts: Map<string, number>, key: string, values: number): void {
  counts.set(key, (counts.get(key) ?? 0) + values)
}
