import type {
  Batch,
  Columns,
  Connection,
  Frame,
  LoadRequest,
  ReadRequest,
  Replacement,
  Session,
  TableInfo,
  TableName,
} from "../../core/contract/index.ts"
import { TAB_SEPARATED } from "../_sql/tab-separated.ts"
import { describeTable, listTables } from "./mysql-describe.ts"
import { quoted } from "./mysql-dialect.ts"
import { columnOf, fieldText } from "./mysql-fields.ts"
import { isForwardable } from "./mysql-forwardable.ts"
import { type Link, type Texts, valuesOf } from "./mysql-link.ts"
import { load } from "./mysql-load.ts"
import { evictEarlier, takeLock } from "./mysql-locks.ts"
import { readBatches } from "./mysql-read.ts"
import { dropEmpty, replacementOn } from "./mysql-replacement.ts"

/** A connection as the host sees it. `release` replaces the end of the connection, for those that are lent. */
export class MysqlConnection implements Connection {
  readonly server: string
  readonly replacement: Replacement
  readonly #link: Link
  readonly #release: (() => Promise<void>) | undefined

  constructor(link: Link, release?: () => Promise<void>) {
    this.#link = link
    this.#release = release
    this.replacement = replacementOn(link)
    const { version, mariadb } = link.facts
    this.server = mariadb ? `MariaDB ${version.replace(/-mariadb.*$/i, "")}` : `MySQL ${version}`
  }

  async query(sql: string, parameters: readonly string[] = []): Promise<Texts> {
    const rows: (string | null)[][] = []
    let texts: ReturnType<typeof fieldText>[] = []
    await this.#link.run("Cannot run a query", bind(sql, parameters), {
      fields(fields) {
        texts = fields.map(fieldText)
      },
      row: (buffer, start, end) =>
        void rows.push(valuesOf(buffer, start, end, (from, to, i) => texts[i]!(buffer, from, to))),
    })
    return rows
  }

  async execute(sql: string, options: { readonly timeoutMs?: number } = {}): Promise<void> {
    await this.#link.run("Cannot run a statement", sql, options)
  }

  tables(filter: { readonly schema?: string } = {}): Promise<readonly TableName[]> {
    return listTables(this.#link, filter.schema)
  }

  describeTable(table: TableName): Promise<TableInfo | undefined> {
    return describeTable(this.#link, table)
  }

  async describeQuery(sql: string): Promise<Columns> {
    const fields = await this.#link.guard("Cannot describe a query", () =>
      this.#link.wire.prepare(sql.replace(/;\s*$/, "")),
    )
    return fields.map(columnOf)
  }

  /** MySQL 9.7 has it in a component that few have installed. */
  async hasMd5(): Promise<boolean> {
    try {
      await this.#link.rows("Cannot compute a checksum", "SELECT MD5('')")
      return true
    } catch (cause) {
      // Unknown functions are looked for among the stored ones, which the user may not be allowed to call.
      if (["missing", "permission"].includes((cause as { reason: string }).reason)) return false // a failure, by its shape
      throw cause
    }
  }

  readEncodings(): readonly string[] {
    return []
  }

  read(request: ReadRequest, session: Session): AsyncIterable<Batch | Frame> {
    return readBatches(this.#link, request, session)
  }

  loadEncodings(request: Parameters<Connection["loadEncodings"]>[0]): readonly string[] {
    return isForwardable(request, this.#link.facts) ? [TAB_SEPARATED] : []
  }

  async begin(): Promise<void> {
    await this.#link.run("Cannot begin a transaction", "START TRANSACTION READ WRITE")
  }

  async commit(): Promise<void> {
    await this.#link.settle("Cannot commit", "COMMIT")
  }

  async rollback(): Promise<void> {
    // A connection that is gone has been rolled back by the server.
    if (this.#link.wire.closed) return
    await this.#link.settle("Cannot roll back", "ROLLBACK")
  }

  load(request: LoadRequest, rows: AsyncIterable<Batch | Frame>, session: Session): Promise<{ written: number }> {
    return load(this.#link, request, rows, session)
  }

  evictOthers(run: Session["run"]): Promise<void> {
    return evictEarlier(this.#link, run)
  }

  lock(name: string): Promise<boolean> {
    return takeLock(this.#link, name)
  }

  waitsFor(): Promise<readonly string[]> {
    return this.#link.waitsFor()
  }

  dropEmpty(table: TableName): Promise<boolean> {
    return dropEmpty(this.#link, table)
  }

  async close(): Promise<void> {
    if (this.#release) return this.#release()
    await this.#link.wire.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Puts parameters as literals in place of the question marks that stand outside of texts, names and comments. */
export function bind(sql: string, parameters: readonly string[]): string {
  if (parameters.length === 0) return sql
  let next = 0
  return sql.replace(TOKENS, (token) => {
    const value = token === "?" ? parameters[next++] : undefined
    return value === undefined ? token : quoted(value)
  })
}

const TOKENS = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\/\*.*?\*\/|--\s[^\n]*|#[^\n]*|\?/gs
