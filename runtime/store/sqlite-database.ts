import { type Context, Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "../../core/store/database.ts"
import type { StoreError } from "../../core/store/store-error.ts"
import { openFile, type SqliteFile, type SqliteFileOptions } from "./sqlite-file.ts"
import { type Answer, accepted, storeCall } from "./store-call.ts"
import { storeErrorOf } from "./store-failure.ts"

/** The store in an SQLite file. */
export function sqliteDatabaseLayer(
  path: string,
  options: SqliteFileOptions = {},
): Layer.Layer<StoreDatabase, StoreError> {
  return Layer.effect(
    StoreDatabase,
    Effect.gen(function* () {
      const file = yield* Effect.acquireRelease(
        storeCall<SqliteFile, never>(
          async () => openFile(path, options),
          (error) => storeErrorOf("open the store", path, error),
        ),
        (opened) => Effect.sync(() => opened.close()),
      )
      return yield* Effect.acquireRelease(
        Effect.sync(() => makeSqliteDatabase(file)),
        (database) => Effect.promise(database.written),
      )
    }),
  )
}

export interface SqliteDatabase extends Context.Service.Shape<typeof StoreDatabase> {
  /** Resolves once nothing waits to be written any more. */
  written(): Promise<void>
}

export function makeSqliteDatabase(file: SqliteFile): SqliteDatabase {
  const queue: Waiting[] = []
  let draining: Promise<void> | undefined

  /** What waits is written in one transaction: as many writes as come while the disk is busy cost one flush. */
  async function drain(): Promise<void> {
    while (queue.length > 0) await writeTogether(file, queue.splice(0, MOST_TOGETHER))
    draining = undefined
  }

  function call<A, E>(action: string, work: () => Promise<A>): Answer<A, E> {
    return storeCall(work, (error) => storeErrorOf(`${action} the store`, file.path, error))
  }

  return {
    dialect: "sqlite",
    read: (query) => call("read", () => query(file.reader)),
    write: (work, { isLazy = false } = {}) =>
      call("write", () => {
        const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof work>>>()
        queue.push({ work, isLazy, resolve: resolve as (value: unknown) => void, reject }) // resolved by what its work gives
        draining ??= drain()
        return promise
      }),
    written: async () => draining,
  }
}

interface Waiting {
  readonly work: (queries: Queries) => Promise<unknown>
  readonly isLazy: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Each write is all or nothing on its own; they reach the disk together, or none of them does. */
async function writeTogether(file: SqliteFile, batch: readonly Waiting[]): Promise<void> {
  const done: (() => void)[] = []
  try {
    await file.begin({ isLazy: batch.every(({ isLazy }) => isLazy) })
    for (const each of batch) {
      file.exec("SAVEPOINT one")
      try {
        const value = accepted(await each.work(file.writer))
        const fault = file.takeFault()
        if (fault !== undefined) throw fault.error
        done.push(() => each.resolve(value))
      } catch (error) {
        file.takeFault()
        // A full disk ends the whole transaction.
        if (!file.isInTransaction) throw error
        file.exec("ROLLBACK TO one")
        done.push(() => each.reject(error))
      }
      file.exec("RELEASE one")
    }
    file.exec("COMMIT")
  } catch (error) {
    if (file.isInTransaction) file.exec("ROLLBACK")
    for (const each of batch) each.reject(error)
    return
  }
  for (const settle of done) settle()
}

const MOST_TOGETHER = 64
