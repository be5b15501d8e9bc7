import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import type {
  Batch,
  Columns,
  Connection,
  Failure,
  Frame,
  LoadRequest,
  PhysicalSplit,
  ReadRequest,
  Session,
  TableInfo,
  TableName,
} from "../../core/contract/index.ts"
import { describeQuery, describeTable, listTables, source } from "./describe.ts"
import { lockFile } from "./file-lock.ts"
import { loadRows } from "./load-rows.ts"
import { type Patience, whenFree } from "./lock.ts"
import { readRows } from "./read-rows.ts"
import { bare, iterate, pragma, type ToUtf8, textDecoder, withTextAsBytes } from "./rows.ts"
import { failure } from "./sqlite-failure.ts"
import { isRaw, readText } from "./value-reader.ts"

export interface ConnectionOptions extends Patience {
  readonly path: string
  readonly readOnly: boolean
  /** The database belongs to a snapshot, which closes it. */
  readonly isShared: boolean
  /** Opens the file, which did not exist before; it is created only for what writes. */
  open?(creates: boolean): Promise<DatabaseSync>
}

const UNKNOWN = { kind: "string" } as const

export class SqliteConnection implements Connection {
  readonly server: string
  readonly #options: ConnectionOptions
  readonly #locks = new Map<string, DatabaseSync>()
  #database: DatabaseSync
  #encoding: string
  #toUtf8: ToUtf8
  /** True until there is a file; nothing is what the database holds then. */
  #isAbsent: boolean
  /** A transaction that is begun, but whose lock waits for the first statement to tell reading from writing. */
  #begun = false

  constructor(database: DatabaseSync, options: ConnectionOptions) {
    this.#database = database
    this.#options = options
    this.server = `SQLite ${pragma(database, "SELECT sqlite_version() AS version")[0]!.version}`
    this.#encoding = encodingOf(database)
    this.#toUtf8 = textDecoder(this.#encoding)
    this.#isAbsent = options.open !== undefined
  }

