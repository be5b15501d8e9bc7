import { Effect, Schema } from "effect"
import { ApiTokens } from "../../core/server/access/api-tokens.ts"
import { Sessions } from "../../core/server/access/sessions.ts"
import { SignIn } from "../../core/server/access/sign-in.ts"
import { Users } from "../../core/server/access/users.ts"
import { refuse } from "../../core/server/request-error.ts"
import { endpoint } from "./endpoint.ts"
import { Id, Instant, line, page, pageOf, usualLimit } from "./fields.ts"
import { ApiToken, Me, Password, Scope, Session } from "./people.ts"
import { clientOf, meOf, welcome } from "./session.ts"

const byId = Schema.Struct({ id: Id })

const me = endpoint({
  method: "GET",
  path: "/me",
  tag: "Account",
  summary: "Tells who asks, and what they may.",
  permission: "signed-in",
  answer: Me,
  handle: Effect.fnUntraced(function* ({ actor, session }) {
    const users = yield* Users
    const { displayName } = yield* users.get(actor.account)
    return meOf(actor, displayName, session?.csrf)
  }),
})

const changePassword = endpoint({
  method: "POST",
  path: "/me/password",
  tag: "Account",
  summary: "Changes the password of whoever asks, and ends their other sessions.",
  permission: "in-person",
  refusals: ["limited", "unavailable"],
  body: Schema.Struct({ current: Password, password: Password }),
  answer: Me,
  handle: Effect.fnUntraced(function* (asked) {
    const signIn = yield* SignIn
    const { current, password } = asked.body
    return welcome(asked, yield* signIn.changePassword(asked.actor, current, password, clientOf(asked)))
  }),
})

const tokens = endpoint({
  method: "GET",
  path: "/me/tokens",
  tag: "Account",
  summary: "Lists the tokens of whoever asks, newest first.",
  permission: "in-person",
  query: Schema.Struct(page),
  answer: pageOf(ApiToken),
  handle: Effect.fnUntraced(function* ({ actor, query }) {
    const tokens = yield* ApiTokens
    return yield* tokens.list(actor.account, { limit: usualLimit, ...query })
  }),
})

const createToken = endpoint({
  method: "POST",
  path: "/me/tokens",
  tag: "Account",
  summary: "Makes a token, and tells it this once.",
  description: "It may what its scopes say, as far as its user may when it is used.",
  permission: "in-person",
  refusals: ["conflict"],
  body: Schema.Struct({
    name: line(100),
    scopes: Schema.Array(Scope).check(Schema.isMinLength(1), Schema.isMaxLength(100)),
    expiresAt: Schema.NullOr(Instant).annotate({ description: "Null: it does not expire." }),
  }),
  answer: Schema.Struct({ secret: Schema.String, token: ApiToken }),
  status: 201,
  handle: Effect.fnUntraced(function* ({ actor, body }) {
    const tokens = yield* ApiTokens
    return yield* tokens.create(actor, body)
  }),
})

const revokeToken = endpoint({
  method: "DELETE",
  path: "/me/tokens/:id",
  tag: "Account",
  summary: "Revokes a token of whoever asks.",
  permission: "in-person",
  refusals: ["missing"],
  params: byId,
  answer: Schema.Void,
  status: 204,
  handle: Effect.fnUntraced(function* ({ actor, params }) {
    const tokens = yield* ApiTokens
    yield* tokens.revoke(actor, actor.account, params.id)
  }),
})

const giveTokenUp = endpoint({
  method: "DELETE",
  path: "/me/token",
  tag: "Account",
  summary: "Revokes the token that asks.",
  permission: "signed-in",
  refusals: ["missing"],
  answer: Schema.Void,
  status: 204,
  handle: Effect.fnUntraced(function* ({ actor }) {
    if (actor.kind !== "token") return yield* refuse("missing", "There is no token in the request")
    const tokens = yield* ApiTokens
    yield* tokens.revoke(actor, actor.account, actor.id)
  }),
})

const sessions = endpoint({
  method: "GET",
  path: "/me/sessions",
  tag: "Account",
  summary: "Lists where whoever asks is signed in.",
  permission: "in-person",
  answer: Schema.Struct({ current: Id, items: Schema.Array(Session) }),
  handle: Effect.fnUntraced(function* ({ actor, session }) {
    const sessions = yield* Sessions
    return { current: session?.id ?? "", items: yield* sessions.list(actor) }
  }),
})

const endSession = endpoint({
  method: "DELETE",
  path: "/me/sessions/:id",
  tag: "Account",
  summary: "Ends a session of whoever asks.",
  permission: "in-person",
  refusals: ["missing"],
  params: byId,
  answer: Schema.Void,
  status: 204,
  handle: Effect.fnUntraced(function* ({ actor, params }) {
    const sessions = yield* Sessions
    yield* sessions.end(actor, params.id)
  }),
})

export const meEndpoints = [
  me,
  changePassword,
  tokens,
  createToken,
  revokeToken,
  giveTokenUp,
  sessions,
  endSession,
] as const
