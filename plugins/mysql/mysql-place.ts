import type { Failure, LoadRequest, Session } from "../../core/contract/index.ts"
import type { Chunk } from "./mysql-chunk.ts"
import { isRowError } from "./mysql-failures.ts"
import type { Link } from "./mysql-link.ts"
import type { Target } from "./mysql-target.ts"
import type { Done } from "./mysql-wire.ts"

/** What the server has against a row. */
export interface Complaint {
  readonly code: string
  readonly message: string
}

interface Warning extends Complaint {
  /** The row it names, counted from 0 in what was sent. */
  readonly at?: number
}

/** Nothing of the rows was kept. */
interface Refusal {
  readonly complaint: Complaint
  /** Rows to look at first; possibly none, possibly wrong: only a statement with one row decides. */
  readonly suspects: readonly number[]
  /** True when each suspect is better judged alone. */
  readonly alone: boolean
  /** One complaint per row, when every row was refused. */
  readonly each?: readonly Complaint[]
}

/**
 * Places a chunk's rows in the table and rejects those that the server refuses. Rows are sent together; when anything
 * is off, everything is taken back to a savepoint and the culprits are narrowed down: by the rows that the warnings
 * name, by the key values that they name, otherwise by halves.
 */
export class Placer {
  written = 0
  #local = true
  readonly #link: Link
  readonly #request: LoadRequest
  readonly #target: Target
  readonly #session: Session

  constructor(link: Link, request: LoadRequest, target: Target, session: Session) {
    this.#link = link
    this.#request = request
    this.#target = target
    this.#session = session
  }

