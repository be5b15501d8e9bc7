import { Effect, Layer } from "effect"
import { type Queries, type Refusal, StoreDatabase, type WriteOptions } from "../../core/store/database.ts"
import { migrationsFor } from "../../core/store/migrations/index.ts"
import type { StoreError } from "../../core/store/store-error.ts"
import { isCollision, isLoss, postgresError } from "./postgres-failure.ts"
import type { PostgresLink } from "./postgres-link.ts"
import { migrateSchema } from "./postgres-migration.ts"
import { PostgresPool } from "./postgres-pool.ts"
import { postgresQueries } from "./postgres-queries.ts"
import {
  DEFAULT_SCHEMA,
  driverOptions,
  type PostgresStoreSettings,
  placeOf,
  postgresStoreSettings,
} from "./postgres-settings.ts"
import { type Answer, accepted, storeCall } from "./store-call.ts"

/** The store in a PostgreSQL database, which servers may share. */
export function postgresDatabaseLayer(from: PostgresPlace): Layer.Layer<StoreDatabase, StoreError> {
  return Layer.effect(
    StoreDatabase,
    Effect.map(openPool(from), ({ pool, place }) => makePostgresDatabase(pool, place)),
  )
}

/** A store of the present version that is worked on by hand, over one connection. */
export function postgresLink<A>(
  from: PostgresPlace,
  action: string,
  work: (link: PostgresLink, place: string) => Promise<A>,
): Answer<A, StoreError> {
  return Effect.scoped(
    Effect.flatMap(openPool(from), ({ pool, place }) =>
      storeCall<A, StoreError>(
        () => pool.use((link) => work(link, place)),
        (error) => postgresError(`${action} the store`, place, error),
      ),
    ),
  )
}

export type PostgresPlace = PostgresStoreSettings | { readonly url: string }

const openPool = Effect.fnUntraced(function* (from: PostgresPlace) {
  const settings = yield* storeCall<PostgresStoreSettings, StoreError>(
    async () => ("url" in from ? postgresStoreSettings(from.url) : from),
    () => undefined,
  )
  const { schema = DEFAULT_SCHEMA, connections = CONNECTIONS } = settings
  const place = placeOf(settings)
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() => new PostgresPool(driverOptions(settings), connections)),
    (opened) => Effect.promise(() => opened.end()),
  )
  yield* storeCall<void, StoreError>(
    () => pool.use((link) => migrateSchema(link, schema, migrationsFor("postgres"))),
    (error) => postgresError("open the store", place, error),
  )
  return { pool, place }
})

function makePostgresDatabase(pool: PostgresPool, place: string): StoreDatabase["Service"] {
  const queries = postgresQueries((text, params, options) =>
    again(() => pool.use((link) => link.query(text, params, options)), isBroken),
  )

  function call<A, E>(action: string, work: () => Promise<A>): Answer<A, E> {
    return storeCall(work, (error) => postgresError(`${action} the store`, place, error))
  }

  return {
    dialect: "postgres",
    read: (query) => call("read", () => query(queries)),
    write: (work, options) =>
      call("write", () => {
        let isCommitting = false
        const write = (link: PostgresLink) =>
          transaction(link, work, options, () => {
            isCommitting = true
          })
        // What broke while it was committed may be there.
        return again(
          () => pool.use(write),
          (error, tries) => isCollision(error) || (!isCommitting && isBroken(error, tries)),
        )
      }),
  }
}

async function transaction<A>(
  link: PostgresLink,
  work: (queries: Queries) => Promise<A>,
  { lock, isLazy = false }: WriteOptions = {},
  onCommit: () => void,
): Promise<Exclude<A, Refusal>> {
  let fault: { readonly error: unknown } | undefined
  const queries = postgresQueries(async (...statement) => {
    try {
      return await link.query(...statement)
    } catch (error) {
      fault ??= { error }
      throw error
    }
  })
  // Who waits for a lock must not look at a state from before the wait.
  await link.run(`BEGIN ISOLATION LEVEL ${lock === undefined ? "SERIALIZABLE" : "READ COMMITTED"}`)
  try {
    if (isLazy) await link.run("SET LOCAL synchronous_commit = off")
    if (lock !== undefined) await link.query(LOCK, [lock], { prepare: true })
    const value = accepted(await work(queries))
    // PostgreSQL would undo everything, and call that a commit.
    if (fault !== undefined) throw fault.error
    onCommit()
    await link.run("COMMIT")
    return value
  } catch (error) {
    // It may be lost by now, which undoes everything as well.
    if (!link.isLost) await link.run("ROLLBACK").catch(() => undefined)
    // Work may explain what it has run into, but not what is worth another try.
    throw fault !== undefined && (isCollision(fault.error) || isLoss(fault.error)) ? fault.error : error
  }
}

/** Tries again what was undone because of others. */
async function again<A>(call: () => Promise<A>, isWorth: (error: unknown, tries: number) => boolean): Promise<A> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (tries === MOST_TRIES || !isWorth(error, tries)) throw error
      const pauseMs = Math.min(2 ** tries, LONGEST_PAUSE_MS) * (0.5 + Math.random())
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/** A connection that was there is gone, such as after a restart of the server. A new one may work at once. */
function isBroken(error: unknown, tries: number): boolean {
  return tries < 4 && isLoss(error)
}

const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
const CONNECTIONS = 10
const MOST_TRIES = 20
const LONGEST_PAUSE_MS = 100
