import type { SQL, Table } from "drizzle-orm"
import type { SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy"
import { Context, type Effect } from "effect"
import type { StoreError } from "./store-error.ts"
import type { Tables } from "./tables.ts"

/**
 * Queries on the tables of the store, in either dialect. A query is awaited as it is: `get`, `all`, `run` and `values`,
 * which the types show, are SQLite's alone, and what a statement without `returning` resolves to is nobody's business.
 */
export interface Queries
  extends Pick<SqliteRemoteDatabase, "select" | "selectDistinct" | "insert" | "update" | "delete" | "$count"> {
  readonly tables: Tables
  /**
   * Rows of a statement that the builder cannot say; it must mean the same in SQLite and PostgreSQL. Whole numbers are
   * numbers in both, a boolean is `1` or `true`.
   */
  rows<R>(statement: SQL): Promise<readonly R[]>
  /** Inserts rows that all have the same columns, much faster than one at a time. */
  insertAll<T extends Table>(table: T, rows: readonly T["$inferInsert"][]): Promise<void>
}

export interface WriteOptions {
  /** Two writes with the same lock never overlap, and the later one sees what the earlier one has written. */
  readonly lock?: string
  /** It is on the disk only with the next write that is not lazy: no loss where nothing came after it. */
  readonly isLazy?: boolean
}

/** An error that a program tells by its tag, such as a `RequestError`. */
export interface Refusal extends Error {
  readonly _tag: string
}

/**
 * Where Headrace keeps what it remembers: an SQLite file, or a PostgreSQL database that several servers share.
 *
 * `read` may see a state that is a moment old. `write` is one transaction: all of it or nothing, and on the disk when it
 * succeeds; `work` may be called again, does nothing but query, and ends with the first query that fails. Writes are as if one came after the other: what `work`
 * has read still holds when it commits. Neither is called inside the other.
 *
 * Both may refuse: a `RequestError` that `work` returns undoes what it has written, and is what the write fails with. One
 * that is thrown further down does the same; `E` says its type. Anything else that `work` throws is a defect.
 */
export class StoreDatabase extends Context.Service<
  StoreDatabase,
  {
    readonly dialect: "sqlite" | "postgres"
    read<A, E = never>(
      query: (queries: Queries) => Promise<A>,
    ): Effect.Effect<Exclude<A, Refusal>, StoreError | Extract<A, Refusal> | E>
    write<A, E = never>(
      work: (queries: Queries) => Promise<A>,
      options?: WriteOptions,
    ): Effect.Effect<Exclude<A, Refusal>, StoreError | Extract<A, Refusal> | E>
  }
>()("core/store/StoreDatabase") {}
