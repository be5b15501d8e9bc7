import { Effect, Layer } from "effect"
import { type Queries, StoreDatabase } from "../../core/store/database.ts"
import { StoreError } from "../../core/store/store-error.ts"
import { openFile, type SqliteFile } from "./sqlite-file.ts"
import { storeFailure } from "./store-failure.ts"

/** The store in an SQLite file. */
export function sqliteDatabaseLayer(path: string): Layer.Layer<StoreDatabase, StoreError> {
  return Layer.effect(
    StoreDatabase,
    Effect.gen(function* () {
      const file = yield* Effect.acquireRelease(
        Effect.try({ try: () => openFile(path), catch: storeErrorOf("open the store", path) }),
        (opened) => Effect.sync(() => opened.close()),
      )
      return makeSqliteDatabase(file)
    }),
  )
}

export function makeSqliteDatabase(file: SqliteFile): StoreDatabase["Service"] {
  const queue: Waiting[] = []
  let isDraining = false

  /** What waits is written in one transaction: as many writes as come while the disk is busy cost one flush. */
  async function drain(): Promise<void> {
    isDraining = true
    try {
      while (queue.length > 0) await writeTogether(file, queue.splice(0, MOST_TOGETHER))
    } finally {
      isDraining = false
    }
  }

  return {
    dialect: "sqlite",
    read: (query) => attempt(file.path, "read", () => query(file.reader)),
    write: (work) =>
      attempt(
        file.path,
        "write",
        () =>
          new Promise((resolve, reject) => {
            queue.push({ work, resolve: resolve as (value: unknown) => void, reject })
            if (!isDraining) void drain()
          }),
      ),
  }
}

interface Waiting {
  readonly work: (queries: Queries) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Each write is all or nothing on its own; they reach the disk together, or none of them does. */
async function writeTogether(file: SqliteFile, batch: readonly Waiting[]): Promise<void> {
  const done: (() => void)[] = []
  try {
    file.exec("BEGIN IMMEDIATE")
    for (const each of batch) {
      file.exec("SAVEPOINT one")
      try {
        const value = await each.work(file.writer)
        done.push(() => each.resolve(value))
      } catch (error) {
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

function attempt<A>(path: string, action: string, work: () => Promise<A>): Effect.Effect<A, StoreError> {
  return Effect.tryPromise({ try: work, catch: storeErrorOf(`${action} the store`, path) })
}

/** What is not of the store's doing, such as a failure that `work` has thrown, stays the cause. */
function storeErrorOf(action: string, path: string) {
  return (error: unknown): StoreError => {
    // The query builder wraps what the driver has said.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    const { message, reason, hint, code } = storeFailure(action, path, cause)
    return new StoreError({
      message,
      reason,
      cause,
      ...(hint === undefined ? {} : { hint }),
      ...(code === undefined ? {} : { code }),
    })
  }
}

const MOST_TOGETHER = 64
