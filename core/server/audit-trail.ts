import { and, desc, eq, gte, lt } from "drizzle-orm"
import { Context, Effect, Layer } from "effect"
import { StoreDatabase } from "../store/database.ts"
import type { StoreError } from "../store/store-error.ts"
import type { Tables } from "../store/tables.ts"

export interface AuditFilter {
  readonly actor?: string
  readonly action?: string
  readonly subjectKind?: string
  readonly subjectId?: string
  readonly from?: number
  readonly to?: number
  /** Id of the last one that is known. */
  readonly after?: string
  readonly limit: number
}

export type AuditLine = Tables["auditLog"]["$inferSelect"]

/** What the audit log says, newest first. */
export class AuditTrail extends Context.Service<
  AuditTrail,
  {
    list(
      filter: AuditFilter,
    ): Effect.Effect<{ readonly items: readonly AuditLine[]; readonly next?: string }, StoreError>
  }
>()("core/server/AuditTrail") {
  static readonly layer = Layer.effect(
    AuditTrail,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      return AuditTrail.of({
        list: ({ actor, action, subjectKind, subjectId, from, to, after, limit }) =>
          database.read(async ({ select, tables: { auditLog } }) => {
            const rows = await select()
              .from(auditLog)
              .where(
                and(
                  actor === undefined ? undefined : eq(auditLog.actorId, actor),
                  action === undefined ? undefined : eq(auditLog.action, action),
                  subjectKind === undefined ? undefined : eq(auditLog.subjectKind, subjectKind),
                  subjectId === undefined ? undefined : eq(auditLog.subjectId, subjectId),
                  // Ids grow with time, and there is an index on them.
                  from === undefined ? undefined : gte(auditLog.id, firstIdOf(from)),
                  to === undefined ? undefined : lt(auditLog.id, firstIdOf(to)),
                  after === undefined ? undefined : lt(auditLog.id, after),
                ),
              )
              .orderBy(desc(auditLog.id))
              .limit(limit + 1)
            const items = rows.slice(0, limit)
            const next = rows.length > limit ? items.at(-1)?.id : undefined
            return { items, ...(next === undefined ? {} : { next }) }
          }),
      })
    }),
  )
}

/** No id of that millisecond or later comes before it. */
function firstIdOf(time: number): string {
  const hex = Math.max(0, Math.min(time, 2 ** 48 - 1))
    .toString(16)
    .padStart(12, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
