import type { ColumnKit } from "../column-kit.ts"

/** Who may do what, and who did what. */
export function accessTables({ table, text, integer, boolean, json }: ColumnKit) {
  return {
    users: table("users", {
      id: text().notNull(),
      /** What they sign in with, in lower case. */
      name: text().notNull(),
      displayName: text().notNull(),
      /** In PHC format, argon2id; empty: none was chosen yet. */
      passwordHash: text().notNull(),
      role: text().$type<"admin" | "developer" | "operator" | "viewer">().notNull(),
      disabled: boolean().notNull(),
      version: integer().notNull(),
      createdAt: integer().notNull(),
      updatedAt: integer().notNull(),
      lastLoginAt: integer(),
    }),
    sessions: table("sessions", {
      /** SHA-256 of the cookie's secret. */
      hash: text().notNull(),
      user: text().notNull(),
      csrf: text().notNull(),
      createdAt: integer().notNull(),
      seenAt: integer().notNull(),
      expiresAt: integer().notNull(),
      address: text().notNull(),
      agent: text().notNull(),
    }),
    /** Links that let somebody choose a password, once. */
    invitations: table("invitations", {
      /** SHA-256 of the secret. */
      hash: text().notNull(),
      /** Null: the first administrator, who is not there yet. */
      user: text(),
      createdAt: integer().notNull(),
      expiresAt: integer().notNull(),
    }),
    apiTokens: table("api_tokens", {
      id: text().notNull(),
      user: text().notNull(),
      name: text().notNull(),
      /** SHA-256 of the token. */
      hash: text().notNull(),
      /** First characters, by which people recognise it. */
      prefix: text().notNull(),
      scopes: json<readonly string[]>().notNull(),
      createdAt: integer().notNull(),
      expiresAt: integer(),
      lastUsedAt: integer(),
      revokedAt: integer(),
    }),
    grants: table("grants", {
      dataSource: text().notNull(),
      user: text().notNull(),
      access: text().$type<"read" | "write">().notNull(),
      grantedBy: text().notNull(),
      createdAt: integer().notNull(),
      /** After it the grant is void. */
      expiresAt: integer(),
    }),
    auditLog: table("audit_log", {
      /** Grows with time. */
      id: text().notNull(),
      at: integer().notNull(),
      actorKind: text().notNull(),
      actorId: text().notNull(),
      actorName: text().notNull(),
      /** Such as `flow.saved`. */
      action: text().notNull(),
      subjectKind: text().notNull(),
      subjectId: text().notNull(),
      subjectName: text().notNull(),
      /** Never a secret. */
      detail: json<Readonly<Record<string, unknown>>>().notNull(),
      address: text(),
    }),
    settings: table("settings", {
      key: text().notNull(),
      value: json<unknown>().notNull(),
      updatedAt: integer().notNull(),
    }),
  }
}