  async query(sql: string, parameters: readonly string[] = []): Promise<readonly (readonly (string | null)[])[]> {
    return this.#run(`Cannot run "${shown(sql)}"`, "read", () => {
      const isSelect = /^\s*(?:select|with|values)\b/i.test(sql)
      const columns = isSelect ? this.#database.prepare(bare(sql)).columns() : []
      const exact = isSelect
        ? withTextAsBytes(
            sql,
            columns.map(() => ({ raw: false })),
          )
        : sql
      const rows: (string | null)[][] = []
      for (const values of iterate(this.#database, exact, ...parameters)) {
        rows.push(values.map((value) => (isSelect ? readText(UNKNOWN, value, this.#toUtf8).text : plainText(value))))
      }
      return rows
    })
  }

  async execute(sql: string): Promise<void> {
    await this.#run(`Cannot run "${shown(sql)}"`, "write", () => void this.#database.prepare(sql).run())
  }

  async tables(filter?: { readonly schema?: string }): Promise<readonly TableName[]> {
    return this.#run("Cannot list the tables", "read", () => listTables(this.#database, filter?.schema))
  }

  async describeTable(table: TableName): Promise<TableInfo | undefined> {
    // An output has to see that its table is still to be made; everything else that reads fails for want of a file.
    if (this.#isAbsent && !(await this.#appears())) return undefined
    return this.#run(`Cannot describe "${table.name}"`, "read", () => describeTable(this.#database, table))
  }

  async describeQuery(sql: string): Promise<Columns> {
    return this.#run(`Cannot describe "${shown(sql)}"`, "read", () => describeQuery(this.#database, sql))
  }

  /** Ranges of the row number, in which SQLite keeps a table. */
  async physicalSplits(table: TableName, wanted: number): Promise<readonly PhysicalSplit[]> {
    return this.#run(`Cannot split "${table.name}"`, "read", () => rowidRanges(this.#database, table, wanted))
  }

  readEncodings(): readonly string[] {
    return []
  }

  async *read(request: ReadRequest, session: Session): AsyncIterable<Batch> {
    const columns = request.columns
    const sql = withTextAsBytes(
      request.sql,
      columns.map(({ type }) => ({ raw: isRaw(type) })),
    )
    const action = `Cannot read "${shown(request.sql)}"`
    // The lock is taken with the first row.
    const { rows, first } = await this.#run(action, "read", () => {
      const rows = iterate(this.#database, sql)
      return { rows, first: rows.next() }
    })
    let isFirst = true
    const next = () => {
      if (!isFirst) return rows.next()
      isFirst = false
      return first
    }
    try {
      yield* readRows({ next }, { columns, toUtf8: this.#toUtf8, session })
    } catch (error) {
      throw failure(session, action, error)
    } finally {
      if (this.#database.isOpen) rows.return?.()
    }
  }

  loadEncodings(): readonly string[] {
    return []
  }

  async load(
    request: LoadRequest,
    rows: AsyncIterable<Batch | Frame>,
    session: Session,
  ): Promise<{ readonly written: number }> {
    const action = `Cannot write "${request.table.name}"`
    await this.#run(action, "write", () => undefined)
    try {
      return await loadRows({ database: this.#database, utf8: this.#encoding === "UTF-8" }, request, rows, session)
    } catch (error) {
      throw failure(session, action, error)
    }
  }

  async begin(): Promise<void> {
    this.#begun = true
  }

  async commit(): Promise<void> {
    await this.#end("COMMIT")
  }

  async rollback(): Promise<void> {
    await this.#end("ROLLBACK")
  }

  /** The operating system frees the lock of a process that dies, so it is one on a file. */
  async lock(name: string): Promise<boolean> {
    if (this.#locks.has(name)) return true
    const held = await lockFile(this.#options, name)
    if (held) this.#locks.set(name, held)
    return held !== undefined
  }

  async close(): Promise<void> {
    for (const held of this.#locks.values()) held.close()
    this.#locks.clear()
    if (this.#database.isOpen && !this.#options.isShared) this.#database.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #end(statement: "COMMIT" | "ROLLBACK"): Promise<void> {
    this.#begun = false
    // Some errors end the transaction by themselves.
    if (!this.#database.isTransaction) return
    await whenFree(
      `Cannot ${statement.toLowerCase()}`,
      this.#options,
      () => void this.#database.prepare(statement).run(),
    )
  }

  /** Runs `work`, after the transaction that is due: a reader takes its lock late, a writer at once, so that it never has to upgrade. */
  async #run<T>(action: string, purpose: "read" | "write", work: () => T): Promise<T> {
    if (this.#isAbsent) await this.#present(purpose === "write")
    if (this.#begun && !this.#database.isTransaction) {
      const mode = purpose === "write" && !this.#options.readOnly ? "IMMEDIATE" : "DEFERRED"
      await whenFree(action, this.#options, () => void this.#database.prepare(`BEGIN ${mode}`).run())
    }
    return whenFree(action, this.#options, work)
  }

  /** True once somebody else has made the file. */
  async #appears(): Promise<boolean> {
    try {
      await this.#present(false)
      return true
    } catch (error) {
      if ((error as Failure).reason === "missing") return false // a failure, by its shape
      throw error
    }
  }

  async #present(creates: boolean): Promise<void> {
    const database = await this.#options.open!(creates)
    this.#database.close()
    this.#database = database
    this.#encoding = encodingOf(database)
    this.#toUtf8 = textDecoder(this.#encoding)
    this.#isAbsent = false
  }
}

function encodingOf(database: DatabaseSync): string {
  return String(pragma(database, "PRAGMA encoding")[0]!.encoding)
}

function rowidRanges(database: DatabaseSync, table: TableName, wanted: number): readonly PhysicalSplit[] {
  const info = describeTable(database, table)
  const schema = table.schema ?? "main"
  const [kind] = pragma(
    database,
    "SELECT type, wr FROM pragma_table_list WHERE schema = ? AND lower(name) = lower(?)",
    schema,
    table.name,
  )
  const names = new Set(info?.columns.map(({ name }) => name.toLowerCase()))
  const rowid = ["rowid", "_rowid_", "oid"].find((name) => !names.has(name))
  if (kind?.type !== "table" || kind.wr !== 0 || rowid === undefined) return []
  // Row numbers that are a key stay what they are; others may be given anew by VACUUM.
  const lasting = info?.columns.some(({ identity }) => identity) ?? false
  const from = source(schema, info!.table.name)
  const statement = database.prepare(
    `SELECT (SELECT min(${rowid}) FROM ${from}) AS least, (SELECT max(${rowid}) FROM ${from}) AS most`,
  )
  statement.setReadBigInts(true)
  const { least, most } = statement.get() as { least: bigint | null; most: bigint | null } // a rowid is an integer
  if (least === null || most === null || wanted < 2) return []
  const step = (most - least) / BigInt(wanted) + 1n
  const bounds: bigint[] = []
  for (let bound = least + step; bound <= most; bound += step) bounds.push(bound)
  // The ends stay open: rows that come later belong to a range as well.
  return [undefined, ...bounds].map((from, i) => {
    const to = bounds[i]
    const where = [from === undefined ? [] : `${rowid} >= ${from}`, to === undefined ? [] : `${rowid} < ${to}`]
      .flat()
      .join(" AND ")
    const label = `rows ${from ?? least}-${to === undefined ? most : to - 1n}`
    return { label, where: where === "" ? "1" : where, lasting }
  })
}

function plainText(value: SQLOutputValue): string | null {
  if (typeof value === "string") return value
  return readText({ kind: "bytes" }, value, (text) => text).text
}

function shown(sql: string): string {
  const line = sql.trim().replace(/\s+/g, " ")
  return line.length > 80 ? `${line.slice(0, 77)}…` : line
}
