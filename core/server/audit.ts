import { Clock, Context, Effect, Layer } from "effect"
import { StoreDatabase } from "../store/database.ts"
import type { StoreError } from "../store/store-error.ts"
import type { Actor } from "./access/actor.ts"
import { makeId } from "./id.ts"

/** Something that somebody has changed, or was not let to. */
export interface AuditEntry {
  /** `<noun>.<past-verb>`, such as `flow.saved` or `login.refused`. */
  readonly action: string
  readonly subject: { readonly kind: string; readonly id: string; readonly name: string }
  /** Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>
}

/** Who did what. An entry is durable before whoever asked is answered. */
export class AuditLog extends Context.Service<
  AuditLog,
  { record(actor: Actor, entry: AuditEntry): Effect.Effect<void, StoreError> }
>()("core/server/AuditLog") {
  static readonly layer = Layer.effect(
    AuditLog,
    Effect.gen(function* () {
      const database = yield* StoreDatabase
      return AuditLog.of({
        record: Effect.fnUntraced(function* (actor, { action, subject, detail = {} }) {
          const at = yield* Clock.currentTimeMillis
          const row = {
            id: makeId(at),
            at,
            actorKind: actor.kind,
            actorId: actor.id,
            actorName: actor.name,
            action,
            subjectKind: subject.kind,
            subjectId: subject.id,
            subjectName: subject.name,
            detail,
            address: actor.address ?? null,
          }
          yield* database.write(async ({ insert, tables }) => void (await insert(tables.auditLog).values(row)))
        }),
      })
    }),
  )
}
