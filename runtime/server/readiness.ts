import { desc } from "drizzle-orm"
import { Effect } from "effect"
import { StoreDatabase } from "../../core/store/database.ts"
import type { StoreError } from "../../core/store/store-error.ts"
import { StoreClaim } from "../store/store-claim.ts"

/** Why the server cannot take runs just now; undefined where it can. */
export const readiness = Effect.gen(function* () {
  const database = yield* StoreDatabase
  const { fault } = yield* StoreClaim
  const unread = yield* database
    .read(({ select, tables: { jobs } }) => select({ id: jobs.id }).from(jobs).orderBy(desc(jobs.id)).limit(1))
    .pipe(
      Effect.as(undefined),
      Effect.catch(({ reason }) => Effect.succeed(REASONS[reason] ?? SILENT)),
      Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.succeed(SILENT) }),
    )
  if (unread !== undefined) return unread
  const unwritten = yield* fault
  return unwritten && (REASONS[unwritten.reason] ?? "The store cannot be written")
})

// Its address is nobody's business who only asks whether it is there.
const SILENT = "The store does not answer"
const REASONS: Readonly<Partial<Record<StoreError["reason"], string>>> = {
  resource: "The disk of the store is full",
  protocol: "The store is damaged",
  missing: "The store is gone",
}
