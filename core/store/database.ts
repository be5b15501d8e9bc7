import type { SQL } from "drizzle-orm"
import type { SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy"
import { Context, type Effect } from "effect"
import type { StoreError } from "./store-error.ts"
import type { Tables } from "./tables.ts"

/** Queries on the tables of the store, in either dialect. */
export interface Queries
  extends Pick<SqliteRemoteDatabase, "select" | "selectDistinct" | "insert" | "update" | "delete" | "$count"> {
  readonly tables: Tables
  /** Rows of a statement that the builder cannot say; it must mean the same in SQLite and PostgreSQL. */
  rows<R>(statement: SQL): Promise<readonly R[]>
}

export interface WriteOptions {
  /** Two writes with the same lock never overlap. SQLite's never do. */
  readonly lock?: string
}

/**
 * Where Headrace keeps what it remembers: an SQLite file, or a PostgreSQL database that several servers share.
 *
 * `read` may see a state that is a moment old. `write` is one transaction: all of it or nothing, and on the disk when it
 * succeeds; `work` may be called again, and does nothing but query. Neither is called inside the other.
 */
export class StoreDatabase extends Context.Service<
  StoreDatabase,
  {
    readonly dialect: "sqlite" | "postgres"
    read<A>(query: (queries: Queries) => Promise<A>): Effect.Effect<A, StoreError>
    write<A>(work: (queries: Queries) => Promise<A>, options?: WriteOptions): Effect.Effect<A, StoreError>
  }
>()("core/store/StoreDatabase") {}
