import type { Column, Connection, Dialect, LogicalType, Session, TableName } from "../contract/index.ts"
import { pluginError } from "../host/failure.ts"
import { qualified } from "./source-sql.ts"
import { shownTable } from "./table-name.ts"

/** What a run has done at a target, committed together with the doing. */
export interface LedgerRow {
  readonly run: string
  readonly step: string
  /** `split:<id>`, `before:<n>`, `after:<n>`, `created`, `sums:<id>`, `sums-before`, `stage`, `checked`, `swapping`, `exchanging`, `swapped`, `fence`. */
  readonly item: string
  readonly written: number
  readonly note: string
}

/** Where the ledger is, and whose rows are meant. */
export interface LedgerPlace {
  readonly dialect: Dialect
  /** Schema of the target; the ledger stands beside it. */
  readonly schema: string | undefined
  readonly step: string
  readonly run: Session["run"]
  readonly failure: Session["failure"]
}

export const LEDGER = "headrace_ledger"

/**
 * The commit ledger: a small table beside the target. A split is committed in one transaction with its row here, so
 * the row says for certain, to whoever comes after a crash, that the split is in the table. Two things keep a worker
 * that was believed dead from committing late: the fence of its run, which the next attempt raises and every commit
 * checks under a lock; and the primary key, which lets no split be committed twice whatever else goes wrong.
 */
export class Ledger {
  readonly #place: LedgerPlace
  readonly #table: string

  private constructor(place: LedgerPlace) {
    this.#place = place
    this.#table = qualified(ledgerTable(place), place.dialect)
  }

  /** Makes the table when it is missing, and takes the run over from earlier attempts. Fails when a later one has. */
  static async open(connection: Connection, place: LedgerPlace): Promise<Ledger> {
    const ledger = new Ledger(place)
    await ledger.#create(connection)
    if (!(await ledger.#enter(connection))) await ledger.#takeOver(connection)
    return ledger
  }

  /** Everything that is noted for this run and step, but the fence. */
  async rows(connection: Connection): Promise<readonly LedgerRow[]> {
    const { run, step } = this.#place
    const rows = await this.#select(connection, `${this.#quote("run_id")} = ${this.#text(run.id)}`)
    // The collation may not tell upper from lower case.
    return rows.filter((row) => row.run === run.id && row.step === step && row.item !== FENCE)
  }

  /** Rows of any run, such as the owners of staged tables. */
  async everybodys(connection: Connection, item: string): Promise<readonly LedgerRow[]> {
    const rows = await this.#select(connection, `${this.#quote("item")} = ${this.#text(item)}`)
    return rows.filter((row) => row.item === item)
  }

  async find(connection: Connection, item: string): Promise<LedgerRow | undefined> {
    const [row] = await this.#select(connection, `${this.#quote("id")} = ${this.#text(await this.#id(item))}`)
    return row
  }

  /**
   * Notes an item in the open transaction, as the last thing before its commit. Fails when a later attempt has taken
   * the run over: the transaction must then be rolled back.
   */
  async record(connection: Connection, item: string, { written = 0, note = "" } = {}): Promise<void> {
    try {
      await this.#insert(connection, item, written, note)
    } catch (error) {
      const { reason } = pluginError(error)
      if (reason !== "constraint" && reason !== "exists") throw error
      throw this.#place.failure("conflict", `Cannot commit "${item}": another attempt has committed it`, {
        cause: error,
      })
    }
    await this.check(connection)
  }

  /** In the open transaction: makes sure that this attempt is the latest, and stays so until the transaction ends. */
  async check(connection: Connection): Promise<void> {
    const { run, dialect, failure } = this.#place
    const fence = await this.#fence(connection, dialect.forUpdate ?? "")
    if (fence === run.fence) return
    throw failure(
      "conflict",
      `Cannot commit: attempt ${fence ?? "?"} has taken over run ${run.id}, this is ${run.fence}`,
      {
        retryable: false,
      },
    )
  }

