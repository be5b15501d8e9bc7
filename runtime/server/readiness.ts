import { sql } from "drizzle-orm"
import { Effect } from "effect"
import { StoreDatabase } from "../../core/store/database.ts"
import { StoreClaim } from "../store/store-claim.ts"

/** Why the server cannot take runs just now; undefined where it can. */
export const readiness = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const { fault } = yield* StoreClaim
  const silent = yield* database
    .read(({ rows }) => rows(sql`SELECT 1 AS one`))
    .pipe(
      Effect.timeout("5 seconds"),
      Effect.as(undefined),
      // Its address is nobody's business who only asks whether it is there.
      Effect.catch(() => Effect.succeed("The store does not answer")),
    )
  if (silent !== undefined) return silent
  const unwritten = yield* fault
  if (unwritten === undefined) return undefined
  return unwritten.reason === "resource" ? "The disk of the store is full" : "The store cannot be written"
})
