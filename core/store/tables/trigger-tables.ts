import type { ColumnKit } from "../column-kit.ts"

/** What starts runs, and what is told of their end. */
export function triggerTables({ table, text, integer, boolean, json }: ColumnKit) {
  return {
    schedules: table("schedules", {
      id: text().notNull(),
      flow: text().notNull(),
      name: text().notNull(),
      /** See `core/server/schedules`. */
      recurrence: json<unknown>().notNull(),
      timeZone: text().notNull(),
      mode: text().$type<"normal" | "dry-run" | "skip">().notNull(),
      missed: text().$type<"skip" | "once" | "all">().notNull(),
      /** First and last day on which it fires, in its time zone, as yyyy-mm-dd. */
      effectiveFrom: text(),
      effectiveTo: text(),
      parameters: json<Readonly<Record<string, string>>>().notNull(),
      environment: text().$type<"prod" | "dev">().notNull(),
      paused: boolean().notNull(),
      /** The next firing that is due; null: none. */
      nextAt: integer(),
      lastAt: integer(),
      /** Why the last firing has started no run. */
      message: text(),
      owner: text().notNull(),
      version: integer().notNull(),
      createdAt: integer().notNull(),
      updatedAt: integer().notNull(),
    }),
    triggers: table("triggers", {
      id: text().notNull(),
      flow: text().notNull(),
      name: text().notNull(),
      /** SHA-256 of the token. */
      hash: text().notNull(),
      prefix: text().notNull(),
      /** Sealed; null: requests need no signature. */
      signingSecret: text(),
      /** How old a signed request may be. */
      replayWindowMs: integer().notNull(),
      requestsPerMinute: integer().notNull(),
      environment: text().$type<"prod" | "dev">().notNull(),
      owner: text().notNull(),
      createdAt: integer().notNull(),
      lastUsedAt: integer(),
      revokedAt: integer(),
    }),
    /** Signatures that were used inside their window. */
    usedSignatures: table("used_signatures", {
      trigger: text().notNull(),
      signature: text().notNull(),
      expiresAt: integer().notNull(),
    }),
    webhooks: table("webhooks", {
      id: text().notNull(),
      /** Null: runs of every flow. */
      flow: text(),
      name: text().notNull(),
      url: text().notNull(),
      /** Sealed. */
      secret: text().notNull(),
      /** Such as `run.failed`. */
      events: json<readonly string[]>().notNull(),
      paused: boolean().notNull(),
      owner: text().notNull(),
      version: integer().notNull(),
      createdAt: integer().notNull(),
      updatedAt: integer().notNull(),
    }),
    deliveries: table("deliveries", {
      id: text().notNull(),
      webhook: text().notNull(),
      job: text().notNull(),
      event: text().notNull(),
      body: text().notNull(),
      status: text().$type<"waiting" | "delivered" | "failed">().notNull(),
      attempts: integer().notNull(),
      /** When it is tried next. */
      dueAt: integer().notNull(),
      createdAt: integer().notNull(),
      endedAt: integer(),
      /** HTTP status of the last answer. */
      answered: integer(),
      message: text(),
    }),
  }
}
