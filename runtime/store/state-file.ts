import { chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite"
import { failure } from "../../core/host/failure.ts"
import { migrations } from "./schema.ts"
import { storeFailure } from "./store-failure.ts"

export type Row = Readonly<Record<string, SQLOutputValue>>

export interface StateFileOptions {
  /** What makes each version of the file from the one before. */
  readonly migrations?: readonly string[]
  readonly busyTimeoutMs?: number
}

/**
 * The SQLite file in which a machine keeps its runs. Calls are synchronous and short. What is committed is on the disk:
 * the journal is flushed with every commit.
 */
export class StateFile implements Disposable {
  readonly path: string
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  private constructor(path: string, database: DatabaseSync) {
    this.path = path
    this.#database = database
  }

  /** Makes the file where there is none, readable by its owner only, and brings an older one to this version. */
  static async open(path: string, options: StateFileOptions = {}): Promise<StateFile> {
    // Loaded only by commands that need it.
    const { DatabaseSync } = await import("node:sqlite")
    const action = "keep runs"
    let database: DatabaseSync | undefined
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      makePrivate(path)
      database = new DatabaseSync(path)
      // An empty mode of the journal means that nobody may change it, such as on a disk that is read-only.
      database.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs ?? BUSY_TIMEOUT_MS}`)
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
      migrate(database, path, options.migrations ?? migrations)
      return new StateFile(path, database)
    } catch (error) {
      database?.close()
      throw storeFailure(action, path, error)
    }
  }

  /** Rows of a query. */
  all<R extends Row = Row>(sql: string, ...values: readonly SQLInputValue[]): R[] {
    return this.#attempt("read runs", () => this.#prepared(sql).all(...values) as R[]) // the query says what it gives
  }

  get<R extends Row = Row>(sql: string, ...values: readonly SQLInputValue[]): R | undefined {
    return this.#attempt("read runs", () => this.#prepared(sql).get(...values) as R | undefined) // as above
  }

  /** Runs a statement and tells how many rows it has changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return this.#attempt("keep runs", () => Number(this.#prepared(sql).run(...values).changes))
  }

  /** A prepared statement for a hot loop inside `write`, which explains its failures. */
  statement(sql: string): StatementSync {
    return this.#prepared(sql)
  }

  /** All or nothing, on the disk when it returns. Its lock is taken at once, so that it never has to upgrade. */
  write<T>(work: () => T): T {
    return this.#attempt("keep runs", () => {
      this.#database.exec("BEGIN IMMEDIATE")
      try {
        const result = work()
        this.#database.exec("COMMIT")
        return result
      } catch (error) {
        // A full disk has ended the transaction already.
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK")
        throw error
      }
    })
  }

  /**
   * The same, on the disk only with the next `write`: a process may die in between, the machine may not. For what is no
   * loss where nothing came after it.
   */
  writeLater<T>(work: () => T): T {
    this.#database.exec("PRAGMA synchronous = NORMAL")
    try {
      return this.write(work)
    } finally {
      this.#database.exec("PRAGMA synchronous = FULL")
    }
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #attempt<T>(action: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw storeFailure(action, this.path, error)
    }
  }
}

/** SQLite gives its companions of the file the same mode. */
function makePrivate(path: string): void {
  closeSync(openSync(path, "a", 0o600))
  chmodSync(path, 0o600)
}

function migrate(database: DatabaseSync, path: string, steps: readonly string[]): void {
  const found = versionOf(database)
  if (found > steps.length) {
    throw failure(
      "unsupported",
      `Cannot use the runs in "${path}": the file is of version ${found}, this Headrace knows ${steps.length}`,
      {
        hint: "Use the newer Headrace that wrote it, or let HEADRACE_HOME name another folder",
      },
    )
  }
  if (found === steps.length) return
  if (found > 0) backUp(database, path, found)
  database.exec("BEGIN EXCLUSIVE")
  try {
    // Somebody else may have done it in the meantime.
    for (let version = versionOf(database); version < steps.length; version++) database.exec(steps[version]!)
    database.exec(`PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK")
    throw error
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()!.user_version)
}

/** A copy of the file as it was, beside it. It gets its name only once it is whole. */
function backUp(database: DatabaseSync, path: string, version: number): void {
  const copy = `${path}.v${version}`
  const unfinished = `${copy}.${crypto.randomUUID()}.part`
  try {
    makePrivate(unfinished)
    database.prepare("VACUUM INTO ?").run(unfinished)
    renameSync(unfinished, copy)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

const BUSY_TIMEOUT_MS = 10_000