  async place(chunk: Chunk): Promise<void> {
    await this.#place(
      chunk,
      Array.from({ length: chunk.rows }, (_, row) => row),
    )
  }

  /** Places a chunk of text as it is; false when anything is off with any of its rows, and nothing is kept then. */
  async placeUnread(chunk: Chunk): Promise<boolean> {
    if (!this.#local) return false
    await this.#run("SAVEPOINT headrace_rows")
    if (await this.#sendUnread(chunk)) {
      this.written += chunk.rows
      return true
    }
    await this.#run("ROLLBACK TO SAVEPOINT headrace_rows")
    return false
  }

  async #sendUnread(chunk: Chunk): Promise<boolean> {
    const { stage } = this.#target
    if (stage) await this.#run(stage.clear)
    try {
      const done = await this.#sendFile([chunk.data.subarray(0, chunk.length)])
      if (!done || (await this.#faults(chunk.rows, done.info))) return false
    } catch (cause) {
      rowComplaint(cause)
      return false
    }
    for (const sql of stage?.merge ?? []) if (await this.#merge(sql)) return false
    return true
  }

  async #place(chunk: Chunk, rows: readonly number[]): Promise<void> {
    if (rows.length === 0) return
    const refusal = await this.#attempt(chunk, rows)
    if (!refusal) {
      this.written += rows.length
      return
    }
    if (rows.length === 1) return this.#reject(chunk, rows[0]!, refusal.complaint)
    if (refusal.each) {
      for (const [i, row] of rows.entries()) this.#reject(chunk, row, refusal.each[i]!)
      return
    }
    const { suspects } = refusal
    if (suspects.length === 0 || (suspects.length === rows.length && !refusal.alone)) {
      const middle = rows.length >> 1
      await this.#place(chunk, rows.slice(0, middle))
      return this.#place(chunk, rows.slice(middle))
    }
    if (this.#target.verb === "REPLACE") return this.#placeInOrder(chunk, rows, suspects[0]!)
    const suspected = new Set(suspects)
    await this.#place(
      chunk,
      rows.filter((row) => !suspected.has(row)),
    )
    if (!refusal.alone) return this.#place(chunk, suspects)
    for (const row of suspects) await this.#place(chunk, [row])
  }

  /** Where the last row of a key wins, a suspect may not be put off. */
  async #placeInOrder(chunk: Chunk, rows: readonly number[], suspect: number): Promise<void> {
    const at = rows.indexOf(suspect)
    await this.#place(chunk, rows.slice(0, at))
    await this.#place(chunk, [suspect])
    // Where one row is bad others are likely to be: short pieces keep what is sent again within bounds.
    for (let from = at + 1; from < rows.length; from += PIECE_ROWS) {
      await this.#place(chunk, rows.slice(from, from + PIECE_ROWS))
    }
  }

  async #attempt(chunk: Chunk, rows: readonly number[]): Promise<Refusal | undefined> {
    await this.#run("SAVEPOINT headrace_rows")
    const refusal = await this.#send(chunk, rows)
    if (refusal) await this.#run("ROLLBACK TO SAVEPOINT headrace_rows")
    return refusal
  }

  async #send(chunk: Chunk, rows: readonly number[]): Promise<Refusal | undefined> {
    const { stage } = this.#target
    if (stage) await this.#run(stage.clear)
    const refusal = await this.#sendRows(chunk, rows)
    if (refusal || !stage) return refusal
    for (const sql of stage.merge) {
      const complaint = await this.#merge(sql)
      if (complaint) return { complaint, alone: false, suspects: this.#suspects(chunk, rows, [complaint]) }
    }
    return undefined
  }

  async #merge(sql: string): Promise<Complaint | undefined> {
    try {
      const done = await this.#run(sql)
      return done.warnings > 0 ? (await this.#warnings(done.warnings))[0] : undefined
    } catch (cause) {
      return rowComplaint(cause)
    }
  }

  #sendRows(chunk: Chunk, rows: readonly number[]): Promise<Refusal | undefined> {
    const fits = rows.length > 1 || chunk.size(rows[0]!) * 2 + 4096 < this.#link.facts.maxPacketBytes
    if (!fits && !this.#local) {
      const message = `it needs a larger max_allowed_packet than the server's ${this.#link.facts.maxPacketBytes} bytes`
      return Promise.resolve({ complaint: { code: "1153", message }, suspects: [], alone: true })
    }
    if (rows.length === 1 && fits) return this.#insert(chunk, rows, this.#target.verb === "REPLACE" ? "REPLACE" : "")
    return this.#local ? this.#load(chunk, rows) : this.#insertAll(chunk, rows)
  }

  async #load(chunk: Chunk, rows: readonly number[]): Promise<Refusal | undefined> {
    try {
      const done = await this.#sendFile(chunk.parts(rows))
      return done ? await this.#judge(chunk, rows, done.info) : await this.#insertAll(chunk, rows)
    } catch (cause) {
      return this.#refusal(chunk, rows, rowComplaint(cause))
    }
  }

  /** Undefined when the server forbids it. */
  async #sendFile(parts: Iterable<Uint8Array>): Promise<Done | undefined> {
    const sql = this.#target.loadSql()
    try {
      return await this.#link.guard(this.#action, () => this.#link.wire.sendFile(sql, parts))
    } catch (cause) {
      if (!FORBIDDEN.has((cause as Partial<Failure>).code ?? "")) throw cause
      this.#local = false
      this.#session.log.warn(
        "The server forbids LOAD DATA LOCAL; rows are inserted by statements, which is slower. Turn on local_infile to speed up loads",
      )
      return undefined
    }
  }

  /** Statements of bounded size, which together do what one LOAD DATA does. */
  async #insertAll(chunk: Chunk, rows: readonly number[]): Promise<Refusal | undefined> {
    const bytes = Math.min(STATEMENT_BYTES, this.#link.facts.maxPacketBytes / 3)
    for (let from = 0; from < rows.length; ) {
      let to = from
      for (let size = 0; to < rows.length && (to === from || size < bytes); to++) size += chunk.size(rows[to]!)
      const refusal = await this.#insert(chunk, rows.slice(from, to), this.#target.verb)
      // What was judged is a part: that every row of it was refused says nothing of the others.
      if (refusal) {
        const { each: _, ...rest } = refusal
        if (from === 0 && to === rows.length) return refusal
        return { ...rest, suspects: refusal.each ? rows.slice(from, to) : refusal.suspects }
      }
      from = to
    }
    return undefined
  }

  async #insert(chunk: Chunk, rows: readonly number[], verb: "" | "IGNORE" | "REPLACE"): Promise<Refusal | undefined> {
    try {
      const done = await this.#run(this.#target.insertSql(chunk, rows, verb))
      if (rows.length > 1) return await this.#judge(chunk, rows, done.info)
      const [warning] = done.warnings > 0 ? await this.#warnings(done.warnings) : []
      return warning && { complaint: warning, suspects: [], alone: true }
    } catch (cause) {
      return this.#refusal(chunk, rows, rowComplaint(cause))
    }
  }

  async #judge(chunk: Chunk, rows: readonly number[], info: string): Promise<Refusal | undefined> {
    const faults = await this.#faults(rows.length, info)
    if (!faults) return undefined
    const { refused, warnings } = faults
    const complaint = warnings[0] ?? { code: "1261", message: `the server says "${info}" of ${rows.length} rows` }
    const each = refused === rows.length && warnings.length === rows.length ? { each: warnings } : {}
    const named = warnings.some((warning) => warning.at !== undefined)
    return { complaint, suspects: this.#suspects(chunk, rows, warnings), alone: named, ...each }
  }

  /** Compares what the server says it did with what was asked of it; undefined when that is the same. */
  async #faults(
    rows: number,
    info: string,
  ): Promise<{ readonly refused: number; readonly warnings: readonly Warning[] } | undefined> {
    const match = INFO.exec(info)
    const [records, skipped, duplicates, warned] = (match?.slice(1) ?? []).map((text) => Number(text ?? 0))
    const refused = this.#target.verb === "REPLACE" ? (skipped ?? 0) : (skipped ?? 0) + (duplicates ?? 0)
    if (records === rows && refused === 0 && warned === 0) return undefined
    const warnings = warned === 0 ? [] : await this.#warnings(warned ?? 0)
    return records === rows && refused === 0 && warnings.length === 0 ? undefined : { refused, warnings }
  }

  #refusal(chunk: Chunk, rows: readonly number[], complaint: Complaint): Refusal {
    const at = rowOf(complaint.message)
    const warning = at === undefined ? complaint : { ...complaint, at }
    return { complaint, alone: at !== undefined, suspects: this.#suspects(chunk, rows, [warning]) }
  }

  /** The rows that complaints name, by number or by the text of a key, in ascending order. */
  #suspects(chunk: Chunk, rows: readonly number[], warnings: readonly Warning[]): number[] {
    const found = new Set<number>()
    const entries = new Map<string, Map<string, number>>()
    for (const { at, message } of warnings) {
      if (at !== undefined) {
        if (rows[at] !== undefined) found.add(rows[at])
        continue
      }
      const match = DUPLICATE.exec(message)
      if (!match) continue
      const [, entry, key] = match
      const wanted = entries.get(key!) ?? new Map<string, number>()
      entries.set(key!, wanted)
      wanted.set(entry!, (wanted.get(entry!) ?? 0) + 1)
    }
    for (const [key, wanted] of entries) this.#suspectsByKey(chunk, rows, key, wanted, found)
    return [...found].sort((a, b) => a - b)
  }

  #suspectsByKey(
    chunk: Chunk,
    rows: readonly number[],
    name: string,
    wanted: Map<string, number>,
    found: Set<number>,
  ): void {
    const key = this.#target.keys.find((each) => each.name === name || name.endsWith(`.${each.name}`))
    const places = key?.columns.map((column) => this.#request.columns.findIndex(({ name }) => name === column)) ?? []
    if (places.length === 0 || places.includes(-1)) return
    // From the end: of two rows with one key in the same load, it is the second that conflicts.
    for (const row of rows.toReversed()) {
      const { batch, row: at } = chunk.origin(row)
      const entry = places
        .map((i) => this.#session.batches.valueText(batch.vectors[i]!, at)?.replace(/\+00$/, "") ?? "NULL")
        .join("-")
      const left = wanted.get(entry) ?? 0
      if (left === 0) continue
      wanted.set(entry, left - 1)
      found.add(row)
    }
  }

  /** Those of the `given` warnings that are about rows; empty only when the server has kept all and none of them is. */
  async #warnings(given: number): Promise<readonly Warning[]> {
    const rows = await this.#link.rows(this.#action, "SHOW WARNINGS")
    const warnings = rows
      .map(([, code, message]) => ({ code: code ?? "", message: message ?? "" }))
      .filter(({ code }) => !HARMLESS.has(code))
      .map((warning) => {
        const at = rowOf(warning.message)
        return at === undefined ? warning : { ...warning, at }
      })
    if (warnings.length > 0 || rows.length >= given) return warnings
    return [{ code: "1265", message: `the server warns of ${given} things and tells ${rows.length} (max_error_count)` }]
  }

  #reject(chunk: Chunk, row: number, complaint: Complaint): void {
    const { batch, row: at } = chunk.origin(row)
    const { batches } = this.#session
    const column = this.#blamed(complaint.message)
    const index = this.#request.columns.findIndex(({ name }) => name === column)
    this.#session.reject({
      row: batches.position(batch, at),
      ...(index >= 0 && { column: column!, value: batches.valueText(batch.vectors[index]!, at) }),
      reason: complaint.message.replace(/ at row \d+$/, ""),
      code: complaint.code,
      record: batches.record(batch, at),
    })
  }

  #blamed(message: string): string | undefined {
    const key = DUPLICATE.exec(message)?.[2]
    if (key === undefined) return columnIn(message)
    const { keys } = this.#target
    return keys.find(({ name }) => name === key || key.endsWith(`.${name}`))?.columns[0]
  }

  #run(sql: string) {
    return this.#link.run(this.#action, sql)
  }

  get #action(): string {
    return `Cannot load into "${this.#request.table.name}"`
  }
}

