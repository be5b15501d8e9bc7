import type { Batch, Connection, Dialect, Frame, Session, TableColumn, TableName } from "../contract/index.ts"
import { ColumnChecksums } from "./checksum.ts"
import { inTransaction, type Ledger } from "./ledger.ts"
import { shownTable } from "./table-name.ts"
import { addSums, differences, limits, readSums, type TableSums } from "./table-sums.ts"
import { targetSums } from "./target-sums.ts"

/** Ledger item of the sums of a split. */
const SUMS = "sums:"
/** Ledger item of what the table held before the run. */
const BEFORE = "sums-before"

/**
 * The proof, column by column, that a table holds what was written: sums taken while rows stream are compared with sums
 * that the database takes of the table. They are kept in the ledger, so that a resumed run proves the whole.
 */
export class Verification {
  readonly #dialect: Dialect
  readonly #ledger: Ledger
  readonly #table: TableName
  readonly #columns: readonly TableColumn[]
  #before: TableSums | undefined

  constructor(dialect: Dialect, ledger: Ledger, table: TableName, columns: readonly TableColumn[]) {
    this.#dialect = dialect
    this.#ledger = ledger
    this.#table = table
    this.#columns = columns
  }

  /** Takes the sums of a table to which rows are added, before the first of them is. */
  async begin(connection: Connection, session: Session): Promise<void> {
    const known = await this.#ledger.find(connection, BEFORE)
    this.#before = known === undefined ? await this.#sums(connection, session) : readSums(JSON.parse(known.note))
    if (known !== undefined) return
    const note = JSON.stringify(this.#before)
    await inTransaction(connection, () => this.#ledger.record(connection, BEFORE, { note }))
  }

  /** One try at a split: what passes is added up, what the target rejects is taken back. */
  watch(session: Session) {
    const sums = new ColumnChecksums(this.#columns, this.#dialect, session.batches)
    return {
      session: sums.watch(session),
      rows: (rows: AsyncIterable<Batch | Frame>) => sums.tap(rows, session),
      /** In the transaction of the split. */
      keep: (connection: Connection, split: string) =>
        this.#ledger.record(connection, `${SUMS}${split}`, { note: JSON.stringify(sums.result()) }),
    }
  }

  /** Compares; fails and names what differs. */
  async check(connection: Connection, session: Session): Promise<void> {
    const rows = (await this.#ledger.rows(connection)).filter(({ item }) => item.startsWith(SUMS))
    const [first, ...others] = rows.map(({ note }) => readSums(JSON.parse(note)))
    if (first === undefined) return
    const streamed = addSums(first, ...others)
    const target = await this.#sums(connection, session)
    const wrong = differences(streamed, target, this.#before)
    if (wrong.length > 0) {
      throw session.failure(
        "data",
        `Table "${shownTable(this.#table)}" does not hold what was written: ${wrong.join("; ")}`,
        {
          hint: "Look for triggers, for others who write to it, and for what its types do to values",
        },
      )
    }
    for (const line of limits(streamed, target, this.#before)) session.log.warn(line)
  }

  #sums(connection: Connection, session: Session): Promise<TableSums> {
    return targetSums(connection, { dialect: this.#dialect, table: this.#table, columns: this.#columns }, session)
  }
}
