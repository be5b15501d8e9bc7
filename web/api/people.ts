import { Schema } from "effect"
import { allPermissions } from "../../core/server/access/permission.ts"
import { Id, Instant, line } from "./fields.ts"

export const Role = Schema.Literals(["admin", "developer", "operator", "viewer"]).annotate({
  identifier: "Role",
  description: "Each may what the next may, and more.",
})

export const UserName = Schema.String.check(
  Schema.isPattern(/^\s*[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,63}\s*$/u, {
    expected: "1 to 64 letters, digits or ._@+-, a letter or digit first",
  }),
).annotate({ description: "What they sign in with; case does not count.", examples: ["ada"] })

export const Password = Schema.String.check(Schema.isMaxLength(1024)).annotate({
  description: "At least 12 characters, at most 256.",
  format: "password",
})

/** Of a link, behind its `#`. */
export const LinkSecret = Schema.String.check(Schema.isPattern(/^hri_[\w-]{43}$/, { expected: "the secret of a link" }))

export const DisplayName = line(100)

export const User = Schema.Struct({
  id: Id,
  name: Schema.String,
  displayName: Schema.String,
  role: Role,
  disabled: Schema.Boolean,
  hasPassword: Schema.Boolean.annotate({ description: "False until they have chosen one by their link." }),
  version: Schema.Int,
  createdAt: Instant,
  updatedAt: Instant,
  lastLoginAt: Schema.NullOr(Instant),
}).annotate({ identifier: "User" })

/** A permission, or all that begin alike. */
export const Scope = Schema.Literals([
  ...allPermissions,
  ...new Set(allPermissions.map((each) => `${each.slice(0, each.indexOf("."))}.*` as const)),
]).annotate({ identifier: "Scope", examples: ["runs.start"] })

export const ApiToken = Schema.Struct({
  id: Id,
  name: Schema.String,
  prefix: Schema.String.annotate({ description: "Its first characters, to recognise it by." }),
  scopes: Schema.Array(Schema.String),
  createdAt: Instant,
  expiresAt: Schema.NullOr(Instant),
  lastUsedAt: Schema.NullOr(Instant),
  revokedAt: Schema.NullOr(Instant),
}).annotate({ identifier: "ApiToken" })

export const Session = Schema.Struct({
  id: Id,
  createdAt: Instant,
  seenAt: Instant,
  expiresAt: Instant,
  address: Schema.String,
  agent: Schema.String,
}).annotate({ identifier: "Session" })

/** Whoever asks, with what they may. */
export const Me = Schema.Struct({
  kind: Schema.Literals(["user", "token", "trigger"]),
  id: Id,
  name: Schema.String,
  displayName: Schema.String,
  role: Role,
  permissions: Schema.Array(Schema.String),
  csrf: Schema.optionalKey(
    Schema.String.annotate({ description: "Of a session: to be sent as `x-csrf-token` with all but GET." }),
  ),
}).annotate({ identifier: "Me" })

export const Invitation = Schema.Struct({
  path: Schema.String.annotate({ description: "Behind the address of the server; its secret is told this once." }),
  expiresAt: Instant,
}).annotate({ identifier: "Invitation" })
