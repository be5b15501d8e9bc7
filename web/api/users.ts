import { Effect, Schema } from "effect"
import { ApiTokens } from "../../core/server/access/api-tokens.ts"
import type { Invitation as NewInvitation } from "../../core/server/access/invitations.ts"
import { Users } from "../../core/server/access/users.ts"
import { endpoint } from "./endpoint.ts"
import { Id, page, pageOf, usualLimit } from "./fields.ts"
import { ApiToken, DisplayName, Invitation, Role, User, UserName } from "./people.ts"

const byId = Schema.Struct({ id: Id })
const tag = "Users"

const list = endpoint({
  method: "GET",
  path: "/users",
  tag,
  summary: "Lists users by name.",
  permission: "users.read",
  query: Schema.Struct(page),
  answer: pageOf(User),
  handle: Effect.fnUntraced(function* ({ query }) {
    const users = yield* Users
    return yield* users.list({ limit: usualLimit, ...query })
  }),
})

const get = endpoint({
  method: "GET",
  path: "/users/:id",
  tag,
  summary: "Shows a user.",
  permission: "users.read",
  refusals: ["missing"],
  params: byId,
  answer: User,
  handle: Effect.fnUntraced(function* ({ params }) {
    const users = yield* Users
    return yield* users.get(params.id)
  }),
})

const create = endpoint({
  method: "POST",
  path: "/users",
  tag,
  summary: "Makes a user, and the link by which they choose a password.",
  permission: "users.write",
  refusals: ["conflict"],
  body: Schema.Struct({ name: UserName, displayName: DisplayName, role: Role }),
  answer: Schema.Struct({ user: User, invitation: Invitation }),
  status: 201,
  handle: Effect.fnUntraced(function* ({ actor, body, reply }) {
    const users = yield* Users
    const { user, invitation } = yield* users.create(actor, body)
    reply.headers.set("location", `/api/v1/users/${user.id}`)
    return { user, invitation: shownInvitation(invitation) }
  }),
})

const update = endpoint({
  method: "PUT",
  path: "/users/:id",
  tag,
  summary: "Changes a user; disabling one ends their sessions and tokens at once.",
  permission: "users.write",
  refusals: ["missing", "conflict"],
  params: byId,
  body: Schema.Struct({ version: Schema.Int, displayName: DisplayName, role: Role, disabled: Schema.Boolean }),
  answer: User,
  handle: Effect.fnUntraced(function* ({ actor, params, body: { version, ...change } }) {
    const users = yield* Users
    return yield* users.update(actor, params.id, version, change)
  }),
})

const remove = endpoint({
  method: "DELETE",
  path: "/users/:id",
  tag,
  summary: "Removes a user, with their sessions, tokens and grants.",
  permission: "users.write",
  refusals: ["missing", "conflict"],
  params: byId,
  query: Schema.Struct({ version: Schema.Int }),
  answer: Schema.Void,
  status: 204,
  handle: Effect.fnUntraced(function* ({ actor, params, query }) {
    const users = yield* Users
    yield* users.remove(actor, params.id, query.version)
  }),
})

const resetPassword = endpoint({
  method: "POST",
  path: "/users/:id/invitation",
  tag,
  summary: "Takes a user's password away, ends their sessions, and makes a link by which they choose another.",
  permission: "users.write",
  refusals: ["missing", "conflict"],
  params: byId,
  answer: Invitation,
  status: 201,
  handle: Effect.fnUntraced(function* ({ actor, params }) {
    const users = yield* Users
    return shownInvitation(yield* users.resetPassword(actor, params.id))
  }),
})

const tokens = endpoint({
  method: "GET",
  path: "/users/:id/tokens",
  tag,
  summary: "Lists the tokens of a user, newest first.",
  permission: "users.read",
  params: byId,
  query: Schema.Struct(page),
  answer: pageOf(ApiToken),
  handle: Effect.fnUntraced(function* ({ params, query }) {
    const tokens = yield* ApiTokens
    return yield* tokens.list(params.id, { limit: usualLimit, ...query })
  }),
})

const revokeToken = endpoint({
  method: "DELETE",
  path: "/users/:id/tokens/:token",
  tag,
  summary: "Revokes a token of a user.",
  permission: "users.write",
  refusals: ["missing"],
  params: Schema.Struct({ id: Id, token: Id }),
  answer: Schema.Void,
  status: 204,
  handle: Effect.fnUntraced(function* ({ actor, params }) {
    const tokens = yield* ApiTokens
    yield* tokens.revoke(actor, params.id, params.token)
  }),
})

export const userEndpoints = [list, get, create, update, remove, resetPassword, tokens, revokeToken] as const

/** The secret stands behind `#`, which browsers send to nobody. */
function shownInvitation({ secret, expiresAt }: NewInvitation): typeof Invitation.Type {
  return { path: `/invitation#${secret}`, expiresAt }
}