/** The column that a message of the server blames. */
export function columnIn(message: string): string | undefined {
  const match =
    /FOREIGN KEY \(`((?:[^`]|``)+)`/.exec(message) ??
    /[Cc]olumn [`'](?:[^`']*[`']\.[`'])*([^`']+)[`']/.exec(message) ??
    /[Ff]ield '([^']+)'/.exec(message)
  return match?.[1]?.replaceAll("``", "`")
}

/** What a failure says of a row; failures that are not of a row go on. */
function rowComplaint(cause: unknown): Complaint {
  const { code, message, reason, cause: inner } = cause as Partial<Failure> // read by its shape, as the contract says
  if (reason === undefined || !isRowError({ errno: Number(code) })) throw cause
  const text = (inner as { sqlMessage?: string } | undefined)?.sqlMessage // of the driver's error, where there is one
  return { code: code ?? "", message: text ?? message ?? "" }
}

function rowOf(message: string): number | undefined {
  const match = / at row (\d+)$/.exec(message)
  return match ? Number(match[1]) - 1 : undefined
}

const INFO = /Records: (\d+)\s+(?:Deleted: \d+\s+Skipped: (\d+)|Duplicates: (\d+))\s+Warnings: (\d+)/
const DUPLICATE = /^Duplicate entry '(.*)' for key '(.*)'$/s
/** LOAD DATA LOCAL is turned off: MySQL 5.7, MySQL 8, MariaDB. */
const FORBIDDEN = new Set(["1148", "3948", "4166"])
/** Remarks on the statement, not on a row: unsafe for statement-based replication, deprecated syntax. */
const HARMLESS = new Set(["1287", "1592", "1681", "3719", "3778"])
const PIECE_ROWS = 2048
const STATEMENT_BYTES = 1_048_576