  /** In the open transaction: makes sure that a note still stands, which another run may have swept away, and stays so. */
  async hold(connection: Connection, item: string): Promise<void> {
    const id = `${this.#quote("id")} = ${this.#text(await this.#id(item))}`
    const { dialect, failure, run } = this.#place
    if ((await this.#select(connection, `${id}${dialect.forUpdate ?? ""}`)).length > 0) return
    throw failure("conflict", `Cannot commit: another run has taken the target over from run ${run.id}`, {
      retryable: false,
      hint: "The connection that held the lock of the target was lost. Resume the run, or begin anew",
    })
  }

  /** Does something once in the life of the run, together with its note where the database allows that. */
  async once(connection: Connection, item: string, work: () => Promise<void>, note = ""): Promise<void> {
    if ((await this.find(connection, item)) !== undefined) return
    try {
      await inTransaction(connection, async () => {
        await work()
        await this.record(connection, item, { note })
      })
    } catch (error) {
      // VACUUM, CREATE INDEX CONCURRENTLY and their like: first done, then noted.
      if (pluginError(error).code !== NO_TRANSACTION) throw error
      await work()
      await inTransaction(connection, () => this.record(connection, item, { note }))
    }
  }

  /** Forgets items of a run, this one by default. */
  async forget(connection: Connection, items: readonly string[], of = this.#place): Promise<void> {
    if (items.length === 0) return
    const ids = await Promise.all(items.map((item) => idOf(of.run.id, of.step, item)))
    const list = ids.map((id) => this.#text(id)).join(", ")
    await connection.execute(`DELETE FROM ${this.#table} WHERE ${this.#quote("id")} IN (${list})`)
  }

  /** Forgets what another run has noted of splits that went with its staged table. */
  async forgetLoad(connection: Connection, { run, step }: Pick<LedgerRow, "run" | "step">): Promise<void> {
    const rows = await this.#select(connection, `${this.#quote("run_id")} = ${this.#text(run)}`)
    const items = rows.filter((row) => row.run === run && row.step === step && isOfLoad(row.item))
    await this.forget(
      connection,
      items.map(({ item }) => item),
      { ...this.#place, step, run: { id: run, fence: 0 } },
    )
  }

  /** Forgets that a run has made tables: they are gone, and whoever makes others of their names owns those. */
  async forgetTables(connection: Connection, { run, step }: Pick<LedgerRow, "run" | "step">): Promise<void> {
    await this.forget(connection, TABLE_ITEMS, { ...this.#place, step, run: { id: run, fence: 0 } })
  }

  /** Notes, for whatever run began it, that something is done. */
  async settle(connection: Connection, { run, step }: Pick<LedgerRow, "run" | "step">, item: string): Promise<void> {
    const known = await this.#select(connection, `${this.#quote("id")} = ${this.#text(await idOf(run, step, item))}`)
    if (known.length === 0) await this.#insert(connection, item, 0, "", { run, step })
  }

  async #create(connection: Connection): Promise<void> {
    const { dialect, failure } = this.#place
    const table = ledgerTable(this.#place)
    if ((await connection.describeTable(table)) !== undefined) return
    const columns = COLUMNS.map(([name, type], i) => {
      const column: Column = { name, type, nullable: false }
      const key = i === 0 ? " PRIMARY KEY" : ""
      return `${dialect.quote(name)} ${dialect.columnType(column, { key: i === 0 }).type} NOT NULL${key}`
    })
    try {
      await connection.execute(`CREATE TABLE ${this.#table} (${columns.join(", ")})${dialect.createTableSuffix ?? ""}`)
    } catch (error) {
      // Another run may have been faster.
      if ((await connection.describeTable(table)) !== undefined) return
      const { message, reason } = pluginError(error)
      throw failure(reason, `Cannot create the commit ledger "${shownTable(table)}": ${message}`, {
        cause: error,
        hint: 'Let somebody create it, or set the option ledger to "off" and accept that a resumed run may write rows twice',
      })
    }
  }

  /** The first attempt of a run: true when nobody has entered it before. */
  async #enter(connection: Connection): Promise<boolean> {
    if ((await this.#fence(connection, "")) !== undefined) return false
    await this.#sweep(connection)
    try {
      await this.#insert(connection, FENCE, this.#place.run.fence, "")
      return true
    } catch (error) {
      const { reason } = pluginError(error)
      if (reason !== "constraint" && reason !== "exists") throw error
      return false
    }
  }

  /** Waits for a commit of the earlier attempt that is on its way; behind it, that attempt cannot commit any more. */
  async #takeOver(connection: Connection): Promise<void> {
    const { run, dialect, failure } = this.#place
    await inTransaction(connection, async () => {
      const id = this.#text(await this.#id(FENCE))
      const [written, key] = [this.#quote("written"), this.#quote("id")]
      await connection.execute(
        `UPDATE ${this.#table} SET ${written} = ${run.fence} WHERE ${key} = ${id} AND ${written} < ${run.fence}`,
      )
      const fence = await this.#fence(connection, dialect.forUpdate ?? "")
      // A first attempt comes where nobody has been.
      if (fence === run.fence && run.fence > 1) return
      throw failure(
        "conflict",
        `Cannot go on with run ${run.id}: attempt ${fence} has taken it over, this is ${run.fence}`,
        {
          retryable: false,
        },
      )
    })
  }

  async #fence(connection: Connection, lock: string): Promise<number | undefined> {
    const id = this.#text(await this.#id(FENCE))
    const [row] = await connection.query(
      `SELECT ${this.#quote("written")} FROM ${this.#table} WHERE ${this.#quote("id")} = ${id}${lock}`,
    )
    return row === undefined ? undefined : Number(row[0])
  }

  /** Old rows go; read first and removed by key, so that no lock touches what other runs are doing. */
  async #sweep(connection: Connection): Promise<void> {
    const before = new Date(Date.now() - KEPT_MS).toISOString()
    const [id, at] = [this.#quote("id"), this.#quote("at")]
    const old = await connection.query(`SELECT ${id} FROM ${this.#table} WHERE ${at} < ${this.#text(before)}`)
    for (let from = 0; from < old.length; from += 500) {
      const list = old.slice(from, from + 500).map(([key]) => this.#text(key!))
      await connection.execute(`DELETE FROM ${this.#table} WHERE ${id} IN (${list.join(", ")})`)
    }
  }

  async #insert(
    connection: Connection,
    item: string,
    written: number,
    note: string,
    { run, step } = { run: this.#place.run.id, step: this.#place.step },
  ): Promise<void> {
    const texts = [await idOf(run, step, item), run, step, item].map((text) => this.#text(text))
    const values = [...texts, String(written), this.#text(note), this.#text(new Date().toISOString())]
    const names = COLUMNS.map(([name]) => this.#quote(name))
    await connection.execute(`INSERT INTO ${this.#table} (${names.join(", ")}) VALUES (${values.join(", ")})`)
  }

  async #select(connection: Connection, where: string): Promise<readonly LedgerRow[]> {
    const names = ["run_id", "step", "item", "written", "note"].map((name) => this.#quote(name))
    const rows = await connection.query(`SELECT ${names.join(", ")} FROM ${this.#table} WHERE ${where}`)
    return rows.map(([run, step, item, written, note]) => ({
      run: run!,
      step: step!,
      item: item!,
      written: Number(written),
      note: note!,
    }))
  }

  #id(item: string): Promise<string> {
    return idOf(this.#place.run.id, this.#place.step, item)
  }

  #quote(name: string): string {
    return this.#place.dialect.quote(name)
  }

  #text(value: string): string {
    return this.#place.dialect.literal(value)
  }
}

/** The item under which a split is noted. */
export function splitItem(split: string): string {
  return `split:${split}`
}

export function isSplitItem(item: string): boolean {
  return item.startsWith("split:")
}

/** Whether an item belongs to what was loaded into a staged table, and is void without it. */
export function isOfLoad(item: string): boolean {
  return isSplitItem(item) || item.startsWith("sums:") || LOAD_ITEMS.has(item)
}

/** Runs `work` in a transaction of its own. */
export async function inTransaction<A>(connection: Connection, work: () => Promise<A>): Promise<A> {
  await connection.begin()
  try {
    const result = await work()
    await connection.commit()
    return result
  } catch (error) {
    await connection.rollback().catch(() => undefined)
    throw error
  }
}

function ledgerTable({ schema }: LedgerPlace): TableName {
  return schema === undefined ? { name: LEDGER } : { schema, name: LEDGER }
}

/** The key of a row: a hash, because names may be long and collations differ in what they take for equal. */
async function idOf(run: string, step: string, item: string): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([run, step, item]))
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
  return hash.reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "")
}

const LOAD_ITEMS: ReadonlySet<string> = new Set(["stage", "checked", "swapping", "exchanging"])
const TABLE_ITEMS = ["stage", "swapping", "exchanging"]
const FENCE = "fence"
/** SQLSTATE active_sql_transaction: a statement that runs only outside of transactions. */
const NO_TRANSACTION = "25001"
/** Rows are kept as long as a run may be resumed. */
const KEPT_MS = 30 * 86_400_000

const name = (length: number): LogicalType => ({ kind: "string", length })
const COLUMNS: readonly (readonly [name: string, type: LogicalType])[] = [
  ["id", name(64)],
  ["run_id", name(64)],
  ["step", name(64)],
  ["item", { kind: "string" }],
  ["written", { kind: "int64" }],
  ["note", { kind: "string" }],
  ["at", name(32)],
]
